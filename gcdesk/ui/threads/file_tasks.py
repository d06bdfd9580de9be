"""File work on a thread; its failures become sentences for the status strip."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from PySide6.QtCore import QObject, Signal

from gcdesk.engine.errors import GcdeskError
from gcdesk.engine.os_errors import in_a_sentence
from gcdesk.ui.threads.background import Background
from gcdesk.ui.threads.gui_priority import GuiPriority

_T = TypeVar("_T")


@dataclass(frozen=True)
class _Failed:
    sentence: str


class FileTasks(QObject):
    """Runs functions that use the disk, one after another, on a thread.

    failed(sentence): the function raised a GcdeskError or an OSError; `done` is then not called, `after` always is.
    Any other exception is raised on the window's thread.
    """

    failed = Signal(str)

    def __init__(self, parent: QObject | None = None, gui_priority: GuiPriority | None = None) -> None:
        super().__init__(parent)
        self._background = Background(self, gui_priority=gui_priority)

    def run(
        self,
        work: Callable[[], _T],
        done: Callable[[_T], object],
        after: Callable[[], None] | None = None,
    ) -> None:
        """`done(work())`, with `work` on the thread and the rest here."""

        def guarded() -> _T | _Failed:
            try:
                return work()
            except GcdeskError as error:
                return _Failed(str(error))
            except OSError as error:
                return _Failed(in_a_sentence(error))

        def deliver(result: _T | _Failed) -> None:
            if isinstance(result, _Failed):
                self.failed.emit(result.sentence)
            else:
                done(result)

        self._background.run(guarded, deliver, after=after)

    def abandon(self) -> None:
        """As `close`, without waiting for what runs."""
        self._background.abandon()

    def close(self) -> None:
        """Drop what waits, wait for what runs; deliver nothing more."""
        self._background.close()

    def finish(self) -> None:
        """As `close`, but what waits is done first."""
        self._background.finish()

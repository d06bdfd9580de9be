"""A thread for work that would block the window; results come back on the window's thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from PySide6.QtCore import QObject, QRunnable, QThreadPool, Signal, Slot

from gcdesk.ui.threads.gui_priority import GuiPriority

_T = TypeVar("_T")


class _Task(QRunnable):
    def __init__(
        self,
        owner: Background,
        work: Callable[[], Any],
        done: Callable[[Any], object],
        after: Callable[[], None] | None,
    ) -> None:
        super().__init__()
        self._order = [(owner, work, done, after)]

    def run(self) -> None:
        # The order is taken out: Qt keeps its runnable longer than one would think, and a snapshot of 100,000
        # rows is 10 MB.
        owner, work, done, after = self._order.pop()
        owner.gui_priority.wait_for_gui()
        try:
            result, error = work(), None
        except BaseException as problem:  # not swallowed: it is raised again on the window's thread
            result, error = None, problem
        try:
            owner.finished.emit(done, result, error, after)
        except RuntimeError:  # the window is gone already: it did not wait (`abandon`)
            return


class Background(QObject):
    """Runs functions on a thread of its own, in the order of the calls.

    Before each it waits while the window's thread is inside `gui_priority`, which several may share.
    """

    finished = Signal(object, object, object, object)

    def __init__(
        self, parent: QObject | None = None, threads: int = 1, gui_priority: GuiPriority | None = None
    ) -> None:
        super().__init__(parent)
        self.gui_priority = gui_priority or GuiPriority()
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(threads)
        self._pool.setExpiryTimeout(2000)
        self._closed = False
        self.finished.connect(self._deliver)

    def run(
        self,
        work: Callable[[], _T],
        done: Callable[[_T], object],
        priority: int = 0,
        after: Callable[[], None] | None = None,
    ) -> None:
        """Run `work()` on the thread, then `done(result)` here. An exception in `work` is raised here.

        `after()` is called here in any case, also after an exception.
        """
        if not self._closed:
            self._pool.start(_Task(self, work, done, after), priority)

    @Slot(object, object, object, object)
    def _deliver(
        self,
        done: Callable[[Any], object],
        result: Any,
        error: BaseException | None,
        after: Callable[[], None] | None,
    ) -> None:
        if self._closed:
            return
        with self.gui_priority:
            try:
                if error is not None:
                    raise error
                done(result)
            finally:
                if after is not None:
                    after()

    def finish(self) -> None:
        """Do what waits, then close."""
        self._pool.waitForDone()
        self.close()

    @property
    def busy(self) -> bool:
        """Whether something runs, be it abandoned or not."""
        return self._pool.activeThreadCount() > 0

    def abandon(self) -> None:
        """Drop what waits, deliver nothing more, and do not wait for what runs: a drive may never answer."""
        self._closed = True
        self._pool.clear()

    def close(self) -> None:
        """Drop what waits, wait for what runs, deliver nothing more."""
        self._closed = True
        self._pool.clear()
        self._pool.waitForDone()

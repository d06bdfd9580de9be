"""The application's log file, and a notice in the window for an error that nothing handled."""

from __future__ import annotations

import copy
import logging
import sys
import traceback
from collections.abc import Callable
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import QObject, Signal

from gcdesk.config.crash_reports import write_report
from gcdesk.config.folders import user_folders
from gcdesk.config.redaction import private_trace, without_private
from gcdesk.engine.text import one_line
from gcdesk.jobs import line_process

ExceptionInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]

_MAX_BYTES = 1024 * 1024
_KEPT = 2  # older files beside the present one
_LONGEST = 4000
_FORM = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def log_file() -> Path:
    """The path of the current log file."""
    return user_folders().log / "gcdesk.log"


class OneLineFormatter(logging.Formatter):
    """Formats a record as one line whatever it quotes, so that no file name forges a record. A traceback follows.
    Neither holds a caption, a photo's name or a path of the user's.
    """

    def format(self, record: logging.LogRecord) -> str:
        own = copy.copy(record)  # logging keeps a trace as another handler wrote it
        own.exc_text = None
        return super().format(own)

    def formatMessage(self, record: logging.LogRecord) -> str:
        return one_line(without_private(super().formatMessage(record)), _LONGEST)

    def formatException(self, ei: ExceptionInfo) -> str:
        return without_private(super().formatException(ei))


def _is_our_own(record: logging.LogRecord) -> bool:
    """Whether a line may go to the terminal: what a worker or a library in it prints is for the log alone."""
    return record.name != line_process.__name__


class LogKeeper(QObject):
    """Until `close`, warnings, errors and the worker's standard error go to the log file.

    went_wrong(str): an exception that nothing handled; the window goes on.
    """

    went_wrong = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._handler: logging.Handler | None = None
        self._reported: set[tuple[str, str, int]] = set()
        try:
            log_file().parent.mkdir(parents=True, exist_ok=True)
            # The file is made by the first line: most days have nothing to tell.
            self._handler = RotatingFileHandler(
                log_file(), maxBytes=_MAX_BYTES, backupCount=_KEPT, encoding="utf-8", delay=True
            )
        except OSError:
            return  # a disk that may not be written: the window works without a log
        self._handler.setFormatter(OneLineFormatter(_FORM))
        self._handler.setLevel(logging.INFO)
        self._terminals = list(logging.getLogger().handlers)
        for terminal in self._terminals:
            terminal.addFilter(_is_our_own)
        logging.getLogger().addHandler(self._handler)
        self._before: Callable[..., object] = sys.excepthook
        self._hook = self._unforeseen
        sys.excepthook = self._hook

    def _unforeseen(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        if not issubclass(kind, KeyboardInterrupt):
            logging.getLogger("gcdesk").error("not foreseen", exc_info=(kind, error, trace))
            self._report(kind, error, trace)
            self.went_wrong.emit(f"{kind.__name__}: {error}")
        self._before(kind, error, trace)

    def _report(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        """A report of its own for each place that fails, once: what fails while painting fails again and again."""
        frames = traceback.extract_tb(trace)
        origin = (
            (kind.__name__, frames[-1].filename, frames[-1].lineno or 0) if frames else (kind.__name__, "", 0)
        )
        if origin not in self._reported:
            self._reported.add(origin)
            write_report("window", private_trace(error.with_traceback(trace)))

    def close(self) -> None:
        """Let go of the file; safe to call twice."""
        if self._handler is None:
            return
        logging.getLogger().removeHandler(self._handler)
        for terminal in self._terminals:
            terminal.removeFilter(_is_our_own)
        self._handler.close()
        self._handler = None
        if sys.excepthook is self._hook:
            sys.excepthook = self._before

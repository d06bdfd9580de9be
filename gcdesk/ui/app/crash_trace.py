"""Python stack traces of a crash inside a library, written by faulthandler and reported at the next start."""

from __future__ import annotations

import contextlib
import faulthandler
import os
from pathlib import Path
from typing import TextIO

from gcdesk.config.crash_reports import is_running, write_report
from gcdesk.config.folders import user_folders

_PATTERN = "running-*.trace"


class CrashTrace:
    """Until `close`, a fatal error writes the stack of each thread to a file of the log folder.

    earlier: the report of a window that crashed before, None where none did. Where the log folder cannot be written
    there is no trace, and no error.
    """

    def __init__(self) -> None:
        folder = user_folders().log
        self.earlier = _collect(folder)
        self._path = folder / f"running-{os.getpid()}.trace"
        self._file: TextIO | None = None
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            self._file = self._path.open("w", encoding="utf-8")
            faulthandler.enable(self._file)

    def close(self) -> None:
        """The window closes in order: there is nothing to tell."""
        if self._file is None:
            return
        faulthandler.disable()
        self._file.close()
        self._file = None
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)


def _collect(folder: Path) -> Path | None:
    """Turn what dead windows left into reports; an empty file is one of a window that was killed."""
    report = None
    for trace in sorted(folder.glob(_PATTERN)):
        number = trace.stem.rpartition("-")[2]
        if number.isdigit() and int(number) != os.getpid() and is_running(int(number)):
            continue
        with contextlib.suppress(OSError):
            words = trace.read_text(encoding="utf-8", errors="replace")
            if words.strip():
                report = write_report("window", words) or report
            trace.unlink()
    return report

"""Reads from drives that may stall: a share whose server is gone answers no read and no question, and nothing can end
who waits for it, not even a kill. So a thread of its own waits, and who wants the photo waits for that only so long.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from gcdesk.config.thresholds import DRIVE_STALLED_SECONDS
from gcdesk.engine.errors import DRIVE_STALLED, PhotoError, PhotoProblem

Made = TypeVar("Made")


class _Read(Generic[Made]):
    """Work under way: `last_progress` is when it last came forward, by the clock of `time.monotonic`."""

    def __init__(self, work: Callable[[Callable[[], None]], Made]) -> None:
        self._work = work
        self._made: list[Made] = []
        self._error: BaseException | None = None
        self.finished = threading.Event()
        self.last_progress = time.monotonic()

    def run(self) -> None:
        try:
            self._made.append(self._work(self._step))
        except BaseException as error:  # not swallowed: `result` raises it on the thread that asked
            self._error = error
        self.finished.set()

    def _step(self) -> None:
        self.last_progress = time.monotonic()

    def result(self) -> Made:
        if self._error is not None:
            raise self._error
        return self._made[0]


class Drives:
    """Safe to call from several threads. While a folder is silent, its photos are refused at once: one thread waits for
    each such folder and lane, however many photos there are.
    """

    def __init__(self, seconds: float = DRIVE_STALLED_SECONDS) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._silent: dict[str, list[threading.Event]] = {}  # set when a late read is over

    def run(self, path: str, work: Callable[[Callable[[], None]], Made]) -> Made:
        """What `work(step)` gives, which touches the drive of `path`; it calls `step` whenever it comes forward.

        Raises PhotoError where nothing came forward for so long, and whatever `work` raises.
        """
        folder = os.path.dirname(path)
        if self._is_stalled(folder):
            raise PhotoError(PhotoProblem.SILENT, DRIVE_STALLED)
        read = _Read(work)
        # It has the priority of this thread, and its fence.
        threading.Thread(target=read.run, name="reader", daemon=True).start()
        while not read.finished.wait(max(0.01, read.last_progress + self._seconds - time.monotonic())):
            if time.monotonic() - read.last_progress >= self._seconds:
                with self._lock:
                    self._silent.setdefault(folder, []).append(read.finished)
                raise PhotoError(PhotoProblem.SILENT, DRIVE_STALLED)
        return read.result()

    def _is_stalled(self, folder: str) -> bool:
        """Whether somebody still waits for it."""
        with self._lock:
            waiting = [finished for finished in self._silent.get(folder, ()) if not finished.is_set()]
            if waiting:
                self._silent[folder] = waiting
            else:
                self._silent.pop(folder, None)
        return bool(waiting)

"""Fails a test that leaves something behind: a thread, a child process, a running timer, a window.

Use `leaks.watch()` around a test (see tests/jobs/conftest.py). Only what appeared during the test counts.
"""

from __future__ import annotations

import gc
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PATIENCE = 30.0  # seconds; what ends by itself may take its time on a busy machine


@contextmanager
def watch(qt: bool = False) -> Iterator[None]:
    """Raise AssertionError with what the block left behind. `qt`: timers, thread pools and windows count too."""
    threads, children = set(threading.enumerate()), set(child_processes())
    timers = _timers() if qt else set()
    yield
    deadline = time.monotonic() + PATIENCE
    while True:
        left = _left(threads, children, timers, qt)
        if not left:
            return
        if time.monotonic() > deadline:
            raise AssertionError("left behind: " + "; ".join(left))
        if qt:
            _process_events()
        time.sleep(0.02)


def child_processes(of: int | None = None) -> list[int]:
    """The living children (zombies aside) of a process, of this one for None; [] where the system cannot tell."""
    pid = os.getpid() if of is None else of
    found = []
    for tasks in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += [int(word) for word in tasks.read_text().split()]
        except OSError:
            continue
    return [child for child in found if is_alive(child)]


def is_alive(pid: int) -> bool:
    """Whether a process is there in a state other than Z."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def _left(threads: set[threading.Thread], children: set[int], timers: set[int], qt: bool) -> list[str]:
    left = [
        f"the thread {thread.name}"
        for thread in set(threading.enumerate()) - threads
        if thread.is_alive() and not isinstance(thread, threading._DummyThread)
    ]
    left += [f"the process {_words(child)}" for child in set(child_processes()) - children]
    return left + (_left_of_qt(timers) if qt else [])


def _left_of_qt(timers: set[int]) -> list[str]:
    from PySide6.QtCore import QThreadPool
    from PySide6.QtWidgets import QApplication

    pool = QThreadPool.globalInstance()
    left = [f"{pool.activeThreadCount()} threads of the pool"] if pool.activeThreadCount() else []
    if isinstance(QApplication.instance(), QApplication):
        left += [f"the window {widget!r}" for widget in QApplication.topLevelWidgets() if widget.isVisible()]
    gc.collect()
    return left + [f"{len(_timers() - timers)} running timers"] * bool(_timers() - timers)


def _timers() -> set[int]:
    """Running timers that Python knows of, by identity."""
    import shiboken6
    from PySide6.QtCore import QTimer

    return {
        id(thing)
        for thing in gc.get_objects()
        if type(thing) is QTimer and shiboken6.isValid(thing) and thing.isActive()
    }


def _process_events() -> None:
    from PySide6.QtCore import QCoreApplication, QEvent

    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    QCoreApplication.processEvents()


def _words(pid: int) -> str:
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        command = ""
    return f"{pid} {command}".strip()

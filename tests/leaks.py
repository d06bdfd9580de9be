"""Fails a test that leaves something behind: a thread, a child process, a running timer, a window.

Use `leaks.watch()` around a test (see tests/jobs/conftest.py). Only what appeared during the test counts. A thread and
a process of `subprocess` are reported with the line of ours that began them, a timer with its owner.
"""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

if TYPE_CHECKING:
    from PySide6.QtCore import QTimer

PATIENCE = 30.0  # seconds; what ends by itself may take its time on a busy machine


@contextmanager
def watch(qt: bool = False) -> Iterator[None]:
    """Raise AssertionError with what the block left behind. `qt`: timers, thread pools and windows count too."""
    threads, children = set(threading.enumerate()), set(child_processes())
    timers = {id(timer) for timer in _timers()} if qt else set()
    with _origins() as origins:
        yield
    deadline = time.monotonic() + PATIENCE
    while True:
        left = _left(threads, children, timers, origins, qt)
        if not left:
            return
        if time.monotonic() > deadline:
            if qt:
                _hide_windows()  # the tests after this one see their own only
            raise AssertionError("left behind: " + "; ".join(left))
        if qt:
            _process_events()
        time.sleep(0.02)


@contextmanager
def _origins() -> Iterator[dict[object, str]]:
    """Note for each thread that is started, and each process by its id, where in our code that was."""
    origins: dict[object, str] = {}
    start, begin = threading.Thread.start, subprocess.Popen.__init__

    def started(thread: threading.Thread) -> None:
        origins[thread] = _caller()
        start(thread)

    def begun(process: subprocess.Popen[bytes], *args: Any, **kwargs: Any) -> None:
        begin(process, *args, **kwargs)
        origins[process.pid] = _caller()

    threading.Thread.start, subprocess.Popen.__init__ = started, begun  # type: ignore[method-assign]
    try:
        yield origins
    finally:
        threading.Thread.start, subprocess.Popen.__init__ = start, begin  # type: ignore[method-assign]


def _caller() -> str:
    """The innermost line outside the standard library and this file."""
    for frame in reversed(traceback.extract_stack()):
        if frame.filename != __file__ and not frame.filename.startswith(str(Path(os.__file__).parent)):
            return f" (begun in {frame.filename}:{frame.lineno})"
    return ""


def child_processes(of: int | None = None) -> list[int]:
    """The living children (zombies aside) of a process, of this one for None; [] for one that is gone."""
    pid = os.getpid() if of is None else of
    if sys.platform != "linux":
        with suppress(psutil.NoSuchProcess):
            return [child.pid for child in psutil.Process(pid).children()]
        return []
    found = []
    for tasks in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += [int(word) for word in tasks.read_text().split()]
        except OSError:
            continue
    return [child for child in found if is_alive(child)]


def is_alive(pid: int) -> bool:
    """Whether a process is there in a state other than Z."""
    if sys.platform != "linux":
        return psutil.pid_exists(pid)
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def _left(
    threads: set[threading.Thread], children: set[int], timers: set[int], origins: dict[object, str], qt: bool
) -> list[str]:
    left = [
        f"the thread {thread.name}{origins.get(thread, '')}"
        for thread in set(threading.enumerate()) - threads
        if thread.is_alive() and not isinstance(thread, threading._DummyThread)
    ]
    left += [
        f"the process {_words(child)}{origins.get(child, '')}" for child in set(child_processes()) - children
    ]
    return left + (_left_of_qt(timers) if qt else [])


def _left_of_qt(timers: set[int]) -> list[str]:
    from PySide6.QtCore import QThreadPool
    from PySide6.QtWidgets import QApplication

    pool = QThreadPool.globalInstance()
    left = [f"{pool.activeThreadCount()} threads of the pool"] if pool.activeThreadCount() else []
    if isinstance(QApplication.instance(), QApplication):
        left += [f"the window {widget!r}" for widget in QApplication.topLevelWidgets() if widget.isVisible()]
    gc.collect()
    return left + [
        f"a timer of {timer.interval()} ms of {timer.parent()!r}"
        for timer in _timers()
        if id(timer) not in timers
    ]


def _hide_windows() -> None:
    from PySide6.QtWidgets import QApplication

    if isinstance(QApplication.instance(), QApplication):
        for widget in QApplication.topLevelWidgets():
            widget.hide()


def _timers() -> list[QTimer]:
    """Running timers that Python knows of."""
    import shiboken6
    from PySide6.QtCore import QTimer

    return [
        thing
        for thing in gc.get_objects()
        if type(thing) is QTimer and shiboken6.isValid(thing) and thing.isActive()
    ]


def _process_events() -> None:
    from PySide6.QtCore import QCoreApplication, QEvent

    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    QCoreApplication.processEvents()


def _words(pid: int) -> str:
    if sys.platform != "linux":
        with suppress(psutil.Error):
            return f"{pid} {' '.join(psutil.Process(pid).cmdline())}"
        return str(pid)
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        command = ""
    return f"{pid} {command}".strip()

"""How the worker lives and dies with its window: standard output, signals, parents, priorities of threads."""

from __future__ import annotations

import ctypes
import faulthandler
import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import NoReturn

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
HEARTBEAT_SECONDS = 2.0


def take_stdout() -> int:
    """Keep the pipe to the window for the protocol alone: whatever a library prints goes to standard error.

    Returns the pipe's descriptor, which no child inherits.
    """
    sys.stdout.flush()
    pipe = os.dup(1)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    if os.name == "nt":
        import msvcrt

        msvcrt.setmode(pipe, os.O_BINARY)  # type: ignore[attr-defined,unused-ignore]  # Windows only
    return pipe


def die_with_parent() -> None:
    """Linux: have the kernel end this process with the thread that started it, even while it is stopped.

    Elsewhere, and for a parent that was gone before this call, the end of standard input does it.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the window, which then closes the pipe
    faulthandler.enable()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def step_back(by: int) -> None:
    """Lower the priority of the calling thread, where the system knows such a thing (Linux)."""
    if sys.platform == "linux":
        own = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, own, min(19, os.getpriority(os.PRIO_PROCESS, own) + by))


def low_priority(by: int) -> None:
    """Lower the priority of this whole process and of what it starts: others go on as if it were not there."""
    if os.name == "posix":
        os.nice(by)
    elif sys.platform == "win32":
        below_normal = 0x00004000  # BELOW_NORMAL_PRIORITY_CLASS, winbase.h
        ctypes.windll.kernel32.SetPriorityClass(ctypes.windll.kernel32.GetCurrentProcess(), below_normal)


def beat(send: Callable[[], None]) -> None:
    """Call `send` every HEARTBEAT_SECONDS on a thread of its own, for as long as the interpreter lives."""
    pause = threading.Event()

    def work() -> None:
        while not pause.wait(HEARTBEAT_SECONDS):
            send()

    threading.Thread(target=work, name="heartbeat", daemon=True).start()


def leave(code: int = 0) -> NoReturn:
    """End the process now: threads in the middle of a photo do not hold it up."""
    os._exit(code)

"""How the worker lives and dies with its window: its pipes, signals, parents, priorities of threads."""

from __future__ import annotations

import ctypes
import faulthandler
import io
import os
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO, NoReturn

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_STD_INPUT_HANDLE, _STD_OUTPUT_HANDLE = 2**32 - 10, 2**32 - 11  # processenv.h
HEARTBEAT_SECONDS = 2.0


@dataclass(frozen=True)
class Pipes:
    """The protocol's two ends in a worker. No child inherits them, and no library can find them."""

    requests: BinaryIO
    events: int  # a descriptor


def take_pipes() -> Pipes:
    """Keep both pipes to the window for the protocol alone; to be called before anything heavy is imported.

    Descriptor 0 and the system's standard input become the null device. On Windows a library that looks at its
    standard input while it loads (numpy's OpenBLAS does) would otherwise wait for the protocol's blocked read, and
    hold up all loading meanwhile (numpy issue 24290, cpython issue 78961). Whatever is printed goes to standard error.
    """
    sys.stdout.flush()
    requests, events = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    if sys.platform == "win32":
        import msvcrt

        msvcrt.setmode(events, os.O_BINARY)
        if isinstance(sys.stderr, io.TextIOWrapper):  # the log is read as UTF-8
            sys.stderr.reconfigure(encoding="utf-8")
        _tell_windows()
    return Pipes(os.fdopen(requests, "rb"), events)


def _tell_windows() -> None:
    """Windows: make the process's standard handles those of descriptors 0 and 1.

    The C library does so in a console program, and not in a windowed one.
    """
    if sys.platform == "win32":
        import msvcrt

        change = ctypes.WinDLL("kernel32").SetStdHandle
        change.argtypes = (ctypes.c_ulong, ctypes.c_void_p)
        for number, descriptor in ((_STD_INPUT_HANDLE, 0), (_STD_OUTPUT_HANDLE, 1)):
            change(number, msvcrt.get_osfhandle(descriptor))


def die_with_parent() -> None:
    """Linux: have the kernel end this process with the thread that started it, even while it is stopped.

    Elsewhere, and for a parent that was gone before this call, the end of standard input does it.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the window, which then closes the pipe
    faulthandler.enable()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def lower_thread_priority(by: int) -> None:
    """Lower the priority of the calling thread, where the system knows such a thing (Linux)."""
    if sys.platform == "linux":
        own = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, own, min(19, os.getpriority(os.PRIO_PROCESS, own) + by))


def low_priority(by: int) -> None:
    """Lower the priority of this whole process and of what it starts: others go on as if it were not there."""
    if os.name == "posix":
        os.nice(by)
    elif sys.platform == "win32":
        import psutil

        psutil.Process().nice(psutil.BELOW_NORMAL_PRIORITY_CLASS)


def start_heartbeat(send: Callable[[], None]) -> None:
    """Call `send` every HEARTBEAT_SECONDS on a thread of its own, for as long as the interpreter lives."""
    pause = threading.Event()

    def work() -> None:
        while not pause.wait(HEARTBEAT_SECONDS):
            send()

    threading.Thread(target=work, name="heartbeat", daemon=True).start()


def exit_immediately(code: int = 0) -> NoReturn:
    """End the process now: threads in the middle of a photo do not hold it up."""
    os._exit(code)

"""What tests do to processes, the same on every system."""

from __future__ import annotations

import os
import signal
import sys

import psutil

# How far a task steps back: by 10 on POSIX, one class on Windows.
_BY_NICE = 10
# The exit code of a process that Windows itself has ended, STATUS_ACCESS_VIOLATION, as a signed number.
CRASH = 0xC0000005 - 2**32


def kill(pid: int) -> None:
    """End a process so that it notices nothing."""
    os.kill(pid, CRASH if sys.platform == "win32" else signal.SIGKILL)


def priority() -> int:
    """Of this process: a niceness, or one of Windows' priority classes."""
    return int(psutil.Process().nice())


def lower_priority() -> int:
    """What `priority` is in a task that was started from here."""
    if sys.platform == "win32":
        return int(psutil.BELOW_NORMAL_PRIORITY_CLASS)
    return min(19, priority() + _BY_NICE)

"""What a process that opens foreign files may still do: how much memory, which folders, no network.

A decoder or a reader with a hole in it is then worth little to who found it. Linux only: limits are the kernel's own
(setrlimit), folders and network are held by Landlock (kernel 5.13 and later; network 6.7). Elsewhere, and on a kernel
without it, the process runs as before: `confine` says what holds.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gcdesk.config.thresholds import MODEL_HEADER_MAX_BYTES, MODEL_WEIGHTS_MAX_BYTES

# The folder that the window lets its worker write to, in the worker's environment; without it there is no fence.
WRITES_VARIABLE = "GCDESK_WORKER_WRITES"

# Models, two lanes and the largest photo take less than 3 GiB; half of that again for CUDA's own.
_LEAST_MEMORY = 4 * 1024**3
_SHARE_OF_MEMORY = 0.75

# linux/landlock.h. The system calls have the same numbers on every architecture that Python runs on.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION_ONLY, _PATH_BENEATH = 1, 1
_WRITE_FILE, _REFER, _TRUNCATE = 1 << 1, 1 << 13, 1 << 14
_MAKE_AND_REMOVE = sum(1 << bit for bit in range(4, 13))
_BIND_AND_CONNECT_TCP = 0b11
_PR_SET_NO_NEW_PRIVS = 38


@dataclass(frozen=True)
class Confined:
    """What holds from now on: a memory cap in bytes (0 for none), writes fenced in, TCP shut off."""

    memory: int = 0
    folders: bool = False
    network: bool = False


def confine(folders: Sequence[Path]) -> Confined:
    """From now on this thread, and those that it starts, write nowhere but below `folders` and the system's
    temporary folder, connect to nothing, and the process takes no more than its share of memory.

    Call it before there are other threads. What the kernel cannot do is left out; nothing is raised for that.
    A file beyond the size of the largest weights fails with OSError, memory over the cap with MemoryError.
    """
    if sys.platform != "linux":
        return Confined()
    memory = _limit()
    version = landlock_version()
    if version < 1:
        return Confined(memory)
    network = version >= 4
    _fence([*folders, Path(tempfile.gettempdir())], version, network)
    return Confined(memory, True, network)


def confine_by_environment() -> Confined:
    """`confine` to the folder that the window named, if it did."""
    named = os.environ.get(WRITES_VARIABLE, "")
    return confine([Path(named)]) if named else Confined()


def memory_cap() -> int:
    """Bytes that a worker may take: three quarters of the computer's, and 4 GiB at least."""
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return max(_LEAST_MEMORY, int(physical * _SHARE_OF_MEMORY))


def _limit() -> int:
    import resource

    # RLIMIT_DATA counts what a process may write to, not the address space that CUDA reserves and never uses.
    memory = _lower(resource.RLIMIT_DATA, memory_cap())
    _lower(resource.RLIMIT_CORE, 0)  # a dump would hold the photos
    _lower(resource.RLIMIT_FSIZE, MODEL_WEIGHTS_MAX_BYTES + MODEL_HEADER_MAX_BYTES)
    return memory


def _lower(which: int, to: int) -> int:
    """Set both limits, unless lower ones are set already. Returns what holds."""
    import resource

    present = [limit for limit in resource.getrlimit(which) if limit != resource.RLIM_INFINITY]
    lowest = min([to, *present])
    resource.setrlimit(which, (lowest, lowest))
    return lowest


def landlock_version() -> int:
    """The version of the kernel's Landlock, 0 where there is none."""
    return max(0, _call(_CREATE_RULESET, None, 0, _VERSION_ONLY))


def _fence(folders: Sequence[Path], version: int, network: bool) -> None:
    writes = _WRITE_FILE | _MAKE_AND_REMOVE
    writes |= _REFER if version >= 2 else 0
    writes |= _TRUNCATE if version >= 3 else 0
    handled = struct.pack("=QQ", writes, _BIND_AND_CONNECT_TCP) if network else struct.pack("=Q", writes)
    ruleset = _checked(_CREATE_RULESET, handled, len(handled), 0)
    try:
        for folder in folders:
            _allow(ruleset, folder, writes)
        _allow(ruleset, Path("/dev"), _WRITE_FILE)  # /dev/null, and a graphics card's
        _checked_prctl(_PR_SET_NO_NEW_PRIVS, 1)
        _checked(_RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)


def _allow(ruleset: int, folder: Path, writes: int) -> None:
    try:
        if not folder.exists():
            folder.mkdir(parents=True)
        place = os.open(folder, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # a folder that cannot be made cannot be written either: the worker goes on without pictures
    try:
        _checked(_ADD_RULE, ruleset, _PATH_BENEATH, struct.pack("=Qi", writes, place), 0)
    finally:
        os.close(place)


def _call(number: int, *arguments: int | bytes | None) -> int:
    library = ctypes.CDLL(None, use_errno=True)
    library.syscall.restype = ctypes.c_long
    given = [ctypes.c_long(item) if isinstance(item, int) else item for item in arguments]
    return int(library.syscall(ctypes.c_long(number), *given))


def _checked(number: int, *arguments: int | bytes | None) -> int:
    result = _call(number, *arguments)
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return result


def _checked_prctl(option: int, value: int) -> None:
    library = ctypes.CDLL(None, use_errno=True)
    if library.prctl(option, value, 0, 0, 0):
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))

"""A child process that the kernel ends the moment it asks for an Internet socket, with a home of its own to look into.

Linux only: a seccomp filter (linux/seccomp.h, linux/filter.h), inherited by all that the child starts.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import socket
import struct
import subprocess
from pathlib import Path

_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _MODE_FILTER = 38, 22, 2
_KILL_PROCESS, _ALLOW = 0x80000000, 0x7FFF0000
_LOAD_WORD, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x15, 0x06
_NUMBER_OF_CALL, _FIRST_ARGUMENT = 0, 16  # places in struct seccomp_data
_SOCKET_CALL = {"x86_64": 41, "aarch64": 198}
_AF_INET, _AF_INET6 = int(socket.AF_INET), int(socket.AF_INET6)

# How a process ends that asked: killed by SIGSYS.
ASKED_FOR_THE_NETWORK = -31


def _filter() -> bytes:
    """Kill on socket(AF_INET, ...) and socket(AF_INET6, ...), allow all else."""
    lines = [
        (_LOAD_WORD, 0, 0, _NUMBER_OF_CALL),
        (_JUMP_IF_EQUAL, 0, 4, _SOCKET_CALL[platform.machine()]),
        (_LOAD_WORD, 0, 0, _FIRST_ARGUMENT),
        (_JUMP_IF_EQUAL, 1, 0, _AF_INET),
        (_JUMP_IF_EQUAL, 0, 1, _AF_INET6),
        (_RETURN, 0, 0, _KILL_PROCESS),
        (_RETURN, 0, 0, _ALLOW),
    ]
    return b"".join(struct.pack("=HBBI", *line) for line in lines)


def _seal() -> None:
    code = ctypes.create_string_buffer(_filter())
    program = struct.pack("@HP", len(code) // 8, ctypes.addressof(code))
    library = ctypes.CDLL(None, use_errno=True)
    library.prctl.argtypes = [ctypes.c_int, *[ctypes.c_void_p] * 4]
    for option, first, second in ((_PR_SET_NO_NEW_PRIVS, 1, None), (_PR_SET_SECCOMP, _MODE_FILTER, program)):
        if library.prctl(option, first, second, None, None):
            raise OSError(ctypes.get_errno(), errno.errorcode.get(ctypes.get_errno(), "prctl"))


def run_sealed(
    command: list[str], home: Path, timeout: float = 300, **more: str
) -> subprocess.CompletedProcess[str]:
    """Run it with `home` as the user's, gcdesk's own folder below it, and no variable that forbids telemetry."""
    (home / "tmp").mkdir(parents=True, exist_ok=True)
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "LANG") if name in os.environ}
    environment = {
        **kept,
        "HOME": str(home),
        "GCDESK_HOME": str(home / "gcdesk"),
        "TMPDIR": str(home / "tmp"),
        "QT_QPA_PLATFORM": "offscreen",
        **more,
    }
    return subprocess.run(
        command,
        env=environment,
        cwd=home,
        capture_output=True,
        text=True,
        timeout=timeout,
        preexec_fn=_seal,
        check=False,
    )


def files_outside(home: Path) -> list[str]:
    """What lies below `home` and outside of gcdesk's own folder and the temporary one."""
    return sorted(
        str(path.relative_to(home))
        for path in home.rglob("*")
        if path.is_file() and path.relative_to(home).parts[0] not in ("gcdesk", "tmp")
    )

"""A folder for this user's sockets and locks, into which no other user of the computer can put anything."""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from gcdesk.config.folders import user_folders

# A socket's path may have 107 bytes on Linux and 103 on macOS; Qt puts a temporary folder into it while it begins.
_LONGEST_SOCKET = 103
_QT_TEMPORARY = len("/XXXXXX")


def runtime_folder(longest_name: int) -> Path | None:
    """The folder, made with mode 700 where it is missing; None where there is none that is this user's alone and
    short enough for a socket with a name of `longest_name` letters. Windows has no such folder: its pipes have names.
    """
    if sys.platform == "win32":
        return None
    room = _LONGEST_SOCKET - _QT_TEMPORARY - longest_name - 1
    return next((path for path in _candidates() if len(os.fsencode(path)) <= room and _is_own(path)), None)


def _candidates() -> Iterator[Path]:
    named = os.environ.get("XDG_RUNTIME_DIR", "")
    if os.path.isabs(named):
        yield Path(named) / "gcdesk"
    yield Path(tempfile.gettempdir()) / f"gcdesk-{os.getuid()}"
    yield user_folders().cache / "run"  # where a stranger has taken the name in the folder that all share


def _is_own(path: Path) -> bool:
    """Whether it is, or could be made, a real folder of this user's that nobody else may enter."""
    try:
        if path.parent == user_folders().cache:
            path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir(mode=0o700, exist_ok=True)
        status = path.lstat()
    except OSError:
        return False
    mine = stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid()
    return mine and not status.st_mode & 0o077

"""The session's own folder: pasted pictures, and copies of photos that a camera overwrites."""

from __future__ import annotations

import shutil
import time
from contextlib import suppress
from pathlib import Path

from gcdesk.config.folders import user_folders


def session_folder(session_id: int) -> Path:
    """Where files of this session lie; it need not exist."""
    return user_folders().data / "sessions" / str(max(session_id, 0))


def save_picture(session_id: int, content: bytes, suffix: str, stem: str = "image") -> Path:
    """Write a picture into the session's folder under a name that says when and nothing of what.

    Never overwrites. Raises OSError.
    """
    folder = session_folder(session_id)
    folder.mkdir(parents=True, exist_ok=True)
    when = time.strftime("%Y-%m-%d %H%M%S")
    number = 1
    while True:
        path = folder / (f"{stem} {when}{suffix}" if number == 1 else f"{stem} {when} {number}{suffix}")
        try:
            file = path.open("xb")
        except FileExistsError:
            number += 1
            continue
        try:
            with file:
                file.write(content)
        except OSError:
            with suppress(OSError):
                path.unlink()  # half a picture is none
            raise
        return path


def delete_session_files(session_id: int) -> None:
    """Remove the session's folder, if there is one. Raises OSError."""
    folder = session_folder(session_id)
    if folder.is_dir():
        shutil.rmtree(folder)

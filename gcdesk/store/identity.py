"""What a photo is: its path, size and modification time; and whether two hold the same bytes."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

_HASH_BYTES = 16


def identity(path: str | Path) -> tuple[int, int] | tuple[None, None]:
    """Size in bytes and modification time in nanoseconds, (None, None) for what cannot be looked at."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None, None
    return status.st_size, status.st_mtime_ns


def content_hash(path: str | Path) -> bytes | None:
    """BLAKE2b (16 bytes) of a file's content, None for what cannot be read."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=_HASH_BYTES)).digest()
    except (OSError, ValueError):
        return None

"""What the system says of a file, in words that tell what to do."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gcdesk.config.file_names import LONGEST_WINDOWS_PATH, is_too_long
from gcdesk.engine.errors import GcdeskError

_REASONS = {
    errno.ENOSPC: "the disk is full, free some space",
    errno.EDQUOT: "your share of the disk is used up, free some space",
    errno.EFBIG: "the file is too large for this disk",
    errno.EROFS: "the disk can only be read",
    errno.EACCES: "you have no permission",
    errno.EPERM: "you have no permission",
    errno.EIO: "the disk failed, look at the disk or the network drive",
    errno.ENOTCONN: "the network drive is gone",
    errno.ESTALE: "the network drive is gone",
}


def os_reason(error: OSError) -> str:
    """Why, as the end of a sentence."""
    number = error.errno or 0
    if isinstance(error.filename, str) and is_too_long(error.filename):
        return f"its path has {len(error.filename)} letters, and this computer takes {LONGEST_WINDOWS_PATH} at most"
    if number in _REASONS and error.strerror in (None, os.strerror(number)):  # else it has words of its own
        return _REASONS[number]
    return (error.strerror or str(error) or "it failed").lower()


def in_a_sentence(error: OSError) -> str:
    """Why, with the file it is about."""
    reason = os_reason(error)
    return f"{error.filename}: {reason}." if error.filename else f"That did not work: {reason}."


@contextmanager
def writing(target: Path, kind: type[GcdeskError] = GcdeskError) -> Iterator[None]:
    """What the system refuses in this block is raised as a `kind` that names `target`."""
    try:
        yield
    except OSError as error:
        raise kind(f"{target} cannot be written: {os_reason(error)}.") from error

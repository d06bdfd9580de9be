"""What the system says of a file, in words that tell what to do."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gcdesk.config.file_names import LONGEST_WINDOWS_PATH, is_too_long
from gcdesk.engine.errors import GcdeskError

_HELD = "another program has it open, close it there and try again"
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

# winerror.h; the words of Windows itself come in the computer's language.
_WINDOWS_REASONS = {
    5: _REASONS[errno.EACCES],
    19: _REASONS[errno.EROFS],
    32: _HELD,
    33: _HELD,
    39: _REASONS[errno.ENOSPC],
    53: _REASONS[errno.ESTALE],
    59: _REASONS[errno.ESTALE],
    64: _REASONS[errno.ESTALE],
    67: _REASONS[errno.ESTALE],
    112: _REASONS[errno.ENOSPC],
    123: "Windows takes no such name",
    206: "its path is too long for this computer",
}


def os_reason(error: OSError) -> str:
    """Why, as the end of a sentence."""
    number = error.errno or 0
    path = str(error.filename or "")
    if is_too_long(path):
        return f"its path has {len(path)} letters, and this computer takes {LONGEST_WINDOWS_PATH} at most"
    windows = _WINDOWS_REASONS.get(getattr(error, "winerror", None) or 0)
    if windows is not None:
        return windows
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

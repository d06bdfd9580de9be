"""Files that get a free name in one step: nothing is overwritten, and no name stands for half a file."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from pathlib import Path

from gcdesk.config.files import flush

# What file systems say that have no second name for a file (FAT, some shares).
_NO_LINKS = frozenset(
    (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK, errno.EINVAL, errno.EACCES, errno.EXDEV)
)
_OTHER_DRIVE_WINDOWS = 17  # ERROR_NOT_SAME_DEVICE
_BLOCK = 1 << 20


def bring(source: str | Path, work: Path, move: bool) -> bool:
    """Have the photo's content under the hidden name `work`. True: it was renamed, and `source` is gone.

    On another drive, and for a link, it is copied, flushed to the disk and compared. Raises OSError; then `source` is
    whole, and `work` may be half.
    """
    if move and not os.path.islink(source):
        try:
            os.rename(source, work)
        except OSError as error:
            if error.errno != errno.EXDEV and getattr(error, "winerror", 0) != _OTHER_DRIVE_WINDOWS:
                raise
        else:
            return True
    shutil.copyfile(source, work)
    with contextlib.suppress(OSError):  # a share that keeps no times is no reason to fail
        shutil.copystat(source, work)
    flush(work)
    if not same_content(source, work):
        raise OSError(errno.EIO, "the copy is not like the photo", str(source))
    return False


def put_under(work: Path, target: Path) -> None:
    """Give the whole file `work` the name `target`. Raises FileExistsError where something has that name."""
    if os.name == "nt":
        os.rename(work, target)  # overwrites nothing there
        return
    try:
        os.link(work, target, follow_symlinks=False)
    except FileExistsError:
        raise
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        os.replace(work, target)
        return
    os.unlink(work)


def same_content(one: str | Path, other: str | Path) -> bool:
    """Whether both files hold the same bytes; read from the disk each time. Raises OSError."""
    with open(one, "rb") as first, open(other, "rb") as second:
        while True:
            block = first.read(_BLOCK)
            if block != second.read(_BLOCK):
                return False
            if not block:
                return True


def is_another_file(one: str | Path, other: str | Path) -> bool:
    """Whether deleting `other` leaves `one` whole: they are two files, not two ways to one. Raises OSError."""
    first, second = os.stat(one), os.stat(other)
    same = (first.st_dev, first.st_ino) == (second.st_dev, second.st_ino) and first.st_ino != 0
    return not same or (first.st_nlink > 1 and not os.path.islink(one) and _real(one) != _real(other))


def _real(path: str | Path) -> str:
    return os.path.normcase(os.path.realpath(path))

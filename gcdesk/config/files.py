"""Files and folders that are replaced whole: after a crash or on a full disk the old one stands, or the new one."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

# Windows: access denied, sharing violation. A virus scanner or an indexer holds the file for a moment.
_BRIEFLY_HELD = (5, 32)
_RETRIES_S = (0.02, 0.05, 0.1, 0.2, 0.4)
# A name has at most 255 bytes, and a character up to four.
_NAME_CHARACTERS = 50
# What file systems say that cannot flush a folder; the rename itself was done.
_NO_FOLDER_FLUSH = (errno.EINVAL, errno.ENOTSUP, errno.EACCES, errno.EBADF)


@contextmanager
def replace_atomically(
    path: Path, *, durable: bool = True, place: Callable[[], Path | None] = lambda: None
) -> Iterator[BinaryIO]:
    """Yield a new file to write into; at the end of the block it takes the place of `path` in one step.

    It is written beside `path`, flushed to the disk and renamed, then the folder is flushed. Where the block
    raises, `path` is as it was and nothing else is left. Links are followed, a device such as /dev/null is
    written as it stands, an older file's permissions are kept. durable: False for what a cache may lose on a
    power cut. place: asked at the end, another file of that folder to be replaced instead. Raises OSError, with
    `path` as its file name.
    """
    target = Path(os.path.realpath(path))
    mode = _mode_of(target)
    if mode is not None and stat.S_ISCHR(mode):
        with target.open("wb") as device:
            yield device
        return
    work = beside(target)
    try:
        with work.open("xb") as stream:
            yield stream
            if mode is not None and stat.S_ISREG(mode):
                work.chmod(stat.S_IMODE(mode))
            if durable:
                stream.flush()
                os.fsync(stream.fileno())
        _rename(work, Path(os.path.realpath(place() or target)))
        if durable:
            flush(target.parent)
    except OSError as error:
        if error.filename in (str(work), None):
            error.filename, error.filename2 = str(path), None
        raise
    finally:
        work.unlink(missing_ok=True)


def write_atomically(path: Path, content: str | bytes) -> None:
    """Replace the file `path` by this content (text as UTF-8) in one step. Raises OSError."""
    with replace_atomically(path) as stream:
        stream.write(content if isinstance(content, bytes) else content.encode("utf-8"))


def replace_folder(work: Path, folder: Path) -> None:
    """Make the finished folder `work` be `folder`: flush its files, then rename; an older `folder` goes last.

    Both on one file system. Raises OSError, and then the older folder stands again.
    """
    for file in work.rglob("*"):
        flush(file)
    flush(work)
    old = beside(folder)
    replacing = folder.exists()
    if replacing:
        _rename(folder, old)
    try:
        _rename(work, folder)
    except OSError:
        if replacing:
            _rename(old, folder)
        raise
    flush(folder.parent)
    if replacing:
        shutil.rmtree(old)


def beside(path: Path) -> Path:
    """A free hidden name in the folder of `path`; nothing is created. Long names are cut to what a disk takes."""
    return path.with_name(f".{path.name[:_NAME_CHARACTERS]}.{secrets.token_hex(8)}.tmp")


def flush(path: Path) -> None:
    """Have the operating system write a file, or a folder's list of names, to the disk. Raises OSError."""
    folder = path.is_dir()
    if os.name == "nt":  # Windows opens no folders, and flushes files only through a writable handle
        if not folder:
            with path.open("rb+") as file:
                os.fsync(file.fileno())
        return
    try:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        if not folder or error.errno not in _NO_FOLDER_FLUSH:
            raise


def _mode_of(path: Path) -> int | None:
    with suppress(FileNotFoundError):
        return path.stat().st_mode
    return None


def _rename(source: Path, target: Path) -> None:
    for pause in _RETRIES_S:
        try:
            os.replace(source, target)
            return
        except PermissionError as error:
            if getattr(error, "winerror", None) not in _BRIEFLY_HELD:
                raise
            time.sleep(pause)
    os.replace(source, target)

"""A `.tar.gz` that somebody else packed, opened so that no header of it can cost more than its share."""

from __future__ import annotations

import gzip
import stat
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from gcdesk.cluster.errors import ResultError

# Of all headers together: 1,000 files take 512 bytes each, three times that where their names are long.
HEADER_BYTES = 2_000_000
# Of one: a name, or a list of what belongs to it.
ONE_HEADER_BYTES = 64_000


class HeaderBudget:
    """An uncompressed tar that ends with ResultError where its headers take more than their share.

    tarfile believes the size of a header before it reads it, and keeps every header that it has read. The content of
    a file is granted with `grant` when its own header was accepted.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._left = HEADER_BYTES
        self._granted = 0

    def grant(self, content: int) -> None:
        """The next `content` bytes are a file's own and cost nothing."""
        self._granted = content

    def read(self, size: int = -1) -> bytes:
        if self._granted:
            data = self._file.read(min(size, 1 << 20) if size >= 0 else 1 << 20)
            self._granted = max(0, self._granted - len(data))
            return data
        if not 0 <= size <= ONE_HEADER_BYTES:
            raise ResultError("The result holds a name that is longer than any can be: it is not taken.")
        self._left -= size
        if self._left < 0:
            raise ResultError("The result holds more entries than any can: it is not taken.")
        return self._file.read(size)

    def seek(self, place: int, whence: int = 0) -> int:
        return self._file.seek(place, whence)

    def tell(self) -> int:
        return self._file.tell()


class ResultTar:
    """The entries of an archive, in their order. Only `entries` and `content` read it."""

    def __init__(self, archive: tarfile.TarFile, budget: HeaderBudget) -> None:
        self._archive, self._budget = archive, budget

    def entries(self) -> Iterator[tarfile.TarInfo]:
        yield from self._archive

    def content(self, item: tarfile.TarInfo) -> Iterator[bytes]:
        """A plain file's bytes, in pieces of up to 1 MiB."""
        data = self._archive.extractfile(item)
        if data is None:
            raise ResultError(f"The result's {item.name[:80]!r} cannot be read.")
        self._budget.grant(item.size)
        while block := data.read(1 << 20):
            yield block
        self._budget.grant(0)


@contextmanager
def opened_result(archive: Path, most_bytes: int) -> Iterator[ResultTar]:
    """Open it for reading. Raises ResultError for what is no ordinary file, larger than `most_bytes`, or damaged; so
    does whatever the block reads of it.
    """
    try:
        status = archive.stat()
        if not stat.S_ISREG(status.st_mode):  # a pipe would be waited for
            raise ResultError(f"{archive.name} is no ordinary file.")
        if status.st_size > most_bytes:
            raise ResultError(f"{archive.name} is larger than any result can be ({most_bytes // 10**6} MB).")
        with gzip.open(archive, "rb") as plain:
            budget = HeaderBudget(plain)  # type: ignore[arg-type]  # a GzipFile reads, seeks and tells
            with tarfile.open(fileobj=budget, mode="r:") as tar:  # type: ignore[call-overload]  # so does this
                yield ResultTar(tar, budget)
    except (tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error, RecursionError, OverflowError) as error:
        raise ResultError(f"{archive.name} is damaged or no .tar.gz: copy it again ({error}).") from error
    except OSError as error:
        raise ResultError(f"{archive.name} cannot be read: {error.strerror or error}.") from error

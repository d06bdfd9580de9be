"""A zip that somebody else packed, opened so that its list of members cannot cost more than its share."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Of the list at its end, which zipfile reads at once and makes an object of each entry: a model has six members.
MAX_DIRECTORY_BYTES = 4 * 1024**2


class _ShortReads(io.FileIO):
    """A file of which nobody reads more than the cap at once: members are read in smaller parts."""

    def read(self, size: int | None = -1) -> bytes:
        wanted = os.fstat(self.fileno()).st_size - self.tell() if size is None or size < 0 else size
        if wanted > MAX_DIRECTORY_BYTES:
            raise zipfile.BadZipFile("its list of members is longer than any model's")
        return super().read(size) or b""


@contextmanager
def opened_zip(path: Path) -> Iterator[zipfile.ZipFile]:
    """The archive, for reading. Raises what zipfile raises, BadZipFile also for a list that is too long."""
    with _ShortReads(path) as file, zipfile.ZipFile(file) as archive:
        yield archive

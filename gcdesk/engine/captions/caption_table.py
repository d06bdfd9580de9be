"""Caption tables: a CSV file that says which words belong to which photo.

How a photo finds its caption, first match first:
1. by its full path: an absolute entry, or an entry relative to the table's own folder;
2. by a relative path: an entry that is the end of the photo's path (`Blue/can.jpg` fits
`/photos/Blue/can.jpg`); the longest such entry counts; 3. by its file name: an entry without a folder, for
every photo of that name. An entry with a folder never stands for a photo elsewhere that only has the same
name. Where nothing fits exactly, the same is tried without regard to capitals, and counts if it leaves one
caption.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from gcdesk.engine.errors import CaptionFileError
from gcdesk.engine.tables.reader import Table, read_table

FILE_COLUMNS = ("path", "file", "filename")
CAPTION_COLUMNS = ("caption", "text")

_DRIVE = re.compile(r"[A-Za-z]:/")


@dataclass(frozen=True)
class CaptionTable:
    """Captions by entry. `by_entry` has the entries as written, but with `/` and composed accents (NFC)."""

    folder: Path
    by_entry: dict[str, str]
    _by_key: dict[str, str] = field(init=False, repr=False)
    _by_folded: dict[str, str | None] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        by_key = {_key(entry, self.folder): caption for entry, caption in self.by_entry.items()}
        by_folded: dict[str, str | None] = {}
        for key, caption in by_key.items():
            folded = key.casefold()
            by_folded[folded] = caption if by_folded.get(folded, caption) == caption else None
        object.__setattr__(self, "_by_key", by_key)
        object.__setattr__(self, "_by_folded", by_folded)

    def __len__(self) -> int:
        return len(self.by_entry)

    def get(self, path: Path | str) -> str | None:
        """The caption of a photo ("" where the table says that it has none), None when no entry fits."""
        found = self.find(path)
        return found[1] if found is not None else None

    def find(self, path: Path | str) -> tuple[str, str] | None:
        """What a photo's entry is found by, whatever its case, and the photo's caption; None when no entry fits."""
        keys = list(_keys(_absolute(path), self.folder))
        for key in keys:
            if key in self._by_key:
                return key.casefold(), self._by_key[key]
        for key in map(str.casefold, keys):
            caption = self._by_folded.get(key)
            if caption is not None:
                return key, caption
        return None


def read_caption_csv(path: Path | str) -> CaptionTable:
    """Read a caption table: a column `path`, `file` or `filename` and a column `caption` or `text`.

    UTF-8 with or without a byte order mark; commas, semicolons or tabs; other columns are passed over. An
    empty caption says that there are no words. Raises CaptionFileError for a file that is no such table
    (naming the columns found), a row without a file, and a file that has two captions (naming it and the
    lines).
    """
    path = Path(path)
    table = read_table(path, CaptionFileError)
    file_column, caption_column = table.column(*FILE_COLUMNS), table.column(*CAPTION_COLUMNS)
    if file_column is None or caption_column is None:
        raise CaptionFileError(
            f"{path.name} needs a column {_either(FILE_COLUMNS)} and a column {_either(CAPTION_COLUMNS)};"
            f" found: {table.found()}."
        )
    folder = Path(os.path.abspath(path)).parent
    return CaptionTable(folder, _entries(table, folder, file_column, caption_column))


def _entries(table: Table, folder: Path, file_column: int, caption_column: int) -> dict[str, str]:
    captions: dict[str, str] = {}
    seen: dict[str, tuple[int, str]] = {}
    for row in table.rows:
        name, caption = row.cells[file_column], row.cells[caption_column]
        if not name:
            raise CaptionFileError(
                f"{table.path.name}, line {row.line}: there is no file beside {caption!r}."
            )
        key = _key(_written(name), folder)
        if key in seen and seen[key][1] != caption:
            line, other = seen[key]
            raise CaptionFileError(
                f"{table.path.name} has two captions for {name}: {other!r} in line {line} and {caption!r} in"
                f" line {row.line}."
            )
        if key not in seen:
            seen[key] = (row.line, caption)
            captions[_written(name)] = caption
    return captions


def _either(names: tuple[str, ...]) -> str:
    return " or ".join([", ".join(names[:-1]), names[-1]])


def _written(name: str) -> str:
    """An entry with `/` between its parts, also when it comes from Windows, and accents composed (macOS
    takes them apart).
    """
    return unicodedata.normalize("NFC", name.replace("\\", "/"))


def _key(entry: str, folder: Path) -> str:
    """What an entry is found by: `/full/path` or `=relative/path` below the table's folder, `name` alone."""
    parts = [part for part in entry.split("/") if part not in ("", ".")]
    if entry.startswith("/") or _DRIVE.match(entry):
        return "/" + "/".join(parts)
    if ".." in parts:
        return "/" + "/".join(_parts(os.path.normpath(folder / entry)))
    return "/".join(parts)


def _keys(path: str, folder: Path) -> Iterator[str]:
    """The keys that fit a photo's absolute path, the most certain first."""
    parts = _parts(path)
    yield "/" + "/".join(parts)
    own = _parts(str(folder))
    if parts[: len(own)] == own and len(parts) > len(own) + 1:
        yield "/".join(parts[len(own) :])
    for start in range(len(parts)):
        yield "/".join(parts[start:])


def _absolute(path: Path | str) -> str:
    return os.path.abspath(path)


def _parts(path: str) -> list[str]:
    return [part for part in _written(PurePath(path).as_posix()).split("/") if part]

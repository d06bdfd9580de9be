"""Reading a small CSV table that a person made, whatever spreadsheet it came from."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from gcdesk.config.thresholds import TABLE_MAX_BYTES, TABLE_MAX_CELLS
from gcdesk.engine.errors import GcdeskError
from gcdesk.engine.tables.writer import without_quote

_DELIMITERS = ",;\t"
# Excel's own line before the header, which says what is between the cells.
_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?[,;\t ]*\r?\n', re.IGNORECASE)
_SPREADSHEETS = {
    b"PK\x03\x04": "a spreadsheet (Excel, LibreOffice or Numbers) or a zip archive",
    b"\xd0\xcf\x11\xe0": "an older Excel spreadsheet",
    b"%PDF": "a PDF document",
    b"{\\rtf": "a document of a word processor",
}
_LOOKED_AT, _MOSTLY = 512, 0.8  # bytes; share of zeros


@dataclass(frozen=True)
class Row:
    """The cells of a row, stripped, and the number of its (last) line in the file, from 1."""

    line: int
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """`columns` as the file writes them, and the rows that are not blank; every row has a cell a column."""

    path: Path
    columns: tuple[str, ...]
    rows: tuple[Row, ...]

    def column(self, *names: str) -> int | None:
        """The place of the first of `names` that is a column, whatever its case."""
        lower = [column.lower() for column in self.columns]
        return next((lower.index(name) for name in names if name in lower), None)

    def found(self) -> str:
        """The columns, for a message."""
        return ", ".join(repr(column) for column in self.columns) or "none"


def read_table(path: Path, error: type[GcdeskError]) -> Table:
    """Read a CSV file: UTF-8 with or without a byte order mark or UTF-16, cells between commas, semicolons or tabs, or
    what Excel's first line `sep=;` says. A quote that we put before a formula is taken off again.

    Raises `error` for a file that cannot be read, is no such text, holds nothing, or has a row with more or fewer
    cells than the header (an unquoted comma in a text, mostly). Empty cells missing at a row's end are fine.
    """
    text = _text(path, error)
    delimiter = max(_DELIMITERS, key=text.partition("\n")[0].count)
    skipped = 0
    if said := _SEPARATOR_LINE.match(text):
        delimiter, text, skipped = said[1], text[said.end() :], 1
    if sum(map(text.count, f"{delimiter}\r\n")) > TABLE_MAX_CELLS:
        raise error(f"{path.name} is too large for a table: at most {TABLE_MAX_CELLS:,} cells are read.")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        rows = [Row(reader.line_num + skipped, tuple(map(_cell, cells))) for cells in reader]
    except csv.Error as problem:
        raise error(f"{path.name}, line {reader.line_num}: this is not a CSV table ({problem}).") from problem
    rows = [row for row in rows if any(row.cells)]
    if not rows:
        raise error(f"{path.name} is empty.")
    columns = _without_empty_end(rows[0].cells, 0)
    return Table(path, columns, tuple(_fitting(rows[1:], columns, path, error)))


def _cell(written: str) -> str:
    return without_quote(written.strip())


def _text(path: Path, error: type[GcdeskError]) -> str:
    try:
        if path.exists() and not path.is_file():  # a pipe would be waited for
            raise error(f"{path} is no ordinary file.")
        with path.open("rb") as file:
            data = file.read(TABLE_MAX_BYTES + 1)
    except FileNotFoundError:
        raise error(f"There is no file {path}.") from None
    except (OSError, ValueError) as problem:
        raise error(f"{path} cannot be read: {getattr(problem, 'strerror', None) or problem}.") from problem
    if len(data) > TABLE_MAX_BYTES:
        raise error(f"{path.name} is too large for a table: at most {TABLE_MAX_BYTES // 2**20} MB are read.")
    for start, what in _SPREADSHEETS.items():
        if data.startswith(start):
            raise error(f"{path.name} is {what}, not text: open it and save it as CSV UTF-8.")
    try:
        return data.decode(_encoding(data))
    except UnicodeDecodeError:
        raise error(f"{path.name} is not UTF-8 text: save it as CSV UTF-8.") from None


def _encoding(data: bytes) -> str:
    """UTF-16 by its mark, or by every other byte of the beginning being zero, as of most letters; else UTF-8."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    head = data[:_LOOKED_AT]
    for place, name in ((1, "utf-16-le"), (0, "utf-16-be")):
        zeros = head[place::2]
        if len(zeros) > 1 and zeros.count(0) > _MOSTLY * len(zeros) and head[1 - place :: 2].count(0) == 0:
            return name
    return "utf-8-sig"


def _fitting(
    rows: Iterable[Row], columns: tuple[str, ...], path: Path, error: type[GcdeskError]
) -> Iterable[Row]:
    for row in rows:
        cells = _without_empty_end(row.cells, len(columns))
        if len(cells) > len(columns):
            raise error(
                f"{path.name}, line {row.line}: {len(cells)} cells where the header has {len(columns)}."
                " Put a text that holds a comma between double quotes."
            )
        yield Row(row.line, cells + ("",) * (len(columns) - len(cells)))


def _without_empty_end(cells: tuple[str, ...], keep: int) -> tuple[str, ...]:
    while len(cells) > keep and not cells[-1]:
        cells = cells[:-1]
    return cells

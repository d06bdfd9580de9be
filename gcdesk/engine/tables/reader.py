"""Reading a small CSV table that a person made, whatever spreadsheet it came from."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from gcdesk.config.thresholds import TABLE_MAX_BYTES
from gcdesk.engine.errors import GcdeskError

_DELIMITERS = ",;\t"


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
    """Read a CSV file: UTF-8 with or without a byte order mark, cells between commas, semicolons or tabs.

    Raises `error` for a file that cannot be read, is no UTF-8, holds nothing, or has a row with more or fewer
    cells than the header (an unquoted comma in a text, mostly). Empty cells missing at a row's end are fine.
    """
    text = _text(path, error)
    delimiter = max(_DELIMITERS, key=text.partition("\n")[0].count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        rows = [Row(reader.line_num, tuple(cell.strip() for cell in cells)) for cells in reader]
    except csv.Error as problem:
        raise error(f"{path.name}, line {reader.line_num}: this is not a CSV table ({problem}).") from problem
    rows = [row for row in rows if any(row.cells)]
    if not rows:
        raise error(f"{path.name} is empty.")
    columns = _without_empty_end(rows[0].cells, 0)
    return Table(path, columns, tuple(_fitting(rows[1:], columns, path, error)))


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
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise error(f"{path.name} is not UTF-8 text: save it as CSV UTF-8.") from None


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

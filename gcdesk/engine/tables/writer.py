"""Writing a table of values as CSV for a spreadsheet or as JSON for a program. Both stream."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, TextIO

from gcdesk.config.files import replace_atomically
from gcdesk.engine.os_errors import writing
from gcdesk.engine.tables.targets import is_stream, refuse_precious

Value = str | float | bool | None

# A spreadsheet runs a cell that begins with one of these (OWASP, CSV injection); a quote before it makes
# it text.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
# What a terminal obeys when a table is printed on it: all control characters but tab and the ends of lines.
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
# JSON may hold these as they are, and has a way to write them that no terminal and no reader falls for: C1 controls,
# and the marks that turn the direction of what follows.
_UNSEEN = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
# At the beginning of a CSV file: without it a spreadsheet takes the letters for another alphabet.
BYTE_ORDER_MARK = "\ufeff"
# More digits than fp32 softmax holds would only look exact.
_DIGITS = 6


def readable(text: str) -> str:
    """`text` without the surrogates that stand for a file name's undecodable bytes: no encoding takes
    those.
    """
    if text.isascii():
        return text
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def neutral(text: str) -> str:
    """`text` as a CSV cell that no spreadsheet runs as a formula and no terminal as an order; `without_quote` takes the
    quote off again.
    """
    text = _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", text)
    return "'" + text if text.lstrip("'").startswith(_FORMULA_STARTS) else text


def without_quote(cell: str) -> str:
    """A cell as it was before `neutral`: a table of ours that comes back in adds nothing to a caption."""
    return cell[1:] if cell.startswith("'") and cell.lstrip("'").startswith(_FORMULA_STARTS) else cell


def rounded(number: float) -> float:
    """A probability or a margin with the digits that mean something."""
    return round(float(number), _DIGITS)


class TableFile(Protocol):
    """Takes rows one by one; `finish` completes the document."""

    def write(self, values: Mapping[str, Value]) -> None: ...

    def finish(self) -> None: ...


class CsvTable:
    """UTF-8 CSV with a header of `fields`; formulas neutralised, empty cells where there is no value.

    Lines end as RFC 4180 has it: with a bare newline the csv module would leave a stray carriage return
    unquoted.
    """

    def __init__(self, stream: TextIO, fields: Sequence[str]) -> None:
        self._fields = tuple(fields)
        self._known = frozenset(fields)
        self._writer = csv.writer(stream)
        self._writer.writerow(self._fields)

    def write(self, values: Mapping[str, Value]) -> None:
        """One row. Raises ValueError for a value that has no column."""
        if not values.keys() <= self._known:
            raise ValueError(f"no such columns: {', '.join(sorted(values.keys() - self._known))}")
        self._writer.writerow([self._cell(values.get(name)) for name in self._fields])

    def finish(self) -> None:
        pass

    @staticmethod
    def _cell(value: Value) -> str | float | None:
        """What the csv module writes as it should: it makes nothing of None and `repr` of a number itself."""
        if isinstance(value, str):
            return neutral(value)
        if isinstance(value, bool):
            return "true" if value else "false"
        return value


class JsonTable:
    """One JSON array, an object a line."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._encode = json.JSONEncoder(ensure_ascii=False).encode  # `dumps` would make one for each row
        self._between = "[\n"

    def write(self, values: Mapping[str, Value]) -> None:
        self._stream.write(self._between + _UNSEEN.sub(_escaped, self._encode(values)))
        self._between = ",\n"

    def finish(self) -> None:
        self._stream.write("\n]\n" if self._between == ",\n" else "[]\n")


def _escaped(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"


@contextmanager
def replaced_file(path: Path, place: Callable[[], Path | None] = lambda: None) -> Iterator[TextIO]:
    """Yield a text file (UTF-8) that takes the place of `path` at the end; a failure leaves the old one.

    A link stays and its file is replaced, with the mode it had; a pipe or a device gets the text at once. place:
    says at the end where the text goes, another file of that folder for one that is not whole. Raises GcdeskError
    when the file or its folder cannot be written, the disk is full, or a photo or a model lies there.
    """
    refuse_precious(path)
    if is_stream(path):
        with writing(path), path.open("w", encoding="utf-8", newline="") as stream:
            yield stream
        return
    with writing(path), replace_atomically(path, place=place) as raw:
        text = io.TextIOWrapper(raw, encoding="utf-8", newline="")
        yield text
        text.detach()

"""Results as a table for a person, as CSV for a spreadsheet, as JSON for a program. All of them stream."""

from __future__ import annotations

from typing import Protocol, TextIO

from gcdesk.cli.terminal import cell, terminal_width
from gcdesk.engine.classification.result_row import FIELDS, fields_of
from gcdesk.engine.classification.results import Result, Vote
from gcdesk.engine.tables.writer import CsvTable, JsonTable, readable


class Writer(Protocol):
    """Takes results one by one; `finish` completes the document."""

    def write(self, result: Result) -> None: ...

    def finish(self) -> None: ...


class CsvWriter:
    """Results as a `CsvTable`."""

    def __init__(self, stream: TextIO) -> None:
        self._table = CsvTable(stream, FIELDS)

    def write(self, result: Result) -> None:
        self._table.write(fields_of(result))

    def finish(self) -> None:
        self._table.finish()


class JsonWriter:
    """Results as a `JsonTable`."""

    def __init__(self, stream: TextIO) -> None:
        self._table = JsonTable(stream)

    def write(self, result: Result) -> None:
        self._table.write(fields_of(result))

    def finish(self) -> None:
        self._table.finish()


class TableWriter:
    """A line for each item; the path takes what width is left, and its end (the file name) is kept."""

    _VOTE = 9  # "Black .97"
    _BIN = 5
    _WINNER = 5
    _MARK = 5

    def __init__(self, stream: TextIO, width: int | None = None) -> None:
        self._stream = stream
        fixed = 2 * self._VOTE + self._BIN + self._WINNER + self._MARK + 6 * 2
        rest = max((width or terminal_width()) - fixed, 30)
        self._path = rest * 3 // 5
        self._caption = rest - self._path
        self._line("photo", "caption", "image", "text", "BIN", "by", "")

    def write(self, result: Result) -> None:
        mark = "check" if result.review else ""
        bin_name = result.label.upper() if result.label else "-"
        path = readable(str(result.path)) if result.path is not None else ""
        missing = "cannot be read" if result.unreadable else "add a caption" if result.error is None else ""
        caption = result.caption or missing
        self._line(
            path, caption, _vote(result.image), _vote(result.text), bin_name, result.winner or "-", mark
        )
        if result.error is not None:
            self._stream.write(f"  {cell(readable(result.error), terminal_width() - 2).rstrip()}\n")

    def finish(self) -> None:
        pass

    def _line(
        self, path: str, caption: str, image: str, text: str, label: str, winner: str, mark: str
    ) -> None:
        cells = [
            cell(path, self._path, keep_end=True),
            cell(caption, self._caption),
            cell(image, self._VOTE),
            cell(text, self._VOTE),
            cell(label, self._BIN),
            cell(winner, self._WINNER),
            cell(mark, self._MARK),
        ]
        self._stream.write("  ".join(cells).rstrip() + "\n")


def _vote(vote: Vote | None) -> str:
    return f"{vote.label:<5} {two_digits(vote.confidence)}" if vote else "-"


def two_digits(fraction: float) -> str:
    """A fraction as people write a confidence: ".97", and "1.0" only when it rounds to one."""
    text = f"{fraction:.2f}"
    return "1.0" if text == "1.00" else text.removeprefix("0")


WRITERS = {"table": TableWriter, "csv": CsvWriter, "json": JsonWriter}

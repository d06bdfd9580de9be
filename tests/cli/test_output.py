"""Rows as CSV, JSON and a table."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from gcdesk.cli.output import CsvWriter, JsonWriter, TableWriter, two_digits
from gcdesk.cli.terminal import width_of
from gcdesk.engine.classification.results import Result, Vote
from gcdesk.engine.errors import GcdeskError
from gcdesk.engine.tables.writer import neutral, replaced_file

WANTED = {
    *("path", "caption", "image_label", "image_confidence", "text_label", "text_confidence"),
    *("label", "confidence", "winner", "review", "error"),
    *("image_Black", "image_TTR", "text_Blue", "text_Green"),
}


def result(path: str = "a.jpg", caption: str = "cup", error: str | None = None) -> Result:
    vote = Vote((0.1, 0.2, 0.6, 0.1), "Green", 0.6)
    return Result(
        index=0,
        path=Path(path),
        caption=caption,
        image=None if error else vote,
        text=vote,
        label="Green",
        winner="text",
        confidence=0.6,
        margin=0.4,
        review=error is not None,
        reason="text is surer",
        error=error,
    )


def as_csv(*results: Result) -> list[dict[str, str]]:
    stream = io.StringIO(newline="")
    writer = CsvWriter(stream)
    for one in results:
        writer.write(one)
    writer.finish()
    return list(csv.DictReader(io.StringIO(stream.getvalue(), newline="")))


def as_json(*results: Result) -> list[dict[str, object]]:
    stream = io.StringIO()
    writer = JsonWriter(stream)
    for one in results:
        writer.write(one)
    writer.finish()
    rows: list[dict[str, object]] = json.loads(stream.getvalue())
    return rows


def test_csv_has_the_fields_and_empty_cells_where_nothing_is_known() -> None:
    good, bad = as_csv(result(), result("b.jpg", error="cut off"))
    assert set(good) >= WANTED
    assert (good["image_confidence"], good["review"], good["error"]) == ("0.6", "false", "")
    assert (bad["image_label"], bad["image_Black"], bad["review"], bad["error"]) == (
        "",
        "",
        "true",
        "cut off",
    )


def test_json_has_the_fields_with_types() -> None:
    good, bad = as_json(result(), result("b.jpg", error="cut off"))
    assert set(good) >= WANTED
    assert good["image_Green"] == 0.6
    assert good["review"] is False
    assert good["error"] is None
    assert bad["image_label"] is None
    assert as_json() == []


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_a_cell_that_a_spreadsheet_would_run_is_neutralised(start: str) -> None:
    path = f"{start}cmd|' -C calc'!A0.jpg"
    [row] = as_csv(result(path))
    assert row["path"] == "'" + path
    assert neutral("safe = cell") == "safe = cell"
    assert as_json(result(path))[0]["path"] == path


def test_undecodable_file_names_are_written_as_utf_8() -> None:
    name = b"caf\xe9.jpg".decode("utf-8", "surrogateescape")
    assert as_csv(result(name))[0]["path"] == "caf\ufffd.jpg"
    assert as_json(result(name))[0]["path"] == "caf\ufffd.jpg"


@pytest.mark.parametrize("name", ["a.jpg", "香蕉皮.jpg", "🍌 peel.jpg", "علبة فارغة.jpg", "x" * 300 + ".jpg"])
def test_table_columns_stay_aligned_whatever_the_name(name: str) -> None:
    stream = io.StringIO()
    writer = TableWriter(stream, width=100)
    writer.write(result(name))
    header, row = stream.getvalue().splitlines()
    assert width_of(row) <= 100
    assert width_of(row[: row.index("Green .60")]) == width_of(header[: header.index("image")])
    assert "GREEN" in row


def test_table_says_what_is_wrong_with_a_photo() -> None:
    stream = io.StringIO()
    TableWriter(stream, width=100).write(result(error="the file is cut off"))
    assert "check" in stream.getvalue()
    assert "the file is cut off" in stream.getvalue()


def test_two_digits() -> None:
    assert [two_digits(x) for x in (0.973, 0.5, 0.999, 1.0, 0.0)] == [".97", ".50", "1.0", "1.0", ".00"]


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_text("old")

    def fail() -> None:
        with replaced_file(path) as stream:
            stream.write("half")
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        fail()
    assert path.read_text() == "old"
    with replaced_file(path) as stream:
        stream.write("new")
    assert path.read_text() == "new"
    assert [p.name for p in tmp_path.iterdir()] == ["out.csv"]


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(GcdeskError, match="cannot be written"), replaced_file(tmp_path / "no" / "out.csv"):
        pass

"""Rows as a table: the fast way to make a column says what the list says of each row."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from window_kit import outcome

from gcdesk.engine.labels import NOT_SET, UNSURE
from gcdesk.engine.selection.rules import Winner
from gcdesk.engine.tables.writer import rounded
from gcdesk.store import Status
from gcdesk.ui.export.row_table import FIELDS, table_rows, write_table
from gcdesk.ui.session.filtering import ViewSpec, take_snapshot, visible_rows
from gcdesk.ui.session.rows import NewItem, Outcome, Rows
from gcdesk.ui.session.wording import label_name, status_word, status_words


@pytest.fixture
def rows() -> Rows:
    """More rows than a slice has, of every kind."""
    made, chance = Rows(), np.random.default_rng(0)
    made.add(
        [
            NewItem(1 + n, str(Path(f"/p/née {n}.jpg" if n % 7 else f"/p/{n}.jpg")), f"=cup {n}")
            for n in range(4100)
        ]
    )
    nan = float("nan")
    failed = Outcome(None, None, NOT_SET, Winner.NONE, nan, nan, True, error="The file is empty.")
    for row in range(len(made)):
        image, text = (tuple(chance.dirichlet((0.6,) * 4).tolist()) for _ in range(2))
        kind = row % 6
        if kind == 0:
            made.set_outcome(row, failed)
        elif kind < 5:
            made.set_outcome(
                row, outcome(image if kind != 1 else None, text if kind != 2 else None, kind == 3)
            )
    made.set_operator(np.arange(0, 4100, 11), np.arange(0, 4100, 11) % 4)
    made.set_operator(np.arange(0, 4100, 23), np.full(len(range(0, 4100, 23)), UNSURE))
    made.status[5::60] = Status.RUNNING
    made.duplicate_of[4::10] = 1
    made.duplicate_of[10::30] = 9_999_999  # not in the list any more
    return made


def test_status_words_are_those_of_the_single_row(rows: Rows) -> None:
    words = status_words(rows, 0, len(rows))
    assert words == [status_word(rows, row) for row in range(len(rows))]
    assert len(set(words)) >= 8
    assert status_words(rows, 2500, 2600) == words[2500:2600]


def test_each_cell_is_what_the_row_says(rows: Rows) -> None:
    written = list(table_rows(rows))
    assert len(written) == len(rows)
    for row, values in enumerate(written):
        assert tuple(values) == FIELDS
        decided = rows.label[row] != NOT_SET
        assert values["confidence"] == (rounded(rows.confidence[row]) if decided else None)
        assert values["final_label"] == (label_name(rows.final(row)) or None)
        assert values["status"] == status_word(rows, row).lower()
        there = not np.isnan(rows.image[row, 0])
        assert values["image_confidence"] == (rounded(rows.image[row].max()) if there else None)
        assert values["image_TTR"] == (rounded(rows.image[row, 3]) if there else None)


def test_both_files_say_the_same(rows: Rows, tmp_path: Path) -> None:
    assert (
        write_table(rows, tmp_path / "t.csv", "csv") == write_table(rows, tmp_path / "t.json", "json") == 4100
    )
    with (tmp_path / "t.csv").open(encoding="utf-8-sig", newline="") as file:
        lines = list(csv.DictReader(file))
    objects = json.loads((tmp_path / "t.json").read_text(encoding="utf-8"))
    for line, one in zip(lines, objects, strict=True):
        assert line["caption"] == "'" + one["caption"]  # no spreadsheet takes it for a formula
        assert line["review"] == ("true" if one["review"] else "false")
        assert line["margin"] == ("" if one["margin"] is None else repr(one["margin"]))


def test_search_finds_names_and_captions_whatever_stands_in_them(rows: Rows) -> None:
    rows.caption[17] = "STRASSE\0cup"  # what a damaged table can hold
    rows.caption[18] = "große Straße"

    def found(words: str) -> list[int]:
        return visible_rows(take_snapshot(rows, 0.6, 0.9), ViewSpec(search=words)).tolist()

    assert found("strasse") == [17, 18]
    assert found("NÉE 4099") == [4099]
    assert found("p/") == []  # folders do not count

"""The table model keeps Qt's contract while rows come, change, are filtered and sorted."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QApplication
from window_kit import outcome

from gcdesk.engine.labels import UNSURE
from gcdesk.ui.session.rows import NewItem, Rows
from gcdesk.ui.window.list.model import HEADS, Column, ItemModel


@pytest.fixture
def model(qapp: QApplication) -> Iterator[ItemModel]:
    rows = Rows()
    rows.add([NewItem(i, f"/p/IMG_{i}.jpg", f"cup {i}") for i in range(20)])
    made = ItemModel(rows)
    tester = QAbstractItemModelTester(made, QAbstractItemModelTester.FailureReportingMode.Fatal)
    yield made
    tester.deleteLater()


def text(model: ItemModel, place: int, column: Column) -> str:
    return model.data(model.index(place, column))


def test_contract_holds_through_swaps_and_appends(model: ItemModel) -> None:
    model.set_index_array(np.array([3, 1, 2], dtype=np.int32))
    assert model.rowCount() == 3
    assert model.row_at(0) == 3
    assert model.position_of(2) == 2
    assert model.position_of(0) == -1
    model.set_index_array(np.array([3, 1, 2, 7, 9], dtype=np.int32))
    assert model.rowCount() == 5
    model.rows.add([NewItem(50, "/p/new.jpg", "")])
    model.set_index_array(np.arange(21, dtype=np.int32))
    model.refresh_rows(np.array([0, 20], dtype=np.int32))
    model.rows.clear()
    model.reset_rows()
    assert model.rowCount() == 0


def test_cells_say_what_an_operator_reads(model: ItemModel) -> None:
    model.rows.set_outcome(0, outcome(reason="Text is more confident."))
    assert text(model, 0, Column.NAME) == "IMG_0.jpg"
    assert text(model, 0, Column.CAPTION) == "cup 0"
    assert text(model, 0, Column.IMAGE) == "Green 0.70"
    assert text(model, 0, Column.TEXT) == "Blue 0.80"
    assert text(model, 0, Column.BIN) == "Blue"
    assert text(model, 0, Column.WINNER) == "Text"
    assert text(model, 0, Column.STATUS) == "Done"
    assert text(model, 1, Column.STATUS) == "Queued"


@pytest.mark.parametrize(
    ("label", "word", "bin_word"),
    [(1, "Confirmed", "Blue"), (0, "Corrected", "Black"), (UNSURE, "Unsure", "Unsure")],
)
def test_operators_word(model: ItemModel, label: int, word: str, bin_word: str) -> None:
    model.rows.set_outcome(0, outcome())
    model.rows.set_operator(np.array([0]), np.array([label]))
    assert text(model, 0, Column.STATUS) == word
    assert text(model, 0, Column.BIN) == bin_word
    assert text(model, 0, Column.WINNER) == "You"
    assert text(model, 0, Column.TEXT) == "Blue 0.80"  # the models' answer stays beside it


def test_only_the_caption_can_be_edited_and_an_edit_is_a_wish(model: ItemModel) -> None:
    wishes: list[tuple[int, str]] = []
    model.caption_edited.connect(lambda row, words: wishes.append((row, words)))
    for column in Column:
        editable = bool(model.flags(model.index(0, column)) & Qt.ItemFlag.ItemIsEditable)
        assert editable == (column is Column.CAPTION)
    assert model.setData(model.index(4, Column.CAPTION), "tea bag")
    assert wishes == [(4, "tea bag")]
    assert not model.setData(model.index(4, Column.NAME), "x")


def test_every_cell_has_a_name_for_screen_readers(model: ItemModel) -> None:
    for column in Column:
        said = model.data(model.index(0, column), Qt.ItemDataRole.AccessibleTextRole)
        assert said.startswith(HEADS[column] or "Thumbnail")

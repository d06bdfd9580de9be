"""The table model: `Rows` through an index array, which filters and sorts replace."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import numpy as np
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from gcdesk.ui.session.filtering import SortBy
from gcdesk.ui.session.rows import Rows
from gcdesk.ui.session.wording import label_name, status_word, vote_text, winner_word
from gcdesk.ui.widgets.plain_text import tip

Index = QModelIndex | QPersistentModelIndex


class Column(IntEnum):
    """The columns, from left to right."""

    PHOTO = 0
    NAME = 1
    CAPTION = 2
    IMAGE = 3
    TEXT = 4
    BIN = 5
    WINNER = 6
    STATUS = 7


HEADS = {
    Column.PHOTO: "",
    Column.NAME: "Photo",
    Column.CAPTION: "Caption",
    Column.IMAGE: "Image model",
    Column.TEXT: "Text model",
    Column.BIN: "Bin",
    Column.WINNER: "Decided by",
    Column.STATUS: "Status",
}
SORTS = {
    Column.NAME: SortBy.NAME,
    Column.CAPTION: SortBy.CAPTION,
    Column.IMAGE: SortBy.IMAGE,
    Column.TEXT: SortBy.TEXT,
    Column.BIN: SortBy.BIN,
    Column.WINNER: SortBy.WINNER,
    Column.STATUS: SortBy.STATUS,
}
ROW_ROLE = Qt.ItemDataRole.UserRole + 1
# Looked up once: the view asks for every cell that it paints, and members of enumerations are slow to reach.
_COLUMNS, _CAPTION = len(Column), int(Column.CAPTION)
_NO_FLAGS = Qt.ItemFlag.NoItemFlags
_FLAGS = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemNeverHasChildren
_CAPTION_FLAGS = _FLAGS | Qt.ItemFlag.ItemIsEditable
_LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)


class ItemModel(QAbstractTableModel):
    """Rows as a table. `index_array` holds the row numbers that are shown, in order."""

    caption_edited = Signal(int, str)

    def __init__(self, rows: Rows, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.rows = rows
        self._shown = np.arange(len(rows), dtype=np.int32)
        self._positions = np.empty(0, dtype=np.int32)
        self._index_positions()

    # --- what is shown

    @property
    def index_array(self) -> np.ndarray:
        """Row numbers that are shown, in order, (n,) int32."""
        return self._shown

    def set_index_array(self, shown: np.ndarray) -> None:
        """Show these rows in this order; only appends when the beginning is what is shown now."""
        old = len(self._shown)
        if len(shown) >= old and np.array_equal(shown[:old], self._shown):
            if len(shown) > old:
                self.beginInsertRows(QModelIndex(), old, len(shown) - 1)
                self._shown = shown
                self._index_positions()
                self.endInsertRows()
            return
        self.beginResetModel()
        self._shown = shown
        self._index_positions()
        self.endResetModel()

    def reset_rows(self) -> None:
        """The rows were replaced as a whole: show all."""
        self.beginResetModel()
        self._shown = np.arange(len(self.rows), dtype=np.int32)
        self._index_positions()
        self.endResetModel()

    def _index_positions(self) -> None:
        self._positions = np.full(len(self.rows), -1, dtype=np.int32)
        self._positions[self._shown] = np.arange(len(self._shown), dtype=np.int32)

    def row_at(self, position: int) -> int:
        """The row number at a place in the view, -1 outside."""
        return int(self._shown[position]) if 0 <= position < len(self._shown) else -1

    def position_of(self, row: int) -> int:
        """The place of a row in the view, -1 where it is not shown."""
        return int(self._positions[row]) if 0 <= row < len(self._positions) else -1

    def refresh_rows(self, changed: np.ndarray) -> None:
        """Tell the view that these rows have new contents."""
        known = changed[changed < len(self._positions)]
        positions = self._positions[known]
        positions = positions[positions >= 0]
        if len(positions):
            first, last = int(positions.min()), int(positions.max())
            self.dataChanged.emit(self.index(first, 0), self.index(last, len(Column) - 1))

    # --- QAbstractTableModel

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self._shown)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else _COLUMNS

    def flags(self, index: Index) -> Qt.ItemFlag:
        if not index.isValid():
            return _NO_FLAGS
        return _CAPTION_FLAGS if index.column() == _CAPTION else _FLAGS

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation == Qt.Orientation.Vertical or not 0 <= section < len(Column):
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return HEADS[Column(section)]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _LEFT
        if role == Qt.ItemDataRole.ToolTipRole and section in SORTS:
            return f"Sort by {HEADS[Column(section)].lower()}"
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row = self.row_at(index.row()) if index.isValid() else -1
        if row < 0:
            return None
        column = index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(row, column)
        if role == Qt.ItemDataRole.EditRole:
            return self.rows.caption[row] if column == Column.CAPTION else self._text(row, column)
        if role == ROW_ROLE:
            return row
        if role == Qt.ItemDataRole.ToolTipRole:
            return tip(self._tip(row, column)) or None
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{HEADS[Column(column)] or 'Thumbnail'}: {self._text(row, column) or 'none'}"
        return None

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        if role != Qt.ItemDataRole.EditRole or not index.isValid() or index.column() != Column.CAPTION:
            return False
        self.caption_edited.emit(self.row_at(index.row()), str(value))
        return True

    def _text(self, row: int, column: int) -> str:
        rows = self.rows
        if column == Column.NAME:
            return rows.name(row)
        if column == Column.CAPTION:
            return rows.caption[row]
        if column == Column.IMAGE:
            return vote_text(rows.image[row])
        if column == Column.TEXT:
            return vote_text(rows.text[row])
        if column == Column.BIN:
            return label_name(rows.final(row))
        if column == Column.WINNER:
            return winner_word(rows, row)
        if column == Column.STATUS:
            return status_word(rows, row)
        return ""

    def _tip(self, row: int, column: int) -> str | None:
        rows = self.rows
        if rows.error[row] and column >= Column.IMAGE:
            return rows.error[row]
        twin = rows.twin(row)
        if twin >= 0 and column in (Column.PHOTO, Column.NAME, Column.STATUS):
            return f"{rows.path[row]}\nSame content as {rows.path[twin]}"
        if column in (Column.PHOTO, Column.NAME):
            return rows.path[row]
        if column in (Column.BIN, Column.WINNER):
            return rows.reason[row] or None
        if column == Column.CAPTION and not rows.caption[row]:
            return "No caption: only the image model can answer. Type to add one."
        return None

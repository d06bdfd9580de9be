"""Tables in dialogs: rows are selected whole, the first column takes the spare width."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem

from gcdesk.ui.widgets.plain_text import tip


def plain_table(heads: Sequence[str], name: str = "") -> QTableWidget:
    """Nothing in it can be edited. `name` is what a screen reader calls it, the first head where it is empty."""
    table = QTableWidget(0, len(heads))
    table.setHorizontalHeaderLabels(list(heads))
    table.setAccessibleName(name or heads[0])
    table.verticalHeader().hide()
    table.setShowGrid(False)
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setTabKeyNavigation(False)
    head = table.horizontalHeader()
    head.setHighlightSections(False)
    head.setSectionsClickable(False)
    head.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    head.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
    head.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
    return table


def list_table(heads: Sequence[str], name: str, row_height: int) -> QTableWidget:
    """A plain table of which one row is the chosen one; its dialog's buttons act on that."""
    table = plain_table(heads, name)
    table.verticalHeader().setDefaultSectionSize(row_height)
    table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    return table


def fill(table: QTableWidget, row: int, cells: list[str]) -> None:
    """Write texts into the cells of a row."""
    for column, text in enumerate(cells):
        item = QTableWidgetItem(text)
        item.setToolTip(tip(text))
        table.setItem(row, column, item)

"""The list's view. Any letter opens the caption editor; other keys are actions of the window."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QItemSelection, QItemSelectionModel, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QFrame, QHeaderView, QTableView, QWidget

from gcdesk.ui.session.filtering import SortBy
from gcdesk.ui.theme.theme import Theme
from gcdesk.ui.window.list.caption_completer import Phrases
from gcdesk.ui.window.list.caption_editor import CaptionEdit
from gcdesk.ui.window.list.model import SORTS, Column, Index, ItemModel
from gcdesk.ui.window.list.row_delegate import ROW_HEIGHT, RowDelegate
from gcdesk.ui.window.list.thumbnails import Thumbnails

WIDTHS = {
    Column.PHOTO: 66,
    Column.NAME: 132,
    Column.CAPTION: 240,
    Column.IMAGE: 118,
    Column.TEXT: 118,
    Column.BIN: 106,
    Column.WINNER: 86,
    Column.STATUS: 90,
}


# Below these widths of the list a column gives its place to the caption.
_ROOM = {Column.WINNER: 860, Column.NAME: 740}


class ItemView(QTableView):
    """A table of whole rows. Its interface uses row numbers of `Rows`, not positions in the view."""

    current_row_changed = Signal(int)
    sort_requested = Signal(object, bool)
    visible_changed = Signal()

    def __init__(
        self, model: ItemModel, theme: Theme, phrases: Phrases, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.thumbnails = Thumbnails(self)
        self._sort: tuple[SortBy, bool] = (SortBy.ARRIVAL, False)
        self._kept: tuple[int, list[int]] = (-1, [])
        self.setAccessibleName("Photos")
        self._rows_model = model
        self._theme = theme
        self.setModel(model)
        self.delegate = RowDelegate(theme, self.thumbnails, phrases, self)
        self.setItemDelegate(self.delegate)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.DoubleClicked)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setTabKeyNavigation(False)
        self._set_heads()
        self.set_theme(theme)
        model.modelAboutToBeReset.connect(self._keep)
        model.modelReset.connect(self._restore)
        self.thumbnails.ready.connect(self.viewport().update)
        self.delegate.editing_finished.connect(self._edited)
        self._settle = QTimer(self, singleShot=True, interval=150)
        self._settle.timeout.connect(self.visible_changed)
        self.verticalScrollBar().valueChanged.connect(lambda _value: self._settle.start())

    def _set_heads(self) -> None:
        down = self.verticalHeader()
        down.hide()
        down.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        heads = self.horizontalHeader()
        heads.setHighlightSections(False)
        # A head asks whether its whole column is selected: 4 s when all of 100,000 rows are. It has no
        # need to.
        heads.setSelectionModel(QItemSelectionModel(self._rows_model, heads))
        heads.setSectionsMovable(False)
        heads.setSectionsClickable(True)
        heads.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        heads.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        heads.setSectionResizeMode(Column.PHOTO, QHeaderView.ResizeMode.Fixed)
        heads.setSectionResizeMode(Column.CAPTION, QHeaderView.ResizeMode.Stretch)
        heads.setMinimumSectionSize(48)
        heads.sectionClicked.connect(self._head_clicked)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.delegate.set_theme(theme)
        self.verticalHeader().setMinimumSectionSize(20)
        self.verticalHeader().setDefaultSectionSize(theme.px(ROW_HEIGHT))
        for column, width in WIDTHS.items():
            self.setColumnWidth(column, theme.px(width))
        self.viewport().update()

    # --- rows

    def current_row(self) -> int:
        """Row number of the current row, -1 where there is none."""
        return self._rows_model.row_at(self.currentIndex().row())

    def selected_rows(self) -> list[int]:
        """Row numbers of the selection in view order; the current row where nothing is selected."""
        selection = self.selectionModel().selection()
        spans = [selection.at(number) for number in range(selection.size())]
        parts = [np.arange(span.top(), span.bottom() + 1) for span in spans]
        if not parts and self.currentIndex().isValid():
            parts = [np.array([self.currentIndex().row()])]
        if not parts:
            return []
        indices = np.unique(np.concatenate(parts))
        selected: list[int] = self._rows_model.index_array[indices].tolist()
        return selected

    def show_row(self, row: int) -> bool:
        """Make a row the current one and bring it into view. False where the filter hides it."""
        index = self._rows_model.position_of(row)
        if index < 0:
            return False
        self._select(index)
        return True

    def _select(self, position: int) -> None:
        """One row alone, whatever key is held down: under Ctrl Qt would add it to the selection."""
        index = self._rows_model.index(position, Column.CAPTION)
        flags = QItemSelectionModel.SelectionFlag
        self.selectionModel().setCurrentIndex(index, flags.ClearAndSelect | flags.Rows)
        self.scrollTo(index)

    def rows_on_screen(self) -> np.ndarray:
        """Row numbers that the operator sees now."""
        first = max(self.rowAt(0), 0)
        last = self.rowAt(self.viewport().height() - 1)
        shown = self._rows_model.index_array
        return shown[first : (last if last >= 0 else len(shown) - 1) + 1]

    def currentChanged(self, current: Index, previous: Index) -> None:
        super().currentChanged(current, previous)
        if current.row() != previous.row() or not previous.isValid():
            self.current_row_changed.emit(self._rows_model.row_at(current.row()))
            self.viewport().update()

    def _keep(self) -> None:
        chosen = self.selected_rows()
        self._kept = (self.current_row(), chosen if len(chosen) <= 2000 else [])

    def _restore(self) -> None:
        current, chosen = self._kept
        model, selection = self._rows_model, self.selectionModel()
        indices = sorted(position for position in map(model.position_of, chosen) if position >= 0)
        position = model.position_of(current)
        if position < 0 and model.rowCount():
            position = 0
            indices = [0]
        if position < 0:
            self.current_row_changed.emit(-1)
            return
        picked = QItemSelection()
        for item in indices:
            picked.select(model.index(item, 0), model.index(item, len(Column) - 1))
        index = model.index(position, Column.CAPTION)
        selection.setCurrentIndex(index, QItemSelectionModel.SelectionFlag.NoUpdate)
        selection.select(picked, QItemSelectionModel.SelectionFlag.ClearAndSelect)
        self.scrollTo(index)
        self.visible_changed.emit()

    # --- captions by keyboard

    def edit_caption(self, typed: str = "") -> None:
        """Open the caption box of the current row; `typed` replaces what is there."""
        current = self.currentIndex()
        if not current.isValid():
            return
        index = self._rows_model.index(current.row(), Column.CAPTION)
        selection = self.selectionModel().selection()
        self.setCurrentIndex(index)
        self.selectionModel().select(selection, QItemSelectionModel.SelectionFlag.ClearAndSelect)
        self.edit(index)
        box = self.indexWidget(index) or self.findChild(CaptionEdit)
        if typed and isinstance(box, CaptionEdit):
            box.insert(typed)
            box.textEdited.emit(box.text())

    def _edited(self, keep: bool) -> None:
        self.setFocus()
        if keep:
            self.move_by(1)

    def move_by(self, step: int) -> None:
        """Go up or down; the selection follows."""
        index = self.currentIndex().row() + step
        if 0 <= index < self._rows_model.rowCount():
            self._select(index)

    def _go_to_end(self, last: bool, extend: bool) -> None:
        """To the first or the last row; Qt would go sideways. `extend`: all rows on the way are selected."""
        model, here = self._rows_model, self.currentIndex().row()
        index = model.rowCount() - 1 if last else 0
        if index < 0:
            return
        if not extend or here < 0:
            self._select(index)
            return
        top, bottom = sorted((here, index))
        picked = QItemSelection(model.index(top, 0), model.index(bottom, len(Column) - 1))
        flags = QItemSelectionModel.SelectionFlag
        self.selectionModel().setCurrentIndex(model.index(index, Column.CAPTION), flags.NoUpdate)
        self.selectionModel().select(picked, flags.ClearAndSelect)
        self.scrollTo(self.currentIndex())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        plain = not event.modifiers() & ~(
            Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.KeypadModifier
        )
        if plain and event.key() in (Qt.Key.Key_F2, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.edit_caption()
        elif plain and event.text() and event.text().isalpha():
            self.edit_caption(event.text())
        elif event.key() in (Qt.Key.Key_Home, Qt.Key.Key_End):
            self._go_to_end(
                event.key() == Qt.Key.Key_End, bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            )
        elif event.key() in (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Tab, Qt.Key.Key_Backtab):
            event.ignore()  # whole rows: nothing to do sideways, and Tab leaves the list
        else:
            super().keyPressEvent(event)

    def keyboardSearch(self, _text: str) -> None:
        """Letters are captions here."""

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        index = self.indexAt(event.position().toPoint())
        if index.isValid() and index.column() == Column.CAPTION:
            super().mouseDoubleClickEvent(event)

    # --- sorting

    def _head_clicked(self, section: int) -> None:
        """Once up, again down, a third time back to the order of arrival."""
        sort = SORTS.get(Column(section))
        if sort is None:
            return
        now, down = self._sort
        self.set_sort(
            *((sort, False) if now is not sort else (sort, True) if not down else (SortBy.ARRIVAL, False))
        )
        self.sort_requested.emit(*self._sort)

    def set_sort(self, sort: SortBy, down: bool) -> None:
        """Show the arrow for an order; asks for nothing."""
        self._sort = (sort, down)
        heads = self.horizontalHeader()
        column = next((column for column, by in SORTS.items() if by is sort), None)
        heads.setSortIndicatorShown(column is not None)
        if column is not None:
            order = Qt.SortOrder.DescendingOrder if down else Qt.SortOrder.AscendingOrder
            heads.setSortIndicator(column, order)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._settle.start()
        width = self.viewport().width()
        for column, needed in _ROOM.items():
            self.setColumnHidden(column, width < self._theme.px(needed))

    def close_down(self) -> None:
        """Stop loading thumbnails."""
        self._settle.stop()
        self.thumbnails.close()

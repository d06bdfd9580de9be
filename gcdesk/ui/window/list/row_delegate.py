"""Paints a row: thumbnail, name, caption, both votes, bin, status. There is no widget per row."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QAbstractItemModel, QEvent, QObject, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QTableView, QWidget

from gcdesk.engine.labels import BINS, NOT_SET
from gcdesk.engine.selection.rules import Winner
from gcdesk.store import Status
from gcdesk.ui.session.rows import Rows
from gcdesk.ui.session.wording import status_word, winner_word
from gcdesk.ui.theme.theme import BODY, LARGE, Theme
from gcdesk.ui.widgets.bin_shapes import draw_chip, draw_shape
from gcdesk.ui.window.list.caption_completer import Phrases
from gcdesk.ui.window.list.caption_editor import CaptionEdit
from gcdesk.ui.window.list.model import Column, Index, ItemModel
from gcdesk.ui.window.list.thumbnails import Thumbnails

ROW_HEIGHT = 56
THUMBNAIL = 44
_PAD = 10
_LEFT = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
_WAITING = (Status.QUEUED, Status.RUNNING)
# Looked up once: thousands of cells are painted in a second of scrolling, and members of enumerations are slow to
# reach. In the order of `Column`.
_PHOTO, _NAME, _CAPTION, _IMAGE, _TEXT, _BIN, _WINNER, _STATUS = map(int, Column)
_FAILED = int(Status.FAILED)
_BY_IMAGE, _BY_TEXT, _BY_BOTH = Winner.IMAGE, Winner.TEXT, Winner.BOTH
_SELECTED = QStyle.StateFlag.State_Selected
_SMOOTH, _NO_PEN = QPainter.RenderHint.Antialiasing, Qt.PenStyle.NoPen
_ELIDE_MIDDLE, _ELIDE_RIGHT = Qt.TextElideMode.ElideMiddle, Qt.TextElideMode.ElideRight


class RowDelegate(QStyledItemDelegate):
    """Paints every column directly from `Rows`, without Qt's item roles."""

    editing_finished = Signal(bool)

    def __init__(self, theme: Theme, thumbnails: Thumbnails, phrases: Phrases, view: QTableView) -> None:
        super().__init__(view)
        self._view = view
        self._thumbnails = thumbnails
        self._phrases = phrases
        self.set_theme(theme)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self._fonts = {
            (size, bold): theme.font(size, bold) for size in (BODY, LARGE) for bold in (False, True)
        }
        self._metrics = {key: QFontMetricsF(font) for key, font in self._fonts.items()}
        bold = self._metrics[(BODY, True)]
        self._word_width = max(bold.horizontalAdvance(name) for name in BINS) + theme.px(8)

    # --- drawing

    def sizeHint(self, _option: QStyleOptionViewItem, _index: Index) -> QSize:
        return QSize(80, self._theme.px(ROW_HEIGHT))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        model = index.model()
        if not isinstance(model, ItemModel):
            return
        row = model.row_at(index.row())
        if row < 0:
            return
        rows, column, rect = model.rows, index.column(), option.rect
        self._ground(painter, option, column)
        box = QRectF(rect).adjusted(_PAD, 0, -_PAD, 0)
        failed = rows.status[row] == _FAILED
        if column == _PHOTO:
            self._photo(painter, rect, rows, row)
        elif column == _NAME:
            self._words(painter, box, rows.name(row), self._theme.text_2, middle=True)
        elif column == _CAPTION:
            self._caption(painter, box, rows.caption[row])
        elif failed and _IMAGE <= column <= _WINNER and rows.final(row) == NOT_SET:
            self._reason(painter, rect, rows.error[row])
        elif column == _IMAGE:
            self._vote(painter, box, rows, row, rows.image[row], _BY_IMAGE)
        elif column == _TEXT:
            self._vote(painter, box, rows, row, rows.text[row], _BY_TEXT)
        elif column == _BIN:
            self._bin(painter, box, rows, row)
        elif column == _WINNER:
            self._words(painter, box, winner_word(rows, row), self._theme.text_2)
        elif column == _STATUS:
            self._status(painter, box, rows, row)

    def _ground(self, painter: QPainter, option: QStyleOptionViewItem, column: int) -> None:
        theme, rect = self._theme, option.rect
        selected = bool(option.state & _SELECTED)
        if selected:
            painter.fillRect(rect, theme.select)
        painter.fillRect(QRect(rect.left(), rect.bottom(), rect.width(), 1), theme.track)
        current = self._view.currentIndex()
        if column == _PHOTO and current.isValid() and self._view.rowAt(rect.center().y()) == current.row():
            painter.fillRect(QRect(rect.left(), rect.top(), 3, rect.height()), theme.focus)

    def _photo(self, painter: QPainter, rect: QRect, rows: Rows, row: int) -> None:
        theme = self._theme
        side = theme.px(THUMBNAIL)
        box = QRect(rect.left() + theme.px(12), rect.center().y() - side // 2, side, side)
        picture = self._thumbnails.get(rows.thumbnail[row], side, self._view.devicePixelRatioF())
        painter.save()
        painter.setRenderHint(_SMOOTH)
        if picture is not None:
            painter.drawPixmap(box.topLeft(), picture)
        else:
            painter.setPen(_NO_PEN)
            painter.setBrush(theme.track)
            painter.drawRoundedRect(box, 6, 6)
            if rows.faulty[row]:
                painter.setPen(QPen(theme.text_3, 1.6))
                middle, arm = box.center(), side // 7
                painter.drawLine(middle.x() - arm, middle.y() - arm, middle.x() + arm, middle.y() + arm)
                painter.drawLine(middle.x() - arm, middle.y() + arm, middle.x() + arm, middle.y() - arm)
        painter.restore()

    def _words(
        self, painter: QPainter, box: QRectF, text: str, colour: QColor, bold: bool = False,
        size: int = BODY, middle: bool = False,
    ) -> None:  # fmt: skip
        if not text:
            return
        key = (size, bold)
        mode = _ELIDE_MIDDLE if middle else _ELIDE_RIGHT
        painter.setFont(self._fonts[key])
        painter.setPen(colour)
        painter.drawText(box, _LEFT, self._metrics[key].elidedText(text, mode, box.width()))

    def _caption(self, painter: QPainter, box: QRectF, caption: str) -> None:
        if caption:
            self._words(painter, box, caption, self._theme.text, size=LARGE)
        else:
            self._words(painter, box, "add a caption", self._theme.text_3, size=LARGE)

    def _reason(self, painter: QPainter, rect: QRect, reason: str) -> None:
        """A failed row's reason runs over the columns of the answers; each cell draws its own part of the line."""
        left = self._view.columnViewportPosition(_IMAGE)
        width = self._view.columnViewportPosition(_STATUS) - left
        painter.save()
        painter.setClipRect(rect)
        line = QRectF(left + _PAD, rect.top(), width - 2 * _PAD, rect.height())
        self._words(painter, line, reason, self._theme.text_2)
        painter.restore()

    def _vote(
        self, painter: QPainter, box: QRectF, rows: Rows, row: int, probabilities: np.ndarray, who: Winner
    ) -> None:
        theme = self._theme
        if np.isnan(probabilities[0]):
            if rows.status[row] not in _WAITING:
                unread = who is _BY_IMAGE and rows.faulty[row]
                self._words(painter, box, "unreadable" if unread else "no answer", theme.text_3)
            return
        best = int(probabilities.argmax())
        won = rows.winner[row] in (who, _BY_BOTH) and rows.label[row] != NOT_SET
        side = theme.px(12)
        mark = QRectF(box.left(), box.center().y() - side / 2, side, side)
        draw_shape(painter, mark, theme.bin(best), theme, key=False)
        number = f"{probabilities[best]:.2f}"
        rest = box.adjusted(side + theme.px(7), 0, 0, 0)
        words = self._word_width
        colour = theme.text if won else theme.text_2
        self._words(
            painter, QRectF(rest.left(), rest.top(), words, rest.height()), BINS[best], colour, bold=won
        )
        painter.drawText(rest.adjusted(words, 0, _PAD, 0), _LEFT, number)

    def _bin(self, painter: QPainter, box: QRectF, rows: Rows, row: int) -> None:
        final = rows.final(row)
        if final == NOT_SET:
            return
        doubtful = rows.operator[row] == NOT_SET and bool(rows.review[row])
        draw_chip(painter, box, self._theme.bin(final), self._theme, doubtful=doubtful)

    def _status(self, painter: QPainter, box: QRectF, rows: Rows, row: int) -> None:
        theme = self._theme
        word = status_word(rows, row)
        wants_you = word in ("To review", "Failed")
        colour = (
            theme.text
            if wants_you or word == "Corrected"
            else theme.text_3
            if word == "Queued"
            else theme.text_2
        )
        self._words(painter, box, word, colour, bold=wants_you)

    # --- the caption box

    def createEditor(self, parent: QWidget, _option: QStyleOptionViewItem, index: Index) -> QWidget:
        model = index.model()
        row = model.row_at(index.row()) if isinstance(model, ItemModel) else -1
        looks_like = model.rows.looks_like(row) if isinstance(model, ItemModel) and row >= 0 else []
        editor = CaptionEdit(self._phrases, self._theme, parent, looks_like)
        editor.finished.connect(lambda keep, box=editor: self._finish(box, keep))
        return editor

    def updateEditorGeometry(self, editor: QWidget, option: QStyleOptionViewItem, _index: Index) -> None:
        height = self._theme.px(36)
        rect = option.rect
        editor.setGeometry(rect.left() + 2, rect.center().y() - height // 2, rect.width() - 6, height)

    def setEditorData(self, editor: QWidget, index: Index) -> None:
        if isinstance(editor, CaptionEdit) and not editor.isModified():
            editor.setText(str(index.data(Qt.ItemDataRole.EditRole) or ""))
            editor.selectAll()

    def setModelData(self, editor: QWidget, model: QAbstractItemModel, index: Index) -> None:
        if isinstance(editor, CaptionEdit):
            model.setData(index, editor.text(), Qt.ItemDataRole.EditRole)

    def _finish(self, editor: CaptionEdit, keep: bool) -> None:
        if keep:
            self.commitData.emit(editor)
        self.closeEditor.emit(editor, QStyledItemDelegate.EndEditHint.NoHint)
        self.editing_finished.emit(keep)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        # The box handles its own keys; Qt's delegate would take Tab, Enter and Esc before it.
        if event.type() in (QEvent.Type.KeyPress, QEvent.Type.ShortcutOverride):
            return False
        return super().eventFilter(watched, event)

"""Widgets of the station view: photo, last ten answers, touch buttons."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt, Signal
from PySide6.QtGui import QFont, QImage, QMouseEvent, QPainter, QPainterPath, QPaintEvent, QPen, QPixmap
from PySide6.QtWidgets import QPushButton, QSizePolicy, QStyle, QStyleOptionButton, QWidget

from gcdesk.engine.labels import NOT_SET
from gcdesk.store import Status
from gcdesk.ui.session.rows import Rows
from gcdesk.ui.theme.theme import Theme
from gcdesk.ui.widgets.bin_shapes import draw_shape
from gcdesk.ui.window.list.thumbnails import Thumbnails

TEXT = 52  # pixels on a 24-inch 1080p screen
KEPT = 10
_CENTRE = Qt.AlignmentFlag.AlignCenter


class StationPhoto(QWidget):
    """The photo, scaled to fit, with an optional band of text over its lower edge."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._unit = theme, 1.0
        self._picture = QPixmap()
        self._band = ""
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
        self.setAccessibleName("Photo")

    def set_look(self, theme: Theme, unit: float) -> None:
        self._theme, self._unit = theme, unit
        self.update()

    def show_picture(self, image: QImage | None) -> None:
        """Show a picture, or an empty place."""
        self._picture = QPixmap.fromImage(image) if image is not None and not image.isNull() else QPixmap()
        self.update()

    @property
    def has_picture(self) -> bool:
        return not self._picture.isNull()

    def show_band(self, text: str) -> None:
        if text != self._band:
            self._band = text
            self.setAccessibleDescription(text)
            self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme, unit = self._theme, self._unit
        painter = QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        painter.fillRect(self.rect(), theme.ground)
        whole = QPainterPath()
        whole.addRoundedRect(QRectF(self.rect()), 28 * unit, 28 * unit)
        painter.setClipPath(whole)
        painter.fillRect(self.rect(), theme.photo_ground)
        above = self._draw_band(painter) if self._band else float(self.height())
        if not self._picture.isNull():
            room = QSizeF(self.width(), above)
            size = QSizeF(self._picture.size()).scaled(room, Qt.AspectRatioMode.KeepAspectRatio)
            corner = QPointF((room.width() - size.width()) / 2, (room.height() - size.height()) / 2)
            painter.drawPixmap(QRectF(corner, size), self._picture, QRectF(self._picture.rect()))
        painter.end()

    def _draw_band(self, painter: QPainter) -> float:
        """Draw the band of words; returns where it begins."""
        theme, unit = self._theme, self._unit
        font = theme.font(bold=True)
        font.setPixelSize(round(TEXT * unit))
        painter.setFont(font)
        pad = 36 * unit
        flags = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextWordWrap)
        space = QRectF(pad, 0, self.width() - 2 * pad, self.height())
        high = painter.boundingRect(space, flags, self._band).height() + pad
        band = QRectF(0, self.height() - high, self.width(), high)
        painter.fillRect(band, theme.text)
        painter.setPen(theme.surface)
        painter.drawText(band.adjusted(pad, 0, -pad, 0), flags, self._band)
        return band.top()


class LastTen(QWidget):
    """The last ten answers, newest first: photo and bin. A touch goes back to one."""

    chosen = Signal(int)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._unit = theme, 1.0
        self._rows: Rows | None = None
        self._current = -1
        self.last: deque[int] = deque(maxlen=KEPT)
        self.thumbnails = Thumbnails(self)
        self.thumbnails.ready.connect(self.update)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("The last ten photos, newest first")

    def set_look(self, theme: Theme, unit: float) -> None:
        self._theme, self._unit = theme, unit
        self.setFixedHeight(round(184 * unit))
        self.update()

    def start(self, rows: Rows) -> None:
        """Begin with the answers that are there already."""
        self._rows = rows
        finished = [
            row for row in range(max(0, len(rows) - 500), len(rows)) if rows.status[row] >= Status.DONE
        ]
        self.last = deque(reversed(finished[-KEPT:]), maxlen=KEPT)
        self.update()

    def answered(self, rows: Iterable[int]) -> None:
        """These have an answer now; one that is in the strip stays in its place."""
        for row in rows:
            if row not in self.last:
                self.last.appendleft(row)
        self.update()

    def set_current(self, row: int) -> None:
        if row != self._current:
            self._current = row
            self.update()

    def _cell(self, number: int) -> QRectF:
        wide = self.width() / KEPT
        return QRectF(number * wide, 0, wide, self.height())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        number = int(event.position().x() // (self.width() / KEPT))
        if 0 <= number < len(self.last):
            self.chosen.emit(self.last[number])

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        for number, row in enumerate(self.last):
            self._draw(painter, self._cell(number), row)
        painter.end()

    def _draw(self, painter: QPainter, cell: QRectF, row: int) -> None:
        theme, unit, rows = self._theme, self._unit, self._rows
        if rows is None or row >= len(rows):
            return
        side = min(cell.width() - 22 * unit, cell.height() - 48 * unit)
        box = QRectF(cell.left() + 4 * unit, cell.top() + 4 * unit, side, side)
        picture = self.thumbnails.get(rows.thumbnail[row], max(1, round(side)), self.devicePixelRatioF())
        if picture is not None:
            painter.drawPixmap(box, picture, QRectF(picture.rect()))
        else:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.photo_ground)
            painter.drawRoundedRect(box, 6, 6)
        if row == self._current:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(theme.focus, 6 * unit))
            painter.drawRoundedRect(box, 6, 6)
        mark = 84 * unit
        rect = QRectF(box.right() - mark + 6 * unit, cell.bottom() - mark - 4 * unit, mark, mark)
        painter.setPen(Qt.PenStyle.NoPen)
        self._draw_mark(painter, rect, rows, row)

    def _draw_mark(self, painter: QPainter, rect: QRectF, rows: Rows, row: int) -> None:
        theme = self._theme
        final, doubtful = rows.final(row), bool(rows.review[row]) and rows.operator[row] == NOT_SET
        painter.setBrush(theme.ground)
        halo = 8 * self._unit
        painter.drawEllipse(rect.adjusted(-halo, -halo, halo, halo))
        if final != NOT_SET and not doubtful:
            draw_shape(painter, rect, theme.bin(final), theme)
            return
        font = theme.font(bold=True)
        font.setPixelSize(round(rect.height() * 0.62))
        painter.setFont(font)
        pen = QPen(theme.text, 4 * self._unit)
        pen.setDashPattern([3, 2.4])
        painter.setPen(pen)
        painter.drawEllipse(rect.adjusted(3, 3, -3, -3))
        painter.setPen(theme.text)
        painter.drawText(rect, _CENTRE, "×" if rows.status[row] == Status.FAILED else "?")  # noqa: RUF001


class TouchButton(QPushButton):
    """A large button: a bin's shape, key and name, or a word. It takes no focus, so that Space stays "accept"."""

    def __init__(self, theme: Theme, text: str, code: int = NOT_SET, parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.code = code
        self._theme, self._unit = theme, 1.0
        self.setCheckable(code != NOT_SET)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_look(self, theme: Theme, unit: float, height: int) -> None:
        self._theme, self._unit = theme, unit
        self.setFixedHeight(height)
        self.setMinimumWidth(max(height, round(self._content_width() + 2 * 28 * unit)))
        self.update()

    def nextCheckState(self) -> None:
        """What is checked follows the row, not the finger."""

    def _content_width(self) -> float:
        font = self._font()
        self.setFont(font)
        return self.fontMetrics().horizontalAdvance(self.text()) + (
            self._mark() * 1.3 if self.code != NOT_SET else 0
        )

    def _font(self) -> QFont:
        font = self._theme.font(bold=True)
        font.setPixelSize(round((TEXT + 4) * self._unit))
        return font

    def _mark(self) -> float:
        return 84 * self._unit

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme, unit = self._theme, self._unit
        style = theme.bin(self.code)
        option = QStyleOptionButton()
        self.initStyleOption(option)
        down = bool(option.state & QStyle.StateFlag.State_Sunken)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        chosen = self.isChecked()
        edge = (8 if chosen else 3) * unit
        painter.setPen(QPen(style.outline if chosen else theme.control, edge))
        painter.setBrush(theme.select if down else style.tint if chosen else theme.raised)
        box = QRectF(self.rect()).adjusted(edge / 2, edge / 2, -edge / 2, -edge / 2)
        painter.drawRoundedRect(box, 20 * unit, 20 * unit)
        if not self.isEnabled():
            painter.setOpacity(0.4)
        wide = self._content_width()
        left = (self.width() - wide) / 2
        if self.code != NOT_SET:
            mark = self._mark()
            draw_shape(painter, QRectF(left, (self.height() - mark) / 2, mark, mark), style, theme)
            left += mark * 1.3
        painter.setFont(self._font())
        painter.setPen(style.ink if chosen else theme.text)
        painter.drawText(
            QRectF(left, 0, self.width() - left, self.height()), Qt.AlignmentFlag.AlignVCenter, self.text()
        )
        painter.end()

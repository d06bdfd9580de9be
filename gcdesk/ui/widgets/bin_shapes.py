"""Drawings of bins: shape with key, chip, and the button that sets a bin."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPainterPath, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QPushButton, QStyle, QStyleOptionButton, QWidget

from gcdesk.ui.theme.theme import BODY, BinStyle, Theme
from gcdesk.ui.widgets.plain_text import tip


def shape_path(shape: str, rect: QRectF) -> QPainterPath:
    """The outline of a bin's shape, filling `rect`; areas look alike although boxes differ."""
    path = QPainterPath()
    box = QRectF(rect)
    if shape == "square":
        inset = box.width() * 0.06
        box.adjust(inset, inset, -inset, -inset)
        path.addRoundedRect(box, box.width() * 0.16, box.width() * 0.16)
    elif shape == "triangle":
        top = QPointF(box.center().x(), box.top())
        path.addPolygon(QPolygonF([top, box.bottomRight(), box.bottomLeft(), top]))
    elif shape == "diamond":
        middle = box.center()
        corners = [
            QPointF(middle.x(), box.top()),
            QPointF(box.right(), middle.y()),
            QPointF(middle.x(), box.bottom()),
            QPointF(box.left(), middle.y()),
        ]
        path.addPolygon(QPolygonF([*corners, corners[0]]))
    else:
        path.addEllipse(box.adjusted(0.5, 0.5, -0.5, -0.5))
    path.closeSubpath()
    return path


def draw_shape(painter: QPainter, rect: QRectF, style: BinStyle, theme: Theme, key: bool = True) -> None:
    """Draw a bin's shape, with its key number inside where there is room for it."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    pen = QPen(style.outline, max(1.2, rect.width() / 16))
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    painter.setPen(pen)
    painter.setBrush(style.fill)
    painter.drawPath(shape_path(style.shape, rect))
    if key:
        font = theme.font(BODY, bold=True)
        font.setPixelSize(max(8, round(rect.height() * 0.56)))
        painter.setFont(font)
        painter.setPen(style.on_fill)
        box = QRectF(rect)
        if style.shape == "triangle":
            box.translate(0, rect.height() * 0.15)
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, style.key)
    painter.restore()


def chip_width(text: str, size: int, theme: Theme) -> float:
    """Width that `draw_chip` wants for a word at a type size."""
    metrics = QFontMetricsF(theme.font(size, bold=True))
    return metrics.horizontalAdvance(text) + theme.px(size) * 3.1


def draw_chip(
    painter: QPainter, rect: QRectF, style: BinStyle, theme: Theme, size: int = BODY, doubtful: bool = False
) -> None:
    """An outlined chip, left in `rect` and centred in height: shape with key, then the word.

    A doubtful answer has a dashed outline and a question mark, so it never looks like a sure one.
    """
    word = f"{style.name}?" if doubtful else style.name
    height = min(rect.height(), theme.px(size) * 2.0)
    chip = QRectF(
        rect.left(), rect.center().y() - height / 2, min(rect.width(), chip_width(word, size, theme)), height
    )
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    pen = QPen(style.outline, 1.3)
    if doubtful:
        pen.setDashPattern([3.0, 2.4])
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush if doubtful else style.tint)
    radius = height * 0.32
    painter.drawRoundedRect(chip.adjusted(0.7, 0.7, -0.7, -0.7), radius, radius)
    side = height * 0.64
    mark = QRectF(chip.left() + height * 0.24, chip.center().y() - side / 2, side, side)
    draw_shape(painter, mark, style, theme)
    font = theme.font(size, bold=True)
    painter.setFont(font)
    painter.setPen(style.ink)
    left = mark.right() + height * 0.22
    space = QRectF(left, chip.top(), chip.right() - left - height * 0.12, height)
    shown = QFontMetricsF(font).elidedText(word, Qt.TextElideMode.ElideRight, space.width() + 1)
    painter.drawText(space, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, shown)
    painter.restore()


class BinButton(QPushButton):
    """A button that sets a bin: shape and key, name below; tinted when it is the answer."""

    def __init__(self, code: int, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.code = code
        self._theme = theme
        style = theme.bin(code)
        self.setCheckable(True)
        self.setAccessibleName(f"Set bin {style.name}, key {style.key}")
        self.setToolTip(
            tip(f"{style.name} ({style.key})" if style.key != "0" else "None of these / unsure (0)")
        )

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(62), self._theme.px(54))

    def minimumSizeHint(self) -> QSize:
        return QSize(self._theme.px(52), self._theme.px(50))

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme = self._theme
        style = theme.bin(self.code)
        option = QStyleOptionButton()
        self.initStyleOption(option)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(self.rect()).adjusted(1.5, 1.5, -1.5, -1.5)
        hovered = bool(option.state & QStyle.StateFlag.State_MouseOver) and self.isEnabled()
        ground = style.tint if self.isChecked() else theme.hover if hovered else theme.raised
        outline = style.outline if self.isChecked() else theme.control if hovered else theme.line
        painter.setBrush(ground)
        painter.setPen(QPen(outline, 2.0 if self.isChecked() else 1.0))
        painter.drawRoundedRect(box, 8, 8)
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(theme.focus, 1.5, Qt.PenStyle.DotLine))
            painter.drawRoundedRect(box.adjusted(3, 3, -3, -3), 6, 6)
        side = theme.px(20)
        mark = QRectF(box.center().x() - side / 2, box.top() + theme.px(6), side, side)
        if not self.isEnabled():
            painter.setOpacity(0.45)
        draw_shape(painter, mark, style, theme)
        painter.setFont(theme.font(BODY, bold=self.isChecked()))
        painter.setPen(QColor(style.ink) if self.isChecked() else theme.text)
        words = QRectF(box.left(), mark.bottom(), box.width(), box.bottom() - mark.bottom() - 2)
        painter.drawText(words, Qt.AlignmentFlag.AlignCenter, style.name)
        painter.end()

"""The station view's answer, readable from two metres: bin, shape with key, and how sure it is."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from gcdesk.engine.labels import NOT_SET, UNSURE
from gcdesk.ui.station.answer import NOTHING, Answer, Look
from gcdesk.ui.theme.theme import Theme
from gcdesk.ui.widgets.bin_shapes import draw_shape

# Pixels on a 24-inch 1080p screen. Inter's capitals are 0.727 of the type size: 206 gives 150 px.
WORD, CANDIDATE, HEADING, NOTE = 206, 108, 84, 56
_SHAPE, _SMALL_SHAPE = 200, 128
_PAD, _EDGE, _ROUND = 56, 12, 28
_LEFT = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
_RIGHT = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
_LINES = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap


class AnswerPanel(QWidget):
    """Filled with the bin's colour where the answer is sure, outlined where it is probable, dashed where a
    person must look.
    """

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._unit = 1.0
        self.answer = NOTHING
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
        self.setAccessibleName("Answer")

    def set_look(self, theme: Theme, unit: float) -> None:
        """`unit`: this screen's pixels for one on a 24-inch 1080p screen."""
        self._theme, self._unit = theme, unit
        self.update()

    def show_answer(self, answer: Answer) -> None:
        """Replace what is shown; nothing of the old answer stays."""
        if answer == self.answer:
            return
        self.answer = answer
        names = tuple(self._theme.bin(code).name for code in range(UNSURE + 1))
        self.setAccessibleDescription(answer.in_words(names))
        self.update()

    @property
    def word_cap_height(self) -> float:
        """Height of the bin's capital letters in pixels."""
        return QFontMetricsF(self._font(WORD, bold=True)).capHeight()

    # --- drawing

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), self._theme.ground)
        area = QRectF(self.rect())
        self._draw_ground(painter, area)
        pad = _PAD * self._unit
        inner = area.adjusted(pad, pad, -pad, -pad)
        if self.answer.look is Look.CHECK:
            self._draw_check(painter, inner)
        elif self.answer.label != NOT_SET:
            self._draw_bin(painter, inner)
        else:
            self._draw_words(painter, inner)
        painter.end()

    def _font(self, size: float, bold: bool = False) -> QFont:
        font = self._theme.font(bold=bold)
        font.setPixelSize(round(size * self._unit))
        return font

    def _word(self, painter: QPainter, left: float, base: float, text: str, font: QFont, ink: QColor) -> None:
        """A large word on its base line, its first letter flush with `left`."""
        painter.setFont(font)
        painter.setPen(ink)
        painter.drawText(QPointF(left - QFontMetricsF(font).leftBearing(text[0]), base), text)

    def _draw_ground(self, painter: QPainter, area: QRectF) -> None:
        theme, look = self._theme, self.answer.look
        style = theme.bin(self.answer.label)
        edge = _EDGE * self._unit
        pen, ground = QPen(theme.line, edge / 4), theme.surface
        if look in (Look.SURE, Look.DECIDED):
            pen, ground = QPen(style.outline, edge / 2), style.fill
        elif look is Look.PROBABLY:
            pen, ground = QPen(style.outline, edge), style.tint
        elif look is Look.CHECK:
            pen = QPen(theme.text, edge * 0.6)
            pen.setDashPattern([5, 4])
        half = pen.widthF() / 2
        painter.setPen(pen)
        painter.setBrush(ground)
        painter.drawRoundedRect(
            area.adjusted(half, half, -half, -half), _ROUND * self._unit, _ROUND * self._unit
        )

    def _draw_bin(self, painter: QPainter, inner: QRectF) -> None:
        """Shape with key, under it the word, under that how sure it is."""
        answer, unit = self.answer, self._unit
        style = self._theme.bin(answer.label)
        ink = style.ink
        if answer.look in (Look.SURE, Look.DECIDED):  # on a ground of its own colour
            ink = style.on_fill
            style = replace(style, fill=ink, outline=ink, on_fill=style.fill)
        side, cap, below = _SHAPE * unit, self.word_cap_height, HEADING * 1.3 * unit
        gap = 60 * unit
        top = inner.top() + max(0.0, (inner.height() - side - cap - below - gap * 1.7) / 2)
        draw_shape(painter, QRectF(inner.left(), top, side, side), style, self._theme)
        base = top + side + gap + cap
        self._word(painter, inner.left(), base, style.name, self._font(WORD, bold=True), ink)
        line = QRectF(inner.left(), base + gap * 0.7, inner.width(), below)
        painter.setFont(self._font(HEADING, bold=True))
        painter.drawText(line, _LEFT, answer.heading)
        painter.setFont(self._font(HEADING))
        painter.drawText(line, _RIGHT, answer.note)

    def _draw_check(self, painter: QPainter, inner: QRectF) -> None:
        """CHECK as large as a bin, then the two candidates, each with its shape and key."""
        theme, unit, pair = self._theme, self._unit, self.answer.candidates
        font = self._font(WORD, bold=True)
        width = QFontMetricsF(font).horizontalAdvance(self.answer.heading)
        font.setPixelSize(round(font.pixelSize() * min(1.0, inner.width() / width)))
        cap, side, gap = QFontMetricsF(font).capHeight(), _SMALL_SHAPE * unit, 64 * unit
        total = cap + len(pair) * side + (gap * 1.6 if pair else 0)
        top = inner.top() + max(0.0, (inner.height() - total) / 2)
        self._word(painter, inner.left(), top + cap, self.answer.heading, font, theme.text)
        top += cap + gap
        for code, after in zip(pair, ("or", ""), strict=False):
            style = theme.bin(code)
            draw_shape(painter, QRectF(inner.left(), top, side, side), style, theme)
            small = self._font(CANDIDATE, bold=True)
            base = top + (side + QFontMetricsF(small).capHeight()) / 2
            self._word(painter, inner.left() + side + 40 * unit, base, style.name, small, style.ink)
            painter.setFont(self._font(HEADING))
            painter.setPen(theme.text_2)
            painter.drawText(QRectF(inner.left(), top, inner.width(), side), _RIGHT, after)
            top += side + gap * 0.6

    def _draw_words(self, painter: QPainter, inner: QRectF) -> None:
        """No bin: a heading, and the reason under it."""
        theme, answer = self._theme, self.answer
        note = self._font(NOTE)
        high = CANDIDATE * 1.4 * self._unit
        below = (
            QFontMetricsF(note).boundingRect(inner, int(_LINES), answer.note).height() if answer.note else 0
        )
        top = inner.top() + max(0.0, (inner.height() - high - below) / 2)
        painter.setFont(self._font(CANDIDATE, bold=True))
        painter.setPen(theme.text if answer.look is Look.FAILED else theme.text_2)
        painter.drawText(QRectF(inner.left(), top, inner.width(), high), _LEFT, answer.heading)
        painter.setFont(note)
        painter.setPen(theme.text_2)
        painter.drawText(
            QRectF(inner.left(), top + high, inner.width(), inner.bottom() - top - high),
            int(_LINES),
            answer.note,
        )

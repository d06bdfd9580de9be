"""What drawings with two axes share: where a value lies in the box, and the thin lines across it with their numbers."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPen

from gcdesk.ui.theme.theme import Theme

_WORDS_WIDE = 200


def point_in(box: QRectF, along: float, up: float) -> QPointF:
    """The place of two shares of the box, from its lower left corner."""
    return QPointF(box.left() + along * box.width(), box.bottom() - up * box.height())


def draw_levels(painter: QPainter, theme: Theme, box: QRectF, levels: Iterable[tuple[float, str]]) -> None:
    """A line across the box at each share of its height, and its words left of it in the painter's font."""
    line = painter.fontMetrics().height()
    for up, words in levels:
        start = point_in(box, 0, up)
        painter.setPen(QPen(theme.line, 1))
        painter.drawLine(start, point_in(box, 1, up))
        painter.setPen(theme.text_3)
        beside = QRectF(start.x() - theme.px(8) - _WORDS_WIDE, start.y() - line / 2, _WORDS_WIDE, line)
        painter.drawText(beside, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, words)

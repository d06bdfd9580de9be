"""Curves over epochs: lines in ink that differ by dash, each named at its end. Colour would mean a bin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from gcdesk.ui.theme.theme import SMALL, Theme
from gcdesk.ui.widgets.axes import draw_levels, point_in

_DASHES = (Qt.PenStyle.SolidLine, Qt.PenStyle.DashLine, Qt.PenStyle.DotLine)


class Curves(QWidget):
    """Draws named values (0 to the largest) against the epoch; says them in words to a screen reader."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._lines: dict[str, list[tuple[float, float]]] = {}
        self.setMinimumHeight(theme.px(150))

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.setMinimumHeight(theme.px(150))
        self.update()

    def show_epochs(self, epochs: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> None:
        """names: which of the epochs' values to draw, and what each is called."""
        self.show_lines(
            {
                words: [(float(line["epoch"]), float(line[name])) for line in epochs if name in line]
                for name, words in names.items()
            }
        )

    def show_lines(self, lines: Mapping[str, Sequence[tuple[float, float]]]) -> None:
        """Draw named lines of (epoch, value); an empty one is left out."""
        self._lines = {words: list(points) for words, points in lines.items() if points}
        told = (
            f"{words} from {points[0][1]:.2f} to {points[-1][1]:.2f}" for words, points in self._lines.items()
        )
        self.setAccessibleName("Curves: " + "; ".join(told))
        self.setVisible(bool(self._lines))
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme = self._theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(theme.font(SMALL))
        points = [point for line in self._lines.values() for point in line]
        if points:
            wide = max(painter.fontMetrics().horizontalAdvance(f"{words} 0.00") for words in self._lines)
            room = QRectF(self.rect()).adjusted(
                theme.px(34), theme.px(8), -wide - theme.px(18), -theme.px(24)
            )
            self._draw(painter, room, points)
        painter.end()

    def _draw(self, painter: QPainter, room: QRectF, points: list[tuple[float, float]]) -> None:
        theme = self._theme
        first, last = min(x for x, _ in points), max(x for x, _ in points)
        top = max(1.0, max(y for _, y in points))

        def place(x: float, y: float) -> QPointF:
            share = (x - first) / (last - first) if last > first else 0.5
            return point_in(room, share, y / top)

        draw_levels(painter, theme, room, ((up, f"{up * top:.1f}") for up in (0.0, 0.5, 1.0)))
        line = painter.fontMetrics().height()
        foot = QRectF(room.left(), room.bottom() + theme.px(6), room.width(), line)
        painter.drawText(foot, Qt.AlignmentFlag.AlignLeft, f"epoch {first:.0f}")
        if last > first:
            painter.drawText(foot, Qt.AlignmentFlag.AlignRight, f"{last:.0f}")
        ends = self._label_heights([place(*line[-1]).y() for line in self._lines.values()], line)
        for (words, values), dash, height in zip(
            self._lines.items(), _DASHES * len(self._lines), ends, strict=False
        ):
            painter.setPen(QPen(theme.text, 1.6, dash))
            painter.drawPolyline([place(x, y) for x, y in values])
            painter.setPen(theme.text)
            box = QRectF(room.right() + theme.px(8), height - line / 2, self.width(), line)
            painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, f"{words} {values[-1][1]:.2f}")

    @staticmethod
    def _label_heights(wanted: list[float], line: float) -> list[float]:
        """Heights as wanted, moved down where two names would lie on one another."""
        heights = list(wanted)
        order = sorted(range(len(wanted)), key=lambda number: wanted[number])
        for before, number in pairwise(order):
            heights[number] = max(heights[number], heights[before] + line)
        return heights

"""Two curves of a training, side by side: how wrong it still is while it learns, and how much it gets right."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from gcdesk.ui.theme.theme import BODY, SMALL, Theme
from gcdesk.ui.widgets.axes import draw_levels, point_in

_HEIGHT = 190
_LEFT, _TOP, _BOTTOM, _GAP = 44, 30, 26, 26


@dataclass(frozen=True)
class Curve:
    """Points (x, y) by x. percent: y is a share. dots: each point counts by itself."""

    title: str
    points: Sequence[tuple[float, float]]
    percent: bool = False
    dots: bool = False


class CurvesView(QWidget):
    """Each curve has its own scale up; all share the one along, which are epochs."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._curves: tuple[Curve, ...] = ()
        self._until = 1.0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Curves of the training")

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(620), self._theme.px(_HEIGHT))

    minimumSizeHint = sizeHint

    def show_curves(self, curves: Sequence[Curve], until: float) -> None:
        """Draw these from 0 to `until`."""
        self._curves, self._until = tuple(curves), max(until, 1.0)
        self.setAccessibleDescription("; ".join(map(_in_words, curves)))
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        theme = self._theme
        count = max(1, len(self._curves))
        wide = (self.width() - theme.px(_GAP) * (count - 1)) / count
        for place, curve in enumerate(self._curves):
            self._draw(painter, QRectF(place * (wide + theme.px(_GAP)), 0, wide, self.height()), curve)
        painter.end()

    def _draw(self, painter: QPainter, whole: QRectF, curve: Curve) -> None:
        theme = self._theme
        left, top, bottom = theme.px(_LEFT), theme.px(_TOP), theme.px(_BOTTOM)
        box = whole.adjusted(left, top, -theme.px(8), -bottom)
        painter.setFont(theme.font(BODY, bold=True))
        painter.setPen(theme.text)
        painter.drawText(QRectF(whole.left(), 0, whole.width(), top), Qt.AlignmentFlag.AlignLeft, curve.title)
        low, high, ticks = _scale(curve)
        painter.setFont(theme.font(SMALL))
        levels = (
            ((tick - low) / (high - low), f"{tick:.0%}" if curve.percent else f"{tick:g}") for tick in ticks
        )
        draw_levels(painter, theme, box, levels)
        self._draw_epochs(painter, box, bottom)
        points = [point_in(box, min(1.0, x / self._until), (y - low) / (high - low)) for x, y in curve.points]
        if not points:
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, "Nothing yet")
            return
        painter.setPen(QPen(theme.text, 1.8))
        painter.drawPolyline(QPolygonF(points))
        if curve.dots or len(points) == 1:
            painter.setBrush(theme.text)
            for point in points:
                painter.drawEllipse(point, 3, 3)
            painter.setBrush(Qt.BrushStyle.NoBrush)

    def _draw_epochs(self, painter: QPainter, box: QRectF, bottom: float) -> None:
        painter.setPen(self._theme.text_3)
        step = max(1, math.ceil(self._until / 8))
        for epoch in range(0, int(self._until) + 1, step):
            x = point_in(box, epoch / self._until, 0).x()
            words = f"Epoch {epoch}" if epoch == step else str(epoch)
            painter.drawText(
                QRectF(x - 40, box.bottom() + 4, 80, bottom - 4),
                Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop,
                words,
            )


def _scale(curve: Curve) -> tuple[float, float, list[float]]:
    """(lowest, highest, ticks): the values with some room, ticks at round numbers."""
    values = [y for _x, y in curve.points]
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    if not curve.percent:
        low = 0.0
    if high - low < (0.05 if curve.percent else 0.2):
        middle = (low + high) / 2
        low, high = middle - 0.05, middle + 0.05
    step = _round_step((high - low) / 4)
    low, high = math.floor(low / step) * step, math.ceil(high / step) * step
    if curve.percent:
        low, high = max(0.0, low), min(1.0, high)
    count = round((high - low) / step)
    return low, high, [low + place * step for place in range(count + 1)]


def _round_step(wanted: float) -> float:
    """1, 2 or 5 times a power of ten, at least `wanted`."""
    power = 10.0 ** math.floor(math.log10(wanted))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= wanted)


def _in_words(curve: Curve) -> str:
    if not curve.points:
        return f"{curve.title}: nothing yet"
    x, y = curve.points[-1]
    return f"{curve.title}: {f'{y:.1%}' if curve.percent else f'{y:.2f}'} at epoch {x:.1f}"

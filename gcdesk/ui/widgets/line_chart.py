"""Line charts over epochs, side by side. Lines are in ink and differ by dash, because a colour would mean a bin."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from gcdesk.ui.theme.theme import BODY, SMALL, Theme

# Pixels at text scale 1.
_HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM, _GAP = 190, 44, 8, 30, 26, 26
_DASHES = (Qt.PenStyle.SolidLine, Qt.PenStyle.DashLine, Qt.PenStyle.DotLine)

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Panel:
    """One chart: its lines by name, each (epoch, value) by epoch. Several lines are named at their ends.

    percent: the values are shares. dots: each point is marked.
    """

    title: str
    lines: Mapping[str, Points]
    percent: bool = False
    dots: bool = False

    def format(self, value: float) -> str:
        """A value as a screen reader and the end of a line say it."""
        return f"{value:.1%}" if self.percent else f"{value:.2f}"


class LineChart(QWidget):
    """Panels side by side: each has its own vertical scale, all share the epochs from 0 to the last."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._panels: tuple[Panel, ...] = ()
        self._epochs = 1.0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_theme(self, theme: Theme) -> None:
        """Take over colours and sizes of another theme."""
        self._theme = theme
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(620), self._theme.px(_HEIGHT))

    minimumSizeHint = sizeHint

    def show_panels(self, panels: Sequence[Panel], epochs: float = 1.0) -> None:
        """Draw these; the horizontal axis reaches to `epochs`, or as far as the points do."""
        last = [points[-1][0] for panel in panels for points in panel.lines.values() if points]
        self._panels, self._epochs = tuple(panels), max(epochs, 1.0, *last)
        self.setAccessibleName("Curves: " + "; ".join(_description(panel) for panel in panels))
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        gap, count = self._theme.px(_GAP), max(1, len(self._panels))
        width = (self.width() - gap * (count - 1)) / count
        for index, panel in enumerate(self._panels):
            self._draw(painter, QRectF(index * (width + gap), 0, width, self.height()), panel)
        painter.end()

    def _draw(self, painter: QPainter, whole: QRectF, panel: Panel) -> None:
        theme = self._theme
        top = theme.px(_TOP)
        painter.setFont(theme.font(BODY, bold=True))
        painter.setPen(theme.text)
        painter.drawText(QRectF(whole.left(), 0, whole.width(), top), Qt.AlignmentFlag.AlignLeft, panel.title)
        painter.setFont(theme.font(SMALL))
        lines = {name: points for name, points in panel.lines.items() if points}
        names = {name: f"{name} {panel.format(points[-1][1])}" for name, points in lines.items()}
        right = theme.px(_RIGHT)
        if len(panel.lines) > 1 and names:
            right += theme.px(8) + max(map(painter.fontMetrics().horizontalAdvance, names.values()))
        box = whole.adjusted(theme.px(_LEFT), top, -right, -theme.px(_BOTTOM))
        low, high, ticks = _scale([y for points in lines.values() for _x, y in points], panel.percent)
        self._draw_levels(
            painter, box, [((tick - low) / (high - low), tick) for tick in ticks], panel.percent
        )
        self._draw_epochs(painter, box)
        if not lines:
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, "Nothing yet")
            return
        drawn = {
            name: [_point_in(box, x / self._epochs, (y - low) / (high - low)) for x, y in points]
            for name, points in lines.items()
        }
        for number, points in enumerate(drawn.values()):
            painter.setPen(QPen(theme.text, 1.8, _DASHES[number % len(_DASHES)]))
            painter.drawPolyline(QPolygonF(points))
            if panel.dots or len(points) == 1:
                painter.setBrush(theme.text)
                for point in points:
                    painter.drawEllipse(point, 3, 3)
                painter.setBrush(Qt.BrushStyle.NoBrush)
        if len(panel.lines) > 1:
            height = painter.fontMetrics().height()
            ends = _spread([points[-1].y() for points in drawn.values()], height)
            for name, y in zip(drawn, ends, strict=True):
                label = QRectF(box.right() + theme.px(8), y - height / 2, self.width(), height)
                painter.drawText(label, Qt.AlignmentFlag.AlignVCenter, names[name])

    def _draw_levels(
        self, painter: QPainter, box: QRectF, levels: Sequence[tuple[float, float]], percent: bool
    ) -> None:
        """A thin line across the box at each share of its height, its value left of it."""
        height, theme = painter.fontMetrics().height(), self._theme
        for up, value in levels:
            start = _point_in(box, 0, up)
            painter.setPen(QPen(theme.line, 1))
            painter.drawLine(start, _point_in(box, 1, up))
            painter.setPen(theme.text_3)
            label = QRectF(start.x() - theme.px(_LEFT), start.y() - height / 2, theme.px(_LEFT - 8), height)
            align = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(label, align, f"{value:.0%}" if percent else f"{value:g}")

    def _draw_epochs(self, painter: QPainter, box: QRectF) -> None:
        painter.setPen(self._theme.text_3)
        step = max(1, math.ceil(self._epochs / 8))
        for epoch in range(0, int(self._epochs) + 1, step):
            x = _point_in(box, epoch / self._epochs, 0).x()
            label = QRectF(x - 40, box.bottom() + 4, 80, self._theme.px(_BOTTOM) - 4)
            align = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop
            painter.drawText(label, align, f"Epoch {epoch}" if epoch == step else str(epoch))


def _point_in(box: QRectF, along: float, up: float) -> QPointF:
    """The point at these shares of the box's width and height, from its lower left corner."""
    return QPointF(box.left() + along * box.width(), box.bottom() - up * box.height())


def _scale(values: Sequence[float], percent: bool) -> tuple[float, float, list[float]]:
    """(lowest, highest, ticks): the values with some room, ticks at round numbers."""
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    if not percent:
        low = 0.0
    if high - low < (0.05 if percent else 0.2):
        middle = (low + high) / 2
        low, high = middle - 0.05, middle + 0.05
    step = _round_step((high - low) / 4)
    low, high = math.floor(low / step) * step, math.ceil(high / step) * step
    if percent:
        low, high = max(0.0, low), min(1.0, high)
    return low, high, [low + number * step for number in range(round((high - low) / step) + 1)]


def _round_step(least: float) -> float:
    """1, 2 or 5 times a power of ten, at least `least`."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= least)


def _spread(heights: Sequence[float], line: float) -> list[float]:
    """The heights, moved down where two labels of `line` pixels would overlap."""
    spread = list(heights)
    for above, below in pairwise(sorted(range(len(spread)), key=lambda index: heights[index])):
        spread[below] = max(spread[below], spread[above] + line)
    return spread


def _description(panel: Panel) -> str:
    lines = "; ".join(
        f"{name} from {panel.format(points[0][1])} to {panel.format(points[-1][1])} at epoch {points[-1][0]:.1f}"
        for name, points in panel.lines.items()
        if points
    )
    return f"{panel.title} {lines or 'nothing yet'}".strip()

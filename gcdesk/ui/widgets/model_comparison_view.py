"""The comparison of two models: verdict, accuracies with intervals, where they differ."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from gcdesk.engine.evaluation.model_comparison import Comparison, Side
from gcdesk.engine.labels import BINS
from gcdesk.ui.theme.theme import BODY, LARGE, SMALL, Theme
from gcdesk.ui.widgets.dialogs import note
from gcdesk.ui.widgets.plain_text import PlainLabel
from gcdesk.ui.widgets.tables import fill, plain_table

_ROW = 34
_NAME = 170


class IntervalBars(QWidget):
    """One line a model: name, bar of its accuracy, confidence interval as a whisker, number."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._sides: tuple[Side, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Right answers of both models")

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(560), self._theme.px(_ROW) * max(2, len(self._sides)))

    minimumSizeHint = sizeHint

    def show_sides(self, sides: tuple[Side, ...]) -> None:
        self._sides = sides
        self.setAccessibleDescription(
            "; ".join(f"{s.name}: {s.accuracy:.1%}, {s.low:.1%} to {s.high:.1%}" for s in sides)
        )
        self.updateGeometry()
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme = self._theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        row, name, number = theme.px(_ROW), theme.px(_NAME), theme.px(150)
        for index, side in enumerate(self._sides):
            middle = index * row + row / 2
            painter.setFont(theme.font(BODY, bold=index == 1))
            painter.setPen(theme.text)
            words = painter.fontMetrics().elidedText(
                side.name, Qt.TextElideMode.ElideMiddle, name - theme.px(12)
            )
            line = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
            painter.drawText(QRectF(0, index * row, name, row), line, words)
            rail = QRectF(name, middle - theme.px(6), self.width() - name - number, theme.px(12))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.track)
            painter.drawRoundedRect(rail, 6, 6)
            filled = QRectF(rail)
            filled.setWidth(max(6.0, rail.width() * side.accuracy))
            painter.setBrush(theme.control if index == 0 else theme.text)
            painter.drawRoundedRect(filled, 6, 6)
            self._whisker(painter, rail, middle, side)
            painter.setPen(theme.text)
            box = QRectF(rail.right() + theme.px(14), index * row, number, row)
            painter.setFont(theme.font(LARGE, bold=True))
            painter.drawText(box, line, f"{side.accuracy:.1%}")
            painter.setFont(theme.font(SMALL))
            painter.setPen(theme.text_3)
            painter.drawText(
                box.adjusted(theme.px(58), 0, 0, 0),
                line,
                f"{side.low * 100:.1f} – {side.high * 100:.1f}",  # noqa: RUF001
            )
        painter.end()

    def _whisker(self, painter: QPainter, rail: QRectF, middle: float, side: Side) -> None:
        theme = self._theme
        low, high = (rail.left() + rail.width() * end for end in (side.low, side.high))
        for colour, thick in ((theme.surface, 5.0), (theme.text_2, 2.0)):
            painter.setPen(QPen(colour, thick))
            painter.drawLine(QPointF(low, middle), QPointF(high, middle))
            for end in (low, high):
                painter.drawLine(QPointF(end, middle - theme.px(9)), QPointF(end, middle + theme.px(9)))


class ComparisonView(QWidget):
    """All of a comparison."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.verdict = PlainLabel(wordWrap=True)
        self.bars = IntervalBars(theme)
        self.facts = note()
        self.bins = plain_table(("Right by bin", *BINS))
        self.differing = PlainLabel()
        self.table = plain_table(("Item", "Bin", "", ""))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        for part in (self.verdict, self.bars, self.facts, self.bins, self.differing):
            column.addWidget(part)
        column.addWidget(self.table, 1)
        self.set_theme(theme)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.verdict.setFont(theme.font(15, bold=True))
        self.differing.setFont(theme.font(BODY, bold=True))
        self.bars.set_theme(theme)
        for table in (self.bins, self.table):
            table.verticalHeader().setDefaultSectionSize(theme.px(28))

    def show_comparison(self, found: Comparison) -> None:
        self.verdict.setText(found.verdict)
        self.bars.show_sides((found.first, found.second))
        items = "1 item" if found.items == 1 else f"{found.items:,} items"
        chance = "less than 0.001" if found.p < 0.001 else f"{found.p:.3f}"
        words = [
            f"Measured on {items}: {found.data}. The thin lines show where the true share lies (95 %).",
            f"{found.only_second:,} only {found.second.name} got right, {found.only_first:,} only"
            f" {found.first.name} (McNemar’s test: p {chance}).",  # noqa: RUF001
        ]
        self.facts.setText(" ".join([*words, found.remark] if found.remark else words))
        self.bins.setRowCount(2)
        for row, side in enumerate((found.first, found.second)):
            cells = [side.name, *("–" if r is None else f"{r:.0%}" for r in side.recall)]  # noqa: RUF001
            fill(self.bins, row, cells)
        self.bins.setFixedHeight(
            self.bins.horizontalHeader().sizeHint().height() + 2 * self._theme.px(28) + 4
        )
        self.table.setHorizontalHeaderLabels(["Item", "Bin", found.first.name, found.second.name])
        self.table.setRowCount(len(found.differences))
        for row, entry in enumerate(found.differences):
            fill(
                self.table,
                row,
                [entry.item, entry.label, entry.first or "no answer", entry.second or "no answer"],
            )
        more = found.only_first + found.only_second - len(found.differences)
        self.differing.setText("Where only one is right" + (f" (and {more:,} more)" if more else ""))
        self.table.setVisible(bool(found.differences))
        self.differing.setVisible(bool(found.differences))

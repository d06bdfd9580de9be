"""One figure of an evaluation: an SVG drawing and a table of its values."""

from __future__ import annotations

from PySide6.QtCore import QByteArray, QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QSizePolicy,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from gcdesk.engine.evaluation.figures import CELL, LEFT, TOP, Figure
from gcdesk.engine.evaluation.svg import DARK, FONT, LIGHT, Look
from gcdesk.engine.labels import BINS
from gcdesk.ui.theme.theme import Theme
from gcdesk.ui.widgets.dialogs import note, section
from gcdesk.ui.widgets.plain_text import PlainLabel, tip

# A drawing that is wider than this (px at text scale 1) has its table below it.
_BESIDE = 560
_SMALLER = 0.86
_WIDEST_TABLE = 520


def look_of(theme: Theme) -> Look:
    """The figure's colours for a theme."""
    return DARK if theme.dark else LIGHT


class Drawing(QWidget):
    """An SVG in its own proportions. `clicked` and `hovered` give the place in the drawing's own units; `left`: the
    pointer is gone."""

    clicked = Signal(float, float)
    hovered = Signal(float, float)
    left = Signal()

    def __init__(self, svg: str, theme: Theme, words: str) -> None:
        super().__init__()
        self._scale = 1.0
        # QtSvg knows one family at a time: the window's own.
        self._renderer = QSvgRenderer(QByteArray(svg.replace(FONT, QApplication.font().family()).encode()))
        self._theme = theme
        self.setAccessibleName(words)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    @property
    def is_drawn(self) -> bool:
        return self._renderer.isValid()

    def sizeHint(self) -> QSize:
        size = self._renderer.defaultSize()
        return QSize(self._theme.px(size.width() * self._scale), self._theme.px(size.height() * self._scale))

    def make_room(self) -> None:
        """Leave more of the line to the table beside it."""
        self._scale = _SMALLER

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        self._renderer.render(painter, QRectF(self.rect()))
        painter.end()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self.clicked.emit(*self._in_drawing(event.position()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self.hovered.emit(*self._in_drawing(event.position()))

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.left.emit()

    def _in_drawing(self, point: QPointF) -> tuple[float, float]:
        size = self._renderer.defaultSize()
        return point.x() * size.width() / self.width(), point.y() * size.height() / self.height()


class FigureCard(QFrame):
    """Title, how to read it, drawing and table. `cell_chosen`: true bin and answer, of a confusion matrix."""

    cell_chosen = Signal(int, int)

    def __init__(self, figure: Figure, theme: Theme, matrix: bool = False) -> None:
        super().__init__()
        self.setObjectName("card")
        self.figure = figure
        column = QVBoxLayout(self)
        column.setContentsMargins(18, 14, 18, 16)
        column.setSpacing(8)
        column.addWidget(section(figure.title, theme))
        column.addWidget(note(figure.caption))
        self.drawing = Drawing(figure.svg, theme, figure.title)
        self.table = values_table(figure.head, figure.rows, theme)
        wide = self.drawing.sizeHint().width() > theme.px(_BESIDE)
        if not wide:
            self.drawing.make_room()
        line = QVBoxLayout() if wide else QHBoxLayout()
        line.setSpacing(12 if wide else 24)
        line.addWidget(self.drawing, 0, Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        line.addWidget(self.table, 1, Qt.AlignmentFlag.AlignTop)
        column.addLayout(line)
        self._matrix = matrix
        self.drawing.hovered.connect(self._hover)
        self.drawing.left.connect(self.table.clearSelection)
        if matrix:
            self.drawing.setCursor(Qt.CursorShape.PointingHandCursor)
            self.drawing.clicked.connect(self._choose)

    def _hover(self, x: float, y: float) -> None:
        """The values at the pointer: in words, and their row in the table."""
        region = self.figure.region_at(x, y)
        if region is None:
            self.drawing.setToolTip("")
            self.table.clearSelection()
            return
        self.drawing.setToolTip(tip(f"{region.words}. Press to see them." if self._matrix else region.words))
        self.table.selectRow(region.row)

    def _choose(self, x: float, y: float) -> None:
        answer, true = int((x - LEFT) // CELL), int((y - TOP) // CELL)
        if 0 <= answer < len(BINS) and 0 <= true < len(BINS):
            self.cell_chosen.emit(true, answer)


def values_table(head: tuple[str, ...], rows: tuple[tuple[str, ...], ...], theme: Theme) -> QTableWidget:
    """All rows at once, no scroll bar of its own: the page scrolls."""
    table = QTableWidget(len(rows), len(head))
    table.setHorizontalHeaderLabels(head)
    table.verticalHeader().hide()
    table.verticalHeader().setDefaultSectionSize(theme.px(28))
    table.setShowGrid(False)
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    table.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    table.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    header = table.horizontalHeader()
    header.setSectionsClickable(False)
    header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    table.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
    header.setStretchLastSection(True)
    for line, cells in enumerate(rows):
        for column, cell in enumerate(cells):
            item = QTableWidgetItem(cell)
            item.setToolTip(tip(cell))
            table.setItem(line, column, item)
    table.setFixedHeight(theme.px(28) * len(rows) + header.sizeHint().height() + 6)
    needed = (
        max(table.sizeHintForColumn(column), header.sectionSizeHint(column)) for column in range(len(head))
    )
    table.setMinimumWidth(min(sum(needed) + 4, theme.px(_WIDEST_TABLE)))
    return table


def words_card(title: str, lines: tuple[str, ...], theme: Theme) -> QFrame:
    """A card of sentences."""
    card = QFrame()
    card.setObjectName("card")
    column = QVBoxLayout(card)
    column.setContentsMargins(18, 14, 18, 16)
    column.setSpacing(6)
    column.addWidget(section(title, theme))
    for line in lines:
        label = PlainLabel(line, wordWrap=True)
        label.setProperty("tone", "2")
        column.addWidget(label)
    return card

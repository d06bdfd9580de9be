"""The filter buttons with their counts; rare filters are in the menu "More"."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QAction, QIcon, QPainter, QPixmap
from PySide6.QtWidgets import QButtonGroup, QFrame, QHBoxLayout, QMenu, QPushButton, QWidget

from gcdesk.engine.labels import BINS
from gcdesk.ui.session.filtering import Show
from gcdesk.ui.theme.theme import Theme
from gcdesk.ui.widgets.bin_shapes import draw_shape

_FIRST = ((Show.ALL, "All"), (Show.REVIEW, "To review"), (Show.FAILED, "Failed"))
_MORE = (
    (Show.DISAGREE, "Models disagree"),
    (Show.CORRECTED, "Corrected"),
    (Show.UNSURE, "Unsure"),
    (Show.LOW, "Confidence below 0.60"),
    (Show.HIGH, "Confidence 0.90 and up"),
    (Show.SPOT, "SpotCheck checks"),
    (Show.WAITING, "Waiting"),
)


class FilterBar(QWidget):
    """chosen(Show): the operator chose a filter. `set_counts` updates the numbers."""

    chosen = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._buttons: dict[Show, QPushButton] = {}
        self._names: dict[Show, str] = dict((*_FIRST, *_MORE))
        self._counts: dict[Show, int] = {}
        self._group = QButtonGroup(self)
        self._actions: dict[Show, QAction] = {}
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(2)
        for show, name in _FIRST:
            line.addWidget(self._button(show, name))
        line.addSpacing(8)
        rule = QFrame()
        rule.setObjectName("rule")
        rule.setFixedHeight(18)
        line.addWidget(rule)
        line.addSpacing(8)
        for code, name in enumerate(BINS):
            show = Show(f"bin{code}")
            self._names[show] = name
            line.addWidget(self._button(show, name))
        line.addSpacing(8)
        self._more = QPushButton("More")
        self._more.setProperty("role", "filter")
        self._more.setCheckable(True)
        self._more.setAccessibleName("More filters")
        menu = QMenu(self._more)
        for show, name in _MORE:
            action = menu.addAction(name)
            action.setCheckable(True)
            action.triggered.connect(lambda _on, show=show: self.choose(show))
            self._actions[show] = action
        self._more.setMenu(menu)
        self._group.addButton(self._more)
        line.addWidget(self._more)
        line.addStretch(1)
        self.show_chosen(Show.ALL)
        self.set_theme(theme)
        self.set_counts({})

    def _button(self, show: Show, name: str) -> QPushButton:
        button = QPushButton(name)
        button.setProperty("role", "filter")
        button.setCheckable(True)
        button.clicked.connect(lambda: self.choose(show))
        self._group.addButton(button)
        self._buttons[show] = button
        return button

    def set_theme(self, theme: Theme) -> None:
        for code in range(len(BINS)):
            button = self._buttons[Show(f"bin{code}")]
            button.setIcon(_shape_icon(code, theme))
            button.setIconSize(QSize(theme.px(14), theme.px(14)))

    def choose(self, show: Show) -> None:
        """Choose a filter as if it were clicked."""
        self.show_chosen(show)
        self.chosen.emit(show)

    def show_chosen(self, show: Show) -> None:
        """Mark a filter as the one in use."""
        self._chosen = show
        self._buttons.get(show, self._more).setChecked(True)
        for which, action in self._actions.items():
            action.setChecked(which is show)
        self._write_more()

    def set_counts(self, counts: dict[Show, int]) -> None:
        """Write how many rows each filter would show."""
        self._counts = counts
        for show, button in self._buttons.items():
            count = counts.get(show, 0)
            gap = "" if button.icon().isNull() else " "
            button.setText(f"{gap}{self._names[show]}  {count:,}")
            button.setAccessibleName(f"{self._names[show]}, {count} photos")
        for show, action in self._actions.items():
            action.setText(f"{self._names[show]}\t{counts.get(show, 0):,}")
        self._write_more()

    def _write_more(self) -> None:
        if self._chosen in self._actions:
            self._more.setText(f"{self._names[self._chosen]}  {self._counts.get(self._chosen, 0):,}")
        else:
            self._more.setText("More…")


def _shape_icon(code: int, theme: Theme) -> QIcon:
    made = QIcon()
    for ratio in (1, 2):
        side = theme.px(14) * ratio
        pixels = QPixmap(side, side)
        pixels.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixels)
        box = pixels.rect().toRectF().adjusted(ratio, ratio, -ratio, -ratio)
        draw_shape(painter, box, theme.bin(code), theme, key=False)
        painter.end()
        pixels.setDevicePixelRatio(ratio)
        made.addPixmap(pixels)
    return made

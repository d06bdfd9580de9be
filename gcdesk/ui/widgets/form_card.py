"""A titled group of form fields, used by the settings and every sheet that asks for values."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QStandardItemModel
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLayout,
    QVBoxLayout,
    QWidget,
)

from gcdesk.ui.theme.theme import Theme
from gcdesk.ui.widgets.dialogs import Sheet, note, section
from gcdesk.ui.widgets.plain_text import PlainLabel, tip


def disable_entry(box: QComboBox, entry: int, why: str) -> None:
    """Show one entry of a combo box as disabled, with the reason as its tooltip."""
    model = box.model()
    if isinstance(model, QStandardItemModel):
        model.item(entry).setEnabled(False)
        model.item(entry).setToolTip(tip(why))


class Card(QFrame):
    """A group of fields: label left, field right, an optional note below."""

    def __init__(self, title: str, dialog: Sheet) -> None:
        super().__init__()
        self.setObjectName("card")
        self._dialog = dialog
        self._widths: list[tuple[QWidget, int]] = []
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(18, 14, 18, 16)
        self.column.setSpacing(8)
        self.title = section(title, dialog.theme)
        self.column.addWidget(self.title)

    def add(self, words: str, field: QWidget, below: str = "", width: int = 150) -> QWidget:
        """A field with its words; returns the field. `width` in pixels at text scale 1."""
        label = PlainLabel(words, wordWrap=True)
        label.setBuddy(field)
        field.setAccessibleName(words)
        self._widths.append((field, width))
        field.setFixedWidth(self._dialog.theme.px(width))
        if isinstance(field, QComboBox | QAbstractSpinBox):
            field.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            field.installEventFilter(self)
        line = QHBoxLayout()
        line.setSpacing(16)
        line.addWidget(label, 1)
        line.addWidget(field)
        self.column.addLayout(line)
        if below:
            self.column.addWidget(note(below))
        return field

    def set_theme(self, theme: Theme) -> None:
        """Another text size."""
        self.title.setFont(theme.font(14, bold=True))
        for field, width in self._widths:
            field.setFixedWidth(theme.px(width))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The wheel scrolls the page; only a field that has the focus takes it for itself."""
        if event.type() == QEvent.Type.Wheel and isinstance(watched, QWidget) and not watched.hasFocus():
            event.ignore()
            return True
        return False

    def add_whole(self, widget: QWidget) -> None:
        """Something as wide as the card."""
        self.column.addWidget(widget)

    def add_line(self, line: QLayout) -> None:
        """A row of widgets."""
        self.column.addLayout(line)

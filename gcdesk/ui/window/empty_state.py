"""What is shown while the list is empty: drop photos, or open the samples."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from gcdesk.ui.theme.theme import Theme
from gcdesk.ui.widgets.plain_text import PlainLabel


class EmptyState(QWidget):
    """One line of text and two buttons."""

    samples_wanted = Signal()
    open_wanted = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("empty")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.line = PlainLabel("Drop photos or a folder here to see which bin they go into.")
        self.line.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.samples = QPushButton("Try it with the sample photos")
        self.samples.setProperty("role", "main")
        self.open = QPushButton("Open photos…")
        self.samples.clicked.connect(self.samples_wanted)
        self.open.clicked.connect(self.open_wanted)
        buttons = QHBoxLayout()
        buttons.setSpacing(10)
        buttons.addStretch(1)
        buttons.addWidget(self.samples)
        buttons.addWidget(self.open)
        buttons.addStretch(1)
        whole = QVBoxLayout(self)
        whole.addStretch(5)
        whole.addWidget(self.line)
        whole.addSpacing(18)
        whole.addLayout(buttons)
        whole.addStretch(6)
        self.set_theme(theme)

    def set_theme(self, theme: Theme) -> None:
        self.line.setFont(theme.font(18))

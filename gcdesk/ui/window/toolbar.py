"""The toolbar: open, search, filters, menu."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from gcdesk.ui.theme.theme import Theme, icon
from gcdesk.ui.window.actions import Actions
from gcdesk.ui.window.filter_bar import FilterBar

_SEARCH_MS = 5  # a search is done on a thread and a newer one wins


class Toolbar(QWidget):
    """Its buttons follow the actions; an action without a slot is not shown."""

    search_changed = Signal(str)
    left_search = Signal()

    def __init__(self, theme: Theme, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("head")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._icons: list[tuple[QAbstractButton, str]] = []
        self.filters = FilterBar(theme)
        self.search = QLineEdit(placeholderText="Search names and captions")
        self.search.setAccessibleName("Search names and captions")
        self.search.setClearButtonEnabled(True)
        self.search.setMinimumWidth(160)
        self.search.setMaximumWidth(360)
        self.search.installEventFilter(self)
        self._typed = QTimer(self, singleShot=True, interval=_SEARCH_MS)
        self._typed.timeout.connect(lambda: self.search_changed.emit(self.search.text()))
        self.search.textChanged.connect(lambda _text: self._typed.start())
        first = QHBoxLayout()
        first.setSpacing(8)
        first.addWidget(self._button(actions, "open_photos", "photos", "Open photos"))
        first.addWidget(self._button(actions, "open_folder", "folder", "Open folder"))
        first.addWidget(self._button(actions, "watch", "watch", "Watch"))
        first.addSpacing(8)
        first.addWidget(self.search, 1)
        first.addStretch(1)
        first.addWidget(self._button(actions, "station", "station", "Station"))
        self.menu_button = QToolButton()
        self.menu_button.setMenu(actions.menu)
        self.menu_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.menu_button.setToolTip("Menu (F10)")
        self.menu_button.setShortcut("F10")
        self.menu_button.setAccessibleName("Menu")
        self.menu_button.setProperty("role", "quiet")
        self._icons.append((self.menu_button, "menu"))
        first.addWidget(self.menu_button)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(16, 12, 12, 10)
        whole.setSpacing(10)
        whole.addLayout(first)
        whole.addWidget(self.filters)
        self.set_theme(theme)

    def _button(self, actions: Actions, name: str, picture: str, text: str) -> QPushButton:
        button = QPushButton()
        action = actions[name]
        button.setText(f" {text}")
        button.setToolTip(action.toolTip())
        button.setAccessibleName(text)
        button.setCheckable(action.isCheckable())
        button.clicked.connect(action.trigger)

        def follow() -> None:
            button.setVisible(action.isVisible())
            button.setEnabled(action.isEnabled())
            button.setChecked(action.isChecked())

        action.changed.connect(follow)
        action.toggled.connect(lambda _on: follow())
        button.setVisible(action.isVisible())
        self._icons.append((button, picture))
        return button

    def set_theme(self, theme: Theme) -> None:
        for button, picture in self._icons:
            button.setIcon(icon(picture, theme, theme.px(18)))
            button.setIconSize(QSize(theme.px(18), theme.px(18)))
        self.filters.set_theme(theme)

    def focus_search(self) -> None:
        self.search.setFocus()
        self.search.selectAll()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Esc empties the box, then leaves it; Enter and Down go to the list."""
        if watched is self.search and event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            if event.key() == Qt.Key.Key_Escape and self.search.text():
                self.search.clear()
                return True
            if event.key() in (Qt.Key.Key_Escape, Qt.Key.Key_Down, Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self.left_search.emit()
                return True
        return super().eventFilter(watched, event)

"""Base of all dialogs: a sheet with heading and buttons, a question, one dialog a name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ParamSpec

import shiboken6
from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QDialog,
    QFrame,
    QHBoxLayout,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from gcdesk.ui.theme.dialog_style import dialog_style
from gcdesk.ui.theme.theme import Theme
from gcdesk.ui.widgets.plain_text import PlainLabel

_P = ParamSpec("_P")

MARGIN = 22


class Sheet(QDialog):
    """A dialog with a heading. Fill `body`; `add_button` adds to the row below. Esc and the frame's button close it."""

    def __init__(self, parent: QWidget, theme: Theme, title: str, heading: str = "") -> None:
        super().__init__(parent)
        self.theme = theme
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._outer = QVBoxLayout(self)
        self._outer.setContentsMargins(MARGIN, MARGIN, MARGIN, 16)
        self._outer.setSpacing(0)
        self.heading = PlainLabel(heading, wordWrap=True)
        self.heading.setVisible(bool(heading))
        self.body = QVBoxLayout()
        self.body.setSpacing(10)
        self._outer.addWidget(self.heading)
        self._outer.addSpacing(12 if heading else 0)
        self._outer.addLayout(self.body, 1)
        self.buttons = QHBoxLayout()
        self.buttons.setSpacing(8)
        self._outer.addSpacing(18)
        self._outer.addLayout(self.buttons)
        self.set_theme(theme)

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self.setStyleSheet(dialog_style(theme))
        self.heading.setFont(theme.font(17, bold=True))

    def resize_within(self, width: int, height: int) -> None:
        """Take this size (pixels at text scale 1), but never more than the screen has."""
        room = self.screen().availableGeometry()
        self.resize(
            min(self.theme.px(width), room.width() - 40), min(self.theme.px(height), room.height() - 80)
        )

    def while_open(self, act: Callable[_P, object]) -> Callable[_P, None]:
        """`act` for an answer that comes later, when the dialog may be gone."""

        def late(*args: _P.args, **kwargs: _P.kwargs) -> None:
            if shiboken6.isValid(self):
                act(*args, **kwargs)

        return late

    def add_button(self, text: str, slot: Callable[[], object], main: bool = False) -> QPushButton:
        """A button in the row below, from the left; `main` is the one that Enter presses."""
        button = QPushButton(text, autoDefault=main, default=main)
        if main:
            button.setProperty("role", "main")
        button.clicked.connect(lambda _checked=False: slot())
        self.buttons.addWidget(button)
        return button


def section(text: str, theme: Theme) -> PlainLabel:
    """The heading of a group of fields."""
    label = PlainLabel(text)
    label.setFont(theme.font(14, bold=True))
    return label


def note(text: str = "") -> PlainLabel:
    """Words below a field: smaller, may wrap."""
    label = PlainLabel(text)
    label.setProperty("tone", "3")
    label.setWordWrap(True)
    return label


def scrolled(page: QWidget) -> QScrollArea:
    """A page that scrolls up and down where the dialog is too low for it."""
    area = QScrollArea()
    area.setWidget(page)
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    return area


def roomy(box: QAbstractSpinBox) -> None:
    """Set a number off from its frame, in line with the words of other fields: sheets cannot."""
    box.lineEdit().setTextMargins(7, 0, 0, 0)


@dataclass(frozen=True)
class Answer:
    """One answer of a question. main: the one that Enter gives."""

    text: str
    act: Callable[[], object]
    main: bool = False


class Question(Sheet):
    """A question with two or three answers; Esc refuses."""

    def __init__(
        self,
        parent: QWidget,
        theme: Theme,
        heading: str,
        words: str,
        answers: Sequence[Answer],
        refuse: str = "Cancel",
    ) -> None:
        super().__init__(parent, theme, "gcdesk", heading)
        self.setWindowModality(Qt.WindowModality.WindowModal)
        self.setMinimumWidth(theme.px(380))
        self.setMaximumWidth(theme.px(560))
        text = PlainLabel(words, wordWrap=True)
        text.setProperty("tone", "2")
        self.body.addWidget(text)
        self.buttons.addStretch(1)
        self.add_button(refuse, self.close)
        for answer in answers:
            self.add_button(answer.text, partial(self._give, answer), answer.main)

    def _give(self, answer: Answer) -> None:
        self.close()
        answer.act()


class OneAtATime(QObject):
    """Shows a dialog by name; one that is open already comes to the front instead."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._open: dict[str, QDialog] = {}

    def show(self, name: str, make: Callable[[], QDialog]) -> QDialog:
        """Show the dialog of that name; `make` builds it where none is open. Returns it."""
        dialog = self._open.get(name)
        if dialog is None:
            dialog = self._open[name] = make()
            dialog.destroyed.connect(lambda: self._open.pop(name, None))
        dialog.show()
        dialog.raise_()
        dialog.activateWindow()
        return dialog

    def open_now(self) -> list[QDialog]:
        """The dialogs on the screen."""
        return list(self._open.values())

    def close_all(self) -> None:
        """Close every dialog that is open."""
        for dialog in self.open_now():
            dialog.close()

"""The keyboard map and About."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QHeaderView,
    QPlainTextEdit,
    QScrollArea,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from gcdesk.ui.help.about import About, read_about
from gcdesk.ui.host import Host
from gcdesk.ui.theme.theme import Theme
from gcdesk.ui.threads.file_tasks import FileTasks
from gcdesk.ui.widgets.dialogs import Sheet, note, section
from gcdesk.ui.widgets.plain_text import PlainLabel
from gcdesk.ui.window.actions import MENUS, Actions

_TWO_COLUMNS = 640  # pixels at text scale 1; a narrower page has one
_INTRODUCTION = (
    "Drop photos or a folder on the window, or paste them. Two models answer: one looks at the photo, one reads"
    " the caption; the surer one decides. Where the answer is marked with a dashed outline, look for yourself."
)
_LIST: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Write a caption", ("any letter",)),
    ("Take the suggestion", ("Tab",)),
    ("Keep the caption, go to the next photo", ("Enter",)),
    ("Leave the caption as it was", ("Esc",)),
    ("Move", ("↑", "↓")),
    ("Several photos at once", ("Shift", "↑ ↓")),
)
_PHOTO: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Zoom", ("wheel", "+", "-")),
    ("Move the photo", ("drag",)),
    ("Fit, or full size", ("double click",)),
)


def keyboard_map(named: Mapping[str, QAction], menu: Sequence[QAction]) -> list[tuple[str, tuple[str, ...]]]:
    """Words and keys of a menu's actions that have a key and can be used."""
    # These two say at present what they would undo.
    plain = {named[name]: words for name, words in (("undo", "Undo"), ("redo", "Redo")) if name in named}
    return [
        (
            plain.get(action, action.text().rstrip("…")),
            tuple(key.toString(QKeySequence.SequenceFormat.NativeText) for key in action.shortcuts()),
        )
        for action in menu
        if action.shortcuts() and action.isVisible() and not action.isSeparator()
    ]


class KeyCard(QFrame):
    """A group of keys: what they do, and the keys as caps."""

    def __init__(self, title: str, keys: Sequence[tuple[str, tuple[str, ...]]], theme: Theme) -> None:
        super().__init__()
        self.setObjectName("card")
        grid = QGridLayout(self)
        grid.setContentsMargins(16, 12, 16, 14)
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(6)
        grid.setColumnStretch(0, 1)
        grid.addWidget(section(title, theme), 0, 0, 1, 2)
        for row, (words, caps) in enumerate(keys, 1):
            label = PlainLabel(words, wordWrap=True)
            line = QHBoxLayout()
            line.setSpacing(5)
            line.addStretch(1)
            for cap in caps:
                key = PlainLabel(cap)
                key.setProperty("role", "key")
                key.setAlignment(Qt.AlignmentFlag.AlignCenter)
                line.addWidget(key, 0, Qt.AlignmentFlag.AlignVCenter)
            grid.addWidget(label, row, 0)
            grid.addLayout(line, row, 1)


class HelpDialog(Sheet):
    """How it works in three sentences, and every key."""

    def __init__(self, host: Host, actions: Actions) -> None:
        super().__init__(host.widget, host.theme, "Help – gcdesk", "Help")  # noqa: RUF001 - a dash
        self._actions = actions
        self.resize_within(880, 700)
        words = PlainLabel(_INTRODUCTION, wordWrap=True)
        words.setProperty("tone", "2")
        self.body.addWidget(words)
        page = QWidget()
        page.setObjectName("page")
        self._columns = QHBoxLayout(page)
        self._columns.setContentsMargins(0, 0, 10, 0)
        self._columns.setSpacing(12)
        self.area = QScrollArea()
        self.area.setWidget(page)
        self.area.setWidgetResizable(True)
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.body.addWidget(self.area, 1)
        self._fill()
        self.buttons.addStretch(1)
        self.add_button("Close", self.close, main=True)
        self.area.setFocus()

    def _fill(self) -> None:
        actions = self._actions
        cards = {
            title: KeyCard(title, keys, self.theme)
            for name, title in MENUS.items()
            if (keys := keyboard_map(actions.by_name, actions.menus[name].actions()))
        }
        bins = cards.pop("Photo", None)
        left = [
            KeyCard("In the list", _LIST, self.theme),
            bins,
            KeyCard("On the large photo", _PHOTO, self.theme),
        ]
        right: list[KeyCard | None] = [*cards.values()]
        narrow = self.width() < self.theme.px(_TWO_COLUMNS)
        columns = [left + right] if narrow else [left, right]
        for column in columns:
            box = QVBoxLayout()
            box.setSpacing(12)
            for card in column:
                if card is not None:
                    box.addWidget(card)
            box.addStretch(1)
            self._columns.addLayout(box, 1)


class AboutDialog(Sheet):
    """Version, licence, what it is made of, and where that comes from."""

    def __init__(self, host: Host, file_tasks: FileTasks) -> None:
        super().__init__(host.widget, host.theme, "About gcdesk", "gcdesk")
        self.resize_within(640, 620)
        self.words = note()
        self.words.setText("Reading…")
        self.body.addWidget(self.words)
        self.table = QTableWidget(0, 3)
        self.table.setHorizontalHeaderLabels(("Package", "Version", "Licence"))
        self.table.setAccessibleName("Packages and their licences")
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setDefaultSectionSize(self.theme.px(30))
        self.table.setShowGrid(False)
        self.table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.table.setSelectionMode(QTableWidget.SelectionMode.NoSelection)
        self.table.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        head = self.table.horizontalHeader()
        head.setSectionsClickable(False)
        head.setHighlightSections(False)
        head.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        head.setStretchLastSection(True)
        for column in range(3):
            item = self.table.horizontalHeaderItem(column)
            if item is not None:
                item.setTextAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.notice = QPlainTextEdit(readOnly=True)
        self.notice.setAccessibleName("Notice")
        self.notice.setFrameShape(QFrame.Shape.NoFrame)
        self.body.addWidget(self.table, 3)
        self.body.addWidget(self.notice, 2)
        self.buttons.addStretch(1)
        self.add_button("Close", self.close, main=True)
        file_tasks.run(read_about, self.while_open(self._fill))

    def _fill(self, about: About) -> None:
        self.words.setText(f"Version {about.version}. Licensed under the Apache License, version 2.0.")
        self.table.setRowCount(len(about.parts))
        for row, part in enumerate(about.parts):
            for column, text in enumerate((part.name, part.version, part.licence)):
                self.table.setItem(row, column, QTableWidgetItem(text))
        self.notice.setPlainText(about.notice)

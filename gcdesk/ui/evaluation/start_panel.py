"""The form that starts an evaluation: a folder with labelled names, or corrected items of sessions."""

from __future__ import annotations

import time
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from gcdesk.engine.photos.bin_folders import USUAL
from gcdesk.store import SessionInfo
from gcdesk.ui.theme.theme import Theme
from gcdesk.ui.widgets.dialogs import note, section
from gcdesk.ui.widgets.plain_text import PlainLabel, tip

_FOLDER, _SESSIONS = "folder", "sessions"
_NUMBER = Qt.ItemDataRole.UserRole


class StartPanel(QWidget):
    """wanted: name, kind of source and source of the evaluation to start. cancelled: the running one is to stop."""

    wanted = Signal(tuple)
    cancelled = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.what = QComboBox()
        self.what.setAccessibleName("What to measure on")
        self.what.addItem("Corrected photos of sessions", _SESSIONS)
        self.what.addItem("A folder with a subfolder a bin", _FOLDER)
        self.sessions = QListWidget()
        self.sessions.setAccessibleName("Sessions")
        self.sessions.setProperty("role", "suggestions")
        self.sessions.setMaximumHeight(theme.px(150))
        self.folder = QPushButton("Choose the folder…")
        self.path = note()
        self.usual = QCheckBox("Landfill, Compost, Recycling… count as bins")
        self.usual.setToolTip(
            "Folders that others call Landfill, Garbage, Recycling, Compost, Organics and the like count as the bin"
            " that is meant; else they are left out"
        )
        self.name = QLineEdit(placeholderText="Name of this evaluation")
        self.name.setAccessibleName("Name of this evaluation")
        self.start = QPushButton("Measure", autoDefault=False)
        self.start.setProperty("role", "main")
        self.cancel = QPushButton("Cancel")
        self.bar = QProgressBar(textVisible=False)
        self.bar.setFixedHeight(theme.px(6))
        self.news = PlainLabel(wordWrap=True)
        self.news.setProperty("tone", "2")
        self._folder = ""
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(section("Measure", theme))
        for part in (self.what, self.sessions, self.folder, self.path, self.usual, self.name, self.start, self.cancel,
                     self.bar, self.news):  # fmt: skip
            column.addWidget(part)
        self.what.currentIndexChanged.connect(lambda _index: self._show_kind())
        self.folder.clicked.connect(self._choose)
        self.start.clicked.connect(self._begin)
        self.cancel.clicked.connect(self.cancelled)
        self.set_running(False)
        self._show_kind()

    def show_sessions(self, found: list[SessionInfo]) -> None:
        """The sessions with something that a person decided."""
        self.sessions.clear()
        for session in found:
            if session.corrected:
                item = QListWidgetItem(f"{session.name}  ·  {session.corrected:,}")
                item.setData(_NUMBER, session.id)
                item.setCheckState(Qt.CheckState.Checked)
                item.setToolTip(tip(f"{session.corrected:,} photos with a bin by hand"))
                self.sessions.addItem(item)
        if not self.sessions.count():
            self.what.setCurrentIndex(1)
        self._show_kind()

    def set_folder(self, folder: str) -> None:
        """Measure on this folder."""
        self._folder = folder
        self.path.setText(folder)
        self.path.setToolTip(tip(folder))
        self.what.setCurrentIndex(1)
        self._show_kind()

    def chosen_sessions(self) -> list[int]:
        found = [self.sessions.item(row) for row in range(self.sessions.count())]
        return [int(item.data(_NUMBER)) for item in found if item.checkState() == Qt.CheckState.Checked]

    def set_running(self, on: bool, words: str = "") -> None:
        """While something is measured, fitted or learned nothing else can be started."""
        self.bar.setVisible(on)
        self.cancel.setVisible(on)
        self.start.setVisible(not on)
        for part in (self.what, self.sessions, self.folder, self.name):
            part.setEnabled(not on)
        self._tell(words)
        if on:
            self.bar.setRange(0, 0)

    def show_progress(self, done: int, total: int, words: str) -> None:
        self.bar.setRange(0, max(total, 1))
        self.bar.setValue(done)
        self._tell(f"{words} {done:,} of {total:,}" if total > 1 else words)

    def _tell(self, words: str) -> None:
        self.news.setText(words)
        self.news.setVisible(bool(words))

    def _show_kind(self) -> None:
        by_folder = self.what.currentData() == _FOLDER
        self.folder.setVisible(by_folder)
        self.path.setVisible(by_folder and bool(self._folder))
        self.usual.setVisible(by_folder)
        self.sessions.setVisible(not by_folder)
        self.start.setEnabled(bool(self._folder) if by_folder else bool(self.sessions.count()))

    def _choose(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Folder with a subfolder a bin", self._folder)
        if folder:
            self.set_folder(folder)

    def _begin(self) -> None:
        by_folder = self.what.currentData() == _FOLDER
        sessions = self.chosen_sessions()
        if not by_folder and not sessions:
            self._tell("Choose a session first.")
            return
        usual = Path(self._folder).name if by_folder else "Corrections"
        name = " ".join(self.name.text().split()) or f"{usual}, {time.strftime('%d %b %H:%M')}"
        names = (USUAL,) if self.usual.isChecked() else ()
        which = (self._folder, *names) if by_folder else tuple(map(str, sessions))
        self.wanted.emit((name, self.what.currentData(), *which))

"""A field for a folder, with a button that chooses one."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QLineEdit, QPushButton, QWidget


class FolderField(QWidget):
    """`folder()` returns an absolute path, None while the field is empty."""

    def __init__(self, words: str, hint: str, start: str = "") -> None:
        super().__init__()
        self._words = words
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(8)
        self.box = QLineEdit(start, placeholderText=hint)
        self.box.setAccessibleName(words)
        self.box.setClearButtonEnabled(True)
        choose = QPushButton("Choose…", autoDefault=False)
        choose.clicked.connect(self._choose)
        line.addWidget(self.box, 1)
        line.addWidget(choose)
        self.setFocusProxy(self.box)

    def folder(self) -> Path | None:
        """The folder as an absolute path, None while the field is empty."""
        text = self.box.text().strip()
        return Path(text).expanduser().absolute() if text else None

    def _choose(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, self._words, self.box.text())
        if folder:
            self.box.setText(folder)

"""The dialogs before photos are copied or moved: which ones, and where to."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QCheckBox, QRadioButton, QWidget

from gcdesk.engine.labels import BINS, UNSURE
from gcdesk.ui.export.bin_folders import TO_REVIEW, count_folders
from gcdesk.ui.export.training_set import labelled_rows
from gcdesk.ui.host import Host
from gcdesk.ui.session.wording import photos
from gcdesk.ui.theme.theme import BODY, Theme
from gcdesk.ui.widgets.bin_shapes import draw_shape
from gcdesk.ui.widgets.dialogs import Sheet, note
from gcdesk.ui.widgets.folder_field import FolderField


class BinCounts(QWidget):
    """How many photos go into each folder: shape, word, number, in one line."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._counts: dict[str, int] = {}
        self.setFixedHeight(theme.px(30))

    def show_counts(self, counts: dict[str, int]) -> None:
        self._counts = counts
        words = ", ".join(f"{name} {count}" for name, count in counts.items())
        self.setAccessibleName(words or "no photo with an answer")
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme, left = self._theme, 0.0
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(theme.font(BODY))
        side, middle = theme.px(16), self.height() / 2
        for name, count in self._counts.items():
            if name != TO_REVIEW:
                style = theme.bin(BINS.index(name) if name in BINS else UNSURE)
                draw_shape(painter, QRectF(left, middle - side / 2, side, side), style, theme)
                left += side + theme.px(6)
            words = f"{name}  {count:,}"
            wide = painter.fontMetrics().horizontalAdvance(words)
            painter.setPen(theme.text)
            label = QRectF(left, 0, wide + 2, self.height())
            painter.drawText(label, Qt.AlignmentFlag.AlignVCenter, words)
            left += wide + theme.px(20)
        painter.end()


class _Ask(Sheet):
    """A sheet that asks which photos and which folder."""

    def __init__(self, host: Host, heading: str, hint: str, start: str) -> None:
        super().__init__(host.widget, host.theme, f"{heading} – gcdesk", heading)  # noqa: RUF001 - a dash
        self.setWindowModality(Qt.WindowModality.WindowModal)
        self.setMinimumWidth(self.theme.px(520))
        self.folder = FolderField(hint, hint, start)
        self.news = note()

    def radio(self, text: str, checked: bool) -> QRadioButton:
        button = QRadioButton(text)
        button.setChecked(checked)
        button.toggled.connect(lambda _on: self.count())
        self.body.addWidget(button)
        return button

    def finish(self, words: str, widget: QWidget | None = None) -> None:
        """The lower part, alike in all."""
        self.body.addSpacing(4)
        self.body.addWidget(self.folder)
        if widget is not None:
            self.body.addWidget(widget)
        self.body.addWidget(self.news)
        self.buttons.addStretch(1)
        self.add_button("Cancel", self.close)
        self.main = self.add_button(words, self._accept, main=True)
        self.folder.box.textChanged.connect(lambda _text: self.count())
        self.folder.setFocus()
        self.count()
        self.adjustSize()

    def count(self) -> None:
        """Say what would happen."""
        raise TypeError("each dialog counts its own")

    def _accept(self) -> None:
        folder = self.folder.folder()
        if folder is None:
            self.news.setText("Choose a folder first.")
            self.folder.setFocus()
            return
        self.close()
        self.send(folder)

    def send(self, folder: Path) -> None:
        raise TypeError("each dialog sends its own")


class BinFoldersDialog(_Ask):
    """Sends `wanted(row numbers, folder, trust_models)`."""

    wanted = Signal(object, object, bool)

    def __init__(self, host: Host, move: bool, start: str) -> None:
        self._verb = "Move" if move else "Copy"
        super().__init__(host, f"{self._verb} photos into bin folders", "Folder for the bins", start)
        self._rows = host.controller.rows
        self._shown = np.sort(host.visible_rows())
        everything = len(self._rows)
        self.all = self.shown = None
        if len(self._shown) < everything:
            self.shown = self.radio(f"The {photos(len(self._shown))} that the list shows", True)
            self.all = self.radio(f"All {photos(everything)}", False)
        self.trust = QCheckBox("Photos still to review go where the models suggest")
        self.trust.toggled.connect(lambda _on: self.count())
        self.body.addWidget(self.trust)
        self.counts = BinCounts(self.theme)
        self.finish(self._verb, self.counts)

    def numbers(self) -> np.ndarray:
        """The rows that are meant."""
        if self.shown is not None and self.shown.isChecked():
            return self._shown
        return np.arange(len(self._rows))

    def count(self) -> None:
        chosen = self.numbers()
        counts = count_folders(self._rows, chosen, self.trust.isChecked())
        total, left = sum(counts.values()), len(chosen) - sum(counts.values())
        self.counts.show_counts(counts)
        words = [] if total else ["There is no photo with an answer."]
        if left and total:
            words.append(f"{photos(left)} without an answer {'stays' if left == 1 else 'stay'} as before.")
        if TO_REVIEW in counts:
            words.append(f"What is still to review goes into the folder “{TO_REVIEW}”.")
        self.news.setText(" ".join(words))
        self.main.setText(f"{self._verb} {photos(total)}")
        self.main.setEnabled(bool(total))

    def send(self, folder: Path) -> None:
        self.wanted.emit(self.numbers(), folder, self.trust.isChecked())


class TrainingSetDialog(_Ask):
    """Sends `wanted(row numbers, folder)`."""

    wanted = Signal(object, object)

    def __init__(self, host: Host, start: str) -> None:
        super().__init__(host, "Save corrected photos as a training set", "Folder for the set", start)
        rows = host.controller.rows
        self._corrected, self._by_hand = labelled_rows(rows, False), labelled_rows(rows, True)
        some = len(self._corrected) > 0
        self.only = self.radio(f"Photos that you corrected ({len(self._corrected):,})", some)
        self.both = self.radio(f"Also photos that you confirmed ({len(self._by_hand):,} in all)", not some)
        self.finish(
            "Save",
            note(
                "A new folder is made in it: one folder a bin, file names that say the captions, and"
                " captions.csv. The photos are copied."
            ),
        )

    def numbers(self) -> np.ndarray:
        return self._corrected if self.only.isChecked() else self._by_hand

    def count(self) -> None:
        total = len(self.numbers())
        self.main.setText(f"Save {photos(total)}")
        self.main.setEnabled(bool(total))
        if not len(self._by_hand):
            self.news.setText("Correct or confirm some photos first: keys 1 to 4, or Space.")

    def send(self, folder: Path) -> None:
        self.wanted.emit(self.numbers(), folder)

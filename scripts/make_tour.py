"""A new operator's first ten photos with the keyboard alone, on the real window: the pictures of docs/first-day.md.

python scripts/make_tour.py --out docs/screenshots. A fresh profile; the photos have a camera's names, so that every
caption is typed. Each step is checked, so this is a rehearsal as well: it raises RuntimeError where one fails.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from make_screenshots import SAMPLES, Stage, wait_until
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

# What the operator types, photo by photo; the fourth begins a phrase of the list and Tab completes it.
TYPED = (
    ("clear plastic fruit container", "clear plastic fruit box"),
    ("empty coconut milk can", "milk can"),
    ("empty water bottle", "water bottle"),
    ("torn piece of cardboard", "cardb"),
    ("orange peel", "orange peel"),
    ("used toothbrush", "toothbrush"),
    ("old black sock", "sock"),
    ("rose stem with leaves", "rose stem"),
    ("kitchen sponge", ""),
    ("white paper envelope", "paper envelope"),
)
COMPLETED = 3
TTR = 3


def check(what: str, so: bool) -> None:
    """Raise RuntimeError where something is not as an operator would expect."""
    if not so:
        raise RuntimeError(f"not so: {what}")


class Tour(Stage):
    """The stage, and fingers on its keyboard."""

    def key(self, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        focus = QApplication.focusWidget() or self.window.view
        QTest.keyClick(focus, key, modifier)
        QTest.qWait(30)

    def type(self, words: str) -> None:
        for letter in words:
            QTest.keyClicks(QApplication.focusWidget() or self.window.view, letter)
            QTest.qWait(5)

    def photos(self) -> Path:
        folder = self._scratch / "DCIM"
        folder.mkdir()
        for number, (sample, _) in enumerate(TYPED):
            shutil.copy(SAMPLES / f"{sample}.jpg", folder / f"IMG_{2041 + number}.jpg")
        return folder

    def walk(self) -> None:
        """Open, caption, sort, correct, undo: only keys once the folder is open."""
        from gcdesk.engine.labels import NOT_SET

        self.window.open_paths([str(self.photos())])
        wait_until("ten rows", lambda: len(self.rows) == len(TYPED))
        self.wait_for_answers()
        self.window.view.setFocus()
        self.key(Qt.Key.Key_Home, Qt.KeyboardModifier.ControlModifier)
        self.shoot("tour-1-opened")
        self._captions()
        self.shoot("tour-2-captioned")
        self._review()
        # One was wrong for this town: the envelope goes with what the depot takes, and back again.
        self.key(Qt.Key.Key_End, Qt.KeyboardModifier.ControlModifier)
        self.key(Qt.Key.Key_4)
        last = len(self.rows) - 1
        check("4 sets TTR", self.rows.operator[last] == TTR)
        self.shoot("tour-4-corrected")
        self.key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
        check("undo takes it back", self.rows.operator[last] == NOT_SET)

    def _captions(self) -> None:
        for number, (_, words) in enumerate(TYPED):
            if not words:
                self.key(Qt.Key.Key_Down)
                continue
            self.type(words)
            if number == COMPLETED:
                self.key(Qt.Key.Key_Tab)
            self.key(Qt.Key.Key_Return)
            wait_until("the caption is kept", lambda row=number: bool(self.rows.caption[row]))
        wait_until(
            "both models answered", lambda: all(self._both(row) for row, (_, w) in enumerate(TYPED) if w)
        )

    def _both(self, row: int) -> bool:
        return bool(self.rows.caption[row]) and bool((self.rows.text[row] >= 0).all())

    def _review(self) -> None:
        waiting = int(self.rows.to_review().sum())
        check("the photo without a caption is in doubt", waiting > 0)
        self.key(Qt.Key.Key_J, Qt.KeyboardModifier.ControlModifier)
        self.shoot("tour-3-review")
        self.key(Qt.Key.Key_1)
        for _ in range(waiting - 1):
            self.key(Qt.Key.Key_J, Qt.KeyboardModifier.ControlModifier)
            self.key(Qt.Key.Key_Space)
        check("nothing is left to review", not self.rows.to_review().any())


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--theme", choices=("light", "dark"), default="light")
    asked = parser.parse_args(arguments)
    asked.out.mkdir(parents=True, exist_ok=True)
    app = QApplication.instance() or QApplication(sys.argv[:1])
    home = tempfile.mkdtemp(prefix="gcdesk-tour-home-")
    os.environ["GCDESK_HOME"] = home
    tour = Tour(asked.theme, asked.out)
    try:
        tour.walk()
    finally:
        tour.close()
        app.processEvents()
        shutil.rmtree(home, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

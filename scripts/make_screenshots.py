"""Pictures of every state of the window, taken from the real window with the real worker: `make screenshots`.

python scripts/make_screenshots.py --out docs/screenshots [--theme light|dark|both] [--states empty running ...]

Only the bundled sample photos are shown, and files that are broken on the spot. QT_SCALE_FACTOR=2 gives them
for a fine screen. Raises TimeoutError where a state does not come about.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

SAMPLES = Path(__file__).resolve().parent.parent / "resources" / "samples"
STATES = (
    "empty",
    "running",
    "finished",
    "caption",
    "review",
    "detail",
    "corrected",
    "station",
    "check",
    "failed",
    "models",
    "training",
)
WINDOW, STATION = (1280, 800), (1280, 720)
_PATIENCE = 300.0  # seconds; models load slowly on a busy machine


def wait_until(what: str, done: Callable[[], bool]) -> None:
    """Let the window live until something is so."""
    end = time.monotonic() + _PATIENCE
    while not done():
        if time.monotonic() > end:
            raise TimeoutError(f"the window did not get there: {what}")
        QTest.qWait(15)


class Stage:
    """The window and what is done with it for the pictures."""

    def __init__(self, theme: str, folder: Path) -> None:
        from gcdesk.config.settings import Settings
        from gcdesk.ui.app.composition import make_controller
        from gcdesk.ui.app.features import install
        from gcdesk.ui.theme.theme import Theme
        from gcdesk.ui.theme.window_style import apply_theme
        from gcdesk.ui.window.main_window import MainWindow

        self._folder, self._theme = folder, theme
        self._scratch = Path(tempfile.mkdtemp(prefix="gcdesk-pictures-"))
        look = Theme.named(theme)
        apply_theme(QApplication.instance(), look)
        self.window = MainWindow(make_controller(Settings(theme=theme, confirm_one_in=0)), look)
        self.controller = self.window.controller
        self.features = install(self.window)
        self.window.resize(*WINDOW)
        self.window.show()
        self.controller.start()
        self.rows = self.controller.rows
        wait_until("a session is open", lambda: self.controller.session_id >= 0)

    def close(self) -> None:
        self.window.close()
        shutil.rmtree(self._scratch, ignore_errors=True)

    def shoot(self, name: str, widget: QWidget | None = None) -> None:
        """Save what the window shows now."""
        QTest.qWait(700)  # counts and pictures come a little later
        target = self._folder / f"{name}-{self._theme}.png"
        (widget or self.window).grab().save(str(target))
        with Image.open(target) as picture:  # a third of the size, for the repository
            picture.convert("RGB").quantize(256, dither=Image.Dither.FLOYDSTEINBERG).save(
                target, optimize=True
            )

    def wait_for_answers(self) -> None:
        from gcdesk.store import Status

        wait_until(
            "all photos are answered",
            lambda: len(self.rows) > 0 and bool((self.rows.status >= Status.DONE).all()),
        )

    def go(self, name: str) -> None:
        """Make the photo whose file name begins so the current one."""
        row = next(row for row, path in enumerate(self.rows.path) if Path(path).name.startswith(name))
        self.window.show_row(row)
        self.window.view.setFocus()
        if not self.rows.error[row]:
            wait_until(f"the photo {name}", lambda: self.window.detail.photo.has_picture)

    def make_broken(self) -> list[str]:
        """Three photos that nobody can read, each for its own reason."""
        broken = self._scratch / "broken"
        broken.mkdir()
        whole = (SAMPLES / "orange peel.jpg").read_bytes()
        for name, data in (
            ("IMG_2044.jpg", whole[: len(whole) // 2]),
            ("IMG_2045.jpg", b"Shift plan, week 12\n" * 40),
            ("empty paper cup.jpg", b""),
        ):
            (broken / name).write_bytes(data)
        return [str(path) for path in sorted(broken.iterdir())]

    # --- the states, in the order in which an operator meets them

    def empty(self) -> None:
        self.shoot("empty")

    def running(self) -> None:
        from gcdesk.store import Status

        wait_until(
            "the worker is up", lambda: self.window.strip.device.text().startswith(("CPU", "GPU", "NVIDIA"))
        )
        self.window.open_paths([str(SAMPLES)])
        wait_until("some are done", lambda: (self.rows.status >= Status.DONE).sum() >= 5)
        self.controller.pause()
        self.shoot("running")
        self.controller.resume()

    def finished(self) -> None:
        if not len(self.rows):
            self.window.open_paths([str(SAMPLES)])
        self.wait_for_answers()
        self.go("empty mango")
        self.shoot("finished")

    def caption(self) -> None:
        from gcdesk.ui.window.list.caption_editor import CaptionEdit

        self.go("flattened")
        QTest.keyClicks(self.window.view, "p")
        box = self.window.view.findChild(CaptionEdit)
        QTest.keyClicks(box, "lastic mil")
        self.shoot("caption")
        QTest.keyClick(box, Qt.Key.Key_Escape)

    def review(self) -> None:
        """A camera's name says nothing: the image model is alone, and in doubt."""
        from gcdesk.ui.session.filtering import Show

        shutil.copy(SAMPLES / "empty coconut milk can.jpg", self._scratch / "IMG_2041.jpg")
        shutil.copy(SAMPLES / "torn piece of cardboard.jpg", self._scratch / "IMG_2042.jpg")
        shutil.copy(SAMPLES / "kitchen sponge.jpg", self._scratch / "IMG_2043.jpg")
        count = len(self.rows)
        self.window.open_paths([str(path) for path in sorted(self._scratch.glob("IMG*.jpg"))])
        wait_until("they are in the list", lambda: len(self.rows) == count + 3)
        self.wait_for_answers()
        self.window.filter_bar.choose(Show.REVIEW)
        QTest.qWait(300)
        shown = self.window.visible_rows()
        if len(shown):
            self.window.show_row(int(shown[0]))
        wait_until("its photo", lambda: self.window.detail.photo.has_picture)
        self.shoot("review")
        self.window.filter_bar.choose(Show.ALL)
        QTest.qWait(300)

    def detail(self) -> None:
        self.go("used toothbrush")
        self.window.actions_["heat"].setChecked(True)
        wait_until("the heat-map", lambda: self.window.detail.photo.has_heat)
        self.shoot("detail")
        self.window.actions_["heat"].setChecked(False)

    def failed(self) -> None:
        count = len(self.rows)
        self.window.open_paths(self.make_broken())
        wait_until("they are in the list", lambda: len(self.rows) >= count + 3)
        self.wait_for_answers()
        self.go("IMG_2044")
        self.shoot("failed")

    def corrected(self) -> None:
        self.go("handwritten")
        QTest.keyClick(self.window.view, Qt.Key.Key_4)
        self.shoot("corrected")
        QTest.keyClick(self.window.view, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)

    @contextmanager
    def _station(self) -> Iterator[QWidget]:
        self.features.station.action.setChecked(True)
        view = self.features.station.view
        view.showNormal()
        view.resize(*STATION)
        yield view
        view.close()

    def _arrives(self, photo: str, name: str, shot: str) -> None:
        """A photo comes in while the station view is open."""
        shutil.copy(SAMPLES / photo, self._scratch / name)
        with self._station() as view:
            row = len(self.rows)
            self.window.open_paths([str(self._scratch / name)])
            wait_until("it is in the list", lambda: len(self.rows) > row)
            self.wait_for_answers()
            wait_until("its photo", lambda: view.photo.has_picture)
            QTest.qWait(600)
            self.shoot(shot, view)

    def station(self) -> None:
        self._arrives("empty water bottle.jpg", "empty water bottle.jpg", "station")

    def check(self) -> None:
        """A doubtful photo as the station shows it."""
        self._arrives("kitchen sponge.jpg", "IMG_2046.jpg", "station-check")

    # --- models

    def models(self) -> None:
        """The library, and the sheet of a course file that was dropped."""
        sheet = self.features.models.show()
        wait_until("the models are listed", lambda: sheet.table.rowCount() > 0)
        self.shoot("models", sheet)
        sheet.close()
        course = self._scratch / "best_image_model.pth"
        self.features.models.jobs.export("starter-image", course, lambda _path: None)
        wait_until("a course file is there", course.exists)
        QTest.qWait(500)
        imports = self.features.models.import_files([course])
        wait_until("it was looked at", lambda: len(imports.cards) == 1)
        self.shoot("import-model", imports)
        imports.close()

    def training(self) -> None:
        """A plan, a training on its way, and its end beside the model in use, on a third of the phrases that ship."""
        every = Path(__file__).resolve().parent.parent / "trainer" / "phrases" / "household.csv"
        head, *lines = every.read_text(encoding="utf-8").splitlines()
        phrases = self._scratch / "household.csv"
        phrases.write_text("\n".join([head, *lines[::3]]) + "\n", encoding="utf-8")
        sheet = self.features.models.show_training()
        sheet.add_source(phrases)
        wait_until("the captions are read", lambda: sheet.plan.ready)
        wait_until("the pace is measured", lambda: sheet.plan.seconds_needed() is not None)
        self.shoot("training-plan", sheet)
        sheet.plan.settings.epochs.setValue(3)
        sheet.start.click()
        training = self.features.models.training
        for what, there in (
            ("an epoch is done", lambda: training.best is not None),
            ("it learns on", lambda: training.progress.done > training.progress.total // 2),
        ):
            wait_until(what, there)
        self.shoot("training", sheet)
        wait_until("it has ended", lambda: training.stage in ("finished", "failed"))
        self.shoot("training-result", sheet)
        sheet.close()


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--theme", choices=("light", "dark", "both"), default="both")
    parser.add_argument("--states", nargs="+", choices=STATES, default=STATES)
    asked = parser.parse_args(arguments)
    asked.out.mkdir(parents=True, exist_ok=True)
    app = QApplication.instance() or QApplication(sys.argv[:1])
    for theme in ("light", "dark") if asked.theme == "both" else (asked.theme,):
        home = tempfile.mkdtemp(prefix="gcdesk-pictures-home-")
        os.environ["GCDESK_HOME"] = home
        stage = Stage(theme, asked.out)
        try:
            for state in STATES:
                if state in asked.states:
                    getattr(stage, state)()
        finally:
            stage.close()
            app.processEvents()
            shutil.rmtree(home, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

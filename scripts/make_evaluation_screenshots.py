"""Pictures of the evaluation page, light and dark, with the real models on a folder of photos whose bin is known.

python scripts/make_evaluation_screenshots.py FOLDER [--out docs/screenshots]
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from gcdesk.config.folders import HOME_VARIABLE
from gcdesk.config.settings import Settings
from gcdesk.ui.app.composition import make_controller
from gcdesk.ui.app.features import install
from gcdesk.ui.evaluation.sheet import EvaluationSheet
from gcdesk.ui.theme.theme import Theme
from gcdesk.ui.theme.window_style import apply_theme
from gcdesk.ui.window.main_window import MainWindow
from gcdesk.worker.tasks.kept_evaluations import kept_evaluations

_PATIENCE = 120.0
_SIZE = (1210, 900)


def wait_until(done: Callable[[], bool]) -> None:
    """Let the window work until `done`."""
    until = time.monotonic() + _PATIENCE
    while not done():
        if time.monotonic() > until:
            raise SystemExit("The page took too long.")
        QTest.qWait(50)


def shoot(app: QApplication, look: str, folder: Path, out: Path) -> None:
    """Measure the folder where nothing was measured yet, and take the page's top and its middle."""
    theme = Theme(look)
    apply_theme(app, theme)
    window = MainWindow(make_controller(Settings(confirm_one_in=0)), theme)
    features = install(window)
    window.show()
    window.controller.start()
    wait_until(lambda: window.controller.session_id > 0)
    features.show_evaluation()
    sheet = next(one for one in features.dialogs.open_now() if isinstance(one, EvaluationSheet))
    sheet.resize(*_SIZE)
    if not kept_evaluations():
        sheet.start.set_folder(str(folder))
        sheet.start.start.click()
    wait_until(lambda: sheet.page.analysis is not None and not features.evaluation_jobs.busy)
    QTest.qWait(300)
    sheet.grab().save(str(out / f"evaluation-{look}.png"))
    bar = sheet.page.verticalScrollBar()
    bar.setValue(sheet.page.cards[2].y() - 12)
    QTest.qWait(200)
    sheet.grab().save(str(out / f"evaluation-review-{look}.png"))
    window.close()


def main() -> None:
    """Parse the command line and take the pictures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path, default=Path("docs") / "screenshots")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        os.environ[HOME_VARIABLE] = home
        app = QApplication([])
        for look in ("light", "dark"):
            shoot(app, look, args.folder.resolve(), args.out)


if __name__ == "__main__":
    main()

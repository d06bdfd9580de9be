"""The wizard's pictures for the docs: `python scripts/make_talc_pictures.py [--out docs/screenshots]`."""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gcdesk.ui.cluster.wizard import ClusterWizard

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication


def main() -> int:
    """Take the photos page and the review page, light and dark, and how a large folder is cut up."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("docs/screenshots"))
    out: Path = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="gcdesk-pictures-") as home:
        os.environ["GCDESK_HOME"] = home
        app = QApplication([])
        for look in ("light", "dark"):
            _take(app, look, out)
    return 0


def _take(app: QApplication, look: str, out: Path) -> None:
    from gcdesk.config.settings import Settings
    from gcdesk.ui.app.composition import make_controller
    from gcdesk.ui.cluster.wizard import ClusterWizard
    from gcdesk.ui.theme.theme import Theme
    from gcdesk.ui.theme.window_style import apply_theme
    from gcdesk.ui.window.main_window import MainWindow

    theme = Theme(look)
    apply_theme(app, theme)
    window = MainWindow(make_controller(Settings()), theme)
    wizard = ClusterWizard(window)
    wizard.model.name.setText("line-2")
    wizard.show()
    for page in ("photos", "model", "resources", "review"):
        QTest.qWait(300)
        if page in ("photos", "review"):
            wizard.grab().save(str(out / f"talc-{page}-{look}.png"))
        if page != "review":
            wizard.go_on()
    wizard.close()
    _take_classify(ClusterWizard(window), look, out)
    window.close()


def _take_classify(wizard: ClusterWizard, look: str, out: Path) -> None:
    wizard.photos.purpose.setCurrentIndex(1)
    wizard.photos.large.setText("/work/photos/archive")
    wizard.show()
    while wizard.classify.in_use is None:
        QTest.qWait(20)
    wizard.go_on()
    QTest.qWait(300)
    wizard.grab().save(str(out / f"talc-pieces-{look}.png"))
    wizard.close()


if __name__ == "__main__":
    raise SystemExit(main())

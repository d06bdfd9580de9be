"""Drops, the watched folder and the settings with the real worker and the starter models."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from drag_kit import drag
from PySide6.QtCore import QByteArray, QMimeData, Qt, QUrl
from pytestqt.qtbot import QtBot

from gcdesk.config.settings import Settings
from gcdesk.store import Status
from gcdesk.ui.app.composition import make_controller
from gcdesk.ui.app.features import Features, install
from gcdesk.ui.theme.theme import Theme
from gcdesk.ui.window.main_window import MainWindow

START = 120_000  # ms for models to load on a busy machine


@pytest.fixture
def features(qtbot: QtBot, theme: Theme, starter_image: Path, starter_text: Path) -> Iterator[Features]:
    window = MainWindow(make_controller(Settings(threads=1, confirm_one_in=0)), theme)
    made = install(window)
    qtbot.addWidget(window)
    window.show()
    window.controller.start()
    qtbot.waitUntil(lambda: window.controller.session_id > 0)
    yield made
    window.close()


def wait_done(qtbot: QtBot, features: Features, count: int) -> None:
    rows = features.window.controller.rows
    qtbot.waitUntil(lambda: len(rows) == count and bool((rows.status >= Status.DONE).all()), timeout=START)


def test_a_watched_camera_a_dropped_picture_and_another_rule(
    features: Features, qtbot: QtBot, samples: Path, tmp_path: Path
) -> None:
    window = features.window
    rows = window.controller.rows
    camera = tmp_path / "camera"
    camera.mkdir()
    photos = sorted(samples.glob("*.jpg"))[:3]
    features.start_watching(str(camera), True, 0)
    qtbot.waitUntil(lambda: window.controller.session_name.startswith("camera, "))
    for count, source in enumerate(photos[:2], 1):
        (camera / "latest.jpg").write_bytes(source.read_bytes())
        wait_done(qtbot, features, count)
    assert rows.status.tolist() == [Status.DONE] * 2
    assert rows.thumbnail[0] != rows.thumbnail[1]
    picture = QMimeData()
    picture.setUrls([QUrl("https://example.org/x.jpg")])
    picture.setData("image/jpeg", QByteArray(photos[2].read_bytes()))
    assert drag(window, picture)
    wait_done(qtbot, features, 3)
    assert rows.width[2] > 0
    assert "Only the photo counts" in rows.reason[2]

    features.preferences.change(rule="mean")
    qtbot.waitUntil(lambda: window.strip.offer.text() == "Classify again")
    window.controller.set_captions([0], "coffee cup")
    wait_done(qtbot, features, 3)
    qtbot.mouseClick(window.strip.offer, Qt.MouseButton.LeftButton)
    wait_done(qtbot, features, 3)

    def is_the_mean() -> bool:
        both = (rows.image[0] + rows.text[0]) / 2  # not a number until the new caption is answered
        return abs(float(rows.confidence[0]) - float(both.max())) < 1e-3

    qtbot.waitUntil(is_the_mean, timeout=START)

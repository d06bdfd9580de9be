"""The window with the real worker and the starter models: photos in, answers out, captions edited."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from gcdesk.config.settings import Settings
from gcdesk.store import Status
from gcdesk.ui.app.composition import make_controller
from gcdesk.ui.intake.intake import Intake
from gcdesk.ui.theme.theme import Theme
from gcdesk.ui.window.list.caption_editor import CaptionEdit
from gcdesk.ui.window.main_window import MainWindow

START = 120_000  # ms for models to load on a busy machine


@pytest.fixture
def window(qtbot: QtBot, theme: Theme, starter_image: Path, starter_text: Path) -> Iterator[MainWindow]:
    made = MainWindow(make_controller(Settings(threads=1, confirm_one_in=0)), theme)
    qtbot.addWidget(made)
    made.show()
    intake = Intake(made)
    made.controller.start()
    yield made
    intake.close()
    made.close()


@pytest.fixture
def classified(window: MainWindow, qtbot: QtBot, samples: Path) -> MainWindow:
    window.open_paths([str(samples)])
    rows = window.controller.rows
    qtbot.waitUntil(lambda: len(rows) >= 12 and bool((rows.status >= Status.DONE).all()), timeout=START)
    window.view.show_row(0)
    window.view.setFocus()
    return window


def test_samples_get_answers_thumbnails_and_a_picture(classified: MainWindow, qtbot: QtBot) -> None:
    rows = classified.controller.rows
    assert (rows.status == Status.DONE).all()
    assert not np.isnan(rows.image).any()
    assert not np.isnan(rows.text).any()
    assert all(Path(file).is_file() for file in rows.thumbnail)
    assert rows.reason[0]
    assert classified.strip.device.text().startswith("CPU")
    assert "starter-text" in classified.strip.models.text()
    qtbot.waitUntil(lambda: classified.detail.photo.has_picture)


def test_an_edited_caption_changes_the_text_models_answer(classified: MainWindow, qtbot: QtBot) -> None:
    rows = classified.controller.rows
    before, image = rows.text[0].copy(), rows.image[0].copy()
    qtbot.keyClicks(classified.view, "o")
    box = classified.view.findChild(CaptionEdit)
    qtbot.keyClicks(box, "ld car battery")
    qtbot.keyClick(box, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: not np.allclose(rows.text[0], before))
    assert rows.text[0].argmax() == 3
    np.testing.assert_allclose(rows.image[0], image, atol=1e-5)
    classified.controller.undo_stack.undo()
    qtbot.waitUntil(lambda: np.allclose(rows.text[0], before, atol=1e-4))


def test_without_a_caption_the_text_model_abstains(classified: MainWindow, qtbot: QtBot) -> None:
    rows = classified.controller.rows
    classified.controller.set_captions([1], "")
    qtbot.waitUntil(lambda: bool(np.isnan(rows.text[1]).all()))
    assert rows.label[1] == rows.image[1].argmax()
    assert rows.status[1] == Status.DONE


def test_the_heat_map_lies_over_the_photo(classified: MainWindow, qtbot: QtBot) -> None:
    qtbot.keyClick(classified.view, Qt.Key.Key_H, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: classified.detail.photo.has_heat)
    qtbot.keyClick(classified.view, Qt.Key.Key_H, Qt.KeyboardModifier.ControlModifier)
    assert not classified.detail.photo.has_heat


def test_a_bad_file_is_one_row_with_a_reason(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    (tmp_path / "empty.jpg").write_bytes(b"")
    (tmp_path / "words.jpg").write_text("this is no picture")
    window.open_paths([str(tmp_path), str(tmp_path / "gone.jpg")])
    rows = window.controller.rows
    qtbot.waitUntil(lambda: len(rows) == 3 and bool((rows.status >= Status.DONE).all()), timeout=START)
    assert all(rows.error)


def test_a_cancelled_batch_can_be_finished(window: MainWindow, qtbot: QtBot, samples: Path) -> None:
    rows = window.controller.rows
    window.open_paths([str(samples)])
    qtbot.waitUntil(lambda: bool((rows.status == Status.DONE).any()), timeout=START)
    window.controller.cancel()
    if (rows.status == Status.QUEUED).any():
        assert window.strip.offer.isVisible()
        window.strip.offer.click()
    qtbot.waitUntil(lambda: bool((rows.status == Status.DONE).all()), timeout=START)


def test_each_caption_words_influence_is_beside_the_heat_map(classified: MainWindow, qtbot: QtBot) -> None:
    words = classified.detail.words
    assert not words.isVisible()
    classified.detail.heat.setChecked(True)
    qtbot.waitUntil(words.isVisible)
    caption = classified.controller.rows.caption[classified.presenter.row]
    assert all(word in words.text() for word in caption.split())
    classified.detail.heat.setChecked(False)
    assert not words.isVisible()

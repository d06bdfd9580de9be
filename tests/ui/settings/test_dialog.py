"""Settings are applied and written as they are changed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from features_kit import answer, photo, stored_window, wait_rows
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QPalette, QWheelEvent
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot
from window_kit import outcome

from gcdesk.config.settings import load_settings
from gcdesk.store import Status, Store, store_path
from gcdesk.ui.app.features import Features, install
from gcdesk.ui.session.ports import Ready
from gcdesk.ui.settings.dialog import SettingsDialog
from gcdesk.ui.theme.theme import Theme


@pytest.fixture
def features(qtbot: QtBot, theme: Theme, tmp_path: Path) -> Iterator[Features]:
    """Three photos: sure, less sure, and one on which the models disagree closely."""
    window = stored_window(qtbot, theme)
    made = install(window)
    window.open_paths([str(photo(tmp_path / f"{name}.png")) for name in ("cup", "lid", "can")])
    wait_rows(qtbot, window, 3)
    results = {
        0: outcome(image=(0.01, 0.97, 0.01, 0.01), text=(0.01, 0.96, 0.02, 0.01)),
        1: outcome(image=(0.05, 0.84, 0.06, 0.05), text=None),
        2: outcome(image=(0.03, 0.03, 0.91, 0.03), text=(0.02, 0.93, 0.03, 0.02), review=True),
    }
    answer(qtbot, window, results)
    yield made
    window.close()


@pytest.fixture
def dialog(features: Features, qtbot: QtBot) -> SettingsDialog:
    features.window.actions_["settings"].trigger()
    (shown,) = features.dialogs.open_now()
    assert isinstance(shown, SettingsDialog)
    qtbot.waitUntil(lambda: "starter-image" in shown.field("image_model").currentText())
    return shown


def choose(box: object, value: object) -> None:
    """Pick an entry as a hand does."""
    place = box.findData(value)
    assert place >= 0
    box.setCurrentIndex(place)
    box.activated.emit(place)


def test_the_look_changes_at_once_and_is_written(
    features: Features, dialog: SettingsDialog, qtbot: QtBot
) -> None:
    choose(dialog.field("theme"), "dark")
    choose(dialog.field("text_scale"), 1.5)
    window = features.window
    assert window.theme.dark
    assert window.theme.scale == 1.5
    ground = QApplication.palette().color(QPalette.ColorRole.Window)
    assert ground == window.theme.ground
    assert dialog.theme is window.theme
    qtbot.waitUntil(lambda: load_settings().theme == "dark")
    assert load_settings().text_scale == 1.5


def test_a_threshold_moves_rows_into_review_and_out_of_it(
    features: Features, dialog: SettingsDialog, qtbot: QtBot
) -> None:
    window = features.window
    rows = window.controller.rows
    choose(dialog.field("rule"), "max_confidence")
    asked_for = window.controller.client.asked
    qtbot.waitUntil(lambda: any(call[0] == "configure" and call[1].rule for call in asked_for))
    assert rows.to_review().tolist() == [False, False, True]
    before = rows.image.copy(), rows.label.copy()
    dialog.field("review_threshold").setValue(0.88)
    qtbot.waitUntil(lambda: rows.to_review().tolist() == [False, True, True])
    dialog.field("disagreement_margin").setValue(0.0)
    qtbot.waitUntil(lambda: rows.to_review().tolist() == [False, True, False])
    np.testing.assert_array_equal(rows.label, before[1])
    np.testing.assert_array_equal(rows.image, before[0])
    asked = [call for call in window.controller.client.asked if call[0] == "configure"]
    assert asked[-1][1].review_threshold == 0.88
    window.close()
    with Store(store_path()) as store:
        assert store.load_rows(1).review.tolist() == [False, True, False]


def test_another_rule_reaches_the_worker_and_offers_the_list_again(
    features: Features, dialog: SettingsDialog, qtbot: QtBot
) -> None:
    window = features.window
    assert not dialog.field("text_weight").isEnabled()
    choose(dialog.field("rule"), "weighted")
    assert dialog.field("text_weight").isEnabled()
    worker = window.controller.client
    qtbot.waitUntil(lambda: any(call[0] == "configure" for call in worker.asked))
    assert [call[1].rule for call in worker.asked if call[0] == "configure"] == ["weighted"]
    assert not window.strip.offer.isVisible()  # the former rule answers until the worker is ready
    worker.ready.emit(Ready("CPU", "an image model", "a text model"))
    assert "3 photos of the list were answered before" in window.strip.notice.text()
    window.strip.offer.click()
    assert (window.controller.rows.status == Status.QUEUED).all()


def test_sure_may_not_begin_below_the_review(dialog: SettingsDialog, features: Features) -> None:
    dialog.field("review_threshold").setValue(0.95)
    assert dialog.field("sure_threshold").value() == 0.95
    assert features.window.controller.settings.sure_threshold == 0.95
    dialog.field("sure_threshold").setValue(0.5)
    assert dialog.field("sure_threshold").value() == 0.95


def test_automatic_threads_and_defaults(dialog: SettingsDialog, features: Features, qtbot: QtBot) -> None:
    preferences = features.preferences
    preferences.change(watch_folder="/camera")
    dialog.field("threads").setValue(3)
    assert preferences.settings.threads == 3
    dialog.field("threads").setValue(0)
    assert preferences.settings.threads is None
    dialog.field("quiet_minutes").setValue(99)
    dialog._restore()
    assert preferences.settings.quiet_minutes == 10
    assert preferences.settings.watch_folder == "/camera"
    assert dialog.field("quiet_minutes").value() == 10


def test_what_was_changed_last_is_written_when_the_window_closes(
    features: Features, dialog: SettingsDialog
) -> None:
    dialog.field("quiet_minutes").setValue(33)
    features.window.close()
    assert load_settings().quiet_minutes == 33


def test_the_wheel_scrolls_the_page_and_turns_no_number(dialog: SettingsDialog) -> None:
    box = dialog.field("review_threshold")
    dialog.field("theme").setFocus()
    middle = QPointF(box.rect().center())
    event = QWheelEvent(
        middle,
        QPointF(box.mapToGlobal(box.rect().center())),
        QPoint(),
        QPoint(0, 120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(box, event)
    assert box.value() == 0.8


def test_a_settings_file_that_cannot_be_written_is_said(
    features: Features, dialog: SettingsDialog, qtbot: QtBot, gcdesk_home: Path
) -> None:
    (gcdesk_home / "config").write_text("a file where the folder should be")
    dialog.field("quiet_minutes").setValue(7)
    qtbot.waitUntil(lambda: str(gcdesk_home / "config") in features.window.strip.notice.text())


def test_the_graphics_card_is_greyed_without_torch(
    features: Features, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    features.window.actions_["settings"].trigger()
    (shown,) = features.dialogs.open_now()
    assert isinstance(shown, SettingsDialog)
    box = shown.field("device")
    entry = box.model().item(box.findData("cuda"))
    assert not entry.isEnabled()
    assert "needs torch" in entry.toolTip()
    assert any("needs torch" in label.text() for label in shown.findChildren(QLabel))

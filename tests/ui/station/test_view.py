"""The station view as an operator uses it: seen from two metres, answered with keys or a glove."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QColor, QFontMetrics, QImage
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot
from window_kit import outcome

from gcdesk.engine.labels import NOT_SET, UNSURE
from gcdesk.store import Status
from gcdesk.ui.app.features import install
from gcdesk.ui.session.ports import FoundPhoto
from gcdesk.ui.station.answer import Look
from gcdesk.ui.station.controller import Station
from gcdesk.ui.station.parts import TouchButton
from gcdesk.ui.station.screen_wake_lock import ScreenWakeLock
from gcdesk.ui.station.view import StationView
from gcdesk.ui.theme.theme import Theme
from gcdesk.ui.window.main_window import MainWindow

BLACK, BLUE, GREEN, TTR = range(4)
SURE_GREEN = outcome((0.01, 0.01, 0.96, 0.02), (0.01, 0.01, 0.97, 0.01))
SURE_BLUE = outcome((0.01, 0.96, 0.01, 0.02), (0.01, 0.97, 0.01, 0.01))
DOUBTFUL = outcome((0.1, 0.1, 0.5, 0.3), (0.5, 0.2, 0.2, 0.1), review=True)


@pytest.fixture
def station(quiet_window: MainWindow) -> Station:
    return Station(quiet_window)


@pytest.fixture
def view(station: Station, quiet_window: MainWindow, qtbot: QtBot) -> Iterator[StationView]:
    station.action.setChecked(True)
    assert station.view is not None
    station.view.showNormal()
    station.view.resize(1920, 1080)
    qtbot.waitExposed(station.view)
    yield station.view
    quiet_window.close()


def arrive(view: StationView, qtbot: QtBot, *names: str, error: str = "") -> range:
    """Photos come in together; returns their rows."""
    rows = view.controller.rows
    before = len(rows)
    view.controller.add_items([FoundPhoto(f"/photos/{name}", "", error) for name in names])
    qtbot.waitUntil(lambda: len(rows) == before + len(names))
    return range(before, before + len(names))


def answer(view: StationView, qtbot: QtBot, row: int, result: object) -> None:
    rows = view.controller.rows
    view.controller.client.result.emit(int(rows.item_id[row]), result)
    qtbot.waitUntil(lambda: rows.status[row] >= Status.DONE)


def picture(view: StationView) -> QImage:
    return view.grab().toImage()


def shows(view: StationView, colour: QColor) -> bool:
    """Whether the answer's ground has this colour, as painted."""
    spot = view.panel.mapTo(view, QPoint(view.panel.width() - 60, 40))
    return picture(view).pixelColor(spot) == colour


def test_a_new_photo_clears_the_old_bin_at_once(view: StationView, qtbot: QtBot, theme: Theme) -> None:
    arrive(view, qtbot, "one.jpg")
    answer(view, qtbot, 0, SURE_GREEN)
    green = theme.bin(GREEN).fill
    qtbot.waitUntil(lambda: shows(view, green))
    view.photo.show_picture(QImage(40, 30, QImage.Format.Format_RGB32))
    still: list[bool] = []
    view.controller.rows_added.connect(lambda *_: still.append(shows(view, green)))
    arrive(view, qtbot, "two.jpg")
    assert still == [False]  # from the moment in which it is known
    assert view.panel.answer.look is Look.WAITING
    assert not view.photo.has_picture
    assert not any(button.isChecked() for button in view.buttons)
    answer(view, qtbot, 0, SURE_GREEN)  # a late word about the old photo changes nothing
    assert view.panel.answer.look is Look.WAITING
    answer(view, qtbot, 1, SURE_BLUE)
    assert view.panel.answer.label == BLUE


def test_sizes_for_two_metres_and_gloves(view: StationView, qtbot: QtBot) -> None:
    arrive(view, qtbot, "one.jpg")
    answer(view, qtbot, 0, SURE_GREEN)
    assert view.panel.word_cap_height >= 145
    assert view.waiting.font().pixelSize() >= 45
    for button in view.findChildren(TouchButton):
        assert min(button.width(), button.height()) >= 73, button.text()
        assert button.font().pixelSize() >= 45
    assert min(view.panel.width(), view.photo.width()) > 800


@pytest.mark.parametrize("size", [(1920, 1080), (1366, 768), (1280, 1024), (3840, 2160)])
def test_nothing_is_cut_off_or_overlaps(view: StationView, qtbot: QtBot, size: tuple[int, int]) -> None:
    view.resize(*size)
    arrive(view, qtbot, "one.jpg")
    qtbot.wait(20)
    assert (view.width(), view.height()) == size
    parts = [view.photo, view.panel, view.strip, view.waiting, *view.findChildren(TouchButton)]
    places = [QRect(part.mapTo(view, QPoint(0, 0)), part.size()) for part in parts]
    for number, place in enumerate(places):
        assert view.rect().contains(place), parts[number]
        assert not any(place.intersects(other) for other in places[number + 1 :]), parts[number]
    for button in view.findChildren(TouchButton):
        mark = 0 if button.code == NOT_SET else round(button.height() * 0.6)
        assert QFontMetrics(button.font()).horizontalAdvance(button.text()) + mark < button.width()
    assert view.waiting.sizeHint().width() <= view.waiting.width()


def test_keys_decide_and_undo(view: StationView, qtbot: QtBot) -> None:
    rows = view.controller.rows
    arrive(view, qtbot, "one.jpg")
    answer(view, qtbot, 0, DOUBTFUL)
    for key, label in ((Qt.Key.Key_1, BLACK), (Qt.Key.Key_4, TTR), (Qt.Key.Key_0, UNSURE)):
        qtbot.keyClick(view, key)
        assert rows.operator[0] == label == view.panel.answer.label
    for _ in range(3):
        qtbot.keyClick(view, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert rows.operator[0] == NOT_SET
    assert view.panel.answer.look is Look.CHECK
    qtbot.keyClick(
        view, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    )
    assert rows.operator[0] == BLACK


def test_space_accepts_and_goes_to_the_next_to_check(view: StationView, qtbot: QtBot) -> None:
    rows = view.controller.rows
    for number, result in enumerate((DOUBTFUL, SURE_BLUE, SURE_GREEN)):
        arrive(view, qtbot, f"{number}.jpg")
        answer(view, qtbot, number, result)
    assert view.row == 2
    qtbot.keyClick(view, Qt.Key.Key_Space)
    assert rows.operator.tolist() == [NOT_SET, NOT_SET, GREEN]
    assert view.row == 0
    qtbot.keyClick(view, Qt.Key.Key_3)
    qtbot.keyClick(view, Qt.Key.Key_Space)
    assert view.row == 1
    assert rows.operator[0] == GREEN


def test_space_does_not_accept_what_has_no_answer_yet(view: StationView, qtbot: QtBot) -> None:
    arrive(view, qtbot, "one.jpg")
    qtbot.keyClick(view, Qt.Key.Key_Space)
    assert view.controller.rows.operator[0] == NOT_SET


def test_touch_decides_and_undo_shows_what_it_undid(view: StationView, qtbot: QtBot) -> None:
    rows = view.controller.rows
    arrive(view, qtbot, "one.jpg")
    answer(view, qtbot, 0, SURE_GREEN)
    assert not view.undo.isEnabled()
    qtbot.mouseClick(view.buttons[TTR], Qt.MouseButton.LeftButton)
    assert rows.operator[0] == TTR
    assert view.buttons[TTR].isChecked()
    assert not view.buttons[GREEN].isChecked()
    arrive(view, qtbot, "two.jpg")
    qtbot.mouseClick(view.undo, Qt.MouseButton.LeftButton)
    assert rows.operator[0] == NOT_SET
    assert view.row == 0


def test_the_last_ten_lead_back_and_a_new_photo_takes_over(view: StationView, qtbot: QtBot) -> None:
    for number in range(12):
        arrive(view, qtbot, f"{number}.jpg")
        answer(view, qtbot, number, SURE_BLUE)
    assert list(view.strip.last) == [11, 10, 9, 8, 7, 6, 5, 4, 3, 2]
    third = QPoint(round(view.strip.width() * 0.25), 40)
    qtbot.mouseClick(view.strip, Qt.MouseButton.LeftButton, pos=third)
    assert view.row == 9
    assert view.photo.accessibleDescription() == "Earlier photo"
    arrive(view, qtbot, "new.jpg")
    assert view.row == 12
    assert view.photo.accessibleDescription() == ""


def test_a_folder_is_gone_through_from_its_first_photo(view: StationView, qtbot: QtBot) -> None:
    arrive(view, qtbot, *(f"{number}.jpg" for number in range(30)))
    assert view.row == 0
    assert view.waiting.text() == "30 waiting\n0 to check"
    arrive(view, qtbot, *(f"{number}.jpg" for number in range(30, 60)))
    assert view.row == 0
    answer(view, qtbot, 0, SURE_GREEN)
    qtbot.keyClick(view, Qt.Key.Key_Space)
    assert view.row == 1
    arrive(view, qtbot, "camera.jpg")  # one photo by itself is what lies on the belt now
    assert view.row == 60


def test_a_photo_that_cannot_be_read_says_why(view: StationView, qtbot: QtBot) -> None:
    arrive(view, qtbot, "broken.jpg", error="The file is cut off.")
    assert view.panel.answer.look is Look.FAILED
    assert view.panel.accessibleDescription() == "No answer, The file is cut off."
    assert list(view.strip.last) == [0]


def test_the_photo_shown_is_the_photo_meant(view: StationView, qtbot: QtBot, samples: Path) -> None:
    photos = sorted(samples.glob("*.jpg"))
    arrive(view, qtbot, "one.jpg")
    arrive(view, qtbot, "two.jpg")
    items = view.controller.rows.item_id
    view.controller.client.preview_ready.emit(int(items[0]), str(photos[0]))
    qtbot.wait(100)
    assert not view.photo.has_picture
    view.controller.client.preview_ready.emit(int(items[1]), str(photos[1]))
    qtbot.waitUntil(lambda: view.photo.has_picture)


@pytest.mark.parametrize("key", [Qt.Key.Key_Escape, Qt.Key.Key_F11])
def test_leaving_keeps_the_place(
    station: Station, view: StationView, quiet_window: MainWindow, qtbot: QtBot, key: Qt.Key
) -> None:
    for number in range(3):
        arrive(view, qtbot, f"{number}.jpg")
    view.show_row(1)
    qtbot.keyClick(view, key)
    assert not view.isVisible()
    assert not station.action.isChecked()
    assert quiet_window.view.current_row() == 1
    quiet_window.view.show_row(2)
    station.action.setChecked(True)
    assert view.isVisible()
    assert view.row == 2


def test_news_is_said_over_the_photo(view: StationView, quiet_window: MainWindow, qtbot: QtBot) -> None:
    view.controller.notice.emit("The folder is gone.")
    assert view.photo.accessibleDescription() == "The folder is gone."


def test_the_screen_is_kept_on_while_the_view_is_open(
    station: Station, view: StationView, qtbot: QtBot, caplog: pytest.LogCaptureFixture
) -> None:
    assert station.awake is not None
    assert station.awake.on
    view.close()
    assert not station.awake.on


def test_a_system_that_cannot_keep_the_screen_on_is_only_logged(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    awake = ScreenWakeLock()
    with caplog.at_level(logging.INFO):
        awake.want("Watching", True)
    awake.want("Watching", False)
    assert not awake.on


def test_a_bus_that_does_not_answer_holds_nothing_up(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={tmp_path}/nobody")
    awake = ScreenWakeLock()
    began = time.monotonic()
    awake.want("Watching", True)
    QTest.qWait(50)
    awake.want("Watching", False)
    assert time.monotonic() - began < 15  # D-Bus itself would wait for 25


def test_f11_opens_it_in_the_whole_window(quiet_window: MainWindow, qtbot: QtBot) -> None:
    installed = install(quiet_window)
    qtbot.keyClick(quiet_window, Qt.Key.Key_F11)
    assert installed.station.view is not None
    assert installed.station.view.isVisible()
    quiet_window.close()
    assert installed.station.view is None

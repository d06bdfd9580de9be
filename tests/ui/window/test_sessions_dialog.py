"""Sessions on a real store: begin, open, rename, delete, and what the dialog shows."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from pathlib import Path

import pytest
from features_kit import answer, photo, stored_window, wait_rows
from PySide6.QtCore import QByteArray, QMimeData, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLineEdit
from pytestqt.qtbot import QtBot

from gcdesk.ui.app.features import Features, install
from gcdesk.ui.session.session_files import session_folder
from gcdesk.ui.session.wording import day_and_time, status_word
from gcdesk.ui.theme.theme import Theme
from gcdesk.ui.widgets.dialogs import Question
from gcdesk.ui.window.sessions_dialog import SessionsDialog


@pytest.fixture
def features(qtbot: QtBot, theme: Theme) -> Iterator[Features]:
    window = stored_window(qtbot, theme)
    yield install(window)
    window.close()


@pytest.fixture
def two_sessions(features: Features, qtbot: QtBot, tmp_path: Path) -> Features:
    """One session of two photos, then an empty one that is open."""
    window = features.window
    window.open_paths([str(photo(tmp_path / name)) for name in ("cup.png", "lid.png")])
    wait_rows(qtbot, window, 2)
    first = window.controller.session_id
    window.actions_["new_session"].trigger()
    qtbot.waitUntil(lambda: window.controller.session_id != first)
    wait_rows(qtbot, window, 0)
    return features


def dialog(features: Features, qtbot: QtBot, count: int) -> SessionsDialog:
    features.window.actions_["sessions"].trigger()
    (shown,) = [one for one in features.dialogs.open_now() if isinstance(one, SessionsDialog)]
    qtbot.waitUntil(lambda: shown.table.rowCount() == count)
    return shown


def test_an_earlier_session_is_opened_with_its_rows(two_sessions: Features, qtbot: QtBot) -> None:
    shown = dialog(two_sessions, qtbot, 2)
    assert [shown.table.item(row, 1).text() for row in range(2)] == ["", "2"]
    shown.table.selectRow(1)
    qtbot.keyClick(shown.table, Qt.Key.Key_Return)
    wait_rows(qtbot, two_sessions.window, 2)
    qtbot.waitUntil(lambda: not two_sessions.dialogs.open_now())
    assert two_sessions.window.controller.rows.caption == ["cup", "lid"]


def test_a_session_is_renamed_in_its_cell(two_sessions: Features, qtbot: QtBot) -> None:
    window = two_sessions.window
    shown = dialog(two_sessions, qtbot, 2)
    qtbot.keyClick(shown.table, Qt.Key.Key_F2)
    box = shown.table.findChild(QLineEdit)
    assert isinstance(box, QLineEdit)
    box.setText("Line 2, morning")
    qtbot.keyClick(box, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: window.windowTitle().startswith("Line 2, morning"))
    shown.close()
    assert dialog(two_sessions, qtbot, 2).table.item(0, 0).text() == "Line 2, morning"


def test_a_name_of_nothing_is_refused(two_sessions: Features, qtbot: QtBot) -> None:
    shown = dialog(two_sessions, qtbot, 2)
    shown.table.item(0, 0).setText("  ")
    qtbot.waitUntil(lambda: shown.news.text() == "A session must have a name.")
    qtbot.waitUntil(lambda: shown.table.item(0, 0).text().strip() != "")


def test_a_session_is_deleted_after_a_question_and_its_photos_stay(
    two_sessions: Features, qtbot: QtBot, tmp_path: Path
) -> None:
    shown = dialog(two_sessions, qtbot, 2)
    shown.table.selectRow(1)
    qtbot.keyClick(shown.table, Qt.Key.Key_Delete)
    question = shown.findChild(Question)
    assert question is not None
    question.findChildren(type(shown.rename))[-1].click()
    qtbot.waitUntil(lambda: shown.table.rowCount() == 1)
    assert (tmp_path / "cup.png").is_file()


def test_deleting_the_open_session_opens_another_and_removes_its_pictures(
    two_sessions: Features, qtbot: QtBot
) -> None:
    window = two_sessions.window
    mime = QMimeData()
    mime.setData("image/png", QByteArray(b"\x89PNG whatever"))
    QGuiApplication.clipboard().setMimeData(mime)
    window.actions_["paste"].trigger()
    wait_rows(qtbot, window, 1)
    own = session_folder(window.controller.session_id)
    assert len(list(own.iterdir())) == 1
    shown = dialog(two_sessions, qtbot, 2)
    shown._ask_delete()
    shown.findChild(Question).findChildren(type(shown.rename))[-1].click()
    wait_rows(qtbot, window, 2)
    assert not own.exists()


def test_an_offer_about_another_session_is_taken_back(two_sessions: Features, qtbot: QtBot) -> None:
    window = two_sessions.window
    shown = dialog(two_sessions, qtbot, 2)
    shown.table.selectRow(1)
    shown.open_.click()
    wait_rows(qtbot, window, 2)
    qtbot.waitUntil(lambda: window.strip.offer.isVisible())
    assert "2 photos not finished" in window.strip.notice.text()
    window.actions_["new_session"].trigger()
    wait_rows(qtbot, window, 0)
    assert not window.strip.offer.isVisible()


def test_times_are_told_as_people_do() -> None:
    now = datetime.datetime(2026, 11, 24, 14, 0)
    assert day_and_time(datetime.datetime(2026, 11, 24, 9, 5).timestamp(), now) == "Today 09:05"
    assert day_and_time(datetime.datetime(2026, 11, 23, 23, 59).timestamp(), now) == "Yesterday 23:59"
    assert day_and_time(datetime.datetime(2026, 11, 4).timestamp(), now) == "4 November 2026"


def test_equal_content_is_marked_once_the_list_is_done(
    features: Features, qtbot: QtBot, tmp_path: Path
) -> None:
    window = features.window
    for name, colour in (("cup.png", "red"), ("lid.png", "blue"), ("again/cup.png", "red")):
        photo(tmp_path / name, colour)
    window.open_paths([str(tmp_path)])
    wait_rows(qtbot, window, 3)
    answer(qtbot, window)
    rows = window.controller.rows
    qtbot.waitUntil(lambda: rows.twin(2) == 0)
    assert [rows.twin(row) for row in (0, 1)] == [-1, -1]
    assert status_word(rows, 2) == "Copy"
    qtbot.waitUntil(lambda: "marked “Copy”" in window.strip.notice.text())
    window.controller.new_session("")
    wait_rows(qtbot, window, 0)
    window.controller.open_session(1)
    wait_rows(qtbot, window, 3)
    assert window.controller.rows.twin(2) == 0

"""Sessions survive the window: the real store under the real window."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot
from window_kit import QuietWorker, outcome

from gcdesk.config.settings import Settings
from gcdesk.engine.labels import NOT_SET, UNSURE
from gcdesk.store import SpotCheck, Status, store_path
from gcdesk.ui.session.controller import Controller
from gcdesk.ui.session.ports import FoundPhoto
from gcdesk.ui.session.store_ledger import StoreLedger
from gcdesk.ui.theme.theme import Theme
from gcdesk.ui.window.main_window import MainWindow

Opener = Callable[[], MainWindow]


@pytest.fixture
def open_window(qtbot: QtBot, theme: Theme) -> Iterator[Opener]:
    opened: list[MainWindow] = []

    def make() -> MainWindow:
        ledger = StoreLedger(store_path())
        controller = Controller(ledger, QuietWorker(), Settings(confirm_one_in=0))
        ledger.setParent(controller)
        ledger.trouble.connect(controller.notice)
        window = MainWindow(controller, theme)
        qtbot.addWidget(window)
        opened.append(window)
        window.show()
        controller.start()
        qtbot.waitUntil(lambda: controller.session_id >= 0)
        return window

    yield make
    for window in opened:
        window.close()


def test_a_session_comes_back_as_it_was_and_offers_to_be_finished(open_window: Opener, qtbot: QtBot) -> None:
    first = open_window()
    controller = first.controller
    controller.add_items([FoundPhoto(f"/p/IMG_{i}.jpg", f"cup {i}") for i in range(6)])
    qtbot.waitUntil(lambda: len(controller.rows) == 6)
    for row in range(4):
        item = int(controller.rows.item_id[row])
        controller.client.result.emit(item, outcome(review=row == 1, reason="Text is more confident."))
    qtbot.waitUntil(lambda: int((controller.rows.status == Status.DONE).sum()) == 4)
    controller.set_labels([0], 3)
    controller.set_labels([2], UNSURE)
    controller.set_captions([3], "tea bag")
    first.close()

    rows = open_window().controller.rows
    qtbot.waitUntil(lambda: len(rows) == 6)
    assert rows.path == [f"/p/IMG_{i}.jpg" for i in range(6)]
    assert rows.caption[3] == "tea bag"
    assert rows.operator.tolist() == [3, NOT_SET, UNSURE, NOT_SET, NOT_SET, NOT_SET]
    assert rows.label[:4].tolist() == [1, 1, 1, 1]
    assert rows.to_review().tolist() == [False, True, False, False, False, False]
    assert rows.reason[0] == "Text is more confident."
    np.testing.assert_allclose(rows.text[0], (0.05, 0.8, 0.1, 0.05), rtol=1e-6)
    assert rows.status[4:].tolist() == [Status.QUEUED, Status.QUEUED]


def test_finish_sends_what_is_left(open_window: Opener, qtbot: QtBot) -> None:
    first = open_window()
    first.controller.add_items([FoundPhoto("/p/a.jpg", "cup"), FoundPhoto("/p/b.jpg", "")])
    qtbot.waitUntil(lambda: len(first.controller.rows) == 2)
    first.close()
    again = open_window()
    qtbot.waitUntil(lambda: again.strip.offer.isVisible())
    assert again.strip.notice.text() == "This session has 2 photos not finished."
    assert not [call for call in again.controller.client.asked if call[0] == "classify"]
    again.strip.offer.click()
    sent = [call for call in again.controller.client.asked if call[0] == "classify"]
    assert [path for _id, path, _caption in sent[0][1]] == ["/p/a.jpg", "/p/b.jpg"]


def test_the_same_photo_twice_is_one_row(open_window: Opener, qtbot: QtBot, samples: Path) -> None:
    window = open_window()
    photo = str(next(samples.glob("*.jpg")))
    window.controller.add_items([FoundPhoto(photo, "cup")])
    qtbot.waitUntil(lambda: len(window.controller.rows) == 1)
    window.controller.add_items([FoundPhoto(photo, "cup")])
    qtbot.wait(400)
    assert len(window.controller.rows) == 1


def test_a_new_session_is_empty_and_the_old_one_can_be_opened(open_window: Opener, qtbot: QtBot) -> None:
    window = open_window()
    controller = window.controller
    old = controller.session_id
    controller.add_items([FoundPhoto("/p/a.jpg", "cup")])
    qtbot.waitUntil(lambda: len(controller.rows) == 1)
    controller.new_session("Line 2")
    qtbot.waitUntil(lambda: controller.session_name == "Line 2")
    assert window.empty.isVisible()
    assert window.windowTitle().startswith("Line 2")
    controller.open_session(old)
    qtbot.waitUntil(lambda: len(controller.rows) == 1)
    assert window.view.isVisible()


def test_cleared_rows_stay_away_and_a_spot_check_is_remembered(open_window: Opener, qtbot: QtBot) -> None:
    first = open_window()
    controller = first.controller
    controller.add_items([FoundPhoto(f"/p/{name}.jpg", "cup") for name in "abc"])
    qtbot.waitUntil(lambda: len(controller.rows) == 3)
    controller.client.result.emit(int(controller.rows.item_id[0]), outcome())
    controller.client.result.emit(int(controller.rows.item_id[1]), outcome(review=True))
    qtbot.waitUntil(lambda: controller.rows.status[1] == Status.DONE)
    controller.clear_finished()
    assert controller.rows.path == ["/p/b.jpg", "/p/c.jpg"]
    controller.rows.review[0] = False
    controller.settings = Settings(confirm_one_in=1)
    assert controller.offer_spot_check() == 0
    controller.set_labels([0], 1)
    first.close()
    rows = open_window().controller.rows
    qtbot.waitUntil(lambda: len(rows) == 2)
    assert rows.path == ["/p/b.jpg", "/p/c.jpg"]
    assert rows.spot.tolist() == [SpotCheck.ANSWERED, SpotCheck.NO]


def test_a_store_that_cannot_be_used_is_said_and_work_goes_on(open_window: Opener, qtbot: QtBot) -> None:
    path = store_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.mkdir()
    window = open_window()
    assert "This session is not saved." in window.strip.notice.text()
    window.controller.add_items([FoundPhoto("/p/a.jpg", "cup")])
    qtbot.waitUntil(lambda: len(window.controller.rows) == 1)


def test_captions_of_earlier_sessions_are_suggested(open_window: Opener, qtbot: QtBot) -> None:
    first = open_window()
    first.controller.add_items([FoundPhoto("/p/a.jpg", "")])
    qtbot.waitUntil(lambda: len(first.controller.rows) == 1)
    first.controller.set_captions([0], "zebra striped cup")
    first.close()
    again = open_window()
    again.controller.new_session("another")
    qtbot.waitUntil(lambda: again.phrases.suggest("zeb") == ["zebra striped cup"])

"""The window's thread goes first: work in pieces waits while it paints or takes results in, but not for ever."""

from __future__ import annotations

import threading
import time

import pytest
from pytestqt.qtbot import QtBot

from gcdesk.ui.threads import gui_priority as gui_priority
from gcdesk.ui.threads.background import Background
from gcdesk.ui.threads.gui_priority import GuiPriority


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No thread loses its patience, however busy the machine."""
    monkeypatch.setattr(gui_priority, "_PATIENCE", 60)


@pytest.mark.usefixtures("patient")
def test_a_piece_of_work_waits_until_the_window_is_done(qtbot: QtBot) -> None:
    way, began = GuiPriority(), threading.Event()
    background = Background(gui_priority=way)
    with way:
        with way:  # a paint within a delivery
            background.run(began.set, lambda _result: None)
            assert not began.wait(0.01)
        assert not began.wait(0.01)
    assert began.wait(5)
    background.close()


def test_a_window_that_is_never_done_does_not_stop_the_work() -> None:
    way, began = GuiPriority(), threading.Event()
    background = Background(gui_priority=way)
    with way:
        started = time.monotonic()
        background.run(began.set, lambda _result: None)
        assert began.wait(5)
    assert time.monotonic() - started >= 0.05
    background.close()


@pytest.mark.usefixtures("patient")
def test_results_are_taken_in_with_the_right_of_way(qtbot: QtBot) -> None:
    way = GuiPriority()
    one, other = Background(gui_priority=way), Background(gui_priority=way)
    began = threading.Event()

    def take(_result: None) -> None:
        other.run(began.set, lambda _result: None)
        held.append(began.wait(0.02))

    held: list[bool] = []
    one.run(lambda: None, take)
    qtbot.waitUntil(lambda: bool(held))
    assert held == [False]
    assert began.wait(5)
    one.close()
    other.close()

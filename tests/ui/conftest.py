"""Fixtures of the window's tests: nothing may stay behind, and a window without a worker
for what needs none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import leaks
import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from window_kit import QuietWorker

from gcdesk.config.settings import Settings
from gcdesk.ui.session.controller import Controller
from gcdesk.ui.session.store_ledger import StoreLedger
from gcdesk.ui.theme.theme import Theme
from gcdesk.ui.theme.window_style import apply_theme
from gcdesk.ui.window.main_window import MainWindow

PATIENCE = 60_000  # ms


class PatientBot(QtBot):
    """pytest-qt's, but no wait gives up before a busy machine could have got there: one that succeeds costs nothing."""

    def waitUntil(self, callback: Callable[[], bool | None], *, timeout: int = 0) -> None:
        super().waitUntil(callback, timeout=max(timeout, PATIENCE))


@pytest.fixture
def qtbot(qapp: QApplication, request: pytest.FixtureRequest) -> QtBot:
    return PatientBot(request)


@pytest.fixture(autouse=True)
def nothing_left_behind(qapp: QApplication) -> Iterator[None]:
    """No thread, child process, timer or window survives a test."""
    with leaks.watch(qt=True):
        yield
        # Qt deletes what lies on the clipboard after Python has ended, and an object made by Python crashes then.
        QGuiApplication.clipboard().clear()


@pytest.fixture
def theme(qapp: QApplication) -> Theme:
    look = Theme("light")
    apply_theme(qapp, look)
    return look


@pytest.fixture
def quiet_window(qtbot: QtBot, theme: Theme) -> Iterator[MainWindow]:
    """The real window on a session in memory, without a worker process."""
    controller = Controller(StoreLedger(None), QuietWorker(), Settings(confirm_one_in=0))
    window = MainWindow(controller, theme)
    qtbot.addWidget(window)
    window.show()
    controller.start()
    qtbot.waitUntil(lambda: controller.session_id >= 0)
    yield window
    window.close()

"""A window with a real store and without a worker, for what does not need answers of the models."""

from __future__ import annotations

from pathlib import Path

from PIL import Image
from pytestqt.qtbot import QtBot
from window_kit import QuietWorker, outcome

from gcdesk.config.settings import Settings
from gcdesk.store import Status, store_path
from gcdesk.ui.session.controller import Controller
from gcdesk.ui.session.rows import Outcome
from gcdesk.ui.session.store_ledger import StoreLedger
from gcdesk.ui.theme.theme import Theme
from gcdesk.ui.window.main_window import MainWindow


def stored_window(qtbot: QtBot, theme: Theme, settings: Settings | None = None) -> MainWindow:
    """The window on the user's store; shown, its session open."""
    ledger = StoreLedger(store_path())
    controller = Controller(ledger, QuietWorker(), settings or Settings(confirm_one_in=0))
    ledger.setParent(controller)
    window = MainWindow(controller, theme)
    qtbot.addWidget(window)
    window.show()
    controller.start()
    qtbot.waitUntil(lambda: controller.session_id > 0)
    return window


def wait_rows(qtbot: QtBot, window: MainWindow, count: int) -> None:
    qtbot.waitUntil(lambda: len(window.controller.rows) == count)


def answer(qtbot: QtBot, window: MainWindow, outcomes: dict[int, Outcome] | None = None) -> None:
    """Let results arrive for every row: Blue, where `outcomes` says nothing else."""
    rows = window.controller.rows
    for row in range(len(rows)):
        result = (outcomes or {}).get(row) or outcome()
        window.controller.client.result.emit(int(rows.item_id[row]), result)
    qtbot.waitUntil(lambda: bool((rows.status >= Status.DONE).all()))


def photo(path: Path, colour: str = "red", size: tuple[int, int] = (40, 30)) -> Path:
    """A small real photo."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path)
    return path

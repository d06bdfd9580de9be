"""Help, About, the log and the diagnostics."""

from __future__ import annotations

import logging
import sys
import zipfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest
from features_kit import answer, photo, stored_window, wait_rows
from PySide6.QtWidgets import QFileDialog, QLabel
from pytestqt.qtbot import QtBot

from gcdesk.config.settings import save_settings
from gcdesk.ui.app.features import Features, install
from gcdesk.ui.app.log_file import LogKeeper, log_file
from gcdesk.ui.help.dialogs import AboutDialog, HelpDialog
from gcdesk.ui.theme.theme import Theme


@pytest.fixture
def features(qtbot: QtBot, theme: Theme, tmp_path: Path) -> Iterator[Features]:
    window = stored_window(qtbot, theme)
    made = install(window)
    window.open_paths([str(photo(tmp_path / "secret recipe.png"))])
    wait_rows(qtbot, window, 1)
    answer(qtbot, window)
    yield made
    window.close()


def test_help_shows_every_key_of_the_window(features: Features) -> None:
    window = features.window
    window.actions_["help"].trigger()
    (dialog,) = features.dialogs.open_now()
    assert isinstance(dialog, HelpDialog)
    shown = {label.text() for label in dialog.findChildren(QLabel)}
    keys = {
        key.toString(key.SequenceFormat.NativeText)
        for action in window.actions_.by_name.values()
        if action.isVisible()
        for key in action.shortcuts()
    }
    assert {"1", "Space", "F11", "Ctrl+Z"} - {"F11"} <= keys
    assert keys <= shown
    assert {"Undo", "any letter", "Same caption as the row above"} <= shown


def test_about_names_versions_licences_and_sources(features: Features, qtbot: QtBot) -> None:
    features.window.actions_["about"].trigger()
    (dialog,) = features.dialogs.open_now()
    assert isinstance(dialog, AboutDialog)
    qtbot.waitUntil(lambda: dialog.table.rowCount() > 6)
    cells = {
        dialog.table.item(row, 0).text(): (dialog.table.item(row, 1).text(), dialog.table.item(row, 2).text())
        for row in range(dialog.table.rowCount())
    }
    assert cells["numpy"][0] == version("numpy")
    assert "LGPL" in cells["PySide6"][1]
    assert cells["platformdirs"][1] == "MIT"
    assert f"Version {version('gcdesk')}" in dialog.words.text()
    assert "TrashNet" in dialog.notice.toPlainText()


def test_diagnostics_hold_log_settings_and_doctor_and_no_photo(
    features: Features, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_settings(features.window.controller.settings)
    logging.getLogger("gcdesk.jobs.line_process").warning("the worker said something")
    target = tmp_path / "for the helper.zip"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_args: (str(target.with_suffix("")), ""))
    features.window.actions_["diagnostics"].trigger()
    qtbot.waitUntil(lambda: "Nothing was sent" in features.window.strip.notice.text(), timeout=60_000)
    with zipfile.ZipFile(target) as bundle:
        texts = {name: bundle.read(name).decode() for name in bundle.namelist()}
    assert set(texts) == {"README.txt", "doctor.txt", "settings.json", "session.json", "log/gcdesk.log"}
    assert "starter-image" in texts["doctor.txt"]
    assert '"theme": "system"' in texts["settings.json"]
    assert '"photos": 1' in texts["session.json"]
    assert "the worker said something" in texts["log/gcdesk.log"]
    assert "secret recipe" not in "".join(texts.values())


def test_an_error_that_nobody_caught_is_logged_and_said(features: Features) -> None:
    passed_on: list[object] = []
    features.log._before = lambda *error: passed_on.append(error)  # pytest-qt's own hook would fail the test
    try:
        raise ZeroDivisionError("of a button")
    except ZeroDivisionError as error:
        features.log._hook(type(error), error, error.__traceback__)
    assert "ZeroDivisionError: of a button" in features.window.strip.notice.text()
    assert features.window.strip.offer.text() == "Save diagnostics…"
    assert len(passed_on) == 1
    assert "Traceback" in log_file().read_text()


def test_a_log_that_is_closed_leaves_nothing_behind() -> None:
    hook, handlers = sys.excepthook, list(logging.getLogger().handlers)
    keeper = LogKeeper()
    assert sys.excepthook is not hook
    keeper.close()
    assert sys.excepthook is hook
    assert logging.getLogger().handlers == handlers
    assert not log_file().exists()


def test_a_log_folder_that_cannot_be_made_stops_nobody(gcdesk_home: Path) -> None:
    (gcdesk_home / "log").write_text("a file where the folder should be")
    keeper = LogKeeper()
    logging.getLogger(__name__).warning("to nowhere")
    keeper.close()
    assert (gcdesk_home / "log").read_text() == "a file where the folder should be"

"""What needs torch is to be seen, greyed, and says where it can be had."""

from __future__ import annotations

import sys

import pytest
from features_kit import stored_window
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from gcdesk.ui.app.features import install
from gcdesk.ui.theme.theme import Theme


@pytest.fixture(autouse=True)
def no_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)


def test_training_is_greyed_wherever_it_is_offered(qtbot: QtBot, theme: Theme) -> None:
    window = stored_window(qtbot, theme)
    features = install(window)
    action = window.actions_["train_text"]
    assert action.isVisible()
    assert not action.isEnabled()
    assert "needs torch" in action.toolTip()
    menu = next(menu for menu in window.actions_.menus.values() if action in menu.actions())
    assert menu.toolTipsVisible()
    # The rest of its menu works.
    assert window.actions_["models"].isEnabled()
    sheet = features.models.show()
    (train,) = [button for button in sheet.findChildren(QPushButton) if button.text().startswith("Train")]
    assert not train.isEnabled()
    assert "needs torch" in train.toolTip()
    window.close()


def test_in_the_station_package_the_words_name_the_other_package(
    qtbot: QtBot, theme: Theme, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    window = stored_window(qtbot, theme)
    install(window)
    assert "gcdesk-full" in window.actions_["train_text"].toolTip()
    window.close()

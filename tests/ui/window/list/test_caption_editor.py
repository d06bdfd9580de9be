"""The caption box offers what the photo looks like while nothing is typed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from gcdesk.ui.theme.theme import Theme
from gcdesk.ui.window.list.caption_completer import Phrases
from gcdesk.ui.window.list.caption_editor import CaptionEdit

SEEN = ["drink can", "spray can", "food can", "battery", "paint can"]


@pytest.fixture
def parent(qapp: QApplication) -> Iterator[QWidget]:
    widget = QWidget()
    widget.resize(400, 80)
    widget.show()
    yield widget
    widget.close()


def opened(parent: QWidget, looks_like: list[str], text: str = "") -> CaptionEdit:
    box = CaptionEdit(Phrases(["drinking straw", "drink carton"]), Theme("light"), parent, looks_like)
    box.resize(300, 36)
    box.setText(text)
    box.show()
    box.activateWindow()
    box.setFocus()
    QTest.qWait(20)
    return box


def test_an_empty_box_offers_what_the_photo_looks_like(parent: QWidget) -> None:
    box = opened(parent, SEEN)
    assert box.suggestions() == SEEN[:3]
    assert box.placeholderText() == "looks like: drink can, spray can, food can"
    QTest.keyClick(box, Qt.Key.Key_Down)
    QTest.keyClick(box, Qt.Key.Key_Down)
    QTest.keyClick(box, Qt.Key.Key_Return)
    assert box.text() == "spray can"


def test_what_is_typed_is_completed_as_ever_and_emptied_again_the_looks_come_back(parent: QWidget) -> None:
    box = opened(parent, SEEN)
    QTest.keyClicks(box, "drinki")
    assert box.suggestions() == ["drinking straw"]
    box.selectAll()
    QTest.keyClick(box, Qt.Key.Key_Backspace)
    assert box.suggestions() == SEEN[:3]


def test_a_caption_that_is_there_and_a_model_without_kinds_offer_nothing(parent: QWidget) -> None:
    assert opened(parent, SEEN, "paper cup").suggestions() == []
    box = opened(parent, [])
    assert box.suggestions() == []
    assert box.placeholderText() == ""

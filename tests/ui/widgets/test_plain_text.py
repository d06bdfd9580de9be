"""Names, captions and messages that are HTML are shown as letters: nothing of them is interpreted."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel

from gcdesk.ui.widgets.dialogs import Answer, Question
from gcdesk.ui.widgets.plain_text import plain_label, tip

HOSTILE = '<img src="/etc/passwd"><b>can</b>'


def test_a_label_shows_what_it_is_given(qtbot) -> None:
    label = plain_label(HOSTILE)
    qtbot.addWidget(label)
    letters = QLabel(HOSTILE)
    qtbot.addWidget(letters)
    assert label.textFormat() == Qt.TextFormat.PlainText
    assert (
        label.sizeHint().width() > 3 * letters.sizeHint().width()
    )  # Qt's own shows "can" and a broken picture


def test_a_tool_tip_shows_what_it_is_given() -> None:
    assert tip("a & b.jpg") == "a & b.jpg"
    assert tip(None) == ""
    assert tip("/photos/can.jpg\nSame content as b") == "/photos/can.jpg\nSame content as b"
    assert "<b>" not in tip(HOSTILE)
    assert "&lt;b&gt;can&lt;/b&gt;" in tip(HOSTILE)
    assert "\x1b" not in tip("a\x1b[2Jb")
    assert "\u202e" not in tip("photo\u202egpj.exe")


def test_every_label_of_the_window_that_shows_foreign_words_is_plain(quiet_window, qtbot) -> None:
    window = quiet_window
    window.say(HOSTILE)
    window.detail.show_facts(HOSTILE, HOSTILE)
    window.detail.reason.setText(HOSTILE)
    question = Question(window, window.theme, HOSTILE, HOSTILE, [Answer("Yes", lambda: None)])
    qtbot.addWidget(question)
    labels = [one for top in (window, question) for one in top.findChildren(QLabel) if HOSTILE in one.text()]
    assert len(labels) >= 5
    assert {one.textFormat() for one in labels} == {Qt.TextFormat.PlainText}
    assert "<img" not in window.detail.facts.toolTip()

"""Names, captions and messages that are HTML are shown as letters: nothing of them is interpreted."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel

import gcdesk.ui
from gcdesk.ui.widgets.dialogs import Answer, Question
from gcdesk.ui.widgets.plain_text import PlainLabel, tip

HOSTILE = '<img src="/etc/passwd"><b>can</b>'


def test_a_label_shows_what_it_is_given(qtbot) -> None:
    label = PlainLabel(HOSTILE)
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


def tool_tips(tree: ast.AST) -> list[ast.expr]:
    """What each `setToolTip` of a module is called with."""
    return [
        call.args[0]
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr == "setToolTip"
    ]


def is_plain(given: ast.expr) -> bool:
    """Words of our own, or what went through `tip`: as such, or as another widget's tool tip."""
    if isinstance(given, ast.Constant):
        return True
    called = given.func if isinstance(given, ast.Call) else None
    return (isinstance(called, ast.Name) and called.id == "tip") or (
        isinstance(called, ast.Attribute) and called.attr == "toolTip"
    )


def test_no_tool_tip_of_the_window_can_be_html() -> None:
    found = {
        path: tool_tips(ast.parse(path.read_text("utf-8")))
        for path in Path(gcdesk.ui.__path__[0]).rglob("*.py")
    }
    assert sum(map(len, found.values())) > 20
    assert not [f"{path}:{one.lineno}" for path, given in found.items() for one in given if not is_plain(one)]


@pytest.mark.not_under_wine("ruff is not installed in the bench")
def test_the_lint_rule_refuses_a_label_that_draws_html(tmp_path: Path) -> None:
    """The real rule of pyproject.toml on a module that breaks it: `make check` runs it on all of ours."""
    project = Path(__file__).resolve().parents[3] / "pyproject.toml"
    (tmp_path / "window.py").write_text(
        "from PySide6.QtWidgets import QLabel, QMessageBox\n\n__all__ = [QLabel, QMessageBox]\n"
    )
    command = [
        sys.executable,
        "-m",
        "ruff",
        "check",
        "--no-cache",
        "--config",
        str(project),
        "--select",
        "TID251",
    ]
    ran = subprocess.run([*command, str(tmp_path / "window.py")], capture_output=True, text=True)
    assert ran.returncode == 1
    assert ran.stdout.count("TID251") == 2

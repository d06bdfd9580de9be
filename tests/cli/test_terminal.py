"""Cells, widths and the progress bar."""

from __future__ import annotations

import io

import pytest

from gcdesk.cli.terminal import Progress, cell, shown, width_of


@pytest.mark.parametrize(
    ("text", "width"),
    [("abc", 3), ("香蕉皮", 6), ("🍌 peel", 7), ("cafe\u0301", 4), ("علبة", 4), ("", 0), ("🗑\ufe0f", 1)],
)
def test_width(text: str, width: int) -> None:
    assert width_of(text) == width


@pytest.mark.parametrize(
    "text", ["short", "a long file name.jpg", "香蕉皮香蕉皮香蕉皮", "🍌🍌🍌🍌🍌🍌🍌", "علبة فارغة جدا"]
)
@pytest.mark.parametrize("keep_end", [False, True])
def test_a_cell_has_exactly_its_width(text: str, keep_end: bool) -> None:
    assert width_of(cell(text, 10, keep_end)) == 10


def test_what_is_cut() -> None:
    assert cell("photos/station/IMG_2041.jpg", 13, keep_end=True) == "…IMG_2041.jpg"
    assert cell("coffee cup with lid", 11) == "coffee cup…"


def test_control_characters_never_reach_the_terminal() -> None:
    assert shown("a\x1b[31mb\nc\udc80") == "a\ufffd[31mb\ufffdc\ufffd"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_on_a_terminal_only() -> None:
    elsewhere, terminal = io.StringIO(), Terminal()
    Progress(10, "photos", elsewhere).update(10)
    progress = Progress(10, "photos", terminal)
    progress.update(5)
    progress.update(10)
    progress.clear()
    assert elsewhere.getvalue() == ""
    assert "10/10" in terminal.getvalue()
    assert terminal.getvalue().endswith("\r\x1b[K")

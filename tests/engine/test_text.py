"""Foreign text where people read."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from gcdesk.engine.errors import GcdeskError, PhotoError, PhotoProblem
from gcdesk.engine.text import one_line, printable


@given(st.text(st.characters(), max_size=200), st.integers(3, 100))
def test_whatever_comes_one_line_goes(text: str, most: int) -> None:
    line = one_line(text, most)
    assert len(line) <= most
    assert not any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in line)
    line.encode("utf-8")


def test_letters_of_people_stay() -> None:
    for text in ("Bügel", "علبة فارغة", "🍌 peel 🗑️", "👩‍🔧 tools", "a b c"):
        assert printable(text) == text


def test_what_hides_or_forges_goes() -> None:
    assert printable("can\x1b[2J.jpg") == "can\ufffd[2J.jpg"
    assert printable("photo\u202egpj.exe") == "photo\ufffdgpj.exe"
    assert one_line("a\n2026-01-01 ERROR forged\r\nb", 100) == "a 2026-01-01 ERROR forged b"
    assert one_line("a" * 50 + "the end", 30).endswith("the end")


def test_every_error_is_a_line() -> None:
    assert str(GcdeskError("a\nb\x07")) == "a b\ufffd"
    assert len(str(PhotoError(PhotoProblem.MISSING, "x" * 10_000))) == 800

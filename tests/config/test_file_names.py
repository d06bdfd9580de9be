"""Names that every system takes."""

from __future__ import annotations

import sys
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gcdesk.config.file_names import is_device, is_portable, own_system_place, portable_name
from gcdesk.engine.os_errors import os_reason


@pytest.mark.parametrize(
    "name", ["orange peel.jpg", "قهوة.png", "🍌", ".gcdesk", "console.jpg", "com10", "a.b.c"]
)
def test_usual_names_stay(name: str) -> None:
    assert is_portable(name)
    assert portable_name(name) == name


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("aux.jpg", "aux-.jpg"),
        ("CON", "CON-"),
        ("nul .tar.gz", "nul-.tar.gz"),
        ("Lpt1.x", "Lpt1-.x"),
        ("com¹", "com¹-"),
        ("what? <this>: a|b.jpg", "what- -this-- a-b.jpg"),
        ("photo.", "photo"),
        ("photo .. ", "photo"),
        ("a\nb\0.jpg", "a-b-.jpg"),
        ("..", "-"),
        ("", "-"),
        ("b" * 300 + ".jpeg", "b" * 250 + ".jpeg"),
    ],
)
def test_others_become_the_nearest_that_every_system_takes(name: str, safe: str) -> None:
    assert not is_portable(name)
    assert portable_name(name) == safe


@given(st.text(max_size=400))
def test_whatever_it_was_the_name_is_safe(name: str) -> None:
    safe = portable_name(name)
    assert is_portable(safe)
    assert portable_name(safe) == safe


def test_a_device_is_known_by_what_stands_before_the_first_full_stop() -> None:
    assert is_device("NUL")
    assert is_device("con.artist.jpg")
    assert not is_device("contents.jpg")


def test_a_place_is_made_safe_where_the_system_needs_it(tmp_path: Path) -> None:
    place = own_system_place(PurePosixPath("Monday./aux.jpg"))
    assert place == (Path("Monday/aux-.jpg") if sys.platform == "win32" else Path("Monday./aux.jpg"))
    (tmp_path / place).parent.mkdir()
    (tmp_path / place).write_bytes(b"a photo")
    assert [path.name for path in (tmp_path / place).parent.iterdir()] == [place.name]


def test_a_path_that_is_too_long_for_windows_is_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gcdesk.config.file_names.sys.platform", "win32")  # another system has no such limit
    path = "C:\\" + "\\".join(["a folder"] * 40)
    assert f"{len(path)} letters" in os_reason(FileNotFoundError(2, "No such file", path))

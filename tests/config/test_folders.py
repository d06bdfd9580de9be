"""Where the user's files go."""

from __future__ import annotations

from dataclasses import astuple
from pathlib import Path

import pytest

from gcdesk.config.folders import user_folders


def test_gcdesk_home_overrides_every_folder(gcdesk_home: Path) -> None:
    folders = user_folders()
    assert folders.data == gcdesk_home / "data"
    assert folders.config == gcdesk_home / "config"
    assert folders.cache == gcdesk_home / "cache"
    assert folders.log == gcdesk_home / "log"
    assert folders.models == gcdesk_home / "data" / "models"


def test_nothing_is_created(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GCDESK_HOME", str(tmp_path / "home"))
    user_folders()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("unset", [None, "", "  "])
def test_without_it_the_folders_are_the_platforms_and_apart(
    monkeypatch: pytest.MonkeyPatch, unset: str | None
) -> None:
    if unset is None:
        monkeypatch.delenv("GCDESK_HOME")
    else:
        monkeypatch.setenv("GCDESK_HOME", unset)
    folders = user_folders()
    assert all(path.is_absolute() and "gcdesk" in str(path) for path in astuple(folders))
    assert len(set(astuple(folders))) == 5


def test_a_relative_home_is_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GCDESK_HOME", "portable")
    assert user_folders().data == tmp_path / "portable" / "data"

"""Settings survive a restart, a damaged file and a crash while they are saved."""

from __future__ import annotations

import json
import logging
import os
from dataclasses import fields, replace
from pathlib import Path

import pytest

from gcdesk.config.folders import user_folders
from gcdesk.config.settings import (
    ReadSettings,
    Settings,
    load_settings,
    read_settings,
    save_settings,
    settings_path,
)

CHANGED = Settings(
    image_model="depot 2026",
    text_model="Kürzel",
    rule="weighted",
    text_weight=0.6,
    device="cpu",
    threads=3,
    review_threshold=0.6,
    disagreement_margin=0.1,
    sure_threshold=0.95,
    theme="dark",
    text_scale=1.25,
    confirm_one_in=0,
    watch_folder="/mnt/line 2/📷",
    only_new_photos=False,
    quiet_minutes=0,
)


def test_no_file_is_the_defaults_without_a_word() -> None:
    assert read_settings().settings == Settings()
    assert read_settings().warnings == ()
    assert not user_folders().config.exists()


def test_every_setting_comes_back() -> None:
    assert all(getattr(CHANGED, f.name) != f.default for f in fields(Settings))
    save_settings(CHANGED)
    assert load_settings() == CHANGED
    assert read_settings().warnings == ()
    assert settings_path() == user_folders().config / "settings.json"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("theme", "purple"),
        ("theme", 3),
        ("rule", "majority"),
        ("device", None),
        ("text_scale", "big"),
        ("text_scale", True),
        ("text_scale", 1e9),
        ("text_scale", float("nan")),
        ("review_threshold", 80),
        ("threads", 1.5),
        ("threads", 0),
        ("confirm_one_in", -1),
        ("only_new_photos", "yes"),
        ("image_model", ["a"]),
        ("watch_folder", "  "),
    ],
)
def test_a_wrong_value_becomes_its_default_and_is_told(tmp_path: Path, key: str, value: object) -> None:
    path = tmp_path / "settings.json"
    path.write_text(json.dumps({"quiet_minutes": 3, key: value}))
    read = read_settings(path)
    assert read.settings == Settings(quiet_minutes=3)
    assert len(read.warnings) == 1
    assert repr(key) in read.warnings[0]


def test_an_unknown_key_is_left_out_and_told(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text('{"colour": "red", "theme": "light"}')
    read = read_settings(path)
    assert read.settings == Settings(theme="light")
    assert read.warnings == ("The setting 'colour' is not known and is left out.",)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[1, 2]", b"null", b"\xff\xfe\x00", b"[" * 100_000, b'{"a": 1}' + b" " * 2_000_000],
)
def test_a_damaged_file_is_the_defaults_and_one_warning(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "settings.json"
    path.write_bytes(content)
    read = read_settings(path)
    assert read.settings == Settings()
    assert len(read.warnings) == 1
    assert str(path) in read.warnings[0]


def test_a_byte_order_mark_from_an_editor_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_bytes(b'\xef\xbb\xbf{"theme": "dark"}')
    assert read_settings(path).settings.theme == "dark"


def test_load_tells_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "settings.json"
    path.write_text('{"theme": "purple"}')
    with caplog.at_level(logging.WARNING):
        assert load_settings(path).theme == "system"
    assert "'theme' must be one of system, light, dark" in caplog.text


def test_what_would_not_be_read_back_is_not_saved(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    save_settings(CHANGED, path)
    with pytest.raises(ValueError, match="text_scale"):
        save_settings(replace(CHANGED, text_scale=0.0), path)
    assert load_settings(path) == CHANGED


def test_a_failure_while_saving_leaves_the_old_file_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "settings.json"
    save_settings(CHANGED, path)

    def full_disk(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space"):
        save_settings(Settings(), path)
    assert load_settings(path) == CHANGED
    assert list(tmp_path.iterdir()) == [path]


def test_thresholds_are_those_of_the_settings() -> None:
    thresholds = CHANGED.thresholds
    assert (thresholds.review, thresholds.disagreement, thresholds.sure) == (0.6, 0.1, 0.95)


def test_settings_of_a_newer_gcdesk_are_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "settings.json"
    file.write_text('{"format": 2, "theme": "dark", "of_tomorrow": [1]}')
    read = read_settings(file)
    assert read.settings == Settings()
    assert "newer gcdesk" in read.warnings[0]
    with pytest.raises(OSError, match="newer gcdesk"):
        save_settings(Settings(theme="light"), file)
    assert file.read_text() == '{"format": 2, "theme": "dark", "of_tomorrow": [1]}'


def test_settings_from_before_formats_had_numbers_are_read(tmp_path: Path) -> None:
    file = tmp_path / "settings.json"
    file.write_text('{"theme": "dark"}')
    assert read_settings(file) == ReadSettings(Settings(theme="dark"))

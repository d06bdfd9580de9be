"""Finding photos in folders of every state."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from gcdesk.engine.photos.discovery import find_photos


def touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    return path


def names(root: Path, *paths: Path) -> list[str]:
    return [
        found.path.relative_to(root).as_posix() for found in find_photos(paths or [root]) if not found.error
    ]


def test_recursive_sorted_and_photos_before_subfolders(tmp_path: Path) -> None:
    for name in ["b/2.jpg", "b/1.JPG", "a.png", "c.HEIC", "b/d/x.webp", "a/y.avif"]:
        touch(tmp_path / name)
    assert names(tmp_path) == ["a.png", "c.HEIC", "a/y.avif", "b/1.JPG", "b/2.jpg", "b/d/x.webp"]


def test_hidden_and_foreign_files_are_passed_over(tmp_path: Path) -> None:
    for name in [".DS_Store", "._photo.jpg", "Thumbs.db", "notes.txt", ".git/x.jpg", "good.jpg"]:
        touch(tmp_path / name)
    assert names(tmp_path) == ["good.jpg"]


def test_a_file_named_on_its_own_is_tried_whatever_its_name(tmp_path: Path) -> None:
    odd = touch(tmp_path / "photo.dat")
    assert names(tmp_path, odd) == ["photo.dat"]


@pytest.mark.parametrize("target", [".", "..", "inner"])
@pytest.mark.posix("links want a right on Windows that users do not have")
def test_a_folder_that_links_to_itself_ends(tmp_path: Path, target: str) -> None:
    root = tmp_path / "root"
    touch(root / "one.jpg")
    touch(root / "inner" / "two.jpg")
    (root / "loop").symlink_to(target, target_is_directory=True)
    assert names(root) == ["one.jpg", "inner/two.jpg"]


@pytest.mark.posix("links want a right on Windows that users do not have")
def test_a_link_out_of_the_tree_is_followed_once(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    touch(outside / "far.jpg")
    (outside / "back").symlink_to(outside, target_is_directory=True)
    root = tmp_path / "root"
    touch(root / "near.jpg")
    (root / "link").symlink_to(outside, target_is_directory=True)
    (root / "link2").symlink_to(outside, target_is_directory=True)
    assert names(root) == ["near.jpg", "link/far.jpg"]


@pytest.mark.posix("links want a right on Windows that users do not have")
def test_a_file_that_links_to_itself_is_an_item_not_a_crash(tmp_path: Path) -> None:
    (tmp_path / "self.jpg").symlink_to(tmp_path / "self.jpg")
    touch(tmp_path / "good.jpg")
    assert names(tmp_path) == ["good.jpg", "self.jpg"]


def test_missing_path_and_empty_folder_say_so_and_the_rest_goes_on(tmp_path: Path) -> None:
    good = touch(tmp_path / "good.jpg")
    empty = tmp_path / "empty"
    empty.mkdir()
    found = list(find_photos([tmp_path / "gone", empty, good]))
    assert [f.path.name for f in found] == ["gone", "empty", "good.jpg"]
    assert "no such file" in (found[0].error or "")
    assert "no photos" in (found[1].error or "")
    assert found[2].error is None


def test_impossible_names_are_reported(tmp_path: Path) -> None:
    found = list(find_photos(["bad\0name", "x" * 5000]))
    assert len(found) == 2
    assert all(f.error for f in found)


def test_arabic_emoji_and_undecodable_names(tmp_path: Path) -> None:
    all_names = ["علبة فارغة.jpg", "🍌 peel.jpg", *(["caf\udce9.jpg"] if os.name == "posix" else [])]
    for name in all_names:
        touch(tmp_path / name)
    assert len(names(tmp_path)) == len(all_names)


def test_the_same_folder_twice_is_scanned_once(tmp_path: Path) -> None:
    touch(tmp_path / "a" / "x.jpg")
    assert names(tmp_path, tmp_path, tmp_path / "a") == ["a/x.jpg"]


@pytest.mark.skipif(os.name == "nt", reason="permissions of another kind")
def test_a_folder_without_permission_is_reported_and_the_others_found(
    open_folder: Path, another_user: Callable[[], AbstractContextManager[None]]
) -> None:
    touch(open_folder / "open" / "a.jpg")
    touch(open_folder / "closed" / "b.jpg")
    (open_folder / "closed").chmod(0o000)
    with another_user():
        found = {f.path.name: f.error for f in find_photos([open_folder])}
    assert found == {"a.jpg": None, "closed": "this folder cannot be read: you have no permission"}


def test_a_large_folder_is_sorted_as_a_whole_and_lets_others_in_between(tmp_path: Path) -> None:
    wanted = sorted(f"{number * 7919 % 2500}.jpg" for number in range(2500))
    for name in wanted:
        (tmp_path / name).touch()
    pauses = []
    found = [one.path.name for one in find_photos([tmp_path], between=lambda: pauses.append(1))]
    assert found == wanted
    assert len(pauses) >= 2

"""Items with a known bin, from folders and tables."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from gcdesk.engine.errors import EvaluationError
from gcdesk.engine.evaluation.labelled_set import read_image_folder, read_labelled, read_text_table
from gcdesk.engine.labels import BINS


def image_folder(root: Path, photo: Path, names: list[str]) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(photo, root / name)
    return root


@pytest.fixture
def photo(samples: Path) -> Path:
    return samples / "orange peel.jpg"


def test_an_image_folder(tmp_path: Path, photo: Path) -> None:
    names = ["Other/b.jpg", "Other/deep/er/c.jpg", "green/a.jpg", "Black/z.jpg", "Black/y.png", ".git/x.jpg"]
    folder = image_folder(tmp_path, photo, names)
    for stray in (".DS_Store", "Thumbs.db", "Black/.DS_Store", "Black/notes.txt"):
        (folder / stray).write_bytes(b"x")
    found = read_image_folder(folder)
    assert [(BINS[item.label], item.path.name) for item in found.items if item.path] == [
        ("Black", "y.png"),
        ("Black", "z.jpg"),
        ("Green", "a.jpg"),
        ("TTR", "b.jpg"),
        ("TTR", "c.jpg"),
    ]
    assert all(item.caption is None and item.error is None for item in found.items)
    assert found.notes == (f"There are no photos of Blue in {tmp_path.name}.",)
    assert found.has_photos


def test_other_folders_are_left_out_and_noted(tmp_path: Path, photo: Path) -> None:
    found = read_image_folder(image_folder(tmp_path, photo, ["Blue/a.jpg", "kittens/b.jpg"]))
    assert len(found.items) == 1
    assert found.notes == (
        "The folder kittens is no bin and is left out.",
        f"There are no photos of Black, Green, TTR in {tmp_path.name}.",
    )


def test_an_empty_bin_is_no_item(tmp_path: Path, photo: Path) -> None:
    folder = image_folder(tmp_path, photo, ["Blue/a.jpg"])
    (folder / "Green").mkdir()
    assert len(read_image_folder(folder).items) == 1


def test_folders_that_are_no_image_folder(tmp_path: Path, photo: Path) -> None:
    with pytest.raises(EvaluationError, match=r"no folder named after a bin.*folders: none"):
        read_image_folder(tmp_path)
    (tmp_path / "Blue").mkdir()
    with pytest.raises(EvaluationError, match="no photos"):
        read_image_folder(tmp_path)
    with pytest.raises(EvaluationError, match="cannot be read"):
        read_image_folder(tmp_path / "gone")
    with pytest.raises(EvaluationError, match="no such file or folder"):
        read_labelled(tmp_path / "gone")


def test_a_bin_that_may_not_be_read_is_not_passed_over(
    open_folder: Path, photo: Path, another_user: Callable[[], AbstractContextManager[None]]
) -> None:
    folder = image_folder(open_folder, photo, ["Blue/a.jpg", "Green/b.jpg"])
    (folder / "Green").chmod(0)
    with another_user(), pytest.raises(EvaluationError, match="Permission denied"):
        read_image_folder(folder)


def test_a_text_table(tmp_path: Path) -> None:
    path = tmp_path / "captions.csv"
    path.write_text("city,text,bin\ncalgary,banana peel,green\ntoronto,Battery,Other\n")
    found = read_labelled(path)
    assert [(item.caption, BINS[item.label]) for item in found.items] == [
        ("banana peel", "Green"),
        ("Battery", "TTR"),
    ]
    assert not found.has_photos


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "empty"),
        ("text,bin\n", "no rows"),
        ("a,b\n1,2\n", "columns text and bin; found: 'a', 'b'"),
        ("text,bin\npeel,Green\npeel,Yellow\n", "line 3.*'Yellow'.*Black, Blue"),
        ("text,bin\n,Green\n", "line 2: there is no text"),
    ],
)
def test_tables_that_are_none(tmp_path: Path, content: str, words: str) -> None:
    path = tmp_path / "captions.csv"
    path.write_text(content)
    with pytest.raises(EvaluationError, match=words):
        read_text_table(path)


def test_the_shared_data(shared_data: Path) -> None:
    assert len(read_labelled(shared_data / "photos").items) == 26
    assert len(read_labelled(shared_data / "field").items) == 105
    assert len(read_labelled(shared_data / "images" / "test").items) == 663
    assert len(read_labelled(shared_data / "captions" / "course_dev.csv").items) == 1711
    assert len(read_labelled(shared_data / "captions" / "municipal.csv").items) == 4072

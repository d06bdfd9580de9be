"""Installed models: a life from import to removal, and imports that fail."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from gcdesk.engine.errors import GcdeskError, LibraryError, ModelFileError
from gcdesk.engine.library.library import Library


@pytest.fixture
def library() -> Library:
    return Library()


def left_behind(library: Library) -> list[str]:
    return sorted(path.name for path in library.folder.iterdir()) if library.folder.exists() else []


def test_starters_are_used_until_something_else_is_chosen(library: Library) -> None:
    models = library.models()
    assert [(m.name, m.starter, m.in_use) for m in models] == [
        ("starter-image", True, True),
        ("starter-text", True, True),
    ]
    assert library.resolve("image") == models[0].folder
    assert left_behind(library) == []


def test_a_life(library: Library, starter_text: Path, tmp_path: Path) -> None:
    model = library.import_model(starter_text, "Line 2")
    assert model.folder == library.folder / "Line 2.gcmodel"
    assert model.info is not None
    assert model.info.name == "Line 2"
    assert not model.in_use
    assert library.use("line 2").in_use
    assert library.in_use("text").name == "Line 2"
    assert Library().resolve("text") == model.folder
    assert library.verify("Line 2").label in ("Black", "Blue", "Green", "TTR")
    archive = library.export("Line 2", tmp_path / "line2.zip")
    library.remove("Line 2")
    assert library.in_use("text").name == "starter-text"
    assert left_behind(library) == []
    assert library.import_model(archive).name == "line2"


def test_names_are_unique_whatever_their_case(library: Library, starter_image: Path) -> None:
    library.import_model(starter_image, "mine")
    for name in ("mine", "MINE", "Starter-Image"):
        with pytest.raises(LibraryError, match="already"):
            library.import_model(starter_image, name)
    assert left_behind(library) == ["mine.gcmodel"]


@pytest.mark.parametrize("name", ["../out", "a/b", "", "con", ".hidden"])
def test_names_that_are_no_file_names_are_refused(library: Library, starter_image: Path, name: str) -> None:
    with pytest.raises(GcdeskError):
        library.import_model(starter_image, name)
    assert left_behind(library) == []


def test_a_failed_import_leaves_nothing_behind(library: Library, starter_image: Path, tmp_path: Path) -> None:
    flipped = tmp_path / "flipped.gcmodel"
    shutil.copytree(starter_image, flipped)
    with (flipped / "weights.safetensors").open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(b"\x01")
    labels = tmp_path / "labels.gcmodel"
    shutil.copytree(starter_image, labels)
    info = json.loads((labels / "model.json").read_text())
    (labels / "model.json").write_text(json.dumps(info | {"labels": ["TTR", "Green", "Blue", "Black"]}))
    text = tmp_path / "notes.pth"
    text.write_text("not a checkpoint")
    for source in (flipped, labels, text, tmp_path / "missing.pth", tmp_path):
        with pytest.raises(GcdeskError) as caught:
            library.import_model(source)
        assert len(str(caught.value).splitlines()) == 1
    assert left_behind(library) == []
    assert len(library.models()) == 2


def test_starters_stay(library: Library) -> None:
    with pytest.raises(LibraryError, match="ships with gcdesk"):
        library.remove("starter-image")


def test_a_damaged_model_is_listed_with_its_problem_and_not_used(
    library: Library, starter_image: Path
) -> None:
    model = library.import_model(starter_image, "mine")
    library.use("mine")
    (model.folder / "model.json").write_text("{}")
    found = library.find("mine")
    assert found.info is None
    assert found.problem
    assert library.in_use("image").name == "starter-image"
    with pytest.raises(LibraryError, match="cannot be used"):
        library.use("mine")
    library.remove("mine")


def test_unknown_names_say_what_there_is(library: Library) -> None:
    with pytest.raises(LibraryError, match="starter-image, starter-text"):
        library.find("nonesuch")


def test_resolve_by_path_and_by_kind(library: Library, starter_text: Path) -> None:
    assert library.resolve("text", str(starter_text)) == starter_text
    with pytest.raises(LibraryError, match="image"):
        library.resolve("text", "starter-image")


def test_verify_finds_a_flipped_byte(library: Library, starter_image: Path) -> None:
    model = library.import_model(starter_image, "mine")
    with (model.folder / "weights.safetensors").open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(b"\x01")
    with pytest.raises(ModelFileError, match="mine"):
        library.verify("mine")


def test_export_never_overwrites(library: Library, tmp_path: Path) -> None:
    target = tmp_path / "out.zip"
    target.write_text("precious")
    with pytest.raises(LibraryError, match="exists"):
        library.export("starter-text", target)
    with pytest.raises(LibraryError, match="ending"):
        library.export("starter-text", tmp_path / "out.exe")
    copy = library.export("starter-text", tmp_path / "copy.gcmodel")
    assert (copy / "model.json").is_file()

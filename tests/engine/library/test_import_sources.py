"""What a file that is offered as a model holds, and which model was in use before."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from course_modules import EncoderText, original_image, small_config

from gcdesk.engine.errors import LibraryError
from gcdesk.engine.library import history as model_history
from gcdesk.engine.library.descriptions import measured
from gcdesk.engine.library.import_sources import inspect_model_file
from gcdesk.engine.library.library import Library
from gcdesk.engine.modelfile.checkpoint import load_info


def test_each_form_of_a_model_is_recognised(starter_text: Path, tmp_path: Path) -> None:
    folder = inspect_model_file(starter_text)
    assert (folder.kind, folder.name, folder.problem, folder.asks_class_order) == (
        "text",
        "starter-text",
        "",
        False,
    )
    assert "is a text model of gcdesk" in folder.sentence
    archive = tmp_path / "line 2.gcmodel.zip"
    Library().export("starter-text", archive)
    zipped = inspect_model_file(archive)
    assert (zipped.kind, zipped.name, zipped.problem) == ("text", "line 2", "")
    torch.manual_seed(0)
    course = tmp_path / "best_image_model.pth"
    torch.save(original_image().state_dict(), course)
    image = inspect_model_file(course)
    assert (image.kind, image.name, image.asks_class_order) == ("image", "best_image_model", True)
    text = tmp_path / "encoder.pth"
    torch.save(EncoderText(small_config()).state_dict(), text)
    assert inspect_model_file(text).pooling == "cls"


@pytest.mark.parametrize("ending", [".pth", ".gcmodel.zip", ".zip", ".gcmodel"])
def test_what_is_none_says_so_with_its_name(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"odd{ending}"
    path.write_bytes(b"PK\x03\x04 this is no model")
    found = inspect_model_file(path)
    assert found.kind == ""
    assert found.problem.count(path.name) == 1
    assert inspect_model_file(tmp_path / f"gone{ending}").problem


def test_the_figure_that_says_most(starter_text: Path, starter_image: Path) -> None:
    assert measured(load_info(starter_text)).endswith(")")
    assert " on test (663)" in measured(load_info(starter_image))


def test_the_former_model_is_one_that_is_still_there() -> None:
    assert model_history.previous_model("text", None, []) is None
    model_history.record_use("text", None)
    assert model_history.previous_model("text", "a", ["a"]) == model_history.STARTER
    model_history.record_use("text", "a")
    model_history.record_use("text", "b")
    assert model_history.previous_model("text", "c", ["a", "b", "c"]) == "b"
    assert model_history.previous_model("text", "c", ["a", "c"]) == "a"
    assert model_history.previous_model("text", None, ["a"]) == "a"
    assert model_history.previous_model("image", None, ["a"]) is None
    (Library().folder / ".history.json").write_text("{")
    assert model_history.previous_model("text", None, ["a"]) is None


def test_a_model_is_thrown_away_by_who_knows_where_to(starter_text: Path, tmp_path: Path) -> None:
    library = Library()
    model = library.import_model(starter_text, "mine")
    library.use("mine")
    assert library.free_name("mine") == "mine 2"
    assert library.free_name("other") == "other"
    library.discard("mine", lambda folder: folder.rename(tmp_path / "away"))
    assert not model.folder.exists()
    assert (tmp_path / "away" / "model.json").is_file()
    with pytest.raises(LibraryError, match="ships with gcdesk"):
        library.discard("starter-text", lambda folder: None)

"""Kinds of things: written, read back, ranked; refused where they do not fit, passed over for other weights."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from gcdesk.engine.classification.classifier import Classifier
from gcdesk.engine.classification.results import Item
from gcdesk.engine.errors import ModelFileError
from gcdesk.engine.inference.devices import open_backend
from gcdesk.engine.modelfile.archive import unzip_model, zip_model
from gcdesk.engine.modelfile.checkpoint import load_info
from gcdesk.engine.modelfile.item_kinds import KINDS_FILE, ItemKinds, load_item_kinds, save_item_kinds


@pytest.fixture
def model(starter_image: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "with kinds.gcmodel"
    shutil.copytree(starter_image, folder)
    (folder / KINDS_FILE).unlink(missing_ok=True)
    return folder


def kinds(width: int) -> ItemKinds:
    rng = np.random.default_rng(0)
    return ItemKinds(
        ("can", "egg shell", "sock"),
        rng.standard_normal((3, width)).astype(np.float32),
        np.zeros(3, np.float32),
    )


def test_a_model_with_kinds_says_what_a_photo_looks_like(model: Path, samples: Path, tmp_path: Path) -> None:
    info = load_info(model)
    save_item_kinds(kinds(info.architecture.features), model, info.weights_sha256)
    moved = unzip_model(zip_model(model, tmp_path / "a.gcmodel.zip"), tmp_path / "moved.gcmodel")
    classifier = Classifier(open_backend("image", moved, "cpu"), None)
    (result,) = classifier.classify([Item(samples / "orange peel.jpg")])
    assert {guess.name for guess in result.kinds} == {"can", "egg shell", "sock"}
    chances = [guess.probability for guess in result.kinds]
    assert chances == sorted(chances, reverse=True)
    assert sum(chances) == pytest.approx(1, abs=1e-4)


def test_a_model_without_kinds_says_nothing_of_them(model: Path, samples: Path) -> None:
    (result,) = Classifier(open_backend("image", model, "cpu"), None).classify(
        [Item(samples / "orange peel.jpg")]
    )
    assert result.label is not None
    assert result.kinds == ()


def test_kinds_of_other_weights_are_passed_over(model: Path) -> None:
    info = load_info(model)
    save_item_kinds(kinds(info.architecture.features), model, "0" * 64)
    assert load_item_kinds(model, info) is None


@pytest.mark.parametrize("damage", ["torn", "narrow"])
def test_damaged_kinds_are_refused(model: Path, damage: str) -> None:
    info = load_info(model)
    save_item_kinds(
        kinds(7 if damage == "narrow" else info.architecture.features), model, info.weights_sha256
    )
    if damage == "torn":
        file = model / KINDS_FILE
        file.write_bytes(file.read_bytes()[:50])
    with pytest.raises(ModelFileError, match=KINDS_FILE):
        load_item_kinds(model, info)


def test_names_that_no_one_could_read_are_refused(model: Path) -> None:
    info = load_info(model)
    width = info.architecture.features
    odd = ItemKinds(("can", "can"), np.zeros((2, width), np.float32), np.zeros(2, np.float32))
    with pytest.raises(ModelFileError, match="kinds"):
        save_item_kinds(odd, model, info.weights_sha256)

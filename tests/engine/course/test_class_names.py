"""What a checkpoint calls its classes is shown, and never taken for the four bins in silence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torchvision.models import mobilenet_v2

from gcdesk.engine.course.checkpoint import import_legacy, recognise
from gcdesk.engine.errors import LegacyError
from gcdesk.engine.library.import_sources import inspect_model_file
from gcdesk.engine.modelfile.checkpoint import load_info, load_model

FOREIGN = ["Compost", "Landfill", "Other", "Recycling"]
MATERIALS = ["cardboard", "glass", "metal", "plastic"]


@pytest.fixture(scope="module")
def weights() -> dict[str, Any]:
    torch.manual_seed(0)
    network: nn.Module = mobilenet_v2(num_classes=4)
    return dict(network.state_dict())


def saved(tmp_path: Path, content: Any) -> Path:
    path = tmp_path / "model.pth"
    torch.save(content, path)
    return path


@pytest.mark.parametrize(
    "beside",
    [
        {"classes": FOREIGN},
        {"class_names": tuple(FOREIGN)},
        {"labels": FOREIGN},
        {"categories": FOREIGN},
        {"config": {"data": {"classes": FOREIGN}}},
        {"class_to_idx": {name: place for place, name in enumerate(FOREIGN)}},
        {"idx2label": {str(place): name for place, name in enumerate(FOREIGN)}},
        {"hyper_parameters": {"id2label": dict(enumerate(FOREIGN)), "lr": 1e-3}},
    ],
)
def test_names_in_any_wrapper_are_shown_and_asked_for(
    weights: dict[str, Any], tmp_path: Path, beside: dict[str, Any]
) -> None:
    path = saved(tmp_path, {"state_dict": weights, **beside})
    found = recognise(path)
    assert found.class_names == tuple(FOREIGN)
    assert found.asks_class_order
    assert found.suggested == ("Green", "Black", "TTR", "Blue")
    with pytest.raises(
        LegacyError, match=r"Compost, Landfill, Other, Recycling.*--class-order Green,Black,TTR,Blue"
    ):
        import_legacy(path, tmp_path / "a.gcmodel", "a")
    assert not (tmp_path / "a.gcmodel").exists()


def test_the_order_that_is_said_counts(weights: dict[str, Any], tmp_path: Path) -> None:
    path = saved(tmp_path, {"model": weights, "classes": MATERIALS})
    order = ["Blue", "Green", "TTR", "Black"]
    folder = import_legacy(path, tmp_path / "a.gcmodel", "a", class_order=order)
    assert load_info(folder).provenance.details["class_order"] == order
    bias = load_model(folder).weights["classifier.1.bias"]
    assert bias.tolist() == pytest.approx(weights["classifier.1.bias"].numpy()[[3, 0, 1, 2]].tolist())


@pytest.mark.parametrize(
    ("names", "suggested"),
    [
        (MATERIALS, None),
        (["black bin", "Blue_Bin", "green cart", "take to recycle"], ("Black", "Blue", "Green", "TTR")),
        (["Green", "Black", "Blue", "Ewaste"], ("Green", "Black", "Blue", "TTR")),
        (["Black", "Black", "Blue", "Green"], None),
    ],
)
def test_what_names_suggest(
    weights: dict[str, Any], tmp_path: Path, names: list[str], suggested: tuple[str, ...] | None
) -> None:
    source = inspect_model_file(saved(tmp_path, {"state_dict": weights, "classes": names}))
    assert source.asks_class_order
    assert source.class_names == tuple(names)
    assert source.suggested == suggested
    assert all(name in source.sentence for name in names)


def test_our_own_names_are_taken_in_their_order(weights: dict[str, Any], tmp_path: Path) -> None:
    path = saved(tmp_path, {"state_dict": weights, "meta": {"labels": ["ttr", "Green", "BLUE", "black"]}})
    assert recognise(path).class_order == ("TTR", "Green", "Blue", "Black")
    assert not recognise(path).asks_class_order


def test_two_places_that_contradict_are_asked_about(weights: dict[str, Any], tmp_path: Path) -> None:
    orders = {"classes": ["TTR", "Green", "Blue", "Black"], "labels": ["Black", "Blue", "Green", "TTR"]}
    assert recognise(saved(tmp_path, {"state_dict": weights, **orders})).asks_class_order


def test_a_model_of_more_classes_is_refused_with_their_names(tmp_path: Path) -> None:
    names = [*MATERIALS, "paper", "trash"]
    path = saved(tmp_path, {"state_dict": mobilenet_v2(num_classes=6).state_dict(), "classes": names})
    with pytest.raises(LegacyError, match=r"6 labels.*cardboard, glass, metal, plastic, paper, trash"):
        recognise(path)

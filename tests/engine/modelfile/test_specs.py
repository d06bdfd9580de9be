"""Architectures by name: ids, JSON, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gcdesk.engine.errors import ModelFileError
from gcdesk.engine.modelfile.specs import MINILM, ImageArchitecture, TextArchitecture

EVERY_IMAGE = [
    ImageArchitecture("efficientnet_b2", "mlp"),
    ImageArchitecture("efficientnet_b2", "linear"),
    ImageArchitecture("mobilenet_v2", "linear"),
    ImageArchitecture("mobilenet_v3_large", "mlp"),
    ImageArchitecture("resnet18", "linear"),
]


def test_ids_name_what_a_reader_needs() -> None:
    assert ImageArchitecture("efficientnet_b2", "mlp").id == "efficientnet_b2-mlp"
    assert MINILM.id == "distilbert-6x384-linear-mean"
    assert MINILM.template == "distilbert-6x384-linear-mean.onnx"
    assert TextArchitecture(head="net", pooling="mean").id == "distilbert-6x768-net-mean"


@pytest.mark.parametrize(
    "change",
    [{"n_heads": 6}, {"hidden_dim": 512}, {"vocab_size": 1000}, {"max_positions": 128}, {"pooling": "cls"}],
)
def test_other_sizes_have_other_ids(change: dict[str, Any]) -> None:
    assert replace(MINILM, **change).id != MINILM.id


@pytest.mark.parametrize("arch", EVERY_IMAGE, ids=lambda arch: arch.id)
def test_an_image_architecture_survives_json(arch: ImageArchitecture) -> None:
    assert ImageArchitecture.from_json(arch.to_json()) == arch


def test_a_text_architecture_survives_json() -> None:
    odd = TextArchitecture(48, 2, 4, 100, 999, 64, "pre_classifier", "mean")
    assert TextArchitecture.from_json(odd.to_json()) == odd


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"dim": 0}, "dim is 0"),
        ({"dim": 10**9}, "dim is 1000000000"),
        ({"dim": 384.0}, "dim is 384.0"),
        ({"n_layers": True}, "n_layers is True"),
        ({"n_heads": 7}, "no multiple"),
        ({"head": "out"}, "linear, pre_classifier, net"),
        ({"pooling": None}, "cls, mean"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_nonsense_is_refused(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(ModelFileError, match=reason):
        TextArchitecture.from_json(MINILM.to_json() | change)


def test_only_some_backbones_have_the_three_layer_head() -> None:
    with pytest.raises(ModelFileError, match="resnet18 has no mlp head"):
        ImageArchitecture("resnet18", "mlp")
    with pytest.raises(ModelFileError, match="not an object"):
        ImageArchitecture.from_json(["resnet18", "linear"])

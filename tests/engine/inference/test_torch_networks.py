"""The torch networks: names and shapes as course checkpoints have them, and the right outputs."""

from __future__ import annotations

import pytest
import torch
from model_making import SMALL_TEXT
from torch import nn
from torchvision import models
from transformers import DistilBertConfig, DistilBertForSequenceClassification

from gcdesk.engine.inference.torch_networks import build_image, build_text, put_weights, weights_of
from gcdesk.engine.modelfile.specs import ImageArchitecture, TextArchitecture


def head_shapes(module: nn.Module) -> dict[str, tuple[int, ...]]:
    """Weights (not biases) outside the backbone."""
    heads = ("classifier", "pre_classifier", "head", "fc")
    return {
        name: tuple(tensor.shape)
        for name, tensor in module.state_dict().items()
        if name.startswith(heads) and name.endswith("weight")
    }


def test_the_original_image_head_has_the_names_of_its_checkpoints() -> None:
    assert head_shapes(build_image(ImageArchitecture("efficientnet_b2", "mlp"))) == {
        "classifier.0.weight": (512, 1408),
        "classifier.1.weight": (512,),
        "classifier.4.weight": (128, 512),
        "classifier.5.weight": (128,),
        "classifier.8.weight": (4, 128),
    }


def test_the_mobilenet_head_has_the_names_of_its_checkpoints() -> None:
    assert head_shapes(build_image(ImageArchitecture("mobilenet_v3_large", "mlp"))) == {
        "classifier.0.weight": (512, 960),
        "classifier.1.weight": (512,),
        "classifier.4.weight": (256, 512),
        "classifier.5.weight": (256,),
        "classifier.8.weight": (4, 256),
    }


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ("linear", {"classifier.weight": (4, 24)}),
        ("pre_classifier", {"pre_classifier.weight": (24, 24), "classifier.weight": (4, 24)}),
        ("net", {"head.net.0.weight": (512, 24), "head.net.3.weight": (4, 512)}),
    ],
)
def test_text_heads_have_the_names_of_their_checkpoints(
    head: str, expected: dict[str, tuple[int, ...]]
) -> None:
    arch = TextArchitecture(dim=24, n_layers=1, hidden_dim=48, head=head)  # type: ignore[arg-type]  # parametrized
    assert head_shapes(build_text(arch)) == expected


@pytest.mark.parametrize("backbone", ["mobilenet_v2", "resnet18"])
def test_a_plain_image_network_is_torchvisions_own(backbone: str) -> None:
    torch.manual_seed(1)
    ours = build_image(ImageArchitecture(backbone, "linear")).eval()  # type: ignore[arg-type]  # parametrized
    theirs = getattr(models, backbone)(num_classes=4).eval()
    theirs.load_state_dict(ours.state_dict())
    pixels = torch.randn(2, 3, 96, 64)
    with torch.no_grad():
        logits, features, feature_map = ours(pixels)
        torch.testing.assert_close(logits, theirs(pixels))
    assert feature_map.shape == (2, features.shape[1], 3, 2)
    torch.testing.assert_close(features, feature_map.mean((2, 3)))


def test_the_pre_classifier_network_is_transformers_own() -> None:
    torch.manual_seed(2)
    ours = build_text(TextArchitecture(dim=24, n_layers=2, hidden_dim=48, head="pre_classifier")).eval()
    config = DistilBertConfig(dim=24, n_layers=2, n_heads=12, hidden_dim=48, num_labels=4)
    theirs = DistilBertForSequenceClassification(config).eval()
    theirs.load_state_dict(ours.state_dict())
    ids = torch.randint(1000, 2000, (3, 9))
    mask = torch.ones_like(ids)
    mask[1, 4:] = 0
    with torch.no_grad():
        torch.testing.assert_close(ours(ids, mask)[0], theirs(ids, mask).logits)


def test_padding_changes_no_pooled_features() -> None:
    torch.manual_seed(3)
    module = build_text(SMALL_TEXT).eval()
    ids = torch.randint(1000, 2000, (1, 5))
    padded = torch.cat([ids, torch.zeros(1, 6, dtype=torch.long)], dim=1)
    with torch.no_grad():
        _, alone = module(ids, torch.ones_like(ids))
        _, among = module(padded, (padded > 0).long())
    torch.testing.assert_close(alone, among, atol=1e-6, rtol=1e-5)


def test_weights_go_out_and_in_again() -> None:
    torch.manual_seed(4)
    first = build_image(ImageArchitecture("resnet18", "linear"))
    weights = weights_of(first)
    second = build_image(ImageArchitecture("resnet18", "linear"))
    put_weights(second, {name: array for name, array in weights.items() if "num_batches" not in name})
    for name, tensor in second.state_dict().items():
        torch.testing.assert_close(tensor, first.state_dict()[name])
    del weights["fc.bias"]
    with pytest.raises(RuntimeError, match=r"fc\.bias"):
        put_weights(second, weights)

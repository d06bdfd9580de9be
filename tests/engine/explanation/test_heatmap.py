"""The heat-map equals torch's autograd, and lies where the model looked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from gcdesk.engine.errors import ModelFileError
from gcdesk.engine.explanation.heatmap import ImageHead, grad_cam, over_photo
from gcdesk.engine.inference.onnx_backend import OnnxImageBackend
from gcdesk.engine.inference.torch_networks import build_image, weights_of
from gcdesk.engine.modelfile.checkpoint import load_model
from gcdesk.engine.modelfile.specs import ImageArchitecture
from gcdesk.engine.photos.decoding import decode_photo
from gcdesk.engine.photos.preprocessing import Preprocessing, preprocess

HEADS = [
    ImageArchitecture("efficientnet_b2", "linear"),
    ImageArchitecture("efficientnet_b2", "mlp"),
    ImageArchitecture("mobilenet_v2", "linear"),
    ImageArchitecture("mobilenet_v3_large", "mlp"),
    ImageArchitecture("resnet18", "linear"),
]


def autograd_cam(module: torch.nn.Module, feature_map: torch.Tensor, label: int) -> np.ndarray:
    """Grad-CAM as the paper defines it, by torch."""
    head = module.fc if hasattr(module, "fc") else module.classifier
    places = feature_map[None].clone().requires_grad_(True)
    head(places.mean((2, 3)))[0, label].backward()
    assert places.grad is not None
    weights = places.grad.mean((2, 3), keepdim=True)
    strength = torch.relu((weights * places).sum(1))[0].detach().numpy()
    return strength / strength.max() if strength.max() > 0 else strength


@pytest.mark.parametrize("architecture", HEADS, ids=lambda one: one.id)
def test_every_head_has_the_gradient_of_autograd(architecture: ImageArchitecture) -> None:
    torch.manual_seed(3)
    module = build_image(architecture)
    for child in module.modules():
        if isinstance(child, torch.nn.BatchNorm1d):  # as a trained one, not a fresh one
            child.running_mean.normal_()
            child.running_var.uniform_(0.5, 2)
            torch.nn.init.normal_(child.weight)
            torch.nn.init.normal_(child.bias)
    module.eval().requires_grad_(False)
    head = ImageHead.of(architecture, weights_of(module))
    feature_map = torch.rand(architecture.features, 7, 9)
    features = feature_map.mean((1, 2))
    torch_head = module.fc if hasattr(module, "fc") else module.classifier
    np.testing.assert_allclose(
        head.logits(features.numpy()), torch_head(features[None])[0].numpy(), atol=1e-5
    )
    for label in range(4):
        mine = grad_cam(head, feature_map.numpy(), label)
        np.testing.assert_allclose(mine, autograd_cam(module, feature_map, label), atol=1e-4)


def test_the_starters_heat_lies_on_the_thing_and_not_on_the_ground(
    starter_image: Path, tmp_path: Path
) -> None:
    """A sample on a light ground, moved into one corner of a large empty picture."""
    from PIL import Image

    model = load_model(starter_image)
    backend = OnnxImageBackend(model, 1)
    assert isinstance(model.info.architecture, ImageArchitecture)
    assert model.info.preprocessing is not None
    head = ImageHead.load(starter_image, model.info.architecture)
    sample = next((Path(__file__).resolve().parents[3] / "resources" / "samples").glob("green glass*.jpg"))
    thing = Image.open(sample).convert("RGB").resize((200, 200))
    for left, top in ((0, 0), (400, 400)):
        ground = Image.new("RGB", (600, 600), (205, 205, 205))
        ground.paste(thing, (left, top))
        ground.save(tmp_path / "corner.png")
        photo = decode_photo(tmp_path / "corner.png", model.info.preprocessing.resize_to)
        out = backend.run(preprocess(photo, model.info.preprocessing)[None])
        np.testing.assert_allclose(head.logits(out.features[0]), out.logits[0], atol=1e-3)
        heat = grad_cam(head, out.feature_map[0], int(out.logits[0].argmax()))
        assert heat.max() == 1
        shown = np.asarray(over_photo(heat, ground.size, model.info.preprocessing), dtype=float)
        rows, columns = (shown.sum(axis=axis) for axis in (1, 0))
        middle = [np.average(np.arange(len(line)), weights=line) for line in (rows, columns)]
        assert all((place < 256) == (left == 0) for place in middle)


def heat_with_a_spot(row: int, column: int, side: int = 8) -> np.ndarray:
    heat = np.zeros((side, side), np.float32)
    heat[row, column] = 1
    return heat


def brightest(picture: object) -> tuple[int, int]:
    grey = np.asarray(picture)
    row, column = np.unravel_index(int(grey.argmax()), grey.shape)
    return int(column), int(row)


def test_a_squashed_photo_is_covered_whole() -> None:
    picture = over_photo(heat_with_a_spot(0, 7), (800, 400), Preprocessing("squash", 288, 288), longest=400)
    assert picture.mode == "L"
    assert picture.size == (400, 200)
    assert brightest(picture) == pytest.approx((375, 12), abs=26)


def test_what_a_cut_left_out_stays_cold() -> None:
    picture = over_photo(np.ones((8, 8)), (800, 400), Preprocessing("shortest_crop", 224, 256), longest=800)
    grey = np.asarray(picture)
    assert grey[200, 400] == 255
    side = 400 * 224 / 256
    warm = (grey > 128).any(axis=0)
    assert warm.sum() == pytest.approx(side, abs=3)
    assert not warm[: int(400 - side / 2) - 2].any()


def test_the_padding_of_a_photo_is_cut_away() -> None:
    # 800 x 400 in the middle of a square: its top edge is a quarter down the map.
    padded = Preprocessing("pad", 256, 256)
    assert brightest(over_photo(heat_with_a_spot(2, 0), (800, 400), padded, longest=800))[1] < 60
    assert np.asarray(over_photo(heat_with_a_spot(0, 0), (800, 400), padded, longest=800)).max() < 40


def test_nothing_that_speaks_for_a_label_is_no_heat() -> None:
    architecture = ImageArchitecture("resnet18", "linear")
    weights = {"fc.weight": -np.ones((4, 512), np.float32), "fc.bias": np.zeros(4, np.float32)}
    head = ImageHead.of(architecture, weights)
    assert not grad_cam(head, np.ones((512, 3, 3)), 1).any()


def test_what_cannot_be_is_refused(tmp_path: Path) -> None:
    architecture = ImageArchitecture("resnet18", "linear")
    head = ImageHead.of(architecture, {"fc.weight": np.ones((4, 512)), "fc.bias": np.zeros(4)})
    with pytest.raises(ValueError, match="none of the 4 bins"):
        grad_cam(head, np.ones((512, 3, 3)), 4)
    with pytest.raises(ValueError, match="feature map"):
        grad_cam(head, np.ones((3, 3)), 0)
    with pytest.raises(ModelFileError, match=r"lack fc\.bias"):
        ImageHead.of(architecture, {"fc.weight": np.ones((4, 512))})
    with pytest.raises(ModelFileError, match="cannot be read"):
        ImageHead.load(tmp_path, architecture)

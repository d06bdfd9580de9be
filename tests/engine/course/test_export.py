"""Models written as course checkpoints: torch opens them, and the course's modules answer as ours do."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import course_modules as course
import numpy as np
import pytest
import torch
from torch import nn
from transformers import DistilBertConfig

from gcdesk.engine.captions.rules import CaptionRule, caption_from_path
from gcdesk.engine.course.checkpoint import import_legacy, recognise
from gcdesk.engine.course.export import course_preprocessing, export_legacy, export_note
from gcdesk.engine.errors import LegacyError
from gcdesk.engine.inference.devices import open_backend
from gcdesk.engine.inference.torch_networks import build, weights_of
from gcdesk.engine.modelfile.checkpoint import load_info, load_model, save_model
from gcdesk.engine.modelfile.info import ModelInfo
from gcdesk.engine.modelfile.specs import MINILM, Architecture, ImageArchitecture, TextArchitecture
from gcdesk.engine.modelfile.tokenizer import load_tokenizer, shared_tokenizer
from gcdesk.engine.photos.decoding import decode_photo
from gcdesk.engine.photos.preprocessing import preprocess

SIZES: dict[str, Any] = {"dim": 96, "n_layers": 2, "hidden_dim": 192}


def model_of(architecture: Architecture, folder: Path, half: bool = False) -> Path:
    """A model of the architecture with weights of its own, BatchNorm's running figures included."""
    torch.manual_seed(9)
    module = build(architecture)
    for child in module.modules():
        if isinstance(child, nn.BatchNorm1d | nn.BatchNorm2d):
            nn.init.uniform_(child.running_var, 0.5, 2)
            nn.init.normal_(child.running_mean, std=0.1)
            nn.init.normal_(child.bias, std=0.2)
    if isinstance(architecture, ImageArchitecture):
        info = ModelInfo("a", "image", architecture, preprocessing=course_preprocessing(architecture))
    else:
        rule = CaptionRule.COURSE_ORIGINAL
        info = ModelInfo("a", "text", architecture, caption_rule=rule, max_tokens=24)
    return save_model(folder / "a.gcmodel", info, weights_of(module), half=half)


def course_answers(module: nn.Module, file: Path, *inputs: torch.Tensor) -> np.ndarray:
    """What the course's notebook gets: torch.load, load_state_dict (strict), eval, logits."""
    module.load_state_dict(torch.load(file, weights_only=True))
    module.eval()
    with torch.no_grad():
        logits: np.ndarray = module(*inputs).numpy()
    return logits


IMAGE: list[tuple[ImageArchitecture, Callable[[], nn.Module], str]] = [
    (ImageArchitecture("efficientnet_b2", "mlp"), course.original_image, "efficientnet_b2-mlp"),
    (ImageArchitecture("efficientnet_b2", "linear"), course.original_image, "efficientnet_b2-mlp"),
    (ImageArchitecture("mobilenet_v2", "linear"), course.plain_mobilenet, "mobilenet_v2-linear"),
    (
        ImageArchitecture("mobilenet_v3_large", "mlp"),
        course.three_layer_mobilenet,
        "mobilenet_v3_large-mlp",
    ),
    (
        ImageArchitecture("resnet18", "linear"),
        lambda: course.ResNetTransfer(whole=False),
        "resnet18-feature_extractor-512",
    ),
]


@pytest.mark.parametrize(
    ("architecture", "make", "layout"), IMAGE, ids=lambda value: getattr(value, "id", None)
)
def test_image_models_open_in_the_course_modules(
    architecture: ImageArchitecture,
    make: Callable[[], nn.Module],
    layout: str,
    tmp_path: Path,
    samples: Path,
) -> None:
    folder = model_of(architecture, tmp_path)
    preprocessing = course_preprocessing(architecture)
    photos = sorted(samples.glob("*.jpg"))[:2]
    pixels = np.stack([preprocess(decode_photo(p, preprocessing.resize_to), preprocessing) for p in photos])

    file = export_legacy(folder, tmp_path / "best_image_model.pth")

    ours = open_backend("image", folder, device="cpu").run(pixels).logits
    theirs = course_answers(make(), file, torch.from_numpy(pixels))
    np.testing.assert_allclose(theirs, ours, atol=1e-4 * max(1, np.abs(ours).max()))
    assert recognise(file).layout == layout
    again = import_legacy(file, tmp_path / "b.gcmodel", "b")
    back = open_backend("image", again, device="cpu").run(pixels).logits
    np.testing.assert_allclose(back, ours, atol=1e-4 * max(1, np.abs(ours).max()))


def test_a_wide_image_head_survives_the_rewriting_to_three_layers(tmp_path: Path) -> None:
    """Large logits of both signs through the three layers that stand for one."""
    folder = model_of(ImageArchitecture("efficientnet_b2", "linear"), tmp_path)
    weights = load_model(folder).weights
    state = torch.load(export_legacy(folder, tmp_path / "x.pth"), weights_only=True)
    head = course.three_layers(1408, 512, 128).eval()
    head.load_state_dict({k.removeprefix("classifier."): v for k, v in state.items() if "classifier." in k})
    features = np.random.default_rng(1).normal(size=(64, 1408)).astype(np.float32) * 30

    with torch.no_grad():
        logits = head(torch.from_numpy(features)).numpy()

    expected = features @ weights["classifier.1.weight"].T + weights["classifier.1.bias"]
    assert expected.min() < -20
    assert expected.max() > 20
    np.testing.assert_allclose(logits, expected, rtol=1e-4, atol=1e-4)


TEXT: list[tuple[TextArchitecture, Callable[[DistilBertConfig], nn.Module], str]] = [
    (TextArchitecture(**SIZES), course.OriginalText, "distilbert+classifier"),
    (
        TextArchitecture(**SIZES, pooling="mean"),
        lambda config: course.EncoderText(config, mean=True),
        "encoder+fc",
    ),
    (
        TextArchitecture(**SIZES, head="pre_classifier"),
        lambda config: course.SequenceText(config).inner,
        "distilbert+pre_classifier+classifier",
    ),
]


@pytest.mark.parametrize(
    ("architecture", "make", "layout"), TEXT, ids=lambda value: getattr(value, "id", None)
)
def test_text_models_open_in_the_course_modules(
    architecture: TextArchitecture, make: Any, layout: str, tmp_path: Path, samples: Path
) -> None:
    folder = model_of(architecture, tmp_path)
    captions = [
        caption_from_path(path, CaptionRule.COURSE_ORIGINAL) for path in sorted(samples.glob("*.jpg"))
    ]
    tokenizer = load_tokenizer(shared_tokenizer())
    ids, mask = (torch.from_numpy(array) for array in tokenizer.pad(tokenizer.encode(captions, 24)))

    file = export_legacy(folder, tmp_path / "best_text_model.pth")

    module = make(course.small_config())
    module.load_state_dict(torch.load(file, weights_only=True))
    module.eval()
    with torch.no_grad():
        answer = module(ids, mask)
    theirs = getattr(answer, "logits", answer).numpy()
    ours = open_backend("text", folder, device="cpu").run(captions).logits
    np.testing.assert_allclose(theirs, ours, atol=1e-4)
    assert recognise(file).layout == layout
    again = import_legacy(
        file, tmp_path / "b.gcmodel", "b", pooling="mean" if architecture.pooling == "mean" else None
    )
    back = open_backend("text", again, device="cpu").run(captions).logits
    np.testing.assert_allclose(back, ours, atol=1e-5)


def test_a_two_layer_text_head_comes_back(tmp_path: Path) -> None:
    folder = model_of(TextArchitecture(**SIZES, head="net", pooling="mean"), tmp_path)
    file = export_legacy(folder, tmp_path / "x.pth")
    again = import_legacy(file, tmp_path / "b.gcmodel", "b")
    assert load_info(again).architecture == load_info(folder).architecture
    before, after = load_model(folder).weights, load_model(again).weights
    assert before.keys() == after.keys()
    assert all(np.array_equal(before[name], after[name]) for name in before)


def test_models_stored_at_half_precision_are_written_at_full(tmp_path: Path) -> None:
    folder = model_of(TextArchitecture(**SIZES), tmp_path, half=True)
    state = torch.load(export_legacy(folder, tmp_path / "x.pth"), weights_only=True)
    assert {tensor.dtype for tensor in state.values()} == {torch.float32}


def test_the_same_model_gives_the_same_file(tmp_path: Path) -> None:
    folder = model_of(ImageArchitecture("resnet18", "linear"), tmp_path)
    one, other = (export_legacy(folder, tmp_path / name).read_bytes() for name in ("1.pth", "2.pth"))
    assert one == other


def test_what_no_course_project_has_is_refused(tmp_path: Path) -> None:
    folder = model_of(TextArchitecture(**SIZES, head="pre_classifier", pooling="mean"), tmp_path)
    with pytest.raises(LegacyError, match=r"no course project has .*: export it as \.gcmodel or \.zip"):
        export_legacy(folder, tmp_path / "x.pth")
    assert not (tmp_path / "x.pth").exists()


def test_nothing_is_overwritten_and_nothing_half_written_stays(tmp_path: Path) -> None:
    folder = model_of(TextArchitecture(**SIZES), tmp_path)
    (tmp_path / "mine.pth").write_text("mine")
    with pytest.raises(LegacyError, match="left alone"):
        export_legacy(folder, tmp_path / "mine.pth")
    with pytest.raises(LegacyError, match="cannot be written"):
        export_legacy(folder, tmp_path / "missing" / "x.pth")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.gcmodel", "mine.pth"]


def test_the_note_says_which_notebook_opens_it() -> None:
    assert export_note(TextArchitecture()) == "It opens in the original notebook."
    assert export_note(ImageArchitecture("efficientnet_b2", "linear")).startswith("It opens in the original")
    b2 = ImageArchitecture("efficientnet_b2", "mlp")
    assert export_note(b2, course_preprocessing(b2)) == "It opens in the original notebook."
    smaller = replace(course_preprocessing(b2), size=224, resize_to=224)
    assert "than the course's 288 x 288, or its answers are worse: squash to 224" in export_note(b2, smaller)
    note = export_note(MINILM)
    assert "The original notebook cannot open it" in note
    assert "dim=384" in note
    assert "the mean of all tokens" in note


def test_import_and_export_need_no_torch(tmp_path: Path, samples: Path) -> None:
    """In a process where torch cannot be imported, a checkpoint goes in, classifies, and goes out again."""
    torch.save(
        {"epoch": 1, "model_state_dict": course.plain_mobilenet().state_dict()}, tmp_path / "image.pth"
    )
    torch.save(course.TutorialText(course.small_config()).state_dict(), tmp_path / "text.pth")
    script = """
import sys
from dataclasses import replace
from pathlib import Path

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("torch", "torchvision", "transformers", "PySide6"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Blocked())
from gcdesk.engine.modelfile.checkpoint import load_model
from gcdesk.engine.photos.decoding import decode_photo
from gcdesk.engine.photos.preprocessing import preprocess
from gcdesk.engine.course.checkpoint import import_legacy, recognise
from gcdesk.engine.course.export import export_legacy
from gcdesk.engine.inference.onnx_backend import OnnxImageBackend

folder, sample = Path(sys.argv[1]), Path(sys.argv[2])
for kind in ("image", "text"):
    assert recognise(folder / f"{kind}.pth").kind == kind
    model = import_legacy(folder / f"{kind}.pth", folder / f"{kind}.gcmodel", kind)
    export_legacy(model, folder / f"{kind}-again.pth")
    assert recognise(folder / f"{kind}-again.pth").kind == kind
backend = OnnxImageBackend(load_model(folder / "image.gcmodel"), 1)
pixels = preprocess(decode_photo(sample, 224), backend.info.preprocessing)
assert backend.run(pixels[None]).logits.shape == (1, 4)
assert not any(name.split(".")[0] == "torch" for name in sys.modules)
"""
    sample = next(samples.glob("*.jpg"))
    run = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path), str(sample)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout == ""

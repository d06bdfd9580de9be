"""Course checkpoints of every layout: recognised, imported, and answering as the module that was saved."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import course_modules as course
import numpy as np
import pytest
import torch
from course_layouts import IMAGE, TEXT
from PIL import Image
from torch import nn
from torchvision import transforms
from torchvision.transforms import InterpolationMode
from transformers import DistilBertConfig

from gcdesk.engine.captions.rules import CaptionRule, caption_from_path
from gcdesk.engine.course.checkpoint import import_legacy, recognise
from gcdesk.engine.errors import LegacyError, ModelFileError
from gcdesk.engine.inference.devices import open_backend
from gcdesk.engine.labels import BINS
from gcdesk.engine.modelfile.checkpoint import load_info, load_model
from gcdesk.engine.modelfile.specs import ImageArchitecture, TextArchitecture
from gcdesk.engine.modelfile.tokenizer import load_tokenizer, shared_tokenizer
from gcdesk.engine.photos.decoding import decode_photo
from gcdesk.engine.photos.preprocessing import IMAGENET_MEAN, IMAGENET_STD, preprocess
from gcdesk.engine.selection.calibration import softmax

LONG_CAPTION = "a very long caption " * 12


@pytest.fixture(scope="module")
def captions(samples: Path) -> list[str]:
    names = [caption_from_path(p, CaptionRule.COURSE_ORIGINAL) for p in sorted(samples.glob("*.jpg"))]
    return [*names, "Pringles can, EMPTY!", LONG_CAPTION]


@pytest.fixture(scope="module")
def tokens(captions: list[str]) -> tuple[torch.Tensor, torch.Tensor]:
    """Padded to 24, as the course padded."""
    ids = torch.zeros(len(captions), 24, dtype=torch.long)
    mask = torch.zeros_like(ids)
    for row, encoded in enumerate(load_tokenizer(shared_tokenizer()).encode(captions, 24)):
        ids[row, : len(encoded)] = torch.tensor(encoded)
        mask[row, : len(encoded)] = 1
    return ids, mask


@pytest.fixture(scope="module")
def photos(samples: Path) -> list[Path]:
    return sorted(samples.glob("*.jpg"))[:4]


def course_pixels(photos: list[Path], size: int) -> torch.Tensor:
    """The photos as the course's evaluation transform makes them."""
    transform = transforms.Compose(
        [
            transforms.Resize((size, size), interpolation=InterpolationMode.BILINEAR, antialias=True),
            transforms.ToTensor(),
            transforms.Normalize(IMAGENET_MEAN, IMAGENET_STD),
        ]
    )
    return torch.stack([transform(Image.open(path).convert("RGB")) for path in photos])


def assert_same_answers(ours: np.ndarray, module: nn.Module, *inputs: torch.Tensor) -> None:
    with torch.no_grad():
        expected = torch.softmax(module(*inputs), 1).numpy()
    assert np.ptp(expected, axis=0).max() > 0.2, "the answers must differ to prove anything"
    np.testing.assert_allclose(softmax(ours), expected, atol=1e-4, rtol=0)


def text_module(make: Callable[[DistilBertConfig], nn.Module], config: DistilBertConfig, tokens: Any) -> Any:
    torch.manual_seed(3)
    module = make(config)
    last = next(m for m in module.modules() if isinstance(m, nn.Linear) and m.out_features == 4)
    return course.trained(module, last, *tokens)


@pytest.mark.parametrize(("layout", "make", "head", "pooling"), TEXT, ids=[f"{t[0]}-{t[3]}" for t in TEXT])
def test_every_text_layout(
    layout: str, make: Any, head: Any, pooling: Any, tmp_path: Path, tokens: Any, captions: list[str]
) -> None:
    module = text_module(make, course.small_config(), tokens)
    path = tmp_path / "best_text_model.pth"
    torch.save(getattr(module, "inner", module).state_dict(), path)

    found = recognise(path)
    asks = found.pooling_question is not None
    folder = import_legacy(path, tmp_path / "a.gcmodel", "a", pooling=pooling if asks else None)

    assert (found.layout, found.kind, found.labels, found.wrapper) == (layout, "text", 4, ())
    assert asks == (layout in ("encoder+fc", "txt_enc+head.net"))
    info = load_info(folder)
    sizes = {"dim": 96, "n_layers": 2, "hidden_dim": 192}
    assert info.architecture == TextArchitecture(**sizes, head=head, pooling=pooling)
    assert (info.max_tokens, info.caption_rule) == (24, CaptionRule.COURSE_ORIGINAL)
    output = open_backend("text", folder, device="cpu").run(captions)
    assert_same_answers(output.logits, module, *tokens)


def test_the_original_text_model_at_its_full_size(tmp_path: Path, tokens: Any, captions: list[str]) -> None:
    module = text_module(course.OriginalText, DistilBertConfig(), tokens)
    path = tmp_path / "best_text_model.pth"
    torch.save(module.state_dict(), path)

    folder = import_legacy(path, tmp_path / "original.gcmodel", "original")

    assert load_info(folder).architecture == TextArchitecture()
    backend = open_backend("text", folder, device="cpu")
    assert type(backend).__name__ == "OnnxTextBackend"
    assert_same_answers(backend.run(captions).logits, module, *tokens)


@pytest.mark.parametrize(("layout", "make", "backbone", "head", "last"), IMAGE)
def test_every_image_layout(
    layout: str, make: Any, backbone: Any, head: Any, last: str, tmp_path: Path, photos: list[Path]
) -> None:
    size = 288 if backbone == "efficientnet_b2" else 224
    pixels = course_pixels(photos, size)
    torch.manual_seed(3)
    module = make()
    course.trained(module, module.get_submodule(last), pixels)
    path = tmp_path / "best_image_model.pth"
    torch.save(module.state_dict(), path)

    found = recognise(path)
    folder = import_legacy(path, tmp_path / "a.gcmodel", "a")

    assert (found.layout, found.kind, found.labels) == (layout, "image", 4)
    assert found.pooling_question is None
    assert ("multiplied into one" in found.sentence) == layout.endswith("1000")
    info = load_info(folder)
    assert info.architecture == ImageArchitecture(backbone, head)
    preprocessing = info.preprocessing
    assert preprocessing is not None
    assert (preprocessing.resize, preprocessing.size) == ("squash", size)
    backend = open_backend("image", folder, device="cpu")
    assert type(backend).__name__ == "OnnxImageBackend"
    ours = np.stack([preprocess(decode_photo(photo, size), preprocessing) for photo in photos])
    assert_same_answers(backend.run(ours).logits, module, pixels)


@pytest.fixture(scope="module")
def small_text() -> nn.Module:
    torch.manual_seed(3)
    return course.TutorialText(course.small_config()).eval()


def optimizer_of(module: nn.Module) -> torch.optim.Optimizer:
    optimizer = torch.optim.Adam(module.out.parameters())
    sum(parameter.sum() for parameter in module.out.parameters()).backward()
    optimizer.step()
    return optimizer


WRAPPERS = ["bare", "epoch", "model_state", "other name", "with averages", "parallel", "all of them"]


def wrappers(module: nn.Module) -> dict[str, tuple[Any, tuple[str, ...]]]:
    state = module.state_dict()
    optimizer = optimizer_of(module).state_dict()
    parallel = {f"module.{key}": value for key, value in state.items()}
    compiled = {f"_orig_mod.{key}": value for key, value in parallel.items()}
    accuracy = np.float64(0.85)
    return {
        "bare": (state, ()),
        "epoch": (
            {"epoch": 3, "model_state_dict": state, "optimizer_state_dict": optimizer, "best": accuracy},
            ("model_state_dict", "epoch", "optimizer_state_dict", "best"),
        ),
        "model_state": ({"model_state": state, "accuracy": 0.8}, ("model_state", "accuracy")),
        "other name": ({"text_weights": state}, ("text_weights",)),
        "with averages": ({"ema": state, "state_dict": state}, ("state_dict", "ema")),
        "parallel": (parallel, ("module.",)),
        "all of them": (
            {"state_dict": compiled, "epoch": 1},
            ("state_dict", "epoch", "_orig_mod.", "module."),
        ),
    }


@pytest.mark.parametrize("name", WRAPPERS)
def test_wrappers_come_off(
    name: str, small_text: nn.Module, tmp_path: Path, captions: list[str], tokens: Any
) -> None:
    content, words = wrappers(small_text)[name]
    torch.save(content, tmp_path / "x.pth")

    found = recognise(tmp_path / "x.pth")
    folder = import_legacy(tmp_path / "x.pth", tmp_path / "a.gcmodel", "a")

    assert (found.layout, found.wrapper) == ("distilbert+out", words)
    logits = open_backend("text", folder, device="cpu").run(captions).logits
    with torch.no_grad():
        np.testing.assert_allclose(logits, small_text(*tokens).numpy(), atol=1e-4)


@pytest.mark.parametrize(
    "told",
    [
        {"classes": ["Green", "Blue", "Black", "TTR"]},
        {"class_to_idx": {"Blue": 1, "Black": 2, "Green": 0, "Other": 3}},
        {"id2label": {0: "green", 3: "ttr", 1: "blue", 2: "black"}},
    ],
)
def test_a_class_order_in_the_file_is_followed(
    told: dict[str, Any], small_text: nn.Module, tmp_path: Path, captions: list[str], tokens: Any
) -> None:
    torch.save({"model_state_dict": small_text.state_dict(), **told}, tmp_path / "x.pth")

    found = recognise(tmp_path / "x.pth")
    folder = import_legacy(tmp_path / "x.pth", tmp_path / "a.gcmodel", "a")

    assert found.class_order == ("Green", "Blue", "Black", "TTR")
    assert not found.asks_class_order
    assert "Green, Blue, Black, TTR" in str(found)
    info = load_info(folder)
    assert info.labels == BINS
    assert info.provenance.details["class_order_source"] == "file"
    logits = open_backend("text", folder, device="cpu").run(captions).logits
    with torch.no_grad():
        np.testing.assert_allclose(logits, small_text(*tokens).numpy()[:, [2, 1, 0, 3]], atol=1e-4)


@pytest.mark.parametrize(
    "told",
    [{"classes": ["a", "b", "c", "d"]}, {"classes": 4}, {"class_to_idx": {"Black": 0}}, {"labels": [1, 2]}],
)
def test_a_class_order_of_something_else_tells_nothing(
    told: dict[str, Any], small_text: nn.Module, tmp_path: Path
) -> None:
    torch.save({"model_state_dict": small_text.state_dict(), **told}, tmp_path / "x.pth")
    assert recognise(tmp_path / "x.pth").asks_class_order


def test_a_given_class_order_puts_each_answer_under_its_bin(
    small_text: nn.Module, tmp_path: Path, captions: list[str], tokens: Any
) -> None:
    torch.save(small_text.state_dict(), tmp_path / "x.pth")
    order = ["TTR", "black", "Green", "Blue"]

    folder = import_legacy(tmp_path / "x.pth", tmp_path / "a.gcmodel", "a", class_order=order)

    logits = open_backend("text", folder, device="cpu").run(captions).logits
    with torch.no_grad():
        np.testing.assert_allclose(logits, small_text(*tokens).numpy()[:, [1, 3, 2, 0]], atol=1e-4)


def test_older_transformers_saved_the_positions_too(small_text: nn.Module, tmp_path: Path) -> None:
    state = {"distilbert.embeddings.position_ids": torch.arange(512)[None], **small_text.state_dict()}
    torch.save(state, tmp_path / "x.pth")
    weights = load_model(import_legacy(tmp_path / "x.pth", tmp_path / "a.gcmodel", "a")).weights
    assert not [name for name in weights if name.endswith("position_ids")]
    assert len(weights) == len(small_text.state_dict())


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions_become_fp32(
    dtype: torch.dtype, small_text: nn.Module, tmp_path: Path, captions: list[str], tokens: Any
) -> None:
    state = {key: tensor.to(dtype) for key, tensor in small_text.state_dict().items()}
    torch.save(state, tmp_path / "x.pth")

    folder = import_legacy(tmp_path / "x.pth", tmp_path / "a.gcmodel", "a")

    rounded = course.TutorialText(course.small_config()).eval()
    rounded.load_state_dict({key: tensor.float() for key, tensor in state.items()})
    logits = open_backend("text", folder, device="cpu").run(captions).logits
    with torch.no_grad():
        np.testing.assert_allclose(logits, rounded(*tokens).numpy(), atol=1e-4)


def test_the_model_remembers_where_it_comes_from(small_text: nn.Module, tmp_path: Path) -> None:
    path = tmp_path / "best_text_model.pth"
    torch.save({"model_state_dict": small_text.state_dict(), "epoch": 4}, path)

    info = load_info(import_legacy(path, tmp_path / "a.gcmodel", "my model", max_tokens=128))

    assert (info.name, info.max_tokens, info.temperature) == ("my model", 128, 1.0)
    details = info.provenance.details
    assert details["original_sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert details["original_sha256"] == recognise(path).sha256
    assert details["original_file"] == "best_text_model.pth"
    assert details["layout"] == "distilbert+out"
    assert details["class_order_source"] == "assumed"
    assert "best_text_model.pth" in info.provenance.source


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"pooling": "mean"}, r"always read the \[CLS\] token \(cls\)"),
        ({"pooling": "max"}, "use cls or mean"),
        ({"class_order": ["Black", "Blue", "Green"]}, "must name each of"),
        ({"class_order": ["Black", "Blue", "Green", "Green"]}, "must name each of"),
        ({"class_order": ["Black", "Blue", "Green", "Red"]}, "'Red' is not a bin"),
        ({"max_tokens": 513}, "max_tokens is 513"),
        ({"max_tokens": 2}, "max_tokens is 2"),
        ({"image_size": 224}, "it is a text model"),
    ],
)
def test_options_that_do_not_fit_are_refused_and_leave_nothing(
    options: dict[str, Any], reason: str, small_text: nn.Module, tmp_path: Path
) -> None:
    torch.save(small_text.state_dict(), tmp_path / "x.pth")
    with pytest.raises((LegacyError, ModelFileError), match=reason):
        import_legacy(tmp_path / "x.pth", tmp_path / "a.gcmodel", "a", **options)
    assert [path.name for path in tmp_path.iterdir()] == ["x.pth"]


@pytest.mark.parametrize("options", [{"pooling": "cls"}, {"max_tokens": 24}])
def test_image_models_have_no_text_options(options: dict[str, Any], tmp_path: Path) -> None:
    torch.save(course.plain_resnet().state_dict(), tmp_path / "x.pth")
    with pytest.raises(LegacyError, match="it is an image model"):
        import_legacy(tmp_path / "x.pth", tmp_path / "a.gcmodel", "a", **options)


def test_an_image_model_may_have_been_trained_at_another_size(tmp_path: Path) -> None:
    torch.save(course.plain_resnet().state_dict(), tmp_path / "x.pth")
    preprocessing = load_info(
        import_legacy(tmp_path / "x.pth", tmp_path / "a.gcmodel", "a", image_size=256)
    ).preprocessing
    assert preprocessing is not None
    assert (preprocessing.size, preprocessing.resize_to) == (256, 256)
    with pytest.raises(ModelFileError):
        import_legacy(tmp_path / "x.pth", tmp_path / "b.gcmodel", "b", image_size=0)
    assert not (tmp_path / "b.gcmodel").exists()


def test_an_import_never_replaces_a_model(small_text: nn.Module, tmp_path: Path) -> None:
    torch.save(small_text.state_dict(), tmp_path / "x.pth")
    import_legacy(tmp_path / "x.pth", tmp_path / "a.gcmodel", "a")
    with pytest.raises(LegacyError, match="left alone"):
        import_legacy(tmp_path / "x.pth", tmp_path / "a.gcmodel", "a")

"""What is no usable course checkpoint is refused with the reason and what to do, and leaves nothing behind."""

from __future__ import annotations

import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import course_modules as course
import pytest
import torch
from torch import Tensor, nn
from torchvision import models

from gcdesk.engine.course.checkpoint import import_legacy, recognise
from gcdesk.engine.errors import GcdeskError, LegacyError

State = dict[str, Tensor]


@pytest.fixture(scope="module")
def text() -> nn.Module:
    return course.OriginalText(course.small_config())


@pytest.fixture(scope="module")
def image() -> nn.Module:
    return course.plain_mobilenet()


def refusal(path: Path, tmp_path: Path, **options: Any) -> str:
    """The message of the refused import; what there was before is all that there is after."""
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(LegacyError) as caught:
        import_legacy(path, tmp_path / "models" / "a.gcmodel", "a", **options)
    assert sorted(tmp_path.rglob("*")) == before
    return str(caught.value)


def saved(content: Any, tmp_path: Path, **options: Any) -> Path:
    path = tmp_path / "best_model.pth"
    torch.save(content, path, **options)
    return path


def test_a_whole_module_is_refused(text: nn.Module, tmp_path: Path) -> None:
    message = refusal(saved(text, tmp_path), tmp_path)
    assert (
        "best_model.pth: it holds a whole pickled module (an object of 'course_modules.OriginalText')"
        in message
    )
    assert "torch.save(model.state_dict(), 'weights.pth')" in message


def test_a_whole_torchvision_module_in_a_wrapper_is_refused(image: nn.Module, tmp_path: Path) -> None:
    message = refusal(saved({"epoch": 3, "model": image}, tmp_path), tmp_path)
    assert "a whole pickled module (an object of 'torchvision.models.mobilenetv2.MobileNetV2')" in message


def test_an_unknown_name_is_refused_by_name(text: nn.Module, tmp_path: Path) -> None:
    message = refusal(saved({"args": Path("data"), "model": text.state_dict()}, tmp_path), tmp_path)
    assert "it asks to run 'pathlib.PosixPath'" in message


def test_torchscript_is_refused(tmp_path: Path) -> None:
    """Laid out as torch.jit.save does, which newer versions of torch no longer have."""
    path = tmp_path / "x.pth"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x/data.pkl", pickle.dumps({}, 2))
        archive.writestr("x/code/__torch__/linear.py", "pass", zipfile.ZIP_DEFLATED)
        archive.writestr("x/constants.pkl", pickle.dumps((), 2))
    assert "it is a TorchScript program" in refusal(path, tmp_path)


@pytest.mark.parametrize("joint", [course.JointClassifier, lambda c: course.TwoTowers(c, joint=True)])
def test_a_joint_network_is_refused(joint: Callable[[Any], nn.Module], tmp_path: Path) -> None:
    module = joint(course.small_config())
    message = refusal(saved(module.state_dict(), tmp_path), tmp_path)
    assert "cannot be separated into an image and a text model" in message


def test_a_git_lfs_pointer_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "best_image_model.pth"
    path.write_text(
        "version https://git-lfs.github.com/spec/v1\noid sha256:" + "4d7a2146" * 8 + "\nsize 267863000\n"
    )
    message = refusal(path, tmp_path)
    assert "Git LFS pointer of 134 bytes" in message
    assert "git lfs pull" in message


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9, 0.999])
def test_a_truncated_file_is_refused(part: float, text: nn.Module, tmp_path: Path) -> None:
    path = saved(text.state_dict(), tmp_path)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * part)])
    assert "cut off or damaged" in refusal(path, tmp_path)


def test_the_old_format_is_refused_with_a_line_that_resaves_it(
    text: nn.Module, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = saved(text.state_dict(), tmp_path, _use_new_zipfile_serialization=False)

    message = refusal(path, tmp_path)

    assert "torch's format from before 1.6" in message
    line = message.split("Save it again with: ")[1]
    command = line.removeprefix('python -c "').removesuffix('"')
    monkeypatch.chdir(tmp_path)
    exec(command, {})  # noqa: S102  # the line is ours: this is what the user is told to type
    assert recognise(tmp_path / "resaved.pth").layout == "distilbert+classifier"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is empty"),
        (b"GIF89a", "it is not a .pth file that torch has saved"),
        (b"\x80\x04N.", "pickle of Python objects"),
        (b"\n<!DOCTYPE html><html>Sign in", "it is a web page"),
        (b"PK\x03\x04" + bytes(200), "cut off or damaged"),
    ],
)
def test_what_is_no_checkpoint_is_refused(content: bytes, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "x.pth"
    path.write_bytes(content)
    assert reason in refusal(path, tmp_path)


def test_a_zip_of_something_else_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.pth", "w") as archive:
        archive.writestr("photos/a.txt", "hello")
    assert "not one that torch has saved" in refusal(tmp_path / "x.pth", tmp_path)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    assert "there is no such file" in refusal(tmp_path / "none.pth", tmp_path)
    (tmp_path / "folder.pth").mkdir()
    assert "it is not a file" in refusal(tmp_path / "folder.pth", tmp_path)


def test_a_file_without_permission_is_refused(
    open_folder: Path, another_user: Callable[[], AbstractContextManager[None]]
) -> None:
    path = saved({}, open_folder)
    path.chmod(0)
    with another_user(), pytest.raises(LegacyError, match="no permission"):
        recognise(path)


@pytest.mark.parametrize("labels", [2, 12, 1000])
def test_a_wrong_label_count_is_refused(
    labels: int, text: nn.Module, image: nn.Module, tmp_path: Path
) -> None:
    for module, last in ((text, "classifier"), (image, "classifier.1")):
        state = module.state_dict()
        width = state[f"{last}.weight"].shape[1]
        state |= {f"{last}.weight": torch.zeros(labels, width), f"{last}.bias": torch.zeros(labels)}
        message = refusal(saved(state, tmp_path), tmp_path)
        assert f"it tells {labels} labels apart, and there are 4 bins (Black, Blue, Green, TTR)" in message


def test_torchvisions_own_weights_are_refused_for_their_labels(tmp_path: Path) -> None:
    message = refusal(saved(models.resnet18(weights=None).state_dict(), tmp_path), tmp_path)
    assert "1000 labels" in message


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e300])
def test_weights_that_are_not_finite_are_refused(value: float, text: nn.Module, tmp_path: Path) -> None:
    state = text.state_dict()
    state["classifier.weight"] = state["classifier.weight"].double()
    state["classifier.weight"][2, 3] = value
    message = refusal(saved(state, tmp_path), tmp_path)
    assert "its weights are not finite: classifier.weight holds NaN or infinity" in message


@pytest.mark.parametrize(
    ("make", "first"),
    [
        (lambda: models.squeezenet1_1(weights=None, num_classes=4), "features.0.weight"),
        (
            lambda: models.efficientnet_b0(weights=None, num_classes=4),
            "classifier.1.weight, classifier.1.bias",
        ),
        (lambda: models.resnet50(weights=None, num_classes=4), "conv1.weight, bn1.weight"),
        (lambda: nn.Sequential(nn.Linear(3, 4)), "0.weight, 0.bias"),
    ],
    ids=["squeezenet", "b0", "resnet50", "linear"],
)
def test_an_unknown_layout_is_refused_with_its_first_keys(
    make: Callable[[], nn.Module], first: str, tmp_path: Path
) -> None:
    message = refusal(saved(make().state_dict(), tmp_path), tmp_path)
    assert first in message
    assert "its layout is none of those that gcdesk knows" in message


def test_a_text_head_that_nobody_has_is_refused_with_its_keys_first(text: nn.Module, tmp_path: Path) -> None:
    state = text.state_dict() | {"gate.weight": torch.ones(3)}
    message = refusal(saved(state, tmp_path), tmp_path)
    assert "The first keys: classifier.weight, classifier.bias, gate.weight, distilbert." in message


def without(state: State, key: str) -> State:
    return OrderedDict((name, tensor) for name, tensor in state.items() if name != key)


def test_an_incomplete_model_is_refused_with_what_it_lacks(
    text: nn.Module, image: nn.Module, tmp_path: Path
) -> None:
    key = "distilbert.transformer.layer.1.attention.q_lin.bias"
    message = refusal(saved(without(text.state_dict(), key), tmp_path), tmp_path)
    assert f"it lacks {key}." in message
    message = refusal(saved(without(image.state_dict(), "features.18.0.weight"), tmp_path), tmp_path)
    assert "it is an incomplete mobilenet_v2-linear: it lacks features.18.0.weight." in message


def test_tensors_of_other_shapes_and_types_are_refused(text: nn.Module, tmp_path: Path) -> None:
    state = text.state_dict()
    key = "distilbert.embeddings.LayerNorm.weight"
    message = refusal(saved(state | {key: torch.ones(95)}, tmp_path), tmp_path)
    assert f"{key} has the shape (95,) instead of (96,)" in message
    message = refusal(saved(state | {key: torch.ones(96, dtype=torch.int32)}, tmp_path), tmp_path)
    assert f"the tensor {key} has the type int32" in message
    extra = "distilbert.transformer.layer.0.adapter.weight"
    message = refusal(saved(state | {extra: torch.ones(1)}, tmp_path), tmp_path)
    assert f"it has the tensors {extra} besides" in message


def test_another_vocabulary_or_number_of_heads_is_refused(text: nn.Module, tmp_path: Path) -> None:
    words = "distilbert.embeddings.word_embeddings.weight"
    message = refusal(saved(text.state_dict() | {words: torch.zeros(28996, 96)}, tmp_path), tmp_path)
    assert "28,996 pieces and not the 30,522" in message
    message = refusal(saved(text.state_dict() | {words: torch.zeros(30522, 64)}, tmp_path), tmp_path)
    assert "64 wide, no multiple of the 12 attention heads" in message


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ([1, 2], "it holds no state dict"),
        (torch.ones(3), "it holds no state dict"),
        ({}, "it holds no weights. What it does hold: nothing"),
        ({"epoch": 3, "loss": 0.5}, "it holds no weights. What it does hold: epoch, loss"),
        (
            {"image": {"w": torch.ones(1)}, "text": {"w": torch.ones(1)}},
            "it holds several state dicts (image, text)",
        ),
    ],
)
def test_a_file_without_one_state_dict_is_refused(content: Any, reason: str, tmp_path: Path) -> None:
    assert reason in refusal(saved(content, tmp_path), tmp_path)


def test_a_bad_name_is_refused(text: nn.Module, tmp_path: Path) -> None:
    path = saved(text.state_dict(), tmp_path)
    with pytest.raises(GcdeskError, match="cannot be a model's name"):
        import_legacy(path, tmp_path / "a.gcmodel", "../a")
    assert list(tmp_path.iterdir()) == [path]

"""Writing a model as a course checkpoint: a state dict in a `.pth` that torch.load(weights_only=True) opens.

torch is not needed to write it: the file is a zip, its pickle a dozen kinds of opcodes.
"""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import numpy as np

from gcdesk.config.files import replace_atomically
from gcdesk.engine.errors import LegacyError
from gcdesk.engine.labels import BINS
from gcdesk.engine.modelfile.checkpoint import load_model
from gcdesk.engine.modelfile.specs import MLP_WIDTHS, Architecture, ImageArchitecture, TextArchitecture
from gcdesk.engine.modelfile.weights import COUNTER
from gcdesk.engine.os_errors import writing
from gcdesk.engine.photos.preprocessing import COURSE_PREPROCESSING, Preprocessing

# torchvision's and torch's default; the B2 head is written so that it cancels out.
_BATCHNORM_EPS = 1e-5
# What the course's other image projects resized to, squashed like the original's 288.
_OTHER_SIZE = 224
_RESNET_PLACES = {"conv1": "0", "bn1": "1", "layer1": "4", "layer2": "5", "layer3": "6", "layer4": "7"}
_ORIGINAL_TEXT = TextArchitecture(head="linear", pooling="cls")
# A zip's earliest date: the same model gives the same bytes.
_DATE = (1980, 1, 1, 0, 0, 0)


def export_legacy(model_folder: Path, target: Path) -> Path:
    """Write a model folder as `target` (`best_image_model.pth`, `best_text_model.pth`) and return it.

    The layout is the original project's where the architecture allows it, else the course layout that has
    this architecture (`export_note` says which); fp32, without temperature, as the course's softmax has none.
    Raises ModelFileError for a damaged model, LegacyError when no layout fits or `target` exists.
    """
    target = Path(target)
    if target.exists():
        raise LegacyError(f"{target} exists and is left alone: choose another name.")
    model = load_model(model_folder)
    state = course_state(model.info.architecture, model.weights)
    with writing(target, LegacyError), replace_atomically(target) as stream:
        write_pth(stream, state)
    return target


def export_note(architecture: Architecture, preprocessing: Preprocessing | None = None) -> str:
    """Say in a few sentences which module opens an exported model. Raises LegacyError when none does.

    With the image model's `preprocessing`, it also says where that is not the course's: no `.pth` carries it.
    """
    if not isinstance(architecture, ImageArchitecture):
        return _text_note(architecture)
    note = _image_note(architecture)
    if preprocessing is not None and preprocessing != course_preprocessing(architecture):
        usual = course_preprocessing(architecture).size
        note += (
            f" Its photos must be prepared otherwise than the course's {usual} x {usual}, or its answers are"
            f" worse: {preprocessing.resize} to {preprocessing.size} x {preprocessing.size},"
            f" {preprocessing.interpolation}, mean {preprocessing.mean}, std {preprocessing.std}."
        )
    return note


def course_preprocessing(architecture: ImageArchitecture) -> Preprocessing:
    """How the course prepared the photos of such a model, which a `.pth` does not say."""
    if architecture.backbone == "efficientnet_b2":
        return COURSE_PREPROCESSING
    return replace(COURSE_PREPROCESSING, size=_OTHER_SIZE, resize_to=_OTHER_SIZE)


def _image_note(architecture: ImageArchitecture) -> str:
    if architecture.backbone == "efficientnet_b2":
        note = "It opens in the original notebook."
        if architecture.head == "linear":
            note += " Its single-layer head is written as a three-layer one that gives the same results."
        return note
    if architecture.backbone == "resnet18":
        return "It opens in a module with resnet18's children as feature_extractor, and a classifier."
    return f"It opens in torchvision's {architecture.backbone} with the head {architecture.head}."


def _text_note(architecture: TextArchitecture) -> str:
    keys = {"linear+cls": "distilbert and classifier", "linear+mean": "encoder and fc"}
    keys |= {"pre_classifier+cls": "distilbert, pre_classifier and classifier"}
    keys |= {"net+cls": "txt_enc.bert and head.net", "net+mean": "txt_enc.bert and head.net"}
    modules = keys.get(f"{architecture.head}+{architecture.pooling}")
    if modules is None:
        raise LegacyError(
            f"no course project has the architecture {architecture.id}: export it as .gcmodel or .zip."
        )
    if architecture == _ORIGINAL_TEXT:
        return "It opens in the original notebook."
    reads = (
        "the [CLS] token" if architecture.pooling == "cls" else "the mean of all tokens that are no padding"
    )
    return (
        f"The original notebook cannot open it. It opens in a module with {modules}, whose DistilBERT has"
        f" dim={architecture.dim}, n_layers={architecture.n_layers}, n_heads={architecture.n_heads} and"
        f" hidden_dim={architecture.hidden_dim}, and whose head reads {reads}."
    )


def course_state(architecture: Architecture, weights: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The state dict of the course module: its keys, fp32, BatchNorm's counters included."""
    export_note(architecture)
    state = {
        name: np.ascontiguousarray(array, np.float32).reshape(array.shape)
        for name, array in weights.items()
        if not name.endswith(COUNTER)
    }
    if isinstance(architecture, TextArchitecture):
        return {_text_key(architecture, name): array for name, array in state.items()}
    if architecture.id == "efficientnet_b2-linear":
        state |= _three_layers(state.pop("classifier.1.weight"), state.pop("classifier.1.bias"))
    if architecture.backbone == "resnet18":
        state = {_resnet_key(name): array for name, array in state.items()}
    for name in [name for name in state if name.endswith("running_var")]:
        state[name.replace("running_var", COUNTER)] = np.zeros((), np.int64)
    return state


def _text_key(architecture: TextArchitecture, name: str) -> str:
    if architecture.head == "net":
        return name.replace("distilbert.", "txt_enc.bert.", 1)
    if architecture.head == "linear" and architecture.pooling == "mean":
        return name.replace("distilbert.", "encoder.", 1).replace("classifier.", "fc.", 1)
    return name


def _resnet_key(name: str) -> str:
    child, _, tail = name.partition(".")
    return f"classifier.{tail}" if child == "fc" else f"feature_extractor.{_RESNET_PLACES[child]}.{tail}"


def _three_layers(weight: np.ndarray, bias: np.ndarray) -> dict[str, np.ndarray]:
    """The original project's three-layer head, made to compute a single Linear (4, 1408) exactly.

    The first layer gives z and -z, which ReLU turns into the positive parts of both; the second hands these
    on; the third subtracts them: max(z, 0) - max(-z, 0) = z. The other units stay 0, and both BatchNorms are
    the identity.
    """
    labels, features = weight.shape
    widths = MLP_WIDTHS["efficientnet_b2"]
    pair = np.arange(2 * labels)
    first, first_bias = np.zeros((widths[0], features), np.float32), np.zeros(widths[0], np.float32)
    first[pair], first_bias[pair] = np.concatenate([weight, -weight]), np.concatenate([bias, -bias])
    second = np.zeros((widths[1], widths[0]), np.float32)
    second[pair, pair] = 1
    third = np.zeros((len(BINS), widths[1]), np.float32)
    third[:, :labels], third[:, labels : 2 * labels] = np.eye(labels), -np.eye(labels)
    head = {
        "0.weight": first,
        "0.bias": first_bias,
        "4.weight": second,
        "4.bias": np.zeros(widths[1], np.float32),
        "8.weight": third,
        "8.bias": np.zeros(len(BINS), np.float32),
    }
    for place, width in zip(("1", "5"), widths, strict=True):
        head[f"{place}.weight"] = np.full(width, np.sqrt(1 + _BATCHNORM_EPS), np.float32)
        head[f"{place}.bias"] = head[f"{place}.running_mean"] = np.zeros(width, np.float32)
        head[f"{place}.running_var"] = np.ones(width, np.float32)
    return {f"classifier.{name}": array for name, array in head.items()}


def write_pth(file: Path | BinaryIO, state: Mapping[str, np.ndarray]) -> None:
    """Write float32 and int64 arrays as the zip that torch.save would make of their state dict."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:

        def add(name: str, data: bytes) -> None:
            archive.writestr(zipfile.ZipInfo(f"archive/{name}", _DATE), data)

        add("data.pkl", _pickle({key: array for key, array in state.items()}))
        add("byteorder", b"little")
        for number, array in enumerate(state.values()):
            add(f"data/{number}", array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes())
        add("version", b"3\n")


# Opcodes of pickle's protocol 2 (see Lib/pickletools.py).
_PROTO, _MARK, _TUPLE, _REDUCE, _SETITEMS, _STOP = b"\x80\x02", b"(", b"t", b"R", b"u", b"."
_EMPTY_TUPLE, _FALSE, _PERSISTENT = b")", b"\x89", b"Q"
_ORDERED_DICT = b"ccollections\nOrderedDict\n" + _EMPTY_TUPLE + _REDUCE
_STORAGES = {np.dtype(np.float32): b"ctorch\nFloatStorage\n", np.dtype(np.int64): b"ctorch\nLongStorage\n"}


def _pickle(state: Mapping[str, np.ndarray]) -> bytes:
    """The pickle of an OrderedDict of tensors, storage `n` being the n-th one."""
    parts = [_PROTO, _ORDERED_DICT, _MARK]
    for number, (key, array) in enumerate(state.items()):
        strides = tuple(step // array.itemsize for step in array.strides)
        storage = [
            _text("storage"),
            _STORAGES[array.dtype],
            _text(str(number)),
            _text("cpu"),
            _number(array.size),
        ]
        parts += [_text(key), b"ctorch._utils\n_rebuild_tensor_v2\n", _MARK]
        parts += [_MARK, *storage, _TUPLE, _PERSISTENT]
        parts += [
            _number(0),
            _numbers(array.shape),
            _numbers(strides),
            _FALSE,
            _ORDERED_DICT,
            _TUPLE,
            _REDUCE,
        ]
    return b"".join([*parts, _SETITEMS, _STOP])


def _text(text: str) -> bytes:
    data = text.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def _number(number: int) -> bytes:
    return b"J" + struct.pack("<i", number)


def _numbers(numbers: tuple[int, ...]) -> bytes:
    return _MARK + b"".join(map(_number, numbers)) + _TUPLE

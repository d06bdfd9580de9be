"""Where an image model looked for a bin: Grad-CAM on its last feature map, in numpy.

Selvaraju, Cogswell, Das, Vedantam, Parikh, Batra: Grad-CAM: Visual Explanations from Deep Networks via
Gradient-based Localization, ICCV 2017, equations 1 and 2. Behind the last feature map there is nothing but an
average and a small head, so its gradient needs no autograd.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from safetensors import SafetensorError, safe_open

from gcdesk.engine.errors import ModelFileError
from gcdesk.engine.labels import BINS
from gcdesk.engine.modelfile.checkpoint import WEIGHTS_FILE
from gcdesk.engine.modelfile.specs import ImageArchitecture
from gcdesk.engine.photos.preprocessing import Preprocessing

Floats = NDArray[np.float64]

# torch's BatchNorm adds this to the variance.
_EPSILON = 1e-5


@dataclass(frozen=True)
class Layer:
    """A Linear layer with what follows it in evaluation: y = scale * (weight @ x + bias) + shift, then ReLU or not.

    weight (out, in); bias, scale, shift (out,): scale and shift are the BatchNorm's, 1 and 0 where there is none.
    """

    weight: Floats
    bias: Floats
    scale: Floats
    shift: Floats
    relu: bool


@dataclass(frozen=True)
class ImageHead:
    """The layers from pooled features to logits."""

    layers: tuple[Layer, ...]

    @classmethod
    def of(cls, architecture: ImageArchitecture, weights: Mapping[str, np.ndarray]) -> ImageHead:
        """From a state dict. Raises ModelFileError where a tensor of the head is missing."""
        plan = _plan(architecture)
        return cls(tuple(_layer(weights, linear, norm) for linear, norm in plan))

    @classmethod
    def load(cls, folder: Path, architecture: ImageArchitecture) -> ImageHead:
        """From a model folder; only the head's tensors are read. Raises ModelFileError."""
        path = Path(folder) / WEIGHTS_FILE
        prefix = "fc." if architecture.backbone == "resnet18" else "classifier."
        try:
            with safe_open(path, framework="numpy") as file:
                weights = {name: file.get_tensor(name) for name in file.keys() if name.startswith(prefix)}  # noqa: SIM118
        except (SafetensorError, OSError, ValueError) as error:
            raise ModelFileError(f"{path} cannot be read: {error}") from error
        return cls.of(architecture, weights)

    def logits(self, features: np.ndarray) -> Floats:
        """Logits (4,) of pooled features (c,)."""
        out = np.asarray(features, dtype=np.float64)
        for layer in self.layers:
            out = _forward(layer, out)
        return out

    def gradient(self, features: np.ndarray, label: int) -> Floats:
        """The derivative (c,) of the logit `label` by the pooled features (c,)."""
        active = []
        out = np.asarray(features, dtype=np.float64)
        for layer in self.layers:
            out = _forward(layer, out)
            active.append(out > 0 if layer.relu else np.ones(len(out), dtype=bool))
        gradient = np.zeros(len(out))
        gradient[label] = 1.0
        for layer, on in zip(reversed(self.layers), reversed(active), strict=True):
            gradient = layer.weight.T @ (gradient * on * layer.scale)
        return gradient


def grad_cam(head: ImageHead, feature_map: np.ndarray, label: int) -> NDArray[np.float32]:
    """How much each place of a feature map (c, h, w) speaks for a label: (h, w), 0 to 1, the strongest place 1.

    The pooled features are the map's mean, so the gradient is the same at each place: that by the features,
    over h * w; its mean over the places is the weight of the channel (equation 1). All 0 where nothing speaks
    for the label. Raises ValueError for a label that is no bin or a map of another shape.
    """
    if not 0 <= label < len(BINS):
        raise ValueError(f"the label {label} is none of the {len(BINS)} bins")
    if feature_map.ndim != 3 or feature_map.shape[0] != head.layers[0].weight.shape[1]:
        raise ValueError(f"a feature map {feature_map.shape}: (c, h, w) of the head's c is needed")
    values = np.asarray(feature_map, dtype=np.float64)
    weights = head.gradient(values.mean(axis=(1, 2)), label) / (values.shape[1] * values.shape[2])
    strength = np.maximum(np.tensordot(weights, values, axes=1), 0)
    strongest = strength.max()
    scaled: NDArray[np.float32] = (strength / strongest if strongest > 0 else strength).astype(np.float32)
    return scaled


def over_photo(
    heat: np.ndarray, photo: tuple[int, int], preprocessing: Preprocessing, longest: int = 512
) -> Image.Image:
    """The heat (h, w) as a grey picture (0 to 255) of the photo's proportions, its longer side `longest` px.

    photo: width and height of the upright photo. What the model did not see (beside a cut-out square) is 0.
    """
    width, height = photo
    scale = longest / max(width, height)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    seen = Image.fromarray(np.asarray(heat, dtype=np.float32))
    if preprocessing.resize == "squash":
        grown = _grown(seen, size)
    elif preprocessing.resize == "pad":
        # The model saw the photo in the middle of a square whose side is the photo's longer one.
        side = max(size)
        left, top = (side - size[0]) // 2, (side - size[1]) // 2
        grown = _grown(seen, (side, side)).crop((left, top, left + size[0], top + size[1]))
    else:
        side = max(1, round(min(size) * preprocessing.size / preprocessing.resize_to))
        grown = Image.new("F", size, 0.0)
        grown.paste(_grown(seen, (side, side)), ((size[0] - side) // 2, (size[1] - side) // 2))
    return Image.fromarray((np.clip(np.asarray(grown), 0, 1) * 255).round().astype(np.uint8))


def _grown(heat: Image.Image, size: tuple[int, int]) -> Image.Image:
    return heat.resize(size, Image.Resampling.BICUBIC)


def _plan(architecture: ImageArchitecture) -> tuple[tuple[str, str | None], ...]:
    """The head's Linear layers by name, each with its BatchNorm."""
    if architecture.backbone == "resnet18":
        return (("fc", None),)
    if architecture.head == "linear":
        return (("classifier.1", None),)
    return (("classifier.0", "classifier.1"), ("classifier.4", "classifier.5"), ("classifier.8", None))


def _layer(weights: Mapping[str, np.ndarray], linear: str, norm: str | None) -> Layer:
    def tensor(name: str) -> Floats:
        if name not in weights:
            raise ModelFileError(f"the weights lack {name}, which the head needs.")
        return weights[name].astype(np.float64)

    weight, bias = tensor(f"{linear}.weight"), tensor(f"{linear}.bias")
    if norm is None:
        return Layer(weight, bias, np.ones(len(bias)), np.zeros(len(bias)), relu=False)
    scale = tensor(f"{norm}.weight") / np.sqrt(tensor(f"{norm}.running_var") + _EPSILON)
    shift = tensor(f"{norm}.bias") - scale * tensor(f"{norm}.running_mean")
    return Layer(weight, bias, scale, shift, relu=True)


def _forward(layer: Layer, values: Floats) -> Floats:
    out = layer.scale * (layer.weight @ values + layer.bias) + layer.shift
    return np.maximum(out, 0) if layer.relu else out

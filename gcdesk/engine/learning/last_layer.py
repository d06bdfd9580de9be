"""The last Linear layer of a model, and what it is fed: the one part that quick learn changes. numpy only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gcdesk.engine.errors import ModelFileError
from gcdesk.engine.explanation.heatmap import ImageHead
from gcdesk.engine.modelfile.info import ModelInfo
from gcdesk.engine.modelfile.specs import ImageArchitecture

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class LastLayer:
    """weight (4, d) and bias (4,), by their names in the state dict. `inputs` makes (n, d) of pooled features."""

    weight_name: str
    bias_name: str
    weight: Floats
    bias: Floats
    front: tuple[tuple[Floats, Floats], ...]

    def inputs(self, features: np.ndarray) -> Floats:
        """What the layer is fed, from the graph's pooled features (n, c): the layers before it, ReLU behind each."""
        out = np.asarray(features, dtype=np.float64)
        for weight, bias in self.front:
            out = np.maximum(out @ weight.T + bias, 0)
        return out

    def logits(self, inputs: Floats) -> Floats:
        """(n, 4)."""
        return np.asarray(inputs @ self.weight.T + self.bias)


def last_layer(info: ModelInfo, weights: Mapping[str, np.ndarray]) -> LastLayer:
    """Of a loaded model. Raises ModelFileError where a tensor of its head is missing."""
    if isinstance(info.architecture, ImageArchitecture):
        return _of_image(info.architecture, weights)
    head = info.architecture.head
    if head == "net":
        return _plain(weights, "head.net.3", ("head.net.0",))
    return _plain(weights, "classifier", ("pre_classifier",) if head == "pre_classifier" else ())


def _of_image(architecture: ImageArchitecture, weights: Mapping[str, np.ndarray]) -> LastLayer:
    name = "fc" if architecture.backbone == "resnet18" else "classifier.1"
    if architecture.head == "mlp":
        name = "classifier.8"
    *front, last = ImageHead.of(architecture, weights).layers
    folded = tuple(
        (layer.scale[:, None] * layer.weight, layer.scale * layer.bias + layer.shift) for layer in front
    )
    return LastLayer(f"{name}.weight", f"{name}.bias", last.weight, last.bias, folded)


def _plain(weights: Mapping[str, np.ndarray], last: str, front: tuple[str, ...]) -> LastLayer:
    def linear(name: str) -> tuple[Floats, Floats]:
        try:
            return weights[f"{name}.weight"].astype(np.float64), weights[f"{name}.bias"].astype(np.float64)
        except KeyError as error:
            raise ModelFileError(f"the weights lack {error}, which the head needs.") from error

    weight, bias = linear(last)
    return LastLayer(f"{last}.weight", f"{last}.bias", weight, bias, tuple(map(linear, front)))

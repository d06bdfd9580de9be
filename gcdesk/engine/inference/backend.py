"""What every backend offers, whichever library runs the network: arrays in, logits and features out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from gcdesk.engine.modelfile.info import ModelInfo
from gcdesk.engine.modelfile.item_kinds import ItemKinds
from gcdesk.engine.modelfile.known_words import Knowledge
from gcdesk.engine.modelfile.novelty import Novelty

IMAGE_OUTPUTS = ("logits", "features", "feature_map")


@dataclass(frozen=True)
class ImageOutput:
    """float32 arrays of n photos. What was not wanted has no rows."""

    logits: np.ndarray  # (n, 4)
    features: np.ndarray  # (n, c): the pooled feature map, which is what the head reads
    feature_map: np.ndarray  # (n, c, h, w)


@dataclass(frozen=True)
class TextOutput:
    """float32 arrays of n captions, in the order they came."""

    logits: np.ndarray  # (n, 4)
    features: np.ndarray  # (n, dim): the pooled token vectors, which is what the head reads


class ImageBackend(Protocol):
    """Runs an image model."""

    @property
    def info(self) -> ModelInfo: ...

    @property
    def device(self) -> str:
        """`cpu` or `cuda`."""
        ...

    @property
    def novelty(self) -> Novelty | None:
        """What tells photos unlike the training photos; None for a model that brings none."""
        ...

    @property
    def kinds(self) -> ItemKinds | None:
        """What tells the kind of thing in a photo, from its pooled features; None for a model that brings none."""
        ...

    def run(self, pixels: np.ndarray, want: Sequence[str] = IMAGE_OUTPUTS) -> ImageOutput:
        """Score preprocessed photos (n, 3, h, w) float32; `want` names the outputs that are worth copying."""
        ...


class TextBackend(Protocol):
    """Runs a text model."""

    @property
    def info(self) -> ModelInfo: ...

    @property
    def device(self) -> str:
        """`cpu` or `cuda`."""
        ...

    def run(self, captions: Sequence[str]) -> TextOutput:
        """Score captions that went through the model's caption rule, any number of them."""
        ...

    def knowledge(self, captions: Sequence[str]) -> Knowledge:
        """Which words of each caption (n,) the model knows."""
        ...

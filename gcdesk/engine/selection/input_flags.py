"""Inputs that a model cannot know, and how much less its answer counts for them.

A photo out of the training distribution: the image model's logits are divided by OOD_TEMPERATURE_FACTOR besides the
temperature, so its answer is flatter and weighs less wherever it is weighed. A caption without a word of the text
model's vocabulary: its answer is flattened in the same way and, where the photo has an answer, the photo decides.
Neither touches `max_confidence` and `mean`, which are the original project's and stay as they were.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gcdesk.config.thresholds import OOD_TEMPERATURE_FACTOR, UNKNOWN_WORDS_TEMPERATURE_FACTOR

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

# In units of `Novelty.distances`: farther than 99 % of the training photos.
_OOD_DISTANCE = 1.0


@dataclass(frozen=True)
class InputFlags:
    """Of n items (n,): the photo is unlike the training photos; the text model knows none of the caption's words."""

    out_of_distribution: Bools
    unknown_words: Bools

    @classmethod
    def of(cls, distances: Sequence[float | None], unknown_words: Sequence[bool]) -> InputFlags:
        """From each photo's distance to the training photos (None or NaN: not known) and each caption's flag."""
        far = [distance is not None and distance > _OOD_DISTANCE for distance in distances]
        return cls(np.array(far, dtype=bool), np.array(unknown_words, dtype=bool))

    def temperature_factors(self, kind: str) -> Floats:
        """What the logits of the "image" or the "text" model are divided by besides its temperature, (n,)."""
        if kind == "image":
            return np.where(self.out_of_distribution, OOD_TEMPERATURE_FACTOR, 1.0)
        return np.where(self.unknown_words, UNKNOWN_WORDS_TEMPERATURE_FACTOR, 1.0)

    def text_weights(self, weight: float, image_present: ArrayLike) -> Floats:
        """The text model's weight (n,): 0 where it knows no word and the image model has an answer."""
        return np.where(self.unknown_words & np.asarray(image_present, dtype=bool), 0.0, weight)

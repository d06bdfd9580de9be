"""When a model should be believed less than it believes itself, and how much less.

A photo unlike all that the image model learned: its logits are divided by NOVEL_STRETCH besides the temperature, so
its answer is flatter and weighs less wherever it is weighed. Words that the text model cannot know: its answer is
flattened in the same way and, where the photo has an answer, the photo decides. Neither touches `max_confidence` and
`mean`, which are the original project's and stay as they were.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gcdesk.config.thresholds import NOVEL_STRETCH, UNKNOWN_WORDS_STRETCH

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Doubts:
    """Of n items: novel, the photo is unlike the training photos; wordless, the text model knows none of the words."""

    novel: Bools
    wordless: Bools

    @classmethod
    def none(cls, n: int) -> Doubts:
        return cls(np.zeros(n, dtype=bool), np.zeros(n, dtype=bool))

    def stretches(self, kind: str) -> Floats:
        """What a model's logits are divided by besides its temperature, (n,)."""
        if kind == "image":
            return np.where(self.novel, NOVEL_STRETCH, 1.0)
        return np.where(self.wordless, UNKNOWN_WORDS_STRETCH, 1.0)

    def shares(self, weight: float, image_there: ArrayLike) -> Floats:
        """The text model's share (n,): none where it knows no word and the image model has an answer."""
        return np.where(self.wordless & np.asarray(image_there, dtype=bool), 0.0, weight)

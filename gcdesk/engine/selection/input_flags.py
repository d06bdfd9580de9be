"""Inputs that a model cannot know, how much less its answer counts for them, and what is said of it.

A photo out of the training distribution: the image model's logits are divided by OOD_TEMPERATURE_FACTOR besides the
temperature, so its answer is flatter and weighs less wherever it is weighed. Words that the text model does not know:
where it knows none and the photo has an answer, it abstains; where it knows half of them or less, its weight is that
part of the usual one, and its answer is flattened. Neither touches `max_confidence` and `mean`, which are the original
project's and stay as they were.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gcdesk.config.thresholds import (
    FEW_KNOWN_WORDS,
    OOD_TEMPERATURE_FACTOR,
    UNKNOWN_WORDS_TEMPERATURE_FACTOR,
)

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

# In units of `Novelty.distances`: farther than 99 % of the training photos.
_OOD_DISTANCE = 1.0
_MOST_NAMED = 5


@dataclass(frozen=True)
class InputFlags:
    """Of n items: the photo is unlike the training photos (n,); the share of the caption's words that the text model
    knows, 0 to 1 (n,); somebody wrote a caption of which no word can be read (n,).

    unknown: the words of each caption that are not known, where the model can name them.
    """

    out_of_distribution: Bools
    known_words: Floats
    unreadable: Bools
    unknown: tuple[tuple[str, ...], ...]

    @classmethod
    def of(
        cls,
        distances: Sequence[float | None],
        known_words: Sequence[float],
        unknown: Sequence[tuple[str, ...]] | None = None,
        unreadable: Sequence[bool] | None = None,
    ) -> InputFlags:
        """From each photo's distance to the training photos (None or NaN: not known) and each caption's words."""
        n = len(distances)
        far = [distance is not None and distance > _OOD_DISTANCE for distance in distances]
        return cls(
            np.array(far, dtype=bool),
            np.array(known_words, dtype=np.float64),
            np.array(unreadable if unreadable is not None else [False] * n, dtype=bool),
            tuple(unknown) if unknown is not None else ((),) * n,
        )

    @property
    def wordless(self) -> Bools:
        """Where the text model knows no word of the caption, (n,)."""
        return np.asarray(self.known_words <= 0)

    def abstains(self, image_present: ArrayLike) -> Bools:
        """Where the text model leaves it to the photo, (n,)."""
        return np.asarray(self.wordless & np.asarray(image_present, dtype=bool))

    def temperature_factors(self, kind: str) -> Floats:
        """What the logits of the "image" or the "text" model are divided by besides its temperature, (n,)."""
        if kind == "image":
            return np.where(self.out_of_distribution, OOD_TEMPERATURE_FACTOR, 1.0)
        return 1.0 / np.maximum(self._word_weights(), 1.0 / UNKNOWN_WORDS_TEMPERATURE_FACTOR)

    def text_weights(self, weight: float, image_present: ArrayLike) -> Floats:
        """The text model's weight (n,): less where it knows few words and the image model has an answer."""
        return np.where(np.asarray(image_present, dtype=bool), weight * self._word_weights(), weight)

    def _word_weights(self) -> Floats:
        return np.where(self.known_words <= FEW_KNOWN_WORDS, self.known_words, 1.0)

    def why_no_text(self, row: int, weighed: bool) -> str:
        """Why the text model says nothing of that item, in an operator's words. weighed: the rule minds known words."""
        if self.unreadable[row]:
            return "the text model reads words in the letters a to z, and the caption has none"
        if weighed and self.wordless[row]:
            return f"the text model knows none of these words{_bracketed(self.unknown[row])}"
        return "there is no caption for the text model"

    def why_less(self, row: int, image_present: bool, text_present: bool) -> str:
        """Why a model weighed less than usual, as sentences to append; "" where none did."""
        message = ""
        if self.out_of_distribution[row] and image_present:
            message += ". The photo is unlike those that the image model learned, so it counts less"
        if not text_present:
            return message
        words = self.unknown[row]
        if self.wordless[row]:
            message += f". The text model knows none of these words{_bracketed(words)}, so this is a guess"
        elif words:
            less = ", so the caption counts less" if self.known_words[row] <= FEW_KNOWN_WORDS else ""
            message += f". The text model does not know {_listed(words)}{less}"
        return message


def _listed(words: Sequence[str]) -> str:
    return ", ".join(words[:_MOST_NAMED]) + (" ..." if len(words) > _MOST_NAMED else "")


def _bracketed(words: Sequence[str]) -> str:
    return f" ({_listed(words)})" if words else ""

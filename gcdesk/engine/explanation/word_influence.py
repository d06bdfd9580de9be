"""How much each word of a caption speaks for a bin: what its probability loses when the word is left out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from gcdesk.engine.selection.calibration import softmax

# Longer captions are explained by their first words: each word costs one run of the text model.
MOST_WORDS = 24


@dataclass(frozen=True)
class Influence:
    """words (n) and, for each, how much the bin's probability falls without it: from -1 to 1, above 0 speaks for it."""

    words: tuple[str, ...]
    values: tuple[float, ...]


def word_influence(
    caption: str, label: int, logits_of: Callable[[Sequence[str]], np.ndarray], temperature: float = 1.0
) -> Influence:
    """Leave each word of a caption (in rule form) out once. logits_of: (n, 4) of captions.

    A caption of one word is compared with knowing nothing: a quarter for each bin.
    """
    words = caption.split()[:MOST_WORDS]
    if not words:
        return Influence((), ())
    without = [" ".join(words[:index] + words[index + 1 :]) for index in range(len(words))]
    probabilities = softmax(logits_of([" ".join(words), *[item for item in without if item]]), temperature)[
        :, label
    ]
    whole, rest = float(probabilities[0]), iter(probabilities[1:].tolist())
    values = tuple(round(whole - (next(rest) if item else 0.25), 4) for item in without)
    return Influence(tuple(words), values)

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
from gcdesk.engine.calibration import softmax
from gcdesk.engine.fitted import FittedRule
from gcdesk.engine.scored import ScoredSet
from gcdesk.engine.selection import Rule

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

    @classmethod
    def of(cls, scored: ScoredSet) -> Doubts:
        """Those of a kept evaluation."""
        return cls(
            np.asarray(scored.doubts > 1.0),
            np.array([not item.knows_words for item in scored.items], dtype=bool),
        )

    def stretches(self, kind: str) -> Floats:
        """What a model's logits are divided by besides its temperature, (n,)."""
        if kind == "image":
            return np.where(self.novel, NOVEL_STRETCH, 1.0)
        return np.where(self.wordless, UNKNOWN_WORDS_STRETCH, 1.0)

    def shares(self, weight: float, image_there: ArrayLike) -> Floats:
        """The text model's share (n,): none where it knows no word and the image model has an answer."""
        return np.where(self.wordless & np.asarray(image_there, dtype=bool), 0.0, weight)

    def probabilities(self, scored: ScoredSet, kind: str, temperature: float) -> Floats:
        """One model's probabilities (n, 4) with its temperature and these doubts."""
        logits = scored.image_logits if kind == "image" else scored.text_logits
        return softmax(logits / self.stretches(kind)[:, None], temperature)

    def seen_by(
        self, rule: Rule, scored: ScoredSet, weight: float, fitted: FittedRule | None
    ) -> tuple[Floats, Floats, Floats]:
        """Image probabilities (n, 4), text probabilities (n, 4) and the text's shares (n,) that a rule works on.

        Raises SelectionError for a fitted selection of other models.
        """
        if not rule.uses_temperature or scored.image is None or scored.text is None:
            return softmax(scored.image_logits), softmax(scored.text_logits), np.full(len(scored), weight)
        temperatures, share = (scored.image.temperature, scored.text.temperature), weight
        if rule is Rule.FITTED and fitted is not None:
            fitted.check_models(scored.image.sha256, scored.text.sha256)
            temperatures, share = (fitted.image_temperature, fitted.text_temperature), fitted.weight
        image, text = (
            self.probabilities(scored, kind, temperature)
            for kind, temperature in zip(("image", "text"), temperatures, strict=True)
        )
        return image, text, self.shares(share, scored.image_there)

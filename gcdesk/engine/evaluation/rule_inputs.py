"""What a selection rule works on when a kept evaluation is measured: probabilities and weights, input flags applied."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gcdesk.engine.evaluation.scored_set import ScoredSet
from gcdesk.engine.selection.calibration import softmax
from gcdesk.engine.selection.fitted_rule import FittedRule
from gcdesk.engine.selection.input_flags import InputFlags
from gcdesk.engine.selection.rules import Rule

Floats = NDArray[np.float64]


def flags_of(scored: ScoredSet) -> InputFlags:
    """Which of the n items of a scored set are out of distribution, and how many of their words are known."""
    return InputFlags.of([item.doubt for item in scored.items], [item.known_words for item in scored.items])


def probabilities_of(scored: ScoredSet, kind: str, temperature: float, flags: InputFlags) -> Floats:
    """Probabilities (n, 4) of the "image" or the "text" model at this temperature, flatter for flagged items."""
    _, logits, _ = scored.side(kind)
    return softmax(logits / flags.temperature_factors(kind)[:, None], temperature)


def rule_inputs(
    rule: Rule, scored: ScoredSet, flags: InputFlags, weight: float, fitted: FittedRule | None
) -> tuple[Floats, Floats, Floats]:
    """Image probabilities (n, 4), text probabilities (n, 4) and the text's weights (n,) that a rule works on.

    weight: the text's share under WEIGHTED. Raises SelectionError for a fitted selection of other models.
    """
    if not rule.uses_temperature or scored.image is None or scored.text is None:
        return softmax(scored.image_logits), softmax(scored.text_logits), np.full(len(scored), weight)
    temperatures, share = (scored.image.temperature, scored.text.temperature), weight
    if rule is Rule.FITTED and fitted is not None:
        fitted.check_models(scored.image.sha256, scored.text.sha256)
        temperatures, share = (fitted.image_temperature, fitted.text_temperature), fitted.weight
    image, text = (
        probabilities_of(scored, kind, temperature, flags)
        for kind, temperature in zip(("image", "text"), temperatures, strict=True)
    )
    return image, text, flags.text_weights(share, scored.image_there)

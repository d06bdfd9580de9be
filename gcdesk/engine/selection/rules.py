"""From two models' probabilities to one bin, who won, by how much, and whether a person should look.

Pure functions on arrays; a row never depends on another row.

What `winner` means. A model that is alone wins. Under max_confidence and calibrated it is the more
confident model, also when both name the same bin; on a tie it is text. Under mean and weighted the bin
comes from both: the winner is the model whose own first choice it is, and BOTH when it is the first choice
of both, or of neither.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gcdesk.config.thresholds import TEXT_WEIGHT, Thresholds
from gcdesk.engine.labels import BINS

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

# The logarithm of an impossible bin, for `weighted`: far below any other, and finite.
_SMALLEST = 1e-300
# Rows may miss a sum of 1 by as much as single precision and rounding to print leave.
_SUM_TOLERANCE = 1e-3


class Rule(StrEnum):
    """How two models' answers become one.

    MAX_CONFIDENCE: the original's: the more confident model's bin, ties to text, on raw probabilities.
    MEAN: the original's other one: the mean of the raw probabilities.
    CALIBRATED: as MAX_CONFIDENCE, on probabilities at each model's temperature.
    WEIGHTED: text^w * image^(1-w), normalised (a log-linear pool), on probabilities at each model's
    temperature.
    FITTED: as WEIGHTED, with weight and temperatures fitted on the station's own pairs (see `fitted_rule`).
    """

    MAX_CONFIDENCE = "max_confidence"
    MEAN = "mean"
    CALIBRATED = "calibrated"
    WEIGHTED = "weighted"
    FITTED = "fitted"

    @property
    def uses_temperature(self) -> bool:
        """Whether the rule is meant for softmax(logits / T) rather than for the raw softmax."""
        return self in (Rule.CALIBRATED, Rule.WEIGHTED, Rule.FITTED)


# Those that need nothing but the models.
RULES: tuple[Rule, ...] = tuple(rule for rule in Rule if rule is not Rule.FITTED)
DEFAULT_RULE = Rule.WEIGHTED


class Winner(IntEnum):
    """Which model the label came from; see the module's words on it."""

    NONE = 0
    IMAGE = 1
    TEXT = 2
    BOTH = 3


@dataclass(frozen=True)
class Selection:
    """The answers of n rows, and the rule that gave them.

    label (n,): bin index, -1 where neither model voted.  winner (n,): codes of Winner.
    confidence (n,): of the label, 0 where there is none.  margin (n,): the winner's confidence less the other
    model's under max_confidence and calibrated; the lead over the second bin under the other rules and
    where one model is alone.  review (n,): whether a person should look.
    """

    rule: Rule
    label: Ints
    winner: NDArray[np.int8]
    confidence: Floats
    margin: Floats
    review: Bools


def select(
    rule: Rule,
    image_probs: ArrayLike,
    text_probs: ArrayLike,
    image_present: ArrayLike,
    text_present: ArrayLike,
    thresholds: Thresholds,
    weight: ArrayLike = TEXT_WEIGHT,
) -> Selection:
    """Choose a bin for each of n rows.

    image_probs, text_probs: (n, 4), as `rule.uses_temperature` asks; a row whose model is not present may
    hold anything. image_present, text_present: (n,), false where a model abstains. weight: text's share
    under WEIGHTED and FITTED, one or (n,); 0 is image alone and 1 text alone. To review is what has no label,
    is less confident than `thresholds.review`, or is a bin on which the models disagree with a margin below
    `thresholds.disagreement`. Raises ValueError for shapes that do not fit, a weight outside 0 to 1, and
    rows that are no probabilities.
    """
    shares = np.asarray(weight, dtype=np.float64)
    if not ((shares >= 0) & (shares <= 1)).all():
        raise ValueError(f"the weight is {weight!r}: it must be from 0 to 1")
    image, image_there = _checked("image", image_probs, image_present)
    text, text_there = _checked("text", text_probs, text_present)
    if len(image) != len(text):
        raise ValueError(f"{len(image)} rows of the image model and {len(text)} of the text model")
    if rule in (Rule.MAX_CONFIDENCE, Rule.CALIBRATED):
        label, winner, confidence, margin = _more_confident(rule, image, text)
    else:
        each = np.broadcast_to(shares, (len(image),))
        label, winner, confidence, margin = _pooled(rule, image, text, each)
    for alone, code, probs in (
        (image_there & ~text_there, Winner.IMAGE, image),
        (text_there & ~image_there, Winner.TEXT, text),
    ):
        first, best, lead = _own_choice(probs)
        label = np.where(alone, first, label)
        winner = np.where(alone, code, winner)
        confidence = np.where(alone, best, confidence)
        margin = np.where(alone, lead, margin)
    nobody = ~(image_there | text_there)
    label = np.where(nobody, -1, label)
    winner = np.where(nobody, Winner.NONE, winner).astype(np.int8)
    confidence, margin = np.where(nobody, 0.0, confidence), np.where(nobody, 0.0, margin)
    disagree = image_there & text_there & (image.argmax(axis=1) != text.argmax(axis=1))
    review = nobody | (confidence < thresholds.review) | (disagree & (margin < thresholds.disagreement))
    return Selection(rule, label, winner, confidence, margin, review)


_Answer = tuple[Ints, NDArray[np.int8], Floats, Floats]


def _more_confident(rule: Rule, image: Floats, text: Floats) -> _Answer:
    image_label, image_best, _ = _own_choice(image)
    text_label, text_best, _ = _own_choice(text)
    if rule is Rule.MAX_CONFIDENCE:
        # The original compared single-precision softmaxes, where two very sure models are both exactly 1: a
        # tie.
        text_wins = text_best.astype(np.float32) >= image_best.astype(np.float32)
    else:
        text_wins = text_best >= image_best
    winner = np.where(text_wins, Winner.TEXT, Winner.IMAGE).astype(np.int8)
    confidence = np.where(text_wins, text_best, image_best)
    return np.where(text_wins, text_label, image_label), winner, confidence, np.abs(text_best - image_best)


def log_pool(image: Floats, text: Floats, share: Floats) -> Floats:
    """text^share * image^(1-share) for probabilities (n, 4) and shares (n,), each row normalised."""
    share = share[:, None]
    logs = share * np.log(np.maximum(text, _SMALLEST)) + (1 - share) * np.log(np.maximum(image, _SMALLEST))
    pooled: Floats = np.exp(logs - logs.max(axis=1, keepdims=True))
    pooled /= pooled.sum(axis=1, keepdims=True)
    return pooled


def _pooled(rule: Rule, image: Floats, text: Floats, share: Floats) -> _Answer:
    pooled = (image + text) / 2 if rule is Rule.MEAN else log_pool(image, text, share)
    rows = np.arange(len(pooled))
    image_label, text_label = image.argmax(axis=1), text.argmax(axis=1)
    best = pooled.max(axis=1)
    # Bins that tie exactly: text's own choice first, then image's, then the first in order.
    label = pooled.argmax(axis=1)
    label = np.where(pooled[rows, image_label] == best, image_label, label)
    label = np.where(pooled[rows, text_label] == best, text_label, label)
    of_image, of_text = label == image_label, label == text_label
    winner = np.full(len(pooled), Winner.BOTH, dtype=np.int8)
    winner[of_image & ~of_text] = Winner.IMAGE
    winner[of_text & ~of_image] = Winner.TEXT
    return label, winner, best, _own_choice(pooled)[2]


def _own_choice(probs: Floats) -> tuple[Ints, Floats, Floats]:
    """Of probabilities (n, 4): first choice, its probability, its lead over the second."""
    two = np.partition(probs, -2, axis=1)[:, -2:]
    return probs.argmax(axis=1), two[:, 1], two[:, 1] - two[:, 0]


def _checked(name: str, probs: ArrayLike, present: ArrayLike) -> tuple[Floats, Bools]:
    """As arrays; rows whose model is absent become a quarter each, so that nothing in them can matter."""
    p, there = np.array(probs, dtype=np.float64), np.asarray(present, dtype=bool)
    if p.ndim != 2 or p.shape[1] != len(BINS) or there.shape != p.shape[:1]:
        raise ValueError(
            f"{name}: probabilities {p.shape} and presence {there.shape} do not fit (n, {len(BINS)})"
        )
    p[~there] = 1 / len(BINS)
    with np.errstate(invalid="ignore"):
        bad = ~((p >= 0).all(axis=1) & (np.abs(p.sum(axis=1) - 1) <= _SUM_TOLERANCE))
    if bad.any():
        raise ValueError(f"{name}: row {int(np.flatnonzero(bad)[0])} is no probabilities: they must sum to 1")
    return p, there


class Voted(Protocol):
    """One model's probabilities (n, 4), and whether it voted (n,)."""

    @property
    def probabilities(self) -> np.ndarray: ...
    @property
    def there(self) -> np.ndarray: ...


class Scored(Protocol):
    """What `explain` needs of n rows: both models' votes and the choice."""

    @property
    def image(self) -> Voted: ...
    @property
    def text(self) -> Voted: ...
    @property
    def chosen(self) -> Selection: ...


def explain(scored: Scored, place: int, silence: str = "there is no caption for the text model") -> str:
    """One sentence, in an operator's words, on why the row at `place` has its bin.

    silence: why the text model says nothing, where it does not.
    """
    chosen = scored.chosen
    label, winner = int(chosen.label[place]), Winner(int(chosen.winner[place]))
    if winner is Winner.NONE:
        return f"There is no photo that can be read, and {silence}: add a caption or take the photo again"
    bin_name = BINS[label]
    sure = _two(float(chosen.confidence[place]))
    if not (scored.image.there[place] and scored.text.there[place]):
        if winner is Winner.IMAGE:
            return f"Only the photo counts, {silence}: {sure}, so {bin_name}"
        return f"Only the caption counts, there is no photo for the image model: {sure}, so {bin_name}"
    image, text = scored.image.probabilities[place], scored.text.probabilities[place]
    if chosen.rule in (Rule.MAX_CONFIDENCE, Rule.CALIBRATED):
        return _explain_duel(winner, image, text, bin_name)
    return _explain_pool(winner, int(image.argmax()), int(text.argmax()), bin_name, sure)


def _explain_duel(winner: Winner, image: np.ndarray, text: np.ndarray, bin_name: str) -> str:
    both = " for the same bin" if image.argmax() == text.argmax() else ""
    image_best, text_best = _two(float(image.max())), _two(float(text.max()))
    if image_best == text_best:
        side = "text goes first" if winner is Winner.TEXT else "image is ahead by a hair"
        return f"Both are equally confident{both}, {text_best}, and {side}, so {bin_name}"
    if winner is Winner.TEXT:
        return f"Text is more confident{both}: {text_best} against {image_best}, so {bin_name}"
    return f"Image is more confident{both}: {image_best} against {text_best}, so {bin_name}"


def _explain_pool(winner: Winner, image_label: int, text_label: int, bin_name: str, sure: str) -> str:
    if winner is Winner.BOTH and image_label == text_label:
        return f"Both models say {bin_name}: {sure} together"
    if winner is Winner.BOTH:
        return (
            f"Image says {BINS[image_label]} and text {BINS[text_label]}, but together they favour"
            f" {bin_name}: {sure}"
        )
    if winner is Winner.TEXT:
        return (
            f"Text says {bin_name}, image {BINS[image_label]}; together text prevails: {sure}, so {bin_name}"
        )
    return f"Image says {bin_name}, text {BINS[text_label]}; together image prevails: {sure}, so {bin_name}"


def _two(value: float) -> str:
    return f"{value:.2f}"

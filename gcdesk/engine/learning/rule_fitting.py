"""Fit a selection on pairs whose bin is known, and say honestly what it is worth.

Temperatures: each model's least negative log-likelihood. Weight: that of the pool of both at these temperatures.
The figure that is told comes from items that the fit had not seen: in each of five folds the whole procedure, its
choice between the pool and a single model too, is run on the other four. Items with the same group (a caption, or a
photo taken twice) stay in one fold.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gcdesk.config.thresholds import FIT_MIN_ITEMS
from gcdesk.engine.errors import SelectionError
from gcdesk.engine.evaluation.scored_set import ScoredSet
from gcdesk.engine.selection.calibration import fit_temperature, negative_log_likelihood, softmax
from gcdesk.engine.selection.fitted_rule import CrossValidated, FittedRule, Way
from gcdesk.engine.selection.rules import log_pool

FOLDS = 5
_INNER_FOLDS = 4
_WEIGHTS = np.round(np.linspace(0, 1, 51), 2)
# A likelihood that grows by less than this many nats for each item is no reason to leave the better model.
_WORTH = 1e-3

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Pairs:
    """Both models' logits (n, 4), the true bins (n,), and the group (n,) that must not be split."""

    image: Floats
    text: Floats
    labels: Ints
    groups: Ints

    def __len__(self) -> int:
        return len(self.labels)

    def of(self, chosen: NDArray[np.intp] | Bools) -> Pairs:
        """The pairs at these indices, or where this mask is true (n,)."""
        return Pairs(self.image[chosen], self.text[chosen], self.labels[chosen], self.groups[chosen])


@dataclass(frozen=True)
class Fit:
    """The numbers of a fitted selection; under image and text the weight is 0 and 1, under surer it is idle."""

    image_temperature: float
    text_temperature: float
    weight: float
    way: Way

    def answers(self, pairs: Pairs) -> Ints:
        """The bins (n,) of pairs."""
        image, text = (
            softmax(pairs.image, self.image_temperature),
            softmax(pairs.text, self.text_temperature),
        )
        if self.way == "surer":
            wins = text.max(axis=1) >= image.max(axis=1)
            return np.asarray(np.where(wins, text.argmax(axis=1), image.argmax(axis=1)), dtype=np.int64)
        result: Ints = log_pool(image, text, np.full(len(pairs), self.weight)).argmax(axis=1)
        return result


# The original project's rule: the surer model at no temperature.
_ORIGINAL = Fit(1.0, 1.0, 0.5, "surer")


def pairs_of(scored: ScoredSet) -> Pairs:
    """Those items that both models answered; equal captions are one group."""
    present = scored.both_there
    captions = [item.caption for item, both in zip(scored.items, present.tolist(), strict=True) if both]
    return Pairs(
        scored.image_logits[present],
        scored.text_logits[present],
        scored.labels[present],
        group_numbers(captions),
    )


def group_numbers(names: Sequence[str]) -> Ints:
    """A number (n,) for each different name, in order of appearance."""
    known: dict[str, int] = {}
    return np.array([known.setdefault(name, len(known)) for name in names], dtype=np.int64)


def fit_selection(scored: ScoredSet, seed: int = 0) -> FittedRule:
    """Fit on the pairs of a set. Raises SelectionError for fewer than FIT_MIN_ITEMS, one bin, or a missing model."""
    if scored.image is None or scored.text is None:
        raise SelectionError("A selection needs an image model and a text model.")
    pairs = pairs_of(scored)
    if len(pairs) < FIT_MIN_ITEMS:
        raise SelectionError(
            f"There are {len(pairs)} items with a photo, a caption and a known bin; at least {FIT_MIN_ITEMS} are"
            " needed to fit a selection. Until then the present rule stays."
        )
    if len(set(pairs.labels.tolist())) < 2:
        raise SelectionError("All items belong to one bin: a selection cannot be fitted on that.")
    if len(set(pairs.groups.tolist())) < FOLDS:
        raise SelectionError("The items have fewer than five different captions: that is too few to fit on.")
    answers = out_of_fold(pairs, seed)
    checked = _checked(pairs, answers)
    fit = choose(pairs, seed)
    plain = {"text": checked.text, "image": checked.image, "surer": checked.max_confidence}
    if checked.fitted < max(plain.values()):
        # What did not prove itself on unseen items is not used: take what needs no fit and is better.
        kind = max(plain, key=lambda name: plain[name])
        fit = _ORIGINAL if kind == "surer" else _single(pairs, "text" if kind == "text" else "image")
        checked = replace(checked, fitted=plain[kind])
    return FittedRule(
        image_sha256=scored.image.sha256,
        text_sha256=scored.text.sha256,
        image_temperature=fit.image_temperature,
        text_temperature=fit.text_temperature,
        weight=fit.weight,
        way=fit.way,
        checked=checked,
        data=scored.data,
        date=datetime.date.today().isoformat(),
    )


def out_of_fold(pairs: Pairs, seed: int = 0, folds: int = FOLDS) -> Ints:
    """The answers (n,) of selections that were fitted without the item's fold."""
    answers = np.full(len(pairs), -1, dtype=np.int64)
    for held in grouped_folds(pairs.groups, folds, seed):
        fit = choose(pairs.of(~held), seed)
        answers[held] = fit.answers(pairs.of(held))
    return answers


def choose(pairs: Pairs, seed: int = 0) -> Fit:
    """The pool, the surer model or one alone: whichever is right oftener on held-out folds of these pairs."""
    right = [0] * len(_candidates(pairs))
    for held in grouped_folds(pairs.groups, _INNER_FOLDS, seed + 1):
        learned, rest = pairs.of(~held), pairs.of(held)
        for place, fit in enumerate(_candidates(learned)):
            right[place] += int((fit.answers(rest) == rest.labels).sum())
    # Of equals the first: the pool is the smoothest, a single model the last resort.
    return _candidates(pairs)[max(range(len(right)), key=lambda place: right[place])]


def _candidates(pairs: Pairs) -> list[Fit]:
    pool = _pool(pairs)
    surer = replace(pool, weight=0.5, way="surer")
    return [
        pool,
        surer,
        _ORIGINAL,
        replace(pool, weight=1.0, way="text"),
        replace(pool, weight=0.0, way="image"),
    ]


def grouped_folds(groups: Ints, folds: int, seed: int) -> list[Bools]:
    """Which items (n,) each fold holds out. Whole groups, the largest first, to the fold with the fewest items."""
    rng = np.random.default_rng(seed)
    names, sizes = np.unique(groups, return_counts=True)
    order = rng.permutation(len(names))
    order = order[np.argsort(-sizes[order], kind="stable")]
    filled = np.zeros(min(folds, len(names)), dtype=np.int64)
    fold_of: dict[int, int] = {}
    for place in order.tolist():
        fold = int(filled.argmin())
        fold_of[int(names[place])] = fold
        filled[fold] += sizes[place]
    mine = np.array([fold_of[int(group)] for group in groups.tolist()], dtype=np.int64)
    return [mine == fold for fold in range(len(filled))]


def _pool(pairs: Pairs) -> Fit:
    image_t, text_t = (
        fit_temperature(pairs.image, pairs.labels),
        fit_temperature(pairs.text, pairs.labels),
    )
    image, text = softmax(pairs.image, image_t), softmax(pairs.text, text_t)
    losses = np.array(
        [
            negative_log_likelihood(log_pool(image, text, np.full(len(pairs), weight)), pairs.labels)
            for weight in _WEIGHTS
        ]
    )
    # Of weights that are as good as the best, the one nearest to a single model: it promises less.
    good = np.flatnonzero(losses <= losses.min() + _WORTH)
    best = int(good[np.abs(_WEIGHTS[good] - 0.5).argmax()])
    return Fit(image_t, text_t, float(_WEIGHTS[best]), "pool")


def _single(pairs: Pairs, way: Way) -> Fit:
    return Fit(
        fit_temperature(pairs.image, pairs.labels),
        fit_temperature(pairs.text, pairs.labels),
        1.0 if way == "text" else 0.0,
        way,
    )


def _checked(pairs: Pairs, answers: Ints) -> CrossValidated:
    image, text = pairs.image.argmax(axis=1), pairs.text.argmax(axis=1)
    surer = np.where(softmax(pairs.text).max(axis=1) >= softmax(pairs.image).max(axis=1), text, image)
    labels = pairs.labels

    def share(found: Ints) -> float:
        return float((found == labels).mean())

    return CrossValidated(
        len(pairs), share(answers), share(image), share(text), share(surer),
        float(((image == labels) | (text == labels)).mean()),
    )  # fmt: skip

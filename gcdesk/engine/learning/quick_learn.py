"""Quick learn: fit the last layer of a model on corrections, in seconds, and refuse what is worse.

The layer is pulled three ways: by the corrections (cross-entropy), by anchors, which are things that nobody
complained of and whose answers should stay (Kullback-Leibler divergence from the old answers, as in Li and Hoiem:
Learning without Forgetting, ECCV 2016), and by its old weights (squared distance). Corrections that are still wrong
count double and the fit is repeated, a few times.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gcdesk.engine.errors import LearningError
from gcdesk.engine.evaluation.significance import McNemar, mcnemar
from gcdesk.engine.labels import BINS
from gcdesk.engine.learning.last_layer import LastLayer
from gcdesk.engine.learning.rule_fitting import grouped_folds
from gcdesk.engine.selection.calibration import softmax

MIN_CORRECTIONS = 1
# More of the anchors than this may not change their bin.
MOST_CHANGED = 0.03
_FOLDS = 5
_STEPS = 150
_SETTLED = 1e-4
_ROUNDS = 3
_ANCHORS_WEIGH = 200.0
_OLD_WEIGHTS = 0.1

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class TrainingSet:
    """What the layer is fed for n items whose bin is known, their bins (n,), groups (n,), and for m anchors (m, d)."""

    inputs: Floats
    labels: Ints
    groups: Ints
    anchors: Floats


@dataclass(frozen=True)
class Learned:
    """A new layer and what it is worth.

    before, after: right answers among `items`, by the old layer and out of fold by layers that had not learned the
    item's group. mistakes: of the old layer; mended: of these, right with the new one. changed: share of the anchors
    with another answer.
    """

    layer: LastLayer
    items: int
    before: int
    after: int
    test: McNemar
    mistakes: int
    mended: int
    anchors: int
    changed: float


def learn(training_set: TrainingSet, layer: LastLayer, seed: int = 0) -> Learned:
    """Fit the layer. Raises LearningError where there is nothing to learn, or where the result would be worse."""
    old = layer.logits(training_set.inputs).argmax(axis=1)
    right = old == training_set.labels
    if int((~right).sum()) < MIN_CORRECTIONS:
        raise LearningError(
            "There is nothing to learn: the model is right on every item that was corrected and may be learned from."
        )
    after = _out_of_fold(training_set, layer, seed)
    before, gained = int(right.sum()), int((after == training_set.labels).sum())
    new = fit_layer(training_set, layer)
    changed = 0.0
    if len(training_set.anchors):
        answers = [item.logits(training_set.anchors).argmax(axis=1) for item in (layer, new)]
        changed = float((answers[0] != answers[1]).mean())
    answer = new.logits(training_set.inputs).argmax(axis=1)
    result = Learned(
        layer=new,
        items=len(right),
        before=before,
        after=gained,
        test=mcnemar(after == training_set.labels, right),
        mistakes=int((~right).sum()),
        mended=int(((answer == training_set.labels) & ~right).sum()),
        anchors=len(training_set.anchors),
        changed=changed,
    )
    refuse_worse(result)
    return result


def refuse_worse(found: Learned) -> None:
    """Raise LearningError unless the new layer may be used."""
    if found.after < found.before:
        raise LearningError(
            f"The corrections do not help yet: on items that it had not learned, the model would be right on"
            f" {found.after} of {found.items} instead of {found.before}. Nothing was changed."
        )
    if found.changed > MOST_CHANGED:
        raise LearningError(
            f"Learning these corrections would change {found.changed:.1%} of the answers that nobody complained of."
            " Nothing was changed: train the model anew instead."
        )


def fit_layer(training_set: TrainingSet, layer: LastLayer) -> LastLayer:
    """The layer that the training_set lead to."""
    scale = max(float(np.sqrt((training_set.inputs**2).sum(axis=1).mean())), 1e-9)
    lesson, anchor = (_with_one(rows / scale) for rows in (training_set.inputs, training_set.anchors))
    start = np.concatenate([layer.weight * scale, layer.bias[:, None]], axis=1)
    # The change lies in the span of what is looked at: there it has hundreds of numbers, not thousands.
    basis, _ = np.linalg.qr(np.concatenate([lesson, anchor]).T)
    pulls = _Pulls(
        lesson @ basis,
        anchor @ basis,
        lesson @ start.T,
        anchor @ start.T,
        np.eye(len(BINS))[training_set.labels],
    )
    weights = np.ones(len(lesson))
    change = np.zeros((len(BINS), basis.shape[1]))
    for _ in range(_ROUNDS):
        change = _descend(pulls, weights, change)
        wrong = (pulls.lesson_start + pulls.lesson @ change.T).argmax(axis=1) != training_set.labels
        if not wrong.any():
            break
        weights[wrong] *= 2
    result = start + change @ basis.T
    return LastLayer(
        layer.weight_name, layer.bias_name, result[:, :-1] / scale, result[:, -1].copy(), layer.front
    )


@dataclass(frozen=True)
class _Pulls:
    """Corrections (n, r) and anchors (m, r) in the span, logits (n, 4) and (m, 4) by the old layer, truth (n, 4)."""

    lesson: Floats
    anchor: Floats
    lesson_start: Floats
    anchor_start: Floats
    truth: Floats


def _descend(pulls: _Pulls, weights: Floats, change: Floats) -> Floats:
    """Nesterov's accelerated gradient on the convex sum of the three pulls, from `change` (4, r) on.

    The step is the inverse of the sum's largest curvature.
    """
    count = len(pulls.anchor)
    share = _ANCHORS_WEIGH / max(count, 1)
    kept = softmax(pulls.anchor_start) if count else pulls.anchor_start
    curvature = 0.5 * _largest(pulls.lesson, weights) + 0.5 * share * _largest(pulls.anchor, np.ones(count))
    step = 1.0 / (curvature + _OLD_WEIGHTS)
    point = ahead = change
    momentum = 1.0
    for _ in range(_STEPS):
        probabilities = softmax(pulls.lesson_start + pulls.lesson @ ahead.T)
        slope = ((probabilities - pulls.truth) * weights[:, None]).T @ pulls.lesson
        if count:
            slope += share * (softmax(pulls.anchor_start + pulls.anchor @ ahead.T) - kept).T @ pulls.anchor
        slope += _OLD_WEIGHTS * ahead
        new = ahead - step * slope
        following = (1 + math.sqrt(1 + 4 * momentum**2)) / 2
        ahead = new + (momentum - 1) / following * (new - point)
        moved = float(np.abs(new - point).max())
        point, momentum = new, following
        if moved < _SETTLED:
            break
    return np.asarray(point)


def _largest(rows: Floats, weights: Floats) -> float:
    """The largest eigenvalue of the rows' weighted second moments, by power iteration (never too small by much)."""
    if not len(rows):
        return 0.0
    vector = rows.mean(axis=0) + 1e-6
    value = 0.0
    for _ in range(20):
        vector = rows.T @ (weights * (rows @ vector))
        value = float(np.linalg.norm(vector))
        vector = vector / max(value, 1e-12)
    return 1.1 * value


def _with_one(rows: Floats) -> Floats:
    return np.concatenate([rows, np.ones((len(rows), 1))], axis=1)


def _out_of_fold(training_set: TrainingSet, layer: LastLayer, seed: int) -> Ints:
    """Answers (n,) of layers that had not learned the item's group; the old ones where there is only one group."""
    answers: Ints = layer.logits(training_set.inputs).argmax(axis=1)
    if len(set(training_set.groups.tolist())) < 2:
        return answers
    for held in grouped_folds(training_set.groups, _FOLDS, seed):
        part = TrainingSet(
            training_set.inputs[~held],
            training_set.labels[~held],
            training_set.groups[~held],
            training_set.anchors,
        )
        answers[held] = fit_layer(part, layer).logits(training_set.inputs[held]).argmax(axis=1)
    return answers

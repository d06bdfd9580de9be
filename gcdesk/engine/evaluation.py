"""How good the models and the rules are on items whose bin is known. Pure metrics, on arrays.

A model or rule that gives no answer for an item (text without a caption, a photo that cannot be read) is
measured on the others; `coverage` says how many those are.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gcdesk.config.thresholds import TEXT_WEIGHT, Thresholds
from gcdesk.engine.calibration import confidence_error, rescale
from gcdesk.engine.errors import EvaluationError
from gcdesk.engine.labels import BINS
from gcdesk.engine.selection import DEFAULT_RULE, RULES, Rule, select

_DIGITS = 6


@dataclass(frozen=True)
class Accuracy:
    """A share of right answers, with a Wilson interval. All are NaN when there are no answers."""

    correct: int
    items: int
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Report:
    """What one model or rule did.

    items: all there are. accuracy: over the answered ones. confusion (4, 4): counts, row = true bin, column =
    answer, in the order of BINS. macro_f1: see `macro_f1`. mean_confidence and ece (expected calibration
    error, 15 bins): of the answers as they were given.
    """

    items: int
    accuracy: Accuracy
    confusion: NDArray[np.int64]
    macro_f1: float
    mean_confidence: float
    ece: float

    @property
    def coverage(self) -> float:
        """Share of the items that got an answer."""
        return self.accuracy.items / self.items if self.items else math.nan

    def to_json(self) -> dict[str, Any]:
        return {
            "accuracy": _rounded(self.accuracy.value),
            "interval": [_rounded(self.accuracy.low), _rounded(self.accuracy.high)],
            "correct": self.accuracy.correct,
            "items": self.accuracy.items,
            "coverage": _rounded(self.coverage),
            "macro_f1": _rounded(self.macro_f1),
            "mean_confidence": _rounded(self.mean_confidence),
            "ece": _rounded(self.ece),
            "confusion": self.confusion.tolist(),
        }


@dataclass(frozen=True)
class RuleReport:
    """A rule's report, how many items it would have a person look at, and the accuracy of the rest."""

    report: Report
    review: int
    accepted: Accuracy

    def to_json(self) -> dict[str, Any]:
        return {
            **self.report.to_json(),
            "review": self.review,
            "accepted": self.accepted.items,
            "accepted_accuracy": _rounded(self.accepted.value),
        }


@dataclass(frozen=True)
class Evaluation:
    """Everything measured on one set of items. A model that was not run has no report."""

    items: int
    image: Report | None
    text: Report | None
    rules: Mapping[Rule, RuleReport]
    default_rule: Rule = DEFAULT_RULE

    def to_json(self) -> dict[str, Any]:
        """Fractions, not per cent; null where nothing was measured."""
        return {
            "items": self.items,
            "labels": list(BINS),
            "image": self.image.to_json() if self.image else None,
            "text": self.text.to_json() if self.text else None,
            "rules": {rule.value: report.to_json() for rule, report in self.rules.items()},
            "default_rule": self.default_rule.value,
        }


@dataclass(frozen=True)
class ModelScores:
    """One model's raw probabilities (temperature 1) of n items (n, 4), where it answered (n,), its
    temperature.
    """

    probabilities: NDArray[np.float64]
    present: NDArray[np.bool_]
    temperature: float = 1.0

    def seen_by(self, rule: Rule) -> NDArray[np.float64]:
        """The probabilities that `rule` works on."""
        return rescale(self.probabilities, self.temperature) if rule.uses_temperature else self.probabilities


def evaluate(
    labels: ArrayLike,
    image: ModelScores | None,
    text: ModelScores | None,
    thresholds: Thresholds | None = None,
    weight: float = TEXT_WEIGHT,
) -> Evaluation:
    """Measure both models and every rule on labels (n,). Rules are measured where there are both models.

    The models' own reports are on raw probabilities; those of calibrated and weighted show the
    temperatures' effect. Raises EvaluationError when there are no items, no model, or arrays that do not
    fit.
    """
    y = np.asarray(labels, dtype=np.int64)
    if not len(y):
        raise EvaluationError("There is nothing to evaluate.")
    if image is None and text is None:
        raise EvaluationError("There is no model to evaluate.")
    for scores in (image, text):
        if scores is not None and scores.probabilities.shape != (len(y), len(BINS)):
            raise EvaluationError(f"The scores {scores.probabilities.shape} do not fit the {len(y)} labels.")
    rules = {}
    if image is not None and text is not None:
        rules = {
            rule: _rule_report(rule, y, image, text, thresholds or Thresholds(), weight) for rule in RULES
        }
    return Evaluation(len(y), _model_report(y, image), _model_report(y, text), rules)


def report(labels: ArrayLike, answers: ArrayLike, confidences: ArrayLike) -> Report:
    """The report of answers (n,) (-1: none) with confidences (n,), where the true bins are labels (n,)."""
    y, answer = np.asarray(labels, dtype=np.int64), np.asarray(answers, dtype=np.int64)
    sure = np.asarray(confidences, dtype=np.float64)
    answered = answer >= 0
    confusion = confusion_matrix(y[answered], answer[answered])
    mean = ece = math.nan
    if answered.any():
        mean = float(sure[answered].mean())
        ece = confidence_error(sure[answered], answer[answered] == y[answered])
    return Report(len(y), accuracy_of(y, answer), confusion, macro_f1(confusion), mean, ece)


def _model_report(y: NDArray[np.int64], scores: ModelScores | None) -> Report | None:
    if scores is None:
        return None
    answer = np.where(scores.present, scores.probabilities.argmax(axis=1), -1)
    return report(y, answer, scores.probabilities.max(axis=1))


def _rule_report(
    rule: Rule,
    y: NDArray[np.int64],
    image: ModelScores,
    text: ModelScores,
    thresholds: Thresholds,
    weight: float,
) -> RuleReport:
    chosen = select(
        rule, image.seen_by(rule), text.seen_by(rule), image.present, text.present, thresholds, weight
    )
    accepted = ~chosen.review
    return RuleReport(
        report(y, chosen.label, chosen.confidence),
        int(chosen.review.sum()),
        accuracy_of(y[accepted], chosen.label[accepted]),
    )


def accuracy_of(labels: NDArray[np.int64], answers: NDArray[np.int64]) -> Accuracy:
    """Accuracy of answers (n,) over those that are not -1, with its 95 % interval."""
    answered = answers >= 0
    items, correct = int(answered.sum()), int((answers[answered] == labels[answered]).sum())
    low, high = wilson_interval(correct, items)
    return Accuracy(correct, items, correct / items if items else math.nan, low, high)


def wilson_interval(correct: int, items: int, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval of a share (JASA 22, 1927): sensible also near 0 and 1 and for few items.

    NaN for no items. Raises ValueError for counts that make no share or a confidence outside 0 to 1.
    """
    if not 0 <= correct <= items or not 0 < confidence < 1:
        raise ValueError(f"{correct} of {items} at {confidence}: this is no share")
    if items == 0:
        return math.nan, math.nan
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    share = correct / items
    scale = 1 + z * z / items
    centre = (share + z * z / (2 * items)) / scale
    half = z / scale * math.sqrt(share * (1 - share) / items + z * z / (4 * items * items))
    # Exact at the ends, where rounding would leave 1e-17.
    low = 0.0 if correct == 0 else centre - half
    return low, 1.0 if correct == items else centre + half


def confusion_matrix(labels: ArrayLike, answers: ArrayLike) -> NDArray[np.int64]:
    """Counts (4, 4) of items with the true bin of the row and the answer of the column."""
    counts = np.zeros((len(BINS), len(BINS)), dtype=np.int64)
    np.add.at(counts, (np.asarray(labels, dtype=np.int64), np.asarray(answers, dtype=np.int64)), 1)
    return counts


def macro_f1(confusion: NDArray[np.int64]) -> float:
    """Mean over bins of F1 = 2 TP / (2 TP + FP + FN), so that a rare bin counts as much as a common one.

    Bins that neither occur nor are answered are left out; NaN when that leaves none.
    """
    right = np.diag(confusion)
    involved = confusion.sum(axis=0) + confusion.sum(axis=1)
    there = involved > 0
    return float((2 * right[there] / involved[there]).mean()) if there.any() else math.nan


def _rounded(value: float) -> float | None:
    return None if math.isnan(value) else round(value, _DIGITS)

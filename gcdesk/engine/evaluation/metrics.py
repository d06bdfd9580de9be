"""How good the models and the rules are on items whose bin is known. Pure metrics, on arrays.

A model or rule that gives no answer for an item (text without a caption, a photo that cannot be read) is
measured on the others; `coverage` says how many those are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gcdesk.engine.labels import BINS
from gcdesk.engine.selection.calibration import confidence_error

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
    error, 15 bins): of the confidences that were given.
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
        """Fractions rounded to 6 digits; None in place of NaN."""
        return {
            "accuracy": rounded(self.accuracy.value),
            "interval": [rounded(self.accuracy.low), rounded(self.accuracy.high)],
            "correct": self.accuracy.correct,
            "items": self.accuracy.items,
            "coverage": rounded(self.coverage),
            "macro_f1": rounded(self.macro_f1),
            "mean_confidence": rounded(self.mean_confidence),
            "ece": rounded(self.ece),
            "confusion": self.confusion.tolist(),
        }


@dataclass(frozen=True)
class BinFigures:
    """Of one bin. precision: share of right ones among its answers; recall: share of its items that were found.

    NaN where it was never answered, or has no items.
    """

    items: int
    answered: int
    precision: float
    recall: float


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
    present = involved > 0
    return float((2 * right[present] / involved[present]).mean()) if present.any() else math.nan


def bin_figures(confusion: NDArray[np.int64]) -> tuple[BinFigures, ...]:
    """Precision and recall of each bin from counts (4, 4): rows true bins, columns answers."""
    return tuple(
        BinFigures(items, answered, _share(right, answered), _share(right, items))
        for right, items, answered in zip(
            np.diag(confusion).tolist(),
            confusion.sum(axis=1).tolist(),
            confusion.sum(axis=0).tolist(),
            strict=True,
        )
    )


def _share(part: int, whole: int) -> float:
    return part / whole if whole else math.nan


def rounded(value: float) -> float | None:
    """For JSON, which has no NaN: None in its place."""
    return None if math.isnan(value) else round(value, _DIGITS)

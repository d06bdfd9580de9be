"""How far a figure may be trusted that was measured on some items only, and figures of each bin."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DRAWS = 2000
_TAILS = (2.5, 97.5)


@dataclass(frozen=True)
class Interval:
    """A figure and the ends of its 95 % interval; NaN where nothing was measured."""

    value: float
    low: float
    high: float

    @classmethod
    def nothing(cls) -> Interval:
        return cls(math.nan, math.nan, math.nan)


@dataclass(frozen=True)
class BinFigures:
    """Of one bin. precision: share of right ones among its answers; recall: share of its items that were found.

    NaN where it was never answered, or has no items.
    """

    items: int
    answered: int
    precision: float
    recall: float


@dataclass(frozen=True)
class Bootstrapped:
    """Accuracy and macro-F1 with their intervals."""

    accuracy: Interval
    macro_f1: Interval


def bootstrap(confusion: NDArray[np.int64], draws: int = DRAWS, seed: int = 0) -> Bootstrapped:
    """95 % percentile intervals (Efron, Annals of Statistics 7, 1979) of the figures of counts (4, 4).

    Both figures follow from the counts, so drawing n items anew with replacement is one multinomial draw of the
    16 cells. The same seed gives the same intervals.
    """
    items = int(confusion.sum())
    if not items:
        return Bootstrapped(Interval.nothing(), Interval.nothing())
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(items, confusion.ravel() / items, size=draws).reshape(draws, *confusion.shape)
    return Bootstrapped(
        _interval(_accuracies(confusion[None])[0], _accuracies(drawn)),
        _interval(_macro_f1s(confusion[None])[0], _macro_f1s(drawn)),
    )


def bin_figures(confusion: NDArray[np.int64]) -> tuple[BinFigures, ...]:
    """Precision and recall of each bin from counts (4, 4): rows true bins, columns answers."""
    found = []
    for place in range(len(confusion)):
        right, items = int(confusion[place, place]), int(confusion[place].sum())
        answered = int(confusion[:, place].sum())
        found.append(
            BinFigures(
                items,
                answered,
                right / answered if answered else math.nan,
                right / items if items else math.nan,
            )
        )
    return tuple(found)


def _accuracies(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Of counts (d, 4, 4)."""
    right = np.trace(counts, axis1=1, axis2=2)
    return np.asarray(right / counts.sum(axis=(1, 2)), dtype=np.float64)


def _macro_f1s(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """As `evaluation.macro_f1`, of counts (d, 4, 4)."""
    right = np.diagonal(counts, axis1=1, axis2=2)
    involved = counts.sum(axis=1) + counts.sum(axis=2)
    there = involved > 0
    each = np.where(there, 2 * right / np.maximum(involved, 1), 0.0)
    return np.asarray(each.sum(axis=1) / there.sum(axis=1), dtype=np.float64)


def _interval(value: float, drawn: NDArray[np.float64]) -> Interval:
    low, high = np.percentile(drawn, _TAILS)
    return Interval(float(value), float(low), float(high))

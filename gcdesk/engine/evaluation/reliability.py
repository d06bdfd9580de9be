"""Whether a confidence means what it says, and what a review threshold costs and gives."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gcdesk.engine.selection.calibration import confidence_error

BARS = 10


@dataclass(frozen=True)
class Bar:
    """Answers whose confidence lies in (low, high]: how many, their mean confidence, the share of right ones."""

    low: float
    high: float
    items: int
    confidence: float
    accuracy: float


@dataclass(frozen=True)
class Reliability:
    """The bars of a reliability diagram, and the expected calibration error over 15 finer ones."""

    bars: tuple[Bar, ...]
    ece: float


@dataclass(frozen=True)
class Operating:
    """What a review threshold does: `review` is the share that a person looks at, `accuracy` that of the rest.

    accuracy is NaN where nothing is left.
    """

    threshold: float
    review: float
    accuracy: float
    accepted: int


@dataclass(frozen=True)
class RiskCoverage:
    """The most confident answers first: share accepted (m,), accuracy of these (m,), and the confidence (m,) that
    the least sure of them has. Points only where the confidence changes.

    El-Yaniv and Wiener: On the Foundations of Noise-free Selective Classification, JMLR 11, 2010.
    """

    coverage: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    threshold: NDArray[np.float64]


def reliability(confidences: ArrayLike, right: ArrayLike, bars: int = BARS) -> Reliability:
    """Of answers with confidences (n,) that were right or not (n,). ECE is NaN without answers."""
    sure, hit = np.asarray(confidences, dtype=np.float64), np.asarray(right, dtype=bool)
    place = np.clip(np.ceil(sure * bars).astype(np.int64) - 1, 0, bars - 1)
    results = []
    for number in range(bars):
        here = place == number
        count = int(here.sum())
        results.append(
            Bar(
                number / bars,
                (number + 1) / bars,
                count,
                float(sure[here].mean()) if count else math.nan,
                float(hit[here].mean()) if count else math.nan,
            )
        )
    return Reliability(tuple(results), confidence_error(sure, hit) if len(sure) else math.nan)


def operating_point(confidences: ArrayLike, right: ArrayLike, held: ArrayLike, threshold: float) -> Operating:
    """What is reviewed at `threshold`: answers below it and those that are held for another reason (n,)."""
    sure, hit = np.asarray(confidences, dtype=np.float64), np.asarray(right, dtype=bool)
    accepted = (sure >= threshold) & ~np.asarray(held, dtype=bool)
    count = int(accepted.sum())
    return Operating(
        threshold,
        1 - count / len(sure) if len(sure) else math.nan,
        float(hit[accepted].mean()) if count else math.nan,
        count,
    )


def risk_coverage(confidences: ArrayLike, right: ArrayLike) -> RiskCoverage:
    """The curve of answers with confidences (n,) that were right or not (n,)."""
    sure, hit = np.asarray(confidences, dtype=np.float64), np.asarray(right, dtype=bool)
    order = np.argsort(-sure, kind="stable")
    sure, hit = sure[order], hit[order]
    counts = np.arange(1, len(sure) + 1)
    # Equal confidences are accepted together or not at all.
    last = np.append(sure[1:] != sure[:-1], True) if len(sure) else np.zeros(0, bool)
    return RiskCoverage(
        (counts / max(len(sure), 1))[last], (np.cumsum(hit) / counts)[last] if len(sure) else sure, sure[last]
    )

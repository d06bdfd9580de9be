"""From logits to probabilities, how far these can be trusted, and the one number that corrects them.

A temperature T divides the logits before the softmax: T > 1 makes a model less sure, T < 1 surer, and the
order of its answers stays (Guo, Pleiss, Sun, Weinberger: On Calibration of Modern Neural Networks, ICML
2017).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

# Fitted temperatures are searched here. A validation split that is all right would fit the lowest: not
# lower than this, or one mistake in the field would be a certain one.
TEMPERATURE_RANGE = (0.25, 10.0)
# A probability below this counts as this in a logarithm, so that one impossible answer costs much, not
# everything.
_SMALLEST = 1e-12
_GOLDEN = (math.sqrt(5) - 1) / 2


def softmax(logits: ArrayLike, temperature: float = 1.0) -> Floats:
    """Probabilities of logits (..., classes), in double precision; every row sums to 1.

    The row's largest logit is subtracted first, so no finite logit overflows. Raises ValueError for a
    temperature that is not a positive finite number.
    """
    _check_temperature(temperature)
    scaled: Floats = np.asarray(logits, dtype=np.float64)
    scaled = (scaled - scaled.max(axis=-1, keepdims=True)) / temperature
    np.exp(scaled, out=scaled)
    scaled /= scaled.sum(axis=-1, keepdims=True)
    return scaled


def negative_log_likelihood(probabilities: ArrayLike, labels: ArrayLike) -> float:
    """Mean of -log p(label) over probabilities (n, classes) and labels (n,), in nats.

    Raises ValueError when the shapes do not fit, a label is no class, or there are no rows.
    """
    p, y = _checked(probabilities, labels)
    return float(-np.log(np.maximum(p[np.arange(len(y)), y], _SMALLEST)).mean())


def expected_calibration_error(probabilities: ArrayLike, labels: ArrayLike, bins: int = 15) -> float:
    """`confidence_error` of the first choices of probabilities (n, classes), given the labels (n,).

    Raises ValueError as `negative_log_likelihood` does.
    """
    p, y = _checked(probabilities, labels)
    return confidence_error(p.max(axis=1), p.argmax(axis=1) == y, bins)


def confidence_error(confidences: ArrayLike, correct: ArrayLike, bins: int = 15) -> float:
    """Expected calibration error, from 0 (good) to 1, of answers given by their confidences (n,) and whether
    each was right (n,).

    Guo et al. 2017, equation 3: answers are put in `bins` equal intervals (a, b] by their confidence, and
    the gaps between mean confidence and accuracy are averaged, weighted by the answers. Raises ValueError
    when there are no answers or no bins.
    """
    confidence, right = np.asarray(confidences, dtype=np.float64), np.asarray(correct, dtype=bool)
    if confidence.ndim != 1 or confidence.shape != right.shape or not len(right) or bins < 1:
        raise ValueError(
            f"{confidence.shape} confidences, {right.shape} answers, {bins} bins: nothing to measure"
        )
    place = np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)
    # Over a bin, n * |accuracy - mean confidence| is the size of the sum of (right - confidence).
    totals = np.bincount(place, weights=right - confidence, minlength=bins)
    return float(np.abs(totals).sum() / len(right))


def fit_temperature(logits: ArrayLike, labels: ArrayLike, weights: ArrayLike | None = None) -> float:
    """The temperature in TEMPERATURE_RANGE with the least negative log-likelihood of logits (n, classes).

    The likelihood has one valley in log T (it is convex in 1/T), so a golden section search finds it, to 1e-6
    relative. Where the best lies at an end of the range (every answer right, or none better than chance),
    that end is returned. weights (n,): how much each row counts, all the same for None. Raises ValueError as
    `negative_log_likelihood` does, and for logits or weights that are not finite.
    """
    z = np.asarray(logits, dtype=np.float64)
    z, y = _checked(z - z.max(axis=-1, keepdims=True) if z.size else z, labels)
    if not np.isfinite(z).all():
        raise ValueError("the logits are not all finite numbers")
    at_label = z[np.arange(len(y)), y]
    counts = np.ones(len(y)) if weights is None else np.asarray(weights, dtype=np.float64)
    if counts.shape != y.shape or not (np.isfinite(counts) & (counts >= 0)).all() or not counts.sum() > 0:
        raise ValueError(f"the weights {counts.shape} do not fit {len(y)} rows or are no weights")

    def loss(log_t: float) -> float:
        t = math.exp(log_t)
        return float(np.average(np.log(np.exp(z / t).sum(axis=1)) - at_label / t, weights=counts))

    low, high = (math.log(bound) for bound in TEMPERATURE_RANGE)
    return math.exp(_golden_section(loss, low, high))


def _golden_section(loss: Callable[[float], float], low: float, high: float) -> float:
    left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    loss_left, loss_right = loss(left), loss(right)
    while high - low > 1e-6:
        # Equal losses go left, to the sharper side: at a plateau every answer is right.
        if loss_left <= loss_right:
            high, right, loss_right = right, left, loss_left
            left = high - _GOLDEN * (high - low)
            loss_left = loss(left)
        else:
            low, left, loss_left = left, right, loss_right
            right = low + _GOLDEN * (high - low)
            loss_right = loss(right)
    return (low + high) / 2


def _checked(rows: ArrayLike, labels: ArrayLike) -> tuple[Floats, NDArray[np.int64]]:
    p, y = np.asarray(rows, dtype=np.float64), np.asarray(labels, dtype=np.int64)
    if p.ndim != 2 or y.shape != p.shape[:1] or not len(y):
        raise ValueError(f"rows {p.shape} and labels {y.shape} do not fit: (n, classes) and (n,) are needed")
    if y.min() < 0 or y.max() >= p.shape[1]:
        raise ValueError(f"a label is outside 0 to {p.shape[1] - 1}")
    return p, y


def _check_temperature(temperature: float) -> None:
    if not (math.isfinite(temperature) and temperature > 0):
        raise ValueError(f"the temperature is {temperature}: it must be a positive number")

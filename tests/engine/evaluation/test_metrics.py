"""Figures that can be checked by hand or against scikit-learn."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from gcdesk.engine.evaluation.metrics import (
    confusion_matrix,
    macro_f1,
    report,
    wilson_interval,
)


@pytest.mark.parametrize(
    ("correct", "items", "low", "high"),
    [
        # Newcombe, Statistics in Medicine 17 (1998), table I, method 3
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_interval_of_the_literature(correct: int, items: int, low: float, high: float) -> None:
    assert wilson_interval(correct, items) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(0, 500), st.integers(0, 500))
def test_wilson_interval_holds_the_share(correct: int, wrong: int) -> None:
    items = correct + wrong
    low, high = wilson_interval(correct, items)
    if items == 0:
        assert math.isnan(low)
        return
    assert 0 <= low <= correct / items <= high <= 1
    assert wilson_interval(wrong, items) == pytest.approx((1 - high, 1 - low))
    assert wilson_interval(10 * correct, 10 * items)[0] >= low - 1e-12


@pytest.mark.parametrize(("correct", "items"), [(2, 1), (-1, 1)])
def test_what_is_no_share_is_refused(correct: int, items: int) -> None:
    with pytest.raises(ValueError, match="share"):
        wilson_interval(correct, items)


def random_answers(n: int = 300) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(5)
    labels = rng.integers(0, 4, n)
    return labels, np.where(rng.random(n) < 0.6, labels, rng.integers(0, 4, n))


def test_confusion_and_f1_are_scikit_learns() -> None:
    labels, answers = random_answers()
    confusion = confusion_matrix(labels, answers)
    assert np.array_equal(confusion, metrics.confusion_matrix(labels, answers, labels=[0, 1, 2, 3]))
    assert macro_f1(confusion) == pytest.approx(metrics.f1_score(labels, answers, average="macro"))


def test_f1_leaves_out_bins_that_play_no_part() -> None:
    confusion = confusion_matrix([0, 0, 1, 1], [0, 1, 1, 1])
    assert macro_f1(confusion) == pytest.approx((2 / 3 + 4 / 5) / 2)
    assert math.isnan(macro_f1(np.zeros((4, 4), dtype=np.int64)))


def test_no_answer_is_not_a_wrong_answer() -> None:
    figures = report([0, 1, 2, 3], [0, 1, -1, 0], [0.9, 0.8, 0.0, 0.7])
    assert figures.items == 4
    assert (figures.accuracy.correct, figures.accuracy.items) == (2, 3)
    assert figures.coverage == 0.75
    assert figures.confusion.sum() == 3
    assert figures.mean_confidence == pytest.approx(0.8)


def test_a_model_that_never_answers() -> None:
    figures = report([0, 1], [-1, -1], [0, 0]).to_json()
    assert figures["accuracy"] is None
    assert figures["interval"] == [None, None]
    assert figures["coverage"] == 0
    assert json.dumps(figures, allow_nan=False)

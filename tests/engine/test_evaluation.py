"""Figures that can be checked by hand or against scikit-learn."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from gcdesk.engine.calibration import softmax
from gcdesk.engine.errors import EvaluationError
from gcdesk.engine.evaluation import (
    ModelScores,
    confusion_matrix,
    evaluate,
    macro_f1,
    report,
    wilson_interval,
)
from gcdesk.engine.selection import DEFAULT_RULE, RULES, Rule


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


def scores(seed: int, labels: np.ndarray, lead: float, temperature: float = 1.0) -> ModelScores:
    logits = np.random.default_rng(seed).normal(size=(len(labels), 4))
    logits[np.arange(len(labels)), labels] += lead
    return ModelScores(softmax(logits * 2), np.ones(len(labels), dtype=bool), temperature)


def test_everything_at_once() -> None:
    labels, _ = random_answers()
    image, text = scores(1, labels, 1.0, 2.0), scores(2, labels, 1.5, 0.8)
    text.present[:50] = False
    result = evaluate(labels, image, text)
    assert result.image is not None
    assert result.text is not None
    assert result.image.accuracy.value == (image.probabilities.argmax(axis=1) == labels).mean()
    assert (result.image.accuracy.items, result.text.accuracy.items) == (300, 250)
    assert set(result.rules) == set(RULES)
    for found in result.rules.values():
        assert found.report.accuracy.items == 300
        assert found.review + found.accepted.items == 300
        assert found.accepted.value > found.report.accuracy.value
    assert result.rules[Rule.MEAN].report.accuracy.value > result.image.accuracy.value


def test_temperatures_reach_only_the_rules_that_use_them() -> None:
    labels, _ = random_answers()
    plain, hot = (evaluate(labels, scores(1, labels, 1, t), scores(2, labels, 1)) for t in (1.0, 5.0))
    same = [plain.rules[rule].to_json() == hot.rules[rule].to_json() for rule in RULES]
    assert same == [not rule.uses_temperature for rule in RULES]


def test_json_has_what_scripts_read() -> None:
    labels, _ = random_answers()
    data = json.loads(
        json.dumps(evaluate(labels, scores(1, labels, 1), scores(2, labels, 1)).to_json(), allow_nan=False)
    )
    assert data["items"] == 300
    assert 0 < data["image"]["accuracy"] < 1
    assert 0 < data["text"]["accuracy"] < 1
    assert data["default_rule"] == DEFAULT_RULE.value
    assert set(data["rules"]) == {"max_confidence", "mean", "calibrated", "weighted"}
    for part in (data["image"], *data["rules"].values()):
        low, high = part["interval"]
        assert low < part["accuracy"] < high
        assert np.trace(part["confusion"]) == part["correct"]


def test_one_model_alone_has_no_rules() -> None:
    labels, _ = random_answers()
    result = evaluate(labels, None, scores(2, labels, 1))
    assert result.image is None
    assert result.rules == {}
    assert result.to_json()["image"] is None


def test_what_cannot_be_evaluated() -> None:
    labels, _ = random_answers()
    with pytest.raises(EvaluationError, match="nothing"):
        evaluate([], None, scores(1, labels, 1))
    with pytest.raises(EvaluationError, match="no model"):
        evaluate(labels, None, None)
    with pytest.raises(EvaluationError, match="fit"):
        evaluate(labels[:5], None, scores(1, labels, 1))

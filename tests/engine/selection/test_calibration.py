"""Probabilities, temperatures and calibration errors."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gcdesk.engine.modelfile.checkpoint import load_info
from gcdesk.engine.selection.calibration import (
    TEMPERATURE_RANGE,
    confidence_error,
    expected_calibration_error,
    fit_temperature,
    negative_log_likelihood,
    softmax,
)

logits_rows = hnp.arrays(np.float64, st.tuples(st.integers(1, 8), st.just(4)), elements=st.floats(-30, 30))


@given(logits_rows, st.floats(0.1, 20))
def test_softmax_is_torchs_and_sums_to_one(logits: np.ndarray, temperature: float) -> None:
    ours = softmax(logits, temperature)
    theirs = torch.softmax(torch.from_numpy(logits) / temperature, dim=1).numpy()
    assert ours == pytest.approx(theirs, abs=1e-12)
    assert ours.sum(axis=1) == pytest.approx(1)
    assert (ours.argmax(axis=1) == softmax(logits).argmax(axis=1)).all() or _nearly_tied(logits)


def _nearly_tied(logits: np.ndarray) -> bool:
    two = np.sort(logits, axis=1)[:, -2:]
    return bool((two[:, 1] - two[:, 0]).min() < 1e-9)


@given(logits_rows, st.floats(-1000, 1000))
def test_softmax_ignores_a_constant(logits: np.ndarray, constant: float) -> None:
    assert softmax(logits + constant) == pytest.approx(softmax(logits), abs=1e-9)


def test_softmax_of_huge_logits_neither_overflows_nor_warns() -> None:
    assert softmax([1e30, -1e30, 0, 0]).tolist() == [1, 0, 0, 0]
    assert softmax(np.float32([3e38, 3e38, -3e38, 0])).tolist() == [0.5, 0.5, 0, 0]


@pytest.mark.parametrize("temperature", [0, -1, math.nan, math.inf])
def test_a_temperature_must_be_positive(temperature: float) -> None:
    with pytest.raises(ValueError, match="temperature"):
        softmax([0, 1], temperature)


def test_likelihood_is_torchs() -> None:
    rng = np.random.default_rng(1)
    logits, labels = rng.normal(size=(50, 4)), rng.integers(0, 4, 50)
    theirs = torch.nn.functional.cross_entropy(torch.from_numpy(logits), torch.from_numpy(labels)).item()
    assert negative_log_likelihood(softmax(logits), labels) == pytest.approx(theirs)
    assert math.isfinite(negative_log_likelihood([[1, 0, 0, 0]], [1]))


def drawn(temperature: float, n: int = 20_000) -> tuple[np.ndarray, np.ndarray]:
    """Logits whose labels were drawn at a temperature: that is the one to be found."""
    rng = np.random.default_rng(2)
    logits = rng.normal(size=(n, 4)) * 4
    edges = softmax(logits, temperature).cumsum(axis=1)
    return logits, (rng.random((n, 1)) > edges[:, :3]).sum(axis=1)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5, 6.0])
def test_the_temperature_that_labels_were_drawn_at_is_found(temperature: float) -> None:
    logits, labels = drawn(temperature)
    fitted = fit_temperature(logits, labels)
    assert fitted == pytest.approx(temperature, rel=0.05)
    before, after = softmax(logits), softmax(logits, fitted)
    assert negative_log_likelihood(after, labels) <= negative_log_likelihood(before, labels)
    assert expected_calibration_error(after, labels) < 0.015
    if temperature != 1:
        assert expected_calibration_error(before, labels) > 0.03


def test_no_temperature_nearby_is_better() -> None:
    logits, labels = drawn(2.0, 300)
    fitted = fit_temperature(logits, labels)
    best = negative_log_likelihood(softmax(logits, fitted), labels)
    for factor in np.exp(np.linspace(-1, 1, 101)):
        assert best <= negative_log_likelihood(softmax(logits, fitted * factor), labels) + 1e-9


def test_single_precision_logits_of_a_network_do() -> None:
    logits, labels = drawn(2.0, 500)
    assert fit_temperature(logits.astype(np.float32), labels) == pytest.approx(
        fit_temperature(logits, labels), rel=1e-4
    )


def test_at_the_ends_of_the_range() -> None:
    logits = np.eye(4) * 5
    assert fit_temperature(logits, [0, 1, 2, 3]) == pytest.approx(TEMPERATURE_RANGE[0], rel=1e-3)
    assert fit_temperature(logits, [1, 2, 3, 0]) == pytest.approx(TEMPERATURE_RANGE[1], rel=1e-3)


def test_calibration_error_by_hand() -> None:
    """Ten answers at 0.75 of which five are right, ten at 0.95 that all are: (0.25 + 0.05) / 2."""
    confidences = [0.75] * 10 + [0.95] * 10
    correct = [True] * 5 + [False] * 5 + [True] * 10
    assert confidence_error(confidences, correct, bins=10) == pytest.approx(0.15)
    probabilities = [[c, 1 - c, 0, 0] for c in confidences]
    labels = [0 if right else 2 for right in correct]
    assert expected_calibration_error(probabilities, labels, bins=10) == pytest.approx(0.15)


def test_a_confidence_on_an_edge_belongs_to_the_bin_below() -> None:
    assert confidence_error([0.5, 0.6], [True, False], bins=2) == pytest.approx((0.5 + 0.6) / 2)
    assert confidence_error([0.0, 1.0], [False, True]) == 0


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=50), st.integers(1, 30))
def test_calibration_error_is_a_fraction_whatever_the_order(
    answers: list[tuple[float, bool]], bins: int
) -> None:
    error = confidence_error(*zip(*answers, strict=True), bins)
    assert 0 <= error <= 1 + 1e-12
    assert confidence_error(*zip(*reversed(answers), strict=True), bins) == pytest.approx(error)


@pytest.mark.parametrize(
    ("rows", "labels"),
    [([], []), ([[0.5, 0.5]], [2]), ([[0.5, 0.5]], [-1]), ([[0.5, 0.5]], [0, 1]), ([0.5, 0.5], [0])],
)
def test_what_does_not_fit_is_refused(rows: list[object], labels: list[int]) -> None:
    for measure in (negative_log_likelihood, expected_calibration_error, fit_temperature):
        with pytest.raises(ValueError, match=r"fit|label"):
            measure(rows, labels)


def test_logits_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        fit_temperature([[0, math.nan, 0, 0]], [0])


def test_the_starters_confidence_means_what_it_says(starter_image: Path, starter_text: Path) -> None:
    """Text as measured on captions that were not learned. Image never sounds surer than it is right, on photos like a
    station's least of all: its temperature is fitted on those, so on the web's it is better than it says."""
    text = load_info(starter_text).metrics["cross_validation"]
    assert text["items"] > 600
    assert text["ece"] <= 0.05
    assert text["ece"] < text["ece_before"]
    image = load_info(starter_image).metrics
    assert {"course_pairs", "field", "test"} <= set(image)
    for split, figures in image.items():
        assert figures["mean_confidence"] <= figures["accuracy"], split

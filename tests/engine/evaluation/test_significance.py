"""Tests of significance, against figures worked out by hand and by scipy."""

from __future__ import annotations

import numpy as np
import pytest

from gcdesk.engine.evaluation.significance import difference_words, mcnemar, oracle_accuracy


def answers(both: int, only_a: int, only_b: int, neither: int) -> tuple[np.ndarray, np.ndarray]:
    a = [True] * (both + only_a) + [False] * (only_b + neither)
    b = [True] * both + [False] * only_a + [True] * only_b + [False] * neither
    return np.array(a), np.array(b)


@pytest.mark.parametrize(
    ("only_a", "only_b", "p"),
    [(0, 0, 1.0), (5, 5, 1.0), (1, 0, 1.0), (0, 6, 2 / 64), (2, 8, 2 * 56 / 1024), (10, 25, 0.016673)],
)
def test_mcnemar_is_the_exact_binomial(only_a: int, only_b: int, p: float) -> None:
    found = mcnemar(*answers(30, only_a, only_b, 4))
    assert (found.only_a, found.only_b) == (only_a, only_b)
    assert found.p == pytest.approx(p, abs=1e-6)
    assert found.significant == (p < 0.05)


def test_mcnemar_holds_for_many_items() -> None:
    assert mcnemar(*answers(0, 40_000, 40_000, 0)).p == 1.0
    assert mcnemar(*answers(0, 39_000, 41_000, 0)).p < 1e-11


def test_the_ceiling_counts_who_was_right() -> None:
    found = oracle_accuracy(*answers(50, 2, 35, 13))
    assert (found.both, found.only_image, found.only_text, found.neither) == (50, 2, 35, 13)
    assert found.reachable == pytest.approx(0.87)


def test_other_items_are_refused() -> None:
    with pytest.raises(ValueError, match="the same items"):
        mcnemar([True], [True, False])


@pytest.mark.parametrize(
    ("gained", "lost", "p", "words"),
    [
        (12, 9, 0.66, "maybe better, +12 \u22129, p 0.66"),
        (0, 46, 2.8e-14, "worse, +0 \u221246, p < 0.001"),
        (3, 3, 1.0, "equal, +3 \u22123, p 1"),
        (0, 0, 1.0, "right on the same ones"),
    ],
)
def test_a_difference_in_words(gained: int, lost: int, p: float, words: str) -> None:
    assert difference_words(gained, lost, p) == words

"""Two answers to the same items: is one of them better, or is it chance? And what could any selection reach?"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

SIGNIFICANT = 0.05


@dataclass(frozen=True)
class McNemar:
    """Items that only one of the two got right, and how often chance alone would make them so unequal.

    p: two-sided, exact; 1 where they differ nowhere.
    """

    only_a: int
    only_b: int
    p: float

    @property
    def significant(self) -> bool:
        """Whether the difference is more than chance at the usual 5 %."""
        return self.p < SIGNIFICANT


@dataclass(frozen=True)
class OracleAccuracy:
    """Items that both models got right, only one did, neither did: no choice of one of them beats `reachable`."""

    both: int
    only_image: int
    only_text: int
    neither: int

    @property
    def items(self) -> int:
        """How many items both models answered."""
        return self.both + self.only_image + self.only_text + self.neither

    @property
    def reachable(self) -> float:
        """The share in which at least one model is right; NaN without items."""
        return 1 - self.neither / self.items if self.items else math.nan


def mcnemar(a_right: ArrayLike, b_right: ArrayLike) -> McNemar:
    """McNemar's exact test on whether a and b were right (n,) on the same items (Psychometrika 12, 1947).

    Where they differ, either one is right with chance 1/2 if they are equally good: p is the two-sided binomial
    tail. Raises ValueError for shapes that do not fit.
    """
    a, b = _pair(a_right, b_right)
    only_a, only_b = int((a & ~b).sum()), int((b & ~a).sum())
    return McNemar(only_a, only_b, _two_sided(min(only_a, only_b), only_a + only_b))


def oracle_accuracy(image_right: ArrayLike, text_right: ArrayLike) -> OracleAccuracy:
    """Count who was right (n,) on the same items. Raises ValueError for shapes that do not fit."""
    image, text = _pair(image_right, text_right)
    return OracleAccuracy(
        int((image & text).sum()),
        int((image & ~text).sum()),
        int((text & ~image).sum()),
        int((~image & ~text).sum()),
    )


def difference_words(gained: int, lost: int, p: float) -> str:
    """`maybe better, +12 -9, p 0.66`: items that only this one got right, and only the other; McNemar's p."""
    if gained == lost == 0:
        return "right on the same ones"
    better = "better" if gained > lost else "worse" if gained < lost else "equal"
    maybe = "maybe " if p >= SIGNIFICANT and better != "equal" else ""
    chance = "p < 0.001" if p < 0.001 else f"p {p:.2g}"
    return f"{maybe}{better}, +{gained} −{lost}, {chance}"  # noqa: RUF001 - a minus


def _pair(a_right: ArrayLike, b_right: ArrayLike) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    a, b = np.asarray(a_right, dtype=bool), np.asarray(b_right, dtype=bool)
    if a.ndim != 1 or a.shape != b.shape:
        raise ValueError(f"{a.shape} and {b.shape} answers: the same items are needed")
    return a, b


def _two_sided(fewer: int, total: int) -> float:
    """Twice the chance of at most `fewer` heads in `total` throws of a fair coin, at most 1."""
    if total == 0:
        return 1.0
    # Logarithms, because the coefficients of thousands of items are numbers of thousands of digits.
    heads = np.arange(1, fewer + 1)
    logs = np.concatenate([[0.0], np.cumsum(np.log((total - heads + 1) / heads))]) - total * math.log(2)
    return min(1.0, 2 * math.fsum(np.exp(logs)))

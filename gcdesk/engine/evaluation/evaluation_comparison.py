"""Two kept evaluations side by side: each model and rule in both, and a test on the items that both measured."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gcdesk.engine.evaluation.analysis import WORDS, Analysis
from gcdesk.engine.evaluation.metrics import Accuracy
from gcdesk.engine.evaluation.significance import McNemar, mcnemar


@dataclass(frozen=True)
class Pair:
    """One model or rule in both evaluations; None where it was not measured.

    test: McNemar's on the shared items (a is the first), None without shared items.
    """

    words: str
    first: Accuracy | None
    second: Accuracy | None
    test: McNemar | None

    @property
    def change(self) -> float | None:
        """How much more often it is right in the second, as a share."""
        if self.first is None or self.second is None:
            return None
        return self.second.value - self.first.value


@dataclass(frozen=True)
class EvaluationPair:
    """first, second: their names; shared: how many items (the same photo, caption and bin) both measured."""

    first: str
    second: str
    items: tuple[int, int]
    shared: int
    pairs: tuple[Pair, ...]

    @property
    def remark(self) -> str:
        """What the differences may be taken for, in a sentence."""
        if not self.shared:
            return "No item was measured in both: compare their intervals, not single items."
        if self.items == (self.shared, self.shared):
            return f"Both measured the same {self.shared:,} items."
        return f"{self.shared:,} items were measured in both; the last column counts these alone."


def pair_up(first: Analysis, second: Analysis) -> EvaluationPair:
    """Put two evaluations side by side, in the order of the first's models and rules."""
    left, right = _shared(first, second)
    keys = [key for key in WORDS if any(key == item.key for item in (*first.contenders, *second.contenders))]
    pairs = []
    for key in keys:
        a, b = first.find(key), second.find(key)
        test = None
        if a is not None and b is not None and len(left):
            test = mcnemar(a.hits[left], b.hits[right])
        pairs.append(
            Pair(
                WORDS[key],
                None if a is None else a.report.accuracy,
                None if b is None else b.report.accuracy,
                test,
            )
        )
    return EvaluationPair(
        first.scored.name,
        second.scored.name,
        (len(first.scored), len(second.scored)),
        len(left),
        tuple(pairs),
    )


def _shared(first: Analysis, second: Analysis) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The places of the items that both have, in each; an item that comes twice in one counts once."""
    places = {(item.path, item.caption, item.label): index for index, item in enumerate(second.scored.items)}
    result: dict[int, int] = {}
    for index, item in enumerate(first.scored.items):
        other = places.pop((item.path, item.caption, item.label), None)
        if other is not None:
            result[index] = other
    return np.array(list(result), np.int64), np.array(list(result.values()), np.int64)

"""What the worker remembers of photos that it has scored: little, however many come in a day."""

from __future__ import annotations

import numpy as np
import pytest

from gcdesk.worker import scoring
from gcdesk.worker.scoring import Known, Memory


def test_old_photos_are_forgotten_but_for_those_unlike_the_training_photos(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(scoring, "_REMEMBERED_ITEMS", 3)
    monkeypatch.setattr(scoring, "_REMEMBERED_NOVEL", 2)
    memory = Memory()
    for item in range(10):
        memory.keep(
            item, Known(np.full(4, float(item)), None, "model", doubt=1.5 if item in (1, 3, 5) else 0.4)
        )
    assert [item for item in range(10) if memory.recall(item, "model") is not None] == [3, 5, 7, 8, 9]
    old, late = memory.recall(5, "model"), memory.recall(9, "model")
    assert old is not None
    assert (old.logits, old.doubt) == (None, 1.5)
    assert late is not None
    assert late.logits is not None
    assert late.logits.tolist() == [9.0] * 4


def test_another_model_s_answer_is_not_recalled() -> None:
    memory = Memory()
    memory.keep(1, Known(np.zeros(4), None, "model"))
    assert memory.recall(1, "another model") is None


def test_a_photo_scored_anew_is_remembered_as_it_is_now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scoring, "_REMEMBERED_ITEMS", 1)
    memory = Memory()
    memory.keep(1, Known(np.zeros(4), None, "model", doubt=2.0))
    memory.keep(2, Known(np.zeros(4), None, "model"))  # 1 is old now
    memory.keep(1, Known(np.ones(4), None, "model", doubt=0.1))
    known = memory.recall(1, "model")
    assert known is not None
    assert (known.doubt, known.logits is not None) == (0.1, True)

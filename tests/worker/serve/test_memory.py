"""What the worker remembers of photos that it has scored: little, however many come in a day."""

from __future__ import annotations

import numpy as np
import pytest

from gcdesk.worker.serve import scoring
from gcdesk.worker.serve.scoring import Known, Memory


def test_the_oldest_photo_makes_room_for_the_newest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scoring, "_REMEMBERED_ITEMS", 3)
    memory = Memory()
    for item in range(10):
        error = "The photo is cut off." if item % 2 else None
        memory.keep(item, Known(np.full(4, float(item)), error, "model", doubt=item / 10))
    assert [item for item in range(10) if memory.recall(item, "model") is not None] == [7, 8, 9]
    known = memory.recall(7, "model")
    assert known is not None
    assert known.logits is not None
    assert (known.logits.tolist(), known.error, known.doubt) == ([7.0] * 4, "The photo is cut off.", 0.7)
    assert memory.recall(8, "model").error is None  # type: ignore[union-attr]


def test_a_photo_that_was_not_scored_has_no_logits() -> None:
    memory = Memory()
    memory.keep(1, Known(None, "The file is empty.", "model"))
    known = memory.recall(1, "model")
    assert known is not None
    assert (known.logits, known.error) == (None, "The file is empty.")


def test_another_model_s_answer_is_not_recalled() -> None:
    memory = Memory()
    memory.keep(1, Known(np.zeros(4), None, "model"))
    assert memory.recall(1, "another model") is None


def test_a_photo_scored_anew_is_remembered_as_it_is_now() -> None:
    memory = Memory()
    memory.keep(1, Known(np.zeros(4), "The photo is cut off.", "model", doubt=2.0))
    memory.keep(2, Known(np.zeros(4), None, "model"))
    memory.keep(1, Known(np.ones(4), None, "model", doubt=0.1))
    known = memory.recall(1, "model")
    assert known is not None
    assert known.logits is not None
    assert (known.logits.tolist(), known.error, known.doubt) == ([1.0] * 4, None, 0.1)

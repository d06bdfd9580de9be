"""What the worker remembers of photos that it has scored: little, however many come in a day."""

from __future__ import annotations

import numpy as np
import pytest

from gcdesk.engine.classification.scoring import ImageScore
from gcdesk.worker.serve import scoring
from gcdesk.worker.serve.scoring import ImageScoreCache


def test_the_oldest_photo_makes_room_for_the_newest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scoring, "_REMEMBERED_ITEMS", 3)
    cache = ImageScoreCache()
    for item in range(10):
        error = "The photo is cut off." if item % 2 else None
        cache.put(item, "model", ImageScore(np.full(4, float(item)), error, item / 10))
    assert [item for item in range(10) if cache.get(item, "model") is not None] == [7, 8, 9]
    known = cache.get(7, "model")
    assert known is not None
    assert known.logits is not None
    assert (known.logits.tolist(), known.error, known.distance) == ([7.0] * 4, "The photo is cut off.", 0.7)
    assert cache.get(8, "model").error is None  # type: ignore[union-attr]


def test_a_photo_that_was_not_scored_has_no_logits() -> None:
    cache = ImageScoreCache()
    cache.put(1, "model", ImageScore(None, "The file is empty."))
    known = cache.get(1, "model")
    assert known is not None
    assert (known.logits, known.error) == (None, "The file is empty.")


def test_another_model_s_answer_is_not_recalled() -> None:
    cache = ImageScoreCache()
    cache.put(1, "model", ImageScore(np.zeros(4)))
    assert cache.get(1, "another model") is None


def test_a_photo_scored_anew_is_remembered_as_it_is_now() -> None:
    cache = ImageScoreCache()
    cache.put(1, "model", ImageScore(np.zeros(4), "The photo is cut off.", 2.0))
    cache.put(2, "model", ImageScore(np.zeros(4)))
    cache.put(1, "model", ImageScore(np.ones(4), None, 0.1))
    known = cache.get(1, "model")
    assert known is not None
    assert known.logits is not None
    assert (known.logits.tolist(), known.error, known.distance) == ([1.0] * 4, None, 0.1)

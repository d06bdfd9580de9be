"""Two evaluations side by side: counts by hand, shared items, and what is missing in one of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scored_kit import scored_set

from gcdesk.engine.evaluation.analysis import TEXT, analyse
from gcdesk.engine.evaluation.evaluation_comparison import pair_up


def test_the_same_items_are_tested_and_the_change_is_told() -> None:
    worse, better = scored_set(300, text=0.7, seed=1), scored_set(300, text=0.9, seed=1)
    first, second = analyse(worse), analyse(better)
    found = pair_up(first, second)
    assert found.shared == 300
    assert found.remark == "Both measured the same 300 items."
    text = next(one for one in found.pairs if one.words == "Text model")
    assert text.first is not None
    assert text.second is not None
    assert text.test is not None
    mine, its = first.contender(TEXT).hits, second.contender(TEXT).hits
    assert (text.test.only_a, text.test.only_b) == (int((mine & ~its).sum()), int((its & ~mine).sum()))
    assert text.change == pytest.approx(its.mean() - mine.mean())
    assert text.test.significant


def test_other_orders_and_other_items_are_found_by_what_they_are() -> None:
    scored = scored_set(100)
    turned = scored.part(np.arange(100) < 60, "some")
    backwards = replace(
        turned,
        items=turned.items[::-1],
        image_logits=turned.image_logits[::-1],
        text_logits=turned.text_logits[::-1],
    )
    found = pair_up(analyse(scored), analyse(backwards))
    assert found.shared == 60
    assert "60 items were measured in both" in found.remark
    assert all(one.test is not None and one.test.only_a == one.test.only_b == 0 for one in found.pairs)


def test_nothing_shared_and_a_model_that_only_one_has() -> None:
    scored = scored_set(50)
    other = replace(
        scored_set(50, captions=["another thing"]), image=None, image_there=np.zeros(50, dtype=bool)
    )
    found = pair_up(analyse(scored), analyse(other))
    assert found.shared == 0
    assert "No item was measured in both" in found.remark
    image = found.pairs[0]
    assert image.words == "Image model"
    assert image.second is None
    assert image.change is None
    assert image.test is None

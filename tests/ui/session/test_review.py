"""The review queue and the random spot checks."""

from __future__ import annotations

import random

import numpy as np
from window_kit import outcome

from gcdesk.store import SpotCheck
from gcdesk.ui.session.progress import Pace, Progress
from gcdesk.ui.session.review import next_to_review, offer_spot_check, review_position
from gcdesk.ui.session.rows import NewItem, Rows
from gcdesk.ui.session.wording import duration


def queue() -> Rows:
    rows = Rows()
    rows.add([NewItem(i, f"/p/{i}.jpg", "") for i in range(8)])
    for row in range(8):
        rows.set_outcome(row, outcome(review=row in (2, 5, 6)))
    return rows


def test_next_goes_down_the_view_and_round_its_end() -> None:
    rows = queue()
    shown = np.arange(8)
    assert next_to_review(rows, shown, 0) == 2
    assert next_to_review(rows, shown, 2) == 5
    assert next_to_review(rows, shown, 7) == 2
    assert next_to_review(rows, shown[::-1], 5) == 2
    rows.set_operator(np.array([2, 5, 6]), np.array([0, 0, 0]))
    assert next_to_review(rows, shown, 0) == -1


def test_position_counts_in_view_order() -> None:
    rows = queue()
    assert review_position(rows, np.arange(8), 5) == (2, 3)
    assert review_position(rows, np.arange(8)[::-1], 5) == (2, 3)
    assert review_position(rows, np.arange(8)[::-1], 6) == (1, 3)
    assert review_position(rows, np.arange(8), 0) == (0, 3)


def test_spot_checks_come_at_their_rate_and_only_for_sure_rows() -> None:
    rows = queue()
    chance = random.Random(4)
    offers = [offer_spot_check(rows, 10, chance) for _ in range(4000)]
    offered = [row for row in offers if row >= 0]
    assert 300 < len(offered) < 500
    assert set(offered) == {0, 1, 3, 4, 7}
    assert offer_spot_check(rows, 0, chance) == -1
    rows.spot[:] = SpotCheck.ANSWERED
    assert all(offer_spot_check(rows, 1, chance) == -1 for _ in range(20))


def test_progress_in_words() -> None:
    assert Progress().in_words() == ""
    assert Progress(198, 214, 31.2, 0.5, True).in_words() == "198 of 214 · 31 photos/s · 1 s left"
    assert Progress(3, 10, 2.04, 600, True).in_words() == "3 of 10 · 2.0 photos/s · 10 min left"
    assert Progress(3, 10, 2.0, 3.5, True, True).in_words() == "3 of 10 · paused"
    assert Progress(10, 10).in_words() == "10 of 10 done"
    assert duration(5000) == "83 min"
    assert duration(8000) == "2 h 13 min"


def test_pace_follows_the_last_seconds() -> None:
    pace = Pace()
    for second in range(30):
        pace.count(10 if second < 15 else 40, now=float(second))
    assert 35 < pace.rate <= 41

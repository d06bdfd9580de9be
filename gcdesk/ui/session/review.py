"""The review queue: the next row to review, the position in it, random spot checks. No Qt."""

from __future__ import annotations

import random

import numpy as np

from gcdesk.engine.labels import NOT_SET
from gcdesk.store import SpotCheck, Status
from gcdesk.ui.session.rows import Rows


def next_to_review(rows: Rows, shown: np.ndarray, after: int) -> int:
    """The next row to review in view order after row `after`, round the end; -1 where none is left."""
    waiting = rows.to_review()[shown]
    indices = np.flatnonzero(waiting)
    if not len(indices):
        return -1
    here = np.flatnonzero(shown == after)
    start = int(here[0]) if len(here) else -1
    later = indices[indices > start]
    index = int(later[0]) if len(later) else int(indices[0])
    row = int(shown[index])
    return -1 if row == after else row


def review_position(rows: Rows, shown: np.ndarray, row: int) -> tuple[int, int]:
    """(i, N): the row is the i-th of N to review in view order; i is 0 where it is not one of them."""
    waiting = rows.to_review()
    count = int(waiting.sum())
    if row < 0 or not waiting[row]:
        return 0, count
    in_view = shown[waiting[shown]]
    found = np.flatnonzero(in_view == row)
    return (int(found[0]) + 1 if len(found) else 0), count


def offer_spot_check(rows: Rows, one_in: int, chance: random.Random) -> int:
    """Once in `one_in` calls, a sure row at random that nobody has looked at; else -1. 0 switches it off."""
    if one_in <= 0 or chance.randrange(one_in):
        return -1
    sure = (
        (rows.status == Status.DONE)
        & ~rows.review
        & (rows.label != NOT_SET)
        & (rows.operator == NOT_SET)
        & (rows.spot == SpotCheck.NO)
    )
    candidates = np.flatnonzero(sure)
    return int(candidates[chance.randrange(len(candidates))]) if len(candidates) else -1

"""Filters, search and order, on small lists by meaning and on 100,000 rows by time."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from window_kit import outcome

from gcdesk.engine.labels import NOT_SET, UNSURE
from gcdesk.store import Status
from gcdesk.ui.session.filtering import (
    Show,
    Snapshot,
    SortBy,
    ViewSpec,
    appended_rows,
    counts,
    take_snapshot,
    visible_rows,
)
from gcdesk.ui.session.rows import NewItem, Rows


@pytest.fixture
def rows() -> Rows:
    made = Rows()
    names = ["b.jpg", "A.jpg", "c.jpg", "d.jpg", "e.jpg"]
    captions = ["banana peel", "Coffee cup", "", "coffee lid", "old shoe"]
    made.add([NewItem(i, f"/p/{names[i]}", captions[i]) for i in range(5)])
    made.set_outcome(0, outcome(text=(0.02, 0.02, 0.95, 0.01)))
    made.set_outcome(1, outcome(review=True))
    made.set_outcome(2, outcome(text=None, image=(0.55, 0.15, 0.15, 0.15)))
    made.set_operator(np.array([3]), np.array([UNSURE]))
    return made


def shown(rows: Rows, **wish: object) -> list[int]:
    spec = ViewSpec(**wish)
    return visible_rows(take_snapshot(rows, spec.low, spec.high), spec).tolist()


def test_filters(rows: Rows) -> None:
    assert shown(rows) == [0, 1, 2, 3, 4]
    assert shown(rows, show=Show.REVIEW) == [1]
    assert shown(rows, show=Show.BIN_2) == [0]
    assert shown(rows, show=Show.BIN_0) == [2]
    assert shown(rows, show=Show.UNSURE) == [3]
    assert shown(rows, show=Show.LOW) == [2]
    assert shown(rows, show=Show.HIGH) == [0]
    assert shown(rows, show=Show.DISAGREE) == [1]
    assert shown(rows, show=Show.WAITING) == [3, 4]


def test_counts_are_what_the_filters_show(rows: Rows) -> None:
    snapshot = take_snapshot(rows, 0.6, 0.9)
    for show, count in counts(snapshot).items():
        assert count == len(visible_rows(snapshot, ViewSpec(show))), show


def test_search_finds_all_words_in_name_or_caption_whatever_the_case(rows: Rows) -> None:
    assert shown(rows, search="COFFEE") == [1, 3]
    assert shown(rows, search="lid cof") == [3]
    assert shown(rows, search="c.jpg") == [2]
    assert shown(rows, search="nothing like it") == []


def test_orders(rows: Rows) -> None:
    assert shown(rows, sort=SortBy.NAME) == [1, 0, 2, 3, 4]
    assert shown(rows, sort=SortBy.NAME, descending=True) == [4, 3, 2, 0, 1]
    assert shown(rows, sort=SortBy.CAPTION) == [0, 1, 3, 4, 2]  # an empty caption comes last
    assert shown(rows, sort=SortBy.STATUS)[0] == 1
    assert shown(rows, sort=SortBy.IMAGE)[0] == 2  # Black is the first bin; rows without an answer come last
    assert shown(rows, sort=SortBy.BIN)[-1] == 4


def test_what_is_shown_stays_while_results_arrive(rows: Rows) -> None:
    spec = ViewSpec(Show.REVIEW)
    before = visible_rows(take_snapshot(rows, spec.low, spec.high), spec)
    rows.set_operator(np.array([1]), np.array([0]))
    rows.set_outcome(4, outcome(review=True))
    assert appended_rows(take_snapshot(rows, spec.low, spec.high), spec, before).tolist() == [1, 4]


def many(count: int) -> Rows:
    made = Rows()
    names = [str(Path(f"/p/{i % 97}/IMG_{i * 7919 % count:06d}.jpg")) for i in range(count)]
    made.add([NewItem(i, name, f"cup {i % 13}") for i, name in enumerate(names)])
    random = np.random.default_rng(1)
    made.image[:] = random.dirichlet(np.ones(4), count)
    made.text[:] = random.dirichlet(np.ones(4), count)
    made.label[:] = made.text.argmax(axis=1)
    made.confidence[:] = made.text.max(axis=1)
    made.status[:] = Status.DONE
    made.review[:] = made.confidence < 0.4
    return made


@pytest.mark.parametrize("sort", list(SortBy))
def test_every_order_of_100_000_rows_is_right_and_quick(sort: SortBy) -> None:
    rows = many(100_000)
    snapshot: Snapshot = take_snapshot(rows, 0.6, 0.9)
    started = time.process_time()
    index = visible_rows(snapshot, ViewSpec(sort=sort))
    seconds = time.process_time() - started  # other programs' work is not ours
    assert np.array_equal(np.sort(index), np.arange(100_000))
    assert seconds < 2.5
    if sort is SortBy.NAME:
        names = [rows.name(row) for row in index.tolist()]
        assert names == sorted(names)
    if sort is SortBy.TEXT:
        best = rows.text.argmax(axis=1)[index]
        assert (np.diff(best) >= 0).all()


def test_rows_without_a_label_sort_last() -> None:
    rows = many(100)
    rows.label[:50] = NOT_SET
    order = visible_rows(take_snapshot(rows, 0.6, 0.9), ViewSpec(sort=SortBy.BIN))
    assert set(order[-50:].tolist()) == set(range(50))

"""The order in which photos are taken, and that nothing is lost or taken twice whatever is asked."""

from __future__ import annotations

import time

from hypothesis import given, settings
from hypothesis import strategies as st

from gcdesk.jobs.priority_queue import PriorityQueue
from gcdesk.worker.protocol.messages import Priority


def taken(waiting: PriorityQueue) -> list[int]:
    order = []
    while (next_one := waiting.take()) is not None:
        order.append(next_one[0])
    return order


def put(waiting: PriorityQueue, items: list[int], priority: Priority) -> None:
    for item in items:
        waiting.put(item, f"{item}.jpg", None, priority)


def test_urgent_ones_first_and_of_watched_ones_the_newest() -> None:
    waiting = PriorityQueue()
    put(waiting, [1, 2], Priority.REST)
    put(waiting, [3, 4], Priority.VISIBLE)
    put(waiting, [5], Priority.EDITED)
    put(waiting, [6, 7], Priority.WATCHED)
    assert waiting.first_priority() == Priority.WATCHED
    assert taken(waiting) == [7, 6, 5, 3, 4, 1, 2]
    assert waiting.first_priority() is None


def test_what_is_on_the_screen_now_comes_before_what_was_on_it() -> None:
    waiting = PriorityQueue()
    put(waiting, list(range(10)), Priority.REST)
    waiting.prioritise([3, 4], Priority.VISIBLE)
    waiting.prioritise([7, 8], Priority.VISIBLE)
    waiting.prioritise([8, 3], Priority.VISIBLE)
    assert taken(waiting) == [8, 3, 7, 4, 0, 1, 2, 5, 6, 9]


def test_nothing_is_made_less_urgent() -> None:
    waiting = PriorityQueue()
    put(waiting, [1], Priority.EDITED)
    put(waiting, [2], Priority.REST)
    waiting.prioritise([1, 2, 99], Priority.VISIBLE)
    assert taken(waiting) == [1, 2]


def test_a_new_caption_replaces_the_old_one() -> None:
    waiting = PriorityQueue()
    waiting.put(1, "a.jpg", "old", Priority.REST)
    waiting.put(2, "b.jpg", None, Priority.REST)
    waiting.put(1, "a.jpg", "new", Priority.EDITED)
    assert len(waiting) == 2
    assert waiting.take() == (1, ("a.jpg", "new", Priority.EDITED))
    assert taken(waiting) == [2]


def test_what_comes_back_is_taken_next() -> None:
    waiting = PriorityQueue()
    put(waiting, [1, 2], Priority.REST)
    waiting.put_back(9, "9.jpg", None, Priority.REST)
    assert taken(waiting) == [9, 1, 2]


def test_scrolling_for_hours_while_paused_takes_no_memory() -> None:
    waiting = PriorityQueue()
    put(waiting, list(range(100)), Priority.REST)
    for start in range(2000):
        waiting.prioritise([(start + k) % 100 for k in range(20)], Priority.VISIBLE)
    assert sum(map(len, waiting._lines)) < 5000
    assert taken(waiting)[:20] == [(1999 + k) % 100 for k in range(20)]


operations = st.one_of(
    st.tuples(st.just("put"), st.integers(0, 9), st.integers(0, 3)),
    st.tuples(st.just("prioritise"), st.lists(st.integers(0, 9)), st.integers(0, 3)),
    st.tuples(st.just("remove"), st.lists(st.integers(0, 9)), st.none()),
    st.tuples(st.just("take"), st.none(), st.none()),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(operations, max_size=60))
def test_every_item_is_taken_once_and_no_less_urgent_one_before_it(steps: list[tuple]) -> None:
    waiting = PriorityQueue()
    meant: dict[int, int] = {}
    for what, who, priority in steps:
        if what == "put":
            waiting.put(who, "x", None, priority)
            meant[who] = priority
        elif what == "prioritise":
            waiting.prioritise(who, priority)
            meant |= {one: min(priority, meant[one]) for one in who if one in meant}
        elif what == "remove":
            waiting.remove(who)
            for one in who:
                meant.pop(one, None)
        else:
            got = waiting.take()
            if got is None:
                assert not meant
            else:
                assert meant.pop(got[0]) == got[1][2] == min([got[1][2], *meant.values()])
    assert len(waiting) == len(meant)
    assert sorted(taken(waiting)) == sorted(meant)


def test_a_hundred_thousand_photos_are_queued_and_taken_at_once() -> None:
    waiting = PriorityQueue()
    started = time.process_time()
    put(waiting, list(range(100_000)), Priority.REST)
    waiting.prioritise(list(range(99_000, 99_030)), Priority.VISIBLE)
    assert len(taken(waiting)) == 100_000
    assert time.process_time() - started < 1.0

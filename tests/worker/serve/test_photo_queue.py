"""The order in which the lanes take photos."""

from __future__ import annotations

import threading

from worker_kit import item

from gcdesk.worker.protocol.messages import Item, Priority
from gcdesk.worker.serve.photo_queue import PhotoQueue


def take(waiting: PhotoQueue, most: int) -> list[int]:
    return [one.id for one in waiting.take(lambda: most, lambda: False)]


def test_the_most_urgent_first_and_no_mixed_batches() -> None:
    waiting = PhotoQueue()
    waiting.put([item(1, "a"), item(2, "b"), item(3, "c", priority=Priority.VISIBLE)])
    waiting.put([item(4, "d", priority=Priority.WATCHED)])
    waiting.put([item(6, "f", priority=Priority.WATCHED), item(5, "e", priority=Priority.WATCHED)])
    assert take(waiting, 4) == [6, 5, 4]  # the newest request first, in its own order
    assert take(waiting, 4) == [3]
    waiting.prioritise([2, 77], Priority.EDITED)
    assert take(waiting, 1) == [2]
    waiting.put([item(1, "a", "new caption")])
    (one,) = waiting.take(lambda: 4, lambda: False)
    assert one.caption == "new caption"


def test_cancelled_ones_are_gone_and_a_pause_holds_all() -> None:
    waiting = PhotoQueue()
    waiting.put([item(n, "x") for n in range(4)])
    waiting.cancel([1])
    waiting.pause(True)
    got: list[list[Item]] = []
    lane = threading.Thread(target=lambda: got.append(waiting.take(lambda: 2, lambda: False)))
    lane.start()
    lane.join(0.1)
    assert not got
    waiting.pause(False)
    lane.join(5)
    assert [one.id for one in got[0]] == [0, 2]
    waiting.cancel(None)
    ended = threading.Event()
    lane = threading.Thread(target=lambda: got.append(waiting.take(lambda: 2, ended.is_set)))
    lane.start()
    ended.set()
    waiting.wake()
    lane.join(5)
    assert got[1] == []

"""Who is suspected when the worker dies, who is set aside, and which answers count."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from gcdesk.jobs.request_tracker import (
    IN_HAND,
    PICTURES_IN_HAND,
    PICTURES_WAITING,
    URGENT_IN_HAND,
    RequestTracker,
)
from gcdesk.worker.protocol.messages import (
    Cancel,
    Classify,
    Failed,
    HeatMap,
    Item,
    Message,
    Preview,
    PreviewReady,
    Prioritise,
    Priority,
    Rescore,
    Result,
    Started,
)


def answer(request: Item | Rescore) -> Result:
    return Result(request.id, request.ticket, None, None, "Blue", "text", 0.9, 0.1, False, "")


def photos(requests: Sequence[Message]) -> list[Item]:
    return [item for request in requests if isinstance(request, Classify) for item in request.items]


def begin(tracker: RequestTracker, items: Sequence[Item]) -> None:
    tracker.started(Started(tuple(item.id for item in items), tuple(item.ticket for item in items)))


@pytest.fixture
def tracker() -> RequestTracker:
    return RequestTracker()


def queue(tracker: RequestTracker, count: int) -> None:
    tracker.classify([(number, f"{number}.jpg", None) for number in range(count)], Priority.REST)


def test_the_worker_has_a_few_dozen_at_most(tracker: RequestTracker) -> None:
    queue(tracker, 100_000)
    has = photos(tracker.to_send())
    assert len(has) == IN_HAND
    assert photos(tracker.to_send()) == []
    assert tracker.answered(answer(has[0]))
    assert [item.id for item in photos(tracker.to_send())] == [IN_HAND]
    tracker.classify([(200_000 + n, "new.jpg", None) for n in range(100)], Priority.WATCHED)
    urgent = photos(tracker.to_send())
    assert len(urgent) == URGENT_IN_HAND - IN_HAND
    assert urgent[0].id == 200_099
    assert len(tracker) == 100_099


def test_an_answer_counts_once(tracker: RequestTracker) -> None:
    queue(tracker, 1)
    (item,) = photos(tracker.to_send())
    assert tracker.answered(answer(item))
    assert not tracker.answered(answer(item))
    assert len(tracker) == 0


def test_an_edited_caption_makes_the_old_answer_worthless(tracker: RequestTracker) -> None:
    queue(tracker, 1)
    (old,) = photos(tracker.to_send())
    assert tracker.classify([(0, "0.jpg", "coffee cup")], Priority.EDITED) == [Cancel((0,))]
    (new,) = photos(tracker.to_send())
    assert new.caption == "coffee cup"
    assert not tracker.answered(answer(old))
    assert tracker.answered(answer(new))


def test_only_the_latest_caption_of_a_row_is_scored(tracker: RequestTracker) -> None:
    for caption in ("b", "ba", "ban"):
        tracker.rescore(Rescore(7, 0, caption))
    (request,) = tracker.to_send()
    assert isinstance(request, Rescore)
    assert request.caption == "ban"
    tracker.rescore(Rescore(7, 0, "banana"))
    (later,) = tracker.to_send()
    assert not tracker.answered(answer(request))
    assert isinstance(later, Rescore)
    assert tracker.answered(answer(later))


def test_what_was_cancelled_is_not_answered(tracker: RequestTracker) -> None:
    queue(tracker, 50)
    has = photos(tracker.to_send())
    tracker.rescore(Rescore(99, 0, "a cup"))
    assert tracker.cancel([0, 40]) == [Cancel((0,))]
    assert not tracker.answered(answer(has[0]))
    assert tracker.cancel(None) == [Cancel(None)]
    assert len(tracker) == 0
    assert not tracker.answered(answer(has[1]))
    assert [type(one) for one in tracker.to_send()] == [Rescore]


def test_photos_that_the_worker_has_are_made_urgent_there(tracker: RequestTracker) -> None:
    queue(tracker, 50)
    tracker.to_send()
    assert tracker.prioritise([3, 40], 2) == [Prioritise((3,), Priority.VISIBLE)]


def test_while_paused_only_captions_and_pictures_go_on(tracker: RequestTracker) -> None:
    queue(tracker, 5)
    tracker.paused = True
    tracker.rescore(Rescore(9, 0, "a cup"))
    tracker.draw(Preview(9, 0, "9.jpg", 800))
    assert [type(one) for one in tracker.to_send()] == [Rescore, Preview]
    tracker.paused = False
    assert len(photos(tracker.to_send())) == 5


def test_after_a_death_suspects_come_one_by_one(tracker: RequestTracker) -> None:
    queue(tracker, 10)
    has = photos(tracker.to_send())
    begin(tracker, has[:2])
    assert tracker.crashed() == []
    assert len(tracker) == 10
    for expected in (0, 1):
        (only,) = photos(tracker.to_send())
        assert only.id == expected
        assert tracker.to_send() == []
        assert tracker.answered(answer(only))
    assert [item.id for item in photos(tracker.to_send())] == list(range(2, 10))


def test_one_that_was_alone_twice_is_set_aside(tracker: RequestTracker) -> None:
    queue(tracker, 10)
    begin(tracker, photos(tracker.to_send())[:2])
    tracker.crashed()
    tracker.to_send()
    assert tracker.crashed() == []  # 0 was alone: its first strike
    (again,) = photos(tracker.to_send())
    assert again.id == 0
    (aside,) = tracker.crashed()
    assert isinstance(aside, Result)
    assert aside.id == 0
    assert aside.label is None
    assert "set aside" in (aside.error or "")
    (innocent,) = photos(tracker.to_send())
    assert innocent.id == 1
    assert tracker.answered(answer(innocent))
    assert [item.id for item in photos(tracker.to_send())] == list(range(2, 10))


def test_strikes_are_forgotten_by_a_good_answer_and_by_a_retry(tracker: RequestTracker) -> None:
    queue(tracker, 1)
    for _ in range(2):
        begin(tracker, photos(tracker.to_send()))
        assert tracker.crashed() == []
        (alone,) = photos(tracker.to_send())
        assert tracker.answered(answer(alone))
        queue(tracker, 1)
    begin(tracker, photos(tracker.to_send()))
    tracker.crashed()
    tracker.to_send()
    assert tracker.crashed() != []
    assert [one.id for one in tracker.draw(Preview(0, 0, "0.jpg", 800))] == [0]
    tracker.rescore(Rescore(0, 0, "a cup"))
    (request,) = tracker.to_send()
    assert isinstance(request, Rescore)
    assert "set aside" in (request.error or "")
    assert tracker.answered(answer(request))
    queue(tracker, 1)  # Retry
    assert tracker.draw(Preview(0, 0, "0.jpg", 800)) == []
    assert len(photos(tracker.to_send())) == 1


def test_a_death_with_nothing_begun_suspects_nobody(tracker: RequestTracker) -> None:
    queue(tracker, 10)
    tracker.to_send()
    assert tracker.crashed() == []
    assert [item.id for item in photos(tracker.to_send())] == list(range(10))


def test_captions_and_pictures_are_suspects_too(tracker: RequestTracker) -> None:
    tracker.rescore(Rescore(1, 0, "deadly"))
    tracker.draw(HeatMap(2, 0, "2.jpg", "Blue"))
    assert len(tracker.to_send()) == 2
    assert tracker.crashed() == []
    (first,) = tracker.to_send()
    assert isinstance(first, Rescore)
    assert tracker.crashed() == []
    tracker.to_send()
    (aside,) = tracker.crashed()
    assert isinstance(aside, Result)
    assert "caption" in (aside.error or "")
    (second,) = tracker.to_send()
    assert isinstance(second, HeatMap)
    tracker.crashed()
    tracker.to_send()
    (failed,) = tracker.crashed()
    assert isinstance(failed, Failed)


def test_a_suspect_that_is_cancelled_holds_up_nobody(tracker: RequestTracker) -> None:
    queue(tracker, 4)
    begin(tracker, photos(tracker.to_send())[:2])
    tracker.crashed()
    tracker.cancel([0, 1])
    assert [item.id for item in photos(tracker.to_send())] == [2, 3]


def test_suspects_wait_while_paused_and_captions_do_not(tracker: RequestTracker) -> None:
    queue(tracker, 4)
    begin(tracker, photos(tracker.to_send())[:2])
    tracker.crashed()
    tracker.paused = True
    tracker.rescore(Rescore(9, 0, "a cup"))
    (request,) = tracker.to_send()
    assert isinstance(request, Rescore)
    tracker.paused = False
    assert tracker.to_send() == []  # a suspect goes alone, so after the caption
    assert tracker.answered(answer(request))
    assert [item.id for item in photos(tracker.to_send())] == [0]


def test_the_latest_pictures_come_first_and_the_oldest_are_dropped(tracker: RequestTracker) -> None:
    for number in range(PICTURES_WAITING + 3):
        tracker.draw(Preview(number, 0, f"{number}.jpg", 800))
    order = []
    while has := tracker.to_send():
        assert len(has) <= PICTURES_IN_HAND
        for one in has:
            assert isinstance(one, Preview)
            order.append(one.id)
            tracker.answered(PreviewReady(one.id, one.ticket, "x.jpg"))
    assert order == list(range(PICTURES_WAITING + 2, 2, -1))

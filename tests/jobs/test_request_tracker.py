"""Who is suspected when the worker dies, who is set aside, and which answers count."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from gcdesk.jobs.request_tracker import IN_HAND, PICTURES_IN_HAND, PICTURES_WAITING, URGENT_IN_HAND, Desk
from gcdesk.worker.protocol.codec import (
    Cancel,
    Classify,
    Failed,
    HeatMap,
    Item,
    Message,
    Preview,
    PreviewReady,
    Prioritise,
    Rescore,
    Result,
    Started,
)
from gcdesk.worker.protocol.messages import Priority


def answer(asked: Item | Rescore) -> Result:
    return Result(asked.id, asked.ticket, None, None, "Blue", "text", 0.9, 0.1, False, "")


def photos(requests: Sequence[Message]) -> list[Item]:
    return [item for request in requests if isinstance(request, Classify) for item in request.items]


def begin(desk: Desk, items: Sequence[Item]) -> None:
    desk.started(Started(tuple(item.id for item in items), tuple(item.ticket for item in items)))


@pytest.fixture
def desk() -> Desk:
    return Desk()


def queue(desk: Desk, count: int) -> None:
    desk.classify([(number, f"{number}.jpg", None) for number in range(count)], Priority.REST)


def test_the_worker_has_a_few_dozen_at_most(desk: Desk) -> None:
    queue(desk, 100_000)
    has = photos(desk.to_send())
    assert len(has) == IN_HAND
    assert photos(desk.to_send()) == []
    assert desk.answered(answer(has[0]))
    assert [item.id for item in photos(desk.to_send())] == [IN_HAND]
    desk.classify([(200_000 + n, "new.jpg", None) for n in range(100)], Priority.WATCHED)
    urgent = photos(desk.to_send())
    assert len(urgent) == URGENT_IN_HAND - IN_HAND
    assert urgent[0].id == 200_099
    assert len(desk) == 100_099


def test_an_answer_counts_once(desk: Desk) -> None:
    queue(desk, 1)
    (item,) = photos(desk.to_send())
    assert desk.answered(answer(item))
    assert not desk.answered(answer(item))
    assert len(desk) == 0


def test_an_edited_caption_makes_the_old_answer_worthless(desk: Desk) -> None:
    queue(desk, 1)
    (old,) = photos(desk.to_send())
    assert desk.classify([(0, "0.jpg", "coffee cup")], Priority.EDITED) == [Cancel((0,))]
    (new,) = photos(desk.to_send())
    assert new.caption == "coffee cup"
    assert not desk.answered(answer(old))
    assert desk.answered(answer(new))


def test_only_the_latest_caption_of_a_row_is_scored(desk: Desk) -> None:
    for caption in ("b", "ba", "ban"):
        desk.rescore(Rescore(7, 0, caption))
    (asked,) = desk.to_send()
    assert isinstance(asked, Rescore)
    assert asked.caption == "ban"
    desk.rescore(Rescore(7, 0, "banana"))
    (later,) = desk.to_send()
    assert not desk.answered(answer(asked))
    assert isinstance(later, Rescore)
    assert desk.answered(answer(later))


def test_what_was_cancelled_is_not_answered(desk: Desk) -> None:
    queue(desk, 50)
    has = photos(desk.to_send())
    desk.rescore(Rescore(99, 0, "a cup"))
    assert desk.cancel([0, 40]) == [Cancel((0,))]
    assert not desk.answered(answer(has[0]))
    assert desk.cancel(None) == [Cancel(None)]
    assert len(desk) == 0
    assert not desk.answered(answer(has[1]))
    assert [type(one) for one in desk.to_send()] == [Rescore]


def test_photos_that_the_worker_has_are_made_urgent_there(desk: Desk) -> None:
    queue(desk, 50)
    desk.to_send()
    assert desk.prioritise([3, 40], 2) == [Prioritise((3,), Priority.VISIBLE)]


def test_while_paused_only_captions_and_pictures_go_on(desk: Desk) -> None:
    queue(desk, 5)
    desk.paused = True
    desk.rescore(Rescore(9, 0, "a cup"))
    desk.draw(Preview(9, 0, "9.jpg", 800))
    assert [type(one) for one in desk.to_send()] == [Rescore, Preview]
    desk.paused = False
    assert len(photos(desk.to_send())) == 5


def test_after_a_death_suspects_come_one_by_one(desk: Desk) -> None:
    queue(desk, 10)
    has = photos(desk.to_send())
    begin(desk, has[:2])
    assert desk.died() == []
    assert len(desk) == 10
    for expected in (0, 1):
        (only,) = photos(desk.to_send())
        assert only.id == expected
        assert desk.to_send() == []
        assert desk.answered(answer(only))
    assert [item.id for item in photos(desk.to_send())] == list(range(2, 10))


def test_one_that_was_alone_twice_is_set_aside(desk: Desk) -> None:
    queue(desk, 10)
    begin(desk, photos(desk.to_send())[:2])
    desk.died()
    desk.to_send()
    assert desk.died() == []  # 0 was alone: its first strike
    (again,) = photos(desk.to_send())
    assert again.id == 0
    (aside,) = desk.died()
    assert isinstance(aside, Result)
    assert aside.id == 0
    assert aside.label is None
    assert "set aside" in (aside.error or "")
    (innocent,) = photos(desk.to_send())
    assert innocent.id == 1
    assert desk.answered(answer(innocent))
    assert [item.id for item in photos(desk.to_send())] == list(range(2, 10))


def test_strikes_are_forgotten_by_a_good_answer_and_by_a_retry(desk: Desk) -> None:
    queue(desk, 1)
    for _ in range(2):
        begin(desk, photos(desk.to_send()))
        assert desk.died() == []
        (alone,) = photos(desk.to_send())
        assert desk.answered(answer(alone))
        queue(desk, 1)
    begin(desk, photos(desk.to_send()))
    desk.died()
    desk.to_send()
    assert desk.died() != []
    assert [one.id for one in desk.draw(Preview(0, 0, "0.jpg", 800))] == [0]
    desk.rescore(Rescore(0, 0, "a cup"))
    (asked,) = desk.to_send()
    assert isinstance(asked, Rescore)
    assert "set aside" in (asked.error or "")
    assert desk.answered(answer(asked))
    queue(desk, 1)  # Retry
    assert desk.draw(Preview(0, 0, "0.jpg", 800)) == []
    assert len(photos(desk.to_send())) == 1


def test_a_death_with_nothing_begun_suspects_nobody(desk: Desk) -> None:
    queue(desk, 10)
    desk.to_send()
    assert desk.died() == []
    assert [item.id for item in photos(desk.to_send())] == list(range(10))


def test_captions_and_pictures_are_suspects_too(desk: Desk) -> None:
    desk.rescore(Rescore(1, 0, "deadly"))
    desk.draw(HeatMap(2, 0, "2.jpg", "Blue"))
    assert len(desk.to_send()) == 2
    assert desk.died() == []
    (first,) = desk.to_send()
    assert isinstance(first, Rescore)
    assert desk.died() == []
    desk.to_send()
    (aside,) = desk.died()
    assert isinstance(aside, Result)
    assert "caption" in (aside.error or "")
    (second,) = desk.to_send()
    assert isinstance(second, HeatMap)
    desk.died()
    desk.to_send()
    (failed,) = desk.died()
    assert isinstance(failed, Failed)


def test_a_suspect_that_is_cancelled_holds_up_nobody(desk: Desk) -> None:
    queue(desk, 4)
    begin(desk, photos(desk.to_send())[:2])
    desk.died()
    desk.cancel([0, 1])
    assert [item.id for item in photos(desk.to_send())] == [2, 3]


def test_suspects_wait_while_paused_and_captions_do_not(desk: Desk) -> None:
    queue(desk, 4)
    begin(desk, photos(desk.to_send())[:2])
    desk.died()
    desk.paused = True
    desk.rescore(Rescore(9, 0, "a cup"))
    (asked,) = desk.to_send()
    assert isinstance(asked, Rescore)
    desk.paused = False
    assert desk.to_send() == []  # a suspect goes alone, so after the caption
    assert desk.answered(answer(asked))
    assert [item.id for item in photos(desk.to_send())] == [0]


def test_the_latest_pictures_come_first_and_the_oldest_are_dropped(desk: Desk) -> None:
    for number in range(PICTURES_WAITING + 3):
        desk.draw(Preview(number, 0, f"{number}.jpg", 800))
    order = []
    while has := desk.to_send():
        assert len(has) <= PICTURES_IN_HAND
        for one in has:
            assert isinstance(one, Preview)
            order.append(one.id)
            desk.answered(PreviewReady(one.id, one.ticket, "x.jpg"))
    assert order == list(range(PICTURES_WAITING + 2, 2, -1))

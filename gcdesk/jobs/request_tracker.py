"""What the window wants of the worker, what the worker has in hand, and what follows when it dies. No Qt.

Every request has a ticket, which its answer carries; an answer without a ticket that still counts is dropped, so
nothing is delivered twice, nor after it was cancelled or asked anew.

When the worker dies, what it had begun is suspect. Suspects go to the next worker one by one with nothing beside
them. Only one that was alone when the worker died gets a strike; with two it is set aside.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count

from gcdesk.jobs.priority_queue import Waiting
from gcdesk.worker.protocol.codec import (
    Cancel,
    Classify,
    Failed,
    HeatMap,
    HeatMapReady,
    Item,
    Preview,
    PreviewReady,
    Prioritise,
    Priority,
    Request,
    Rescore,
    Result,
    Started,
    Words,
    WordsReady,
)

# Photos that the worker holds: enough that its lanes never wait for the window, so few that memory is small and a
# change of order counts at once.
IN_HAND = 24
# Urgent photos are handed over beyond that, up to this many.
URGENT_IN_HAND = 40
# Previews and heat-maps asked for while others are made; who scrolls on has no use for the oldest.
PICTURES_WAITING = 6
PICTURES_IN_HAND = 2
STRIKES = 2

_Asked = Item | Rescore | Preview | HeatMap | Words
_Key = tuple[type[_Asked], int]
Answer = Result | PreviewReady | HeatMapReady | WordsReady | Failed


@dataclass
class Job:
    """A request that the worker has or had. `begun`: it may be the one that kills it."""

    asked: _Asked
    begun: bool
    strikes: int = 0

    @property
    def key(self) -> _Key:
        return type(self.asked), self.asked.id


class Desk:
    """Requests in, what to send out, answers back. The caller sends what `to_send` gives, in that order."""

    def __init__(self) -> None:
        self.waiting = Waiting()
        self._captions: OrderedDict[int, Rescore] = OrderedDict()
        self._pictures: deque[Preview | HeatMap | Words] = deque()
        self._sent: dict[int, Job] = {}  # by ticket
        self._tickets: dict[_Key, int] = {}  # the ticket that counts, of what was sent
        self._suspects: deque[Job] = deque()
        self._alone = 0  # the ticket of the suspect that the worker has
        self._set_aside: dict[int, str] = {}
        self._numbers = count(1)
        self.paused = False

    def __len__(self) -> int:
        """Items that were asked to be classified and are not answered."""
        photos = sum(type(job.asked) is Item for job in (*self._sent.values(), *self._suspects))
        return len(self.waiting) + photos

    @property
    def in_hand(self) -> int:
        """Requests that the worker has."""
        return len(self._sent)

    # --- what the window asks

    def classify(self, items: Iterable[tuple[int, str, str | None]], priority: Priority) -> list[Request]:
        """Queue photos. Returns what the worker is to be told of those that it had already."""
        again = []
        for item, path, caption in items:
            self._set_aside.pop(item, None)
            if self._forget((Item, item)):
                again.append(item)
            self.waiting.put(item, path, caption, priority)
        return [Cancel(tuple(again))] if again else []

    def rescore(self, asked: Rescore) -> None:
        """Queue a caption; it replaces one of the same item that was not answered yet."""
        self._forget((Rescore, asked.id))
        if asked.error is None and asked.id in self._set_aside:
            asked = replace(asked, error=self._set_aside[asked.id])
        self._captions[asked.id] = asked

    def draw(self, asked: Preview | HeatMap | Words) -> list[Failed]:
        """Queue a preview or a heat-map, the latest first. Returns a failure where the photo was set aside."""
        self._forget((type(asked), asked.id))
        if asked.id in self._set_aside:
            return [Failed(asked.id, 0, self._set_aside[asked.id])]
        for old in [one for one in self._pictures if type(one) is type(asked) and one.id == asked.id]:
            self._pictures.remove(old)
        self._pictures.append(asked)
        while len(self._pictures) > PICTURES_WAITING:
            self._pictures.popleft()
        return []

    def prioritise(self, items: Sequence[int], priority: Priority) -> list[Request]:
        """Make photos more urgent. Returns what the worker is to be told of those that it has."""
        self.waiting.prioritise(items, priority)
        has = tuple(item for item in items if (Item, item) in self._tickets)
        return [Prioritise(has, priority)] if has else []

    def cancel(self, items: Sequence[int] | None) -> list[Request]:
        """Forget photos, all for None. Returns what the worker is to be told."""
        if items is None:
            self.waiting.clear()
            for ticket, job in list(self._sent.items()):
                if type(job.asked) is Item:
                    self._close(ticket)
            self._suspects = deque(job for job in self._suspects if type(job.asked) is not Item)
            return [Cancel(None)]
        self.waiting.remove(items)
        has = tuple(item for item in items if self._forget((Item, item)))
        return [Cancel(has)] if has else []

    # --- what goes to the worker

    def to_send(self) -> list[Request]:
        """What a worker that is up can be given now."""
        suspect = next((job for job in self._suspects if self._may_go(job)), None)
        if self._alone in self._sent or (suspect is not None and self._sent):
            return []
        if suspect is not None:
            self._suspects.remove(suspect)
            request = self._hand(suspect.asked, begun=True, strikes=suspect.strikes)
            self._alone = next(reversed(self._sent))
            return [request]
        requests: list[Request] = []
        while self._captions:
            _, asked = self._captions.popitem(last=False)
            requests.append(self._hand(asked, begun=True))
        drawing = sum(isinstance(job.asked, Preview | HeatMap | Words) for job in self._sent.values())
        while self._pictures and drawing < PICTURES_IN_HAND:
            requests.append(self._hand(self._pictures.pop(), begun=True))
            drawing += 1
        photos = tuple(self._photos_to_send())
        return [*requests, Classify(photos)] if photos else requests

    def _photos_to_send(self) -> Iterator[Item]:
        if self.paused:
            return
        has = sum(type(job.asked) is Item for job in self._sent.values())
        while has < (IN_HAND if self.waiting.first_priority() in (Priority.REST, None) else URGENT_IN_HAND):
            taken = self.waiting.take()
            if taken is None:
                return
            number, (path, caption, priority) = taken
            has += 1
            item = Item(number, next(self._numbers), path, caption, priority)
            self._register(item, begun=False)
            yield item

    def _may_go(self, job: Job) -> bool:
        return not (self.paused and type(job.asked) is Item)

    def _hand(self, asked: _Asked, begun: bool, strikes: int = 0) -> Request:
        asked = replace(asked, ticket=next(self._numbers))
        self._register(asked, begun, strikes)
        return Classify((asked,)) if isinstance(asked, Item) else asked

    def _register(self, asked: _Asked, begun: bool, strikes: int = 0) -> None:
        job = Job(asked, begun, strikes)
        self._sent[asked.ticket] = job
        self._tickets[job.key] = asked.ticket

    # --- what comes back

    def started(self, event: Started) -> list[int]:
        """The items that are worked on now, but for those that no longer count."""
        begun = []
        for item, ticket in zip(event.ids, event.tickets, strict=False):
            job = self._sent.get(ticket)
            if job is not None:
                job.begun = True
                begun.append(item)
        return begun

    def answered(self, answer: Answer) -> bool:
        """Whether the answer counts; its request is then done."""
        job = self._sent.get(answer.ticket)
        if job is None:
            return False
        self._close(answer.ticket)
        return True

    def died(self) -> list[Answer]:
        """The worker is gone. Returns answers for what is set aside; all else will be sent again."""
        jobs = list(self._sent.values())
        self._sent.clear()
        self._tickets.clear()
        begun = [job for job in jobs if job.begun]
        for job in reversed([job for job in jobs if not job.begun]):
            assert isinstance(job.asked, Item)  # noqa: S101 - all else counts as begun at once
            self.waiting.put_back(job.asked.id, job.asked.path, job.asked.caption, job.asked.priority)
        if len(begun) == 1:
            begun[0].strikes += 1
            if begun[0].strikes >= STRIKES:
                return [self._put_aside(begun[0].asked)]
        self._suspects.extendleft(reversed(begun))
        return []

    def _put_aside(self, asked: _Asked) -> Answer:
        if isinstance(asked, Rescore):
            why = "This caption made the worker stop twice, so it was set aside: write it in another way."
        else:
            why = (
                "This photo made the worker stop twice, so it was set aside: save it in another form, or take it"
                " again."
            )
        if isinstance(asked, Preview | HeatMap | Words):
            return Failed(asked.id, asked.ticket, why)
        if isinstance(asked, Item):
            self._set_aside[asked.id] = why
        return Result(asked.id, asked.ticket, None, None, None, None, 0.0, 0.0, True, "", why)

    # --- bookkeeping

    def _forget(self, key: _Key) -> bool:
        """A request no longer counts. Returns whether the worker may have it."""
        self._suspects = deque(job for job in self._suspects if job.key != key) if self._suspects else deque()
        ticket = self._tickets.get(key)
        if ticket is None:
            return False
        self._close(ticket)
        return True

    def _close(self, ticket: int) -> None:
        job = self._sent.pop(ticket)
        if self._tickets.get(job.key) == ticket:
            del self._tickets[job.key]

"""Tracks requests to the worker: what waits, what was sent, and what is sent again after a crash. No Qt.

Every request has a ticket, which its answer carries; an answer without a ticket that still counts is dropped, so
nothing is delivered twice, nor after it was cancelled or asked anew.

When the worker crashes, each request that it had started may be the cause. These crash candidates go to the next
worker one by one, with nothing beside them. Only one that was alone when the worker crashed has the crash counted
against it; with two it is quarantined: answered with an error and not sent again.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count

from gcdesk.jobs.priority_queue import PriorityQueue
from gcdesk.worker.protocol.messages import (
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
CRASHES_BEFORE_QUARANTINE = 2

_Request = Item | Rescore | Preview | HeatMap | Words
_Key = tuple[type[_Request], int]
Answer = Result | PreviewReady | HeatMapReady | WordsReady | Failed


@dataclass
class SentRequest:
    """A request that was sent. started: the worker works on it, so it may be the one that crashes it."""

    request: _Request
    started: bool
    crash_count: int = 0

    @property
    def key(self) -> _Key:
        """Type and item id: a newer request with the same key replaces this one."""
        return type(self.request), self.request.id


class RequestTracker:
    """State of all requests. The caller sends what `to_send` returns, in that order, and reports what comes back."""

    def __init__(self) -> None:
        self.waiting = PriorityQueue()
        self._captions: OrderedDict[int, Rescore] = OrderedDict()
        self._pictures: deque[Preview | HeatMap | Words] = deque()
        self._sent: dict[int, SentRequest] = {}  # by ticket
        self._tickets: dict[_Key, int] = {}  # the ticket that counts, of what was sent
        self._crash_candidates: deque[SentRequest] = deque()
        self._isolated = 0  # the ticket of the crash candidate that the worker has
        self._quarantined: dict[int, str] = {}
        self._numbers = count(1)
        self.paused = False

    def __len__(self) -> int:
        """Items that were asked to be classified and are not answered."""
        photos = sum(type(job.request) is Item for job in (*self._sent.values(), *self._crash_candidates))
        return len(self.waiting) + photos

    # --- what the window asks

    def classify(self, items: Iterable[tuple[int, str, str | None]], priority: Priority) -> list[Request]:
        """Queue photos. Returns what the worker is to be told of those that it had already."""
        again = []
        for item, path, caption in items:
            self._quarantined.pop(item, None)
            if self._forget((Item, item)):
                again.append(item)
            self.waiting.put(item, path, caption, priority)
        return [Cancel(tuple(again))] if again else []

    def rescore(self, request: Rescore) -> None:
        """Queue a caption; it replaces one of the same item that was not answered yet."""
        self._forget((Rescore, request.id))
        if request.error is None and request.id in self._quarantined:
            request = replace(request, error=self._quarantined[request.id])
        self._captions[request.id] = request

    def draw(self, request: Preview | HeatMap | Words) -> list[Failed]:
        """Queue a preview or a heat-map, the latest first. Returns a failure where the photo was set aside."""
        self._forget((type(request), request.id))
        if request.id in self._quarantined:
            return [Failed(request.id, 0, self._quarantined[request.id])]
        for old in [item for item in self._pictures if type(item) is type(request) and item.id == request.id]:
            self._pictures.remove(old)
        self._pictures.append(request)
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
                if type(job.request) is Item:
                    self._close(ticket)
            self._crash_candidates = deque(
                job for job in self._crash_candidates if type(job.request) is not Item
            )
            return [Cancel(None)]
        self.waiting.remove(items)
        has = tuple(item for item in items if self._forget((Item, item)))
        return [Cancel(has)] if has else []

    # --- what goes to the worker

    def to_send(self) -> list[Request]:
        """What a worker that is up can be given now."""
        suspect = next((job for job in self._crash_candidates if self._may_go(job)), None)
        if self._isolated in self._sent or (suspect is not None and self._sent):
            return []
        if suspect is not None:
            self._crash_candidates.remove(suspect)
            request = self._hand(suspect.request, started=True, crash_count=suspect.crash_count)
            self._isolated = next(reversed(self._sent))
            return [request]
        requests: list[Request] = []
        while self._captions:
            _, request = self._captions.popitem(last=False)
            requests.append(self._hand(request, started=True))
        drawing = sum(isinstance(job.request, Preview | HeatMap | Words) for job in self._sent.values())
        while self._pictures and drawing < PICTURES_IN_HAND:
            requests.append(self._hand(self._pictures.pop(), started=True))
            drawing += 1
        photos = tuple(self._photos_to_send())
        return [*requests, Classify(photos)] if photos else requests

    def _photos_to_send(self) -> Iterator[Item]:
        if self.paused:
            return
        has = sum(type(job.request) is Item for job in self._sent.values())
        while has < (IN_HAND if self.waiting.first_priority() in (Priority.REST, None) else URGENT_IN_HAND):
            taken = self.waiting.take()
            if taken is None:
                return
            number, (path, caption, priority) = taken
            has += 1
            item = Item(number, next(self._numbers), path, caption, priority)
            self._register(item, started=False)
            yield item

    def _may_go(self, job: SentRequest) -> bool:
        return not (self.paused and type(job.request) is Item)

    def _hand(self, request: _Request, started: bool, crash_count: int = 0) -> Request:
        request = replace(request, ticket=next(self._numbers))
        self._register(request, started, crash_count)
        return Classify((request,)) if isinstance(request, Item) else request

    def _register(self, request: _Request, started: bool, crash_count: int = 0) -> None:
        job = SentRequest(request, started, crash_count)
        self._sent[request.ticket] = job
        self._tickets[job.key] = request.ticket

    # --- what comes back

    def started(self, event: Started) -> list[int]:
        """The items that are worked on now, but for those that no longer count."""
        started = []
        for item, ticket in zip(event.ids, event.tickets, strict=False):
            job = self._sent.get(ticket)
            if job is not None:
                job.started = True
                started.append(item)
        return started

    def answered(self, answer: Answer) -> bool:
        """Whether the answer counts; its request is then done."""
        job = self._sent.get(answer.ticket)
        if job is None:
            return False
        self._close(answer.ticket)
        return True

    def crashed(self) -> list[Answer]:
        """The worker is gone. Returns answers for what is set aside; all else will be sent again."""
        jobs = list(self._sent.values())
        self._sent.clear()
        self._tickets.clear()
        started = [job for job in jobs if job.started]
        for job in reversed([job for job in jobs if not job.started]):
            assert isinstance(job.request, Item)  # noqa: S101 - all else counts as started at once
            self.waiting.put_back(job.request.id, job.request.path, job.request.caption, job.request.priority)
        if len(started) == 1:
            started[0].crash_count += 1
            if started[0].crash_count >= CRASHES_BEFORE_QUARANTINE:
                return [self._quarantine(started[0].request)]
        self._crash_candidates.extendleft(reversed(started))
        return []

    def _quarantine(self, request: _Request) -> Answer:
        if isinstance(request, Rescore):
            why = "This caption made the worker stop twice, so it was set aside: write it in another way."
        else:
            why = (
                "This photo made the worker stop twice, so it was set aside: save it in another form, or take it"
                " again."
            )
        if isinstance(request, Preview | HeatMap | Words):
            return Failed(request.id, request.ticket, why)
        if isinstance(request, Item):
            self._quarantined[request.id] = why
        return Result(request.id, request.ticket, None, None, None, None, 0.0, 0.0, True, "", why)

    # --- bookkeeping

    def _forget(self, key: _Key) -> bool:
        """A request no longer counts. Returns whether the worker may have it."""
        self._crash_candidates = (
            deque(job for job in self._crash_candidates if job.key != key)
            if self._crash_candidates
            else deque()
        )
        ticket = self._tickets.get(key)
        if ticket is None:
            return False
        self._close(ticket)
        return True

    def _close(self, ticket: int) -> None:
        job = self._sent.pop(ticket)
        if self._tickets.get(job.key) == ticket:
            del self._tickets[job.key]

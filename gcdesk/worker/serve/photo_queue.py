"""The photos that wait in the worker: a few dozen, the most urgent first."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from dataclasses import replace

from gcdesk.worker.protocol.messages import Item, Priority


class PhotoQueue:
    """Several lanes take from it; requests put in, reorder and cancel. The window bounds how many wait."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: dict[int, tuple[int, int, Item]] = {}  # id: number of its request, place in that, item
        self._requests = 0
        self._paused = False

    def put(self, items: Collection[Item]) -> None:
        """Add items, the most urgent of each priority first; one with the id of a waiting item replaces it."""
        with self._changed:
            self._requests += 1
            for index, item in enumerate(items):
                self._waiting[item.id] = (self._requests, index, item)
            self._changed.notify_all()

    def take(self, most: Callable[[], int], ended: Callable[[], bool]) -> list[Item]:
        """The next items, at most `most()` of the same priority; waits for one. [] when `ended()`."""
        with self._changed:
            while (self._paused or not self._waiting) and not ended():
                self._changed.wait()
            if ended():
                return []
            order = sorted(self._waiting.values(), key=_urgency)
            chosen = [item for _, _, item in order[: most()] if item.priority == order[0][2].priority]
            for item in chosen:
                del self._waiting[item.id]
            return chosen

    def prioritise(self, ids: Collection[int], priority: Priority) -> None:
        """Make items more urgent; one that is so already stays as it is."""
        with self._changed:
            for number in ids:
                if number in self._waiting:
                    request, place, item = self._waiting[number]
                    item = replace(item, priority=min(priority, item.priority))
                    self._waiting[number] = (request, place, item)

    def cancel(self, ids: Collection[int] | None) -> None:
        """Forget items, all for None."""
        with self._changed:
            if ids is None:
                self._waiting.clear()
            else:
                for number in ids:
                    self._waiting.pop(number, None)

    def pause(self, paused: bool) -> None:
        """While paused nobody gets anything."""
        with self._changed:
            self._paused = paused
            self._changed.notify_all()

    def wake(self) -> None:
        """Let those who wait look again whether they have ended."""
        with self._changed:
            self._changed.notify_all()


def _urgency(entry: tuple[int, int, Item]) -> tuple[int, int, int]:
    request, place, item = entry
    return item.priority, -request if item.priority == Priority.WATCHED else request, place

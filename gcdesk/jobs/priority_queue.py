"""The queue of photos that are not sent yet, the most urgent first. No Qt."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence

from gcdesk.worker.protocol.messages import Priority

# path, caption (None: from the file's name), priority
Entry = tuple[str, str | None, Priority]


class PriorityQueue:
    """One first-in-first-out queue of item ids for each priority; every call takes constant time.

    What is known of an id, its current priority too, is in one table. An id whose entry moved to another queue is
    skipped when it is reached.
    """

    def __init__(self) -> None:
        self._entries: dict[int, Entry] = {}
        self._lines: tuple[deque[int], ...] = tuple(deque() for _ in Priority)

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, item: int) -> bool:
        return item in self._entries

    def put(self, item: int, path: str, caption: str | None, priority: Priority) -> None:
        """Add at the end of its line; an item that waits already is replaced."""
        self._entries[item] = (path, caption, priority)
        self._lines[priority].append(item)

    def put_back(self, item: int, path: str, caption: str | None, priority: Priority) -> None:
        """Add where it is taken next."""
        self._entries[item] = (path, caption, priority)
        if priority == Priority.WATCHED:
            self._lines[priority].append(item)
        else:
            self._lines[priority].appendleft(item)

    def prioritise(self, items: Sequence[int], priority: Priority) -> None:
        """Move those that wait to the front of a more urgent line, or of their own, in the order given: what is
        on the screen now comes before what was on it.
        """
        for item in reversed(items):
            entry = self._entries.get(item)
            if entry is not None and entry[2] >= priority:
                self.put_back(item, entry[0], entry[1], priority)
        if len(self._lines[priority]) > 2 * len(self._entries) + 1000:
            self._tidy(priority)

    def _tidy(self, priority: Priority) -> None:
        """Drop what is no longer meant from a line, and all but the place of each item that comes first."""
        queue = self._lines[priority]
        if priority == Priority.WATCHED:
            queue.reverse()
        meant = [
            item
            for item in dict.fromkeys(queue)
            if (entry := self._entries.get(item)) and entry[2] == priority
        ]
        queue.clear()
        queue.extend(reversed(meant) if priority == Priority.WATCHED else meant)

    def take(self) -> tuple[int, Entry] | None:
        """The most urgent item, no longer waiting; of watched photos the newest. None where nothing waits."""
        for priority, line in zip(Priority, self._lines, strict=True):
            while line:
                item = line.pop() if priority == Priority.WATCHED else line.popleft()
                entry = self._entries.get(item)
                if entry is not None and entry[2] == priority:
                    del self._entries[item]
                    return item, entry
        return None

    def first_priority(self) -> Priority | None:
        """The priority of what `take` would give, None where nothing waits."""
        for priority, line in zip(Priority, self._lines, strict=True):
            while line:
                item = line[-1] if priority == Priority.WATCHED else line[0]
                entry = self._entries.get(item)
                if entry is not None and entry[2] == priority:
                    return priority
                _ = line.pop() if priority == Priority.WATCHED else line.popleft()
        return None

    def remove(self, items: Iterable[int]) -> None:
        """Forget these ids; unknown ones are ignored."""
        for item in items:
            self._entries.pop(item, None)

    def clear(self) -> None:
        """Forget all ids."""
        self._entries.clear()
        for line in self._lines:
            line.clear()

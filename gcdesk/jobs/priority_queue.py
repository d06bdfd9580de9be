"""The photos that wait at the window's side, however many: the most urgent first. No Qt."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence

NEWEST_WATCHED, EDITED, VISIBLE, REST = range(4)

# path, caption (None: from the file's name), priority
Entry = tuple[str, str | None, int]


class Waiting:
    """A line for each priority. Every call costs the same however long the lines are.

    A line holds ids; what is known of an id, its present priority too, lies in one table, and an id that is no
    longer meant is passed over when its turn comes.
    """

    def __init__(self) -> None:
        self._entries: dict[int, Entry] = {}
        self._lines: tuple[deque[int], ...] = tuple(deque() for _ in range(REST + 1))

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, item: int) -> bool:
        return item in self._entries

    def put(self, item: int, path: str, caption: str | None, priority: int) -> None:
        """Add at the end of its line; an item that waits already is replaced."""
        self._entries[item] = (path, caption, priority)
        self._lines[priority].append(item)

    def put_back(self, item: int, path: str, caption: str | None, priority: int) -> None:
        """Add where it is taken next."""
        self._entries[item] = (path, caption, priority)
        if priority == NEWEST_WATCHED:
            self._lines[priority].append(item)
        else:
            self._lines[priority].appendleft(item)

    def prioritise(self, items: Sequence[int], priority: int) -> None:
        """Move those that wait to the front of a more urgent line, or of their own, in the order given: what is
        on the screen now comes before what was on it.
        """
        for item in reversed(items):
            entry = self._entries.get(item)
            if entry is not None and entry[2] >= priority:
                self.put_back(item, entry[0], entry[1], priority)
        if len(self._lines[priority]) > 2 * len(self._entries) + 1000:
            self._tidy(priority)

    def _tidy(self, priority: int) -> None:
        """Drop what is no longer meant from a line, and all but the place of each item that comes first."""
        places = self._lines[priority]
        if priority == NEWEST_WATCHED:
            places.reverse()
        meant = [
            item for item in dict.fromkeys(places) if self._entries.get(item, ("", None, -1))[2] == priority
        ]
        places.clear()
        places.extend(reversed(meant) if priority == NEWEST_WATCHED else meant)

    def take(self) -> tuple[int, Entry] | None:
        """The most urgent item, no longer waiting; of watched photos the newest. None where nothing waits."""
        for priority, line in enumerate(self._lines):
            while line:
                item = line.pop() if priority == NEWEST_WATCHED else line.popleft()
                entry = self._entries.get(item)
                if entry is not None and entry[2] == priority:
                    del self._entries[item]
                    return item, entry
        return None

    def first_priority(self) -> int:
        """The priority of what `take` would give, REST + 1 where nothing waits."""
        for priority, line in enumerate(self._lines):
            while line:
                item = line[-1] if priority == NEWEST_WATCHED else line[0]
                entry = self._entries.get(item)
                if entry is not None and entry[2] == priority:
                    return priority
                _ = line.pop() if priority == NEWEST_WATCHED else line.popleft()
        return REST + 1

    def remove(self, items: Iterable[int]) -> None:
        for item in items:
            self._entries.pop(item, None)

    def clear(self) -> None:
        self._entries.clear()
        for line in self._lines:
            line.clear()

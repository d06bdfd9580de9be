"""Progress of a batch: done of total, photos a second, time left. No Qt."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass

from gcdesk.ui.session.wording import duration

_WINDOW = 10.0  # seconds over which the rate is measured


@dataclass(frozen=True)
class Progress:
    """`rate` in photos/s (0 while unknown), `seconds_left` None while unknown."""

    done: int = 0
    total: int = 0
    rate: float = 0.0
    seconds_left: float | None = None
    running: bool = False
    paused: bool = False

    def in_words(self) -> str:
        """One line for the strip."""
        if not self.total:
            return ""
        if not self.running:
            return f"{self.done:,} of {self.total:,} done"
        parts = [f"{self.done:,} of {self.total:,}"]
        if self.paused:
            parts.append("paused")
        elif self.rate:
            parts.append(f"{self.rate:.0f} photos/s" if self.rate >= 9.5 else f"{self.rate:.1f} photos/s")
            if self.seconds_left is not None:
                parts.append(f"{duration(self.seconds_left)} left")
        return " · ".join(parts)


class Pace:
    """The rate of finished photos over the last seconds."""

    def __init__(self) -> None:
        self._marks: deque[tuple[float, int]] = deque()
        self._done = 0

    def reset(self) -> None:
        """Forget what was counted."""
        self._marks.clear()
        self._done = 0

    def count(self, more: int, now: float | None = None) -> None:
        """`more` photos were finished."""
        moment = time.monotonic() if now is None else now
        if not self._marks:
            self._marks.append((moment, 0))
        self._done += more
        self._marks.append((moment, self._done))
        while len(self._marks) > 2 and moment - self._marks[0][0] > _WINDOW:
            self._marks.popleft()

    @property
    def rate(self) -> float:
        """Photos a second over the last seconds."""
        if len(self._marks) < 2:
            return 0.0
        (first, before), (last, after) = self._marks[0], self._marks[-1]
        return (after - before) / (last - first) if last - first > 0.3 else 0.0


class Batch:
    """The rows that are worked on now; those finished before it do not count."""

    def __init__(self) -> None:
        self.pace = Pace()
        self.paused = False
        self.cancelled = False
        self._done_before = 0

    def begin(self, done_before: int) -> None:
        """Start a batch; so many rows were done before it."""
        self.cancelled = False
        self.pace.reset()
        self._done_before = done_before

    def progress(self, rows: int, left: int) -> Progress:
        """How far it is, of all `rows` of the list with so many `left` to do."""
        total, rate = rows - self._done_before, self.pace.rate
        return Progress(
            done=total - left,
            total=total,
            rate=rate,
            seconds_left=left / rate if rate else None,
            running=left > 0 and not self.cancelled,
            paused=self.paused,
        )

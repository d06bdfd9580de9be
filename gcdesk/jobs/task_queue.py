"""A queue of short tasks (import, check, compare, measure a model), run one after the other."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from PySide6.QtCore import QObject, Signal

from gcdesk.jobs.task_client import TaskClient
from gcdesk.worker.protocol.task_messages import Done, Figures, Progress, Task


def _nothing(*_args: object) -> None: ...


@dataclass(frozen=True)
class QueuedTask:
    """A task and its callbacks. failed: gets the reason, "" where the task was cancelled."""

    task: Task
    done: Callable[[Done], object]
    failed: Callable[[str], object] = _nothing
    progress: Callable[[Progress], object] = _nothing
    figures: Callable[[Figures], object] = field(default=_nothing)


class TaskQueue(QObject):
    """Runs queued tasks in order. busy_changed: whether a task runs."""

    busy_changed = Signal(bool)

    def __init__(self, parent: QObject | None = None, *, command: Sequence[str] | None = None) -> None:
        super().__init__(parent)
        self._client = TaskClient(self, command=command)
        self._waiting: deque[QueuedTask] = deque()
        self._now: QueuedTask | None = None
        self._client.progress.connect(lambda event: self._now and self._now.progress(event))
        self._client.figures.connect(lambda event: self._now and self._now.figures(event))
        self._client.done.connect(self._done)
        self._client.failed.connect(self._failed)
        self._client.cancelled.connect(lambda: self._failed(""))

    @property
    def busy(self) -> bool:
        """Whether a task runs."""
        return self._now is not None

    @property
    def pid(self) -> int:
        """The process that runs now, 0 for none."""
        return self._client.pid

    def run(self, task_entry: QueuedTask) -> None:
        """Do this after what waits."""
        self._waiting.append(task_entry)
        if self._now is None:
            self._next()

    def cancel(self) -> None:
        """Drop what waits, and ask what runs to stop."""
        self._waiting.clear()
        self._client.cancel()

    def close(self) -> None:
        """End what runs at once. Nothing is called any more."""
        self._waiting.clear()
        self._now = None
        self._client.close()

    def _next(self) -> None:
        was_busy = self._now is not None
        self._now = self._waiting.popleft() if self._waiting else None
        if self._now is not None:
            self._client.start(self._now.task)
        if was_busy != self.busy:
            self.busy_changed.emit(self.busy)

    def _done(self, done: Done) -> None:
        task_entry = self._now
        self._next()
        if task_entry is not None:
            task_entry.failed("") if done.stopped and not done.result else task_entry.done(done)

    def _failed(self, words: str) -> None:
        task_entry = self._now
        self._next()
        if task_entry is not None:
            task_entry.failed(words)

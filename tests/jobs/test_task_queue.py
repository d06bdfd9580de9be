"""Tasks in a queue: in order, each with its own end."""

from __future__ import annotations

from collections.abc import Iterator

import counting_task
import pytest
from client_kit import turn_until
from processes import lower_priority

from gcdesk.jobs.task_queue import QueuedTask, TaskQueue
from gcdesk.worker.protocol.task_messages import Task

LOWER = lower_priority()


@pytest.fixture
def queue(qapp: object) -> Iterator[TaskQueue]:
    made = TaskQueue(command=counting_task.COMMAND)
    yield made
    made.close()
    made.deleteLater()


def test_tasks_come_in_order_and_end_each_in_its_way(queue: TaskQueue) -> None:
    ends: list[str] = []
    busy: list[bool] = []
    queue.busy_changed.connect(busy.append)
    for arguments in (("2",), ("-1",), ("3",)):
        queue.run(
            QueuedTask(
                Task("count", arguments),
                lambda done: ends.append(done.summary),
                ends.append,
                lambda progress: ends.append(f"{progress.done}") if progress.done == progress.total else None,
            )
        )
    turn_until(lambda: not queue.busy, 30)
    assert ends == [
        "2",
        f"Counted to 2 at priority {LOWER}.",
        "It cannot be counted to -1.",
        "3",
        f"Counted to 3 at priority {LOWER}.",
    ]
    assert busy == [True, False]


def test_a_cancelled_queue_drops_what_waits(queue: TaskQueue) -> None:
    ends: list[str] = []
    seen: list[object] = []
    for _ in range(2):
        queue.run(
            QueuedTask(
                Task("count", ("10000", "--seconds", "0.05")),
                lambda done: ends.append("done"),
                ends.append,
                figures=seen.append,
            )
        )
    turn_until(lambda: bool(seen), 30)
    queue.cancel()
    turn_until(lambda: not queue.busy, 30)
    assert ends == [""]

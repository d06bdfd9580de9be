"""A task as a process: its requests in, all its events out."""

from __future__ import annotations

import subprocess

import counting_task

from gcdesk.worker.protocol.codec import to_line
from gcdesk.worker.protocol.task_messages import Stop, Task, parse_task_event


def events_of(*requests: Task | Stop, command: tuple[str, ...] = counting_task.COMMAND) -> list[object]:
    """What a task says when it gets these requests, its input left open until it has ended."""
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b"".join(map(to_line, requests)))
    process.stdin.flush()
    events = [parse_task_event(line) for line in process.stdout]
    process.communicate(timeout=120)
    return events

"""A task's process: one request in, events out, a good end, and the ways in which it ends early."""

from __future__ import annotations

import subprocess
import sys

import counting_task
import pytest
from processes import lower_priority
from task_kit import events_of

from gcdesk.worker.protocol.codec import ProtocolError, to_line
from gcdesk.worker.protocol.messages import Fatal
from gcdesk.worker.protocol.task_messages import (
    Done,
    Figures,
    Log,
    Progress,
    Stop,
    Task,
    parse_task_event,
    parse_task_request,
)

LOWER = lower_priority()


def test_a_task_counts_tells_and_ends() -> None:
    events = events_of(Task("count", ("3",)))
    assert events[0] == Log("Counting to 3.")
    assert [event.values for event in events if isinstance(event, Figures)] == [
        {"square": 1.0},
        {"square": 4.0},
        {"square": 9.0},
    ]
    assert Progress(3, 3, "Counting", 0.0) in events
    assert events[-1] == Done(
        summary=f"Counted to 3 at priority {LOWER}."
    )  # and what was printed is not in the pipe


def test_a_task_that_is_asked_to_stop_keeps_what_it_has() -> None:
    events = events_of(Task("count", ("1000", "--seconds", "0.05")), Stop())
    done = events[-1]
    assert isinstance(done, Done)
    assert done.stopped
    assert done.summary.startswith("Counted to ")


def test_a_task_with_nothing_to_keep_stops_as_well() -> None:
    assert events_of(Task("count", ("1", "--deaf", "--then", "check")), Stop())[-1] == Done(stopped=True)


@pytest.mark.parametrize(
    ("task", "words"),
    [
        (Task("count", ("-5",)), "It cannot be counted to -5."),
        (Task("nothing"), "There is no task called 'nothing'."),
        (Task("count", ("1", "--then", "raise")), "Something went wrong (ZeroDivisionError: by nothing)."),
        (Task("count", ("many",)), "Something went wrong (SystemExit: 2)."),
    ],
)
def test_what_cannot_be_done_is_said(task: Task, words: str) -> None:
    assert events_of(task)[-1] == Fatal(words)


def test_it_ends_with_its_input_and_is_part_of_gcdesk() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "gcdesk", "worker", "task"], input=b"", capture_output=True, timeout=120
    )
    assert (done.returncode, done.stdout) == (0, b"")
    process = subprocess.run(
        counting_task.COMMAND,
        input=to_line(Task("count", ("1000", "--seconds", "1"))),
        capture_output=True,
        timeout=120,
    )
    assert process.returncode == 0


def test_a_line_that_is_none_ends_it() -> None:
    done = subprocess.run(counting_task.COMMAND, input=b"hello\n", capture_output=True, timeout=120)
    assert isinstance(parse_task_event(done.stdout), Fatal)


def test_messages_are_checked() -> None:
    assert parse_task_request(to_line(Stop())) == Stop()
    with pytest.raises(ProtocolError):
        parse_task_request(b'{"v": 1, "type": "task", "name": "count", "arguments": [3]}')
    with pytest.raises(ProtocolError):
        parse_task_event(to_line(Stop()))
    with pytest.raises(ProtocolError):
        to_line(Figures(0.0, {"loss": float("nan")}))

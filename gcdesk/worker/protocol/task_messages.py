"""What the app and a task say to each other (`gcdesk worker task`): one `Task`, perhaps a `Stop`, and events out.

The lines are those of `codec.py`. Standard library only. Arrays and pictures go through files in a run folder.
"""

from __future__ import annotations

import typing
from dataclasses import dataclass
from typing import ClassVar

from gcdesk.worker.protocol.codec import parse_one_of
from gcdesk.worker.protocol.messages import Fatal, Message

# --- requests: from the app to the task


@dataclass(frozen=True)
class Task(Message):
    """What to do: a name of gcdesk.worker.tasks.runner.TASKS, and arguments as on a command line."""

    type: ClassVar[str] = "task"
    name: str
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True)
class Stop(Message):
    """Stop at the next good moment and keep what there is: `Done` follows, with `stopped`."""

    type: ClassVar[str] = "stop"


# --- events: from the task to the app


@dataclass(frozen=True)
class Progress(Message):
    """done of total steps; words: what is being done; eta: seconds that are left, None while unknown."""

    type: ClassVar[str] = "progress"
    done: int
    total: int
    words: str = ""
    eta: float | None = None


@dataclass(frozen=True)
class Figures(Message):
    """Named numbers at a step, such as {"loss": 0.41} at 0.5 epochs; each name is a curve."""

    type: ClassVar[str] = "figures"
    step: float
    values: dict[str, float]


@dataclass(frozen=True)
class Log(Message):
    """A sentence for the log of the run."""

    type: ClassVar[str] = "log"
    text: str


@dataclass(frozen=True)
class Done(Message):
    """The end. result: the file or folder that was made, "" none; summary: what came out, in a sentence.

    stopped: the app asked for the end; `result` is then what there was, if anything.
    """

    type: ClassVar[str] = "done"
    result: str = ""
    summary: str = ""
    stopped: bool = False


TaskRequest = Task | Stop
TaskEvent = Progress | Figures | Log | Done | Fatal


def parse_task_request(line: bytes) -> TaskRequest:
    """What the app asks of a task. Raises ProtocolError."""
    return typing.cast(TaskRequest, parse_one_of(line, typing.get_args(TaskRequest)))


def parse_task_event(line: bytes) -> TaskEvent:
    """What a task says. Raises ProtocolError."""
    return typing.cast(TaskEvent, parse_one_of(line, typing.get_args(TaskEvent)))

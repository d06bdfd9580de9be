"""Tasks seen from the app: one after the other, asked to stop, ended, crashed."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import counting_task
import leaks
import pytest
from client_kit import turn_until
from processes import kill

from gcdesk.jobs.task_client import IDLE, RUNNING, STOPPING, TaskClient
from gcdesk.worker.protocol.task_messages import Done, Figures, Progress, Task

SLOW = ("100000", "--seconds", "0.02")


class Heard:
    """A client and all that it said."""

    def __init__(self, patience: float) -> None:
        self.client = TaskClient(patience_seconds=patience, command=counting_task.COMMAND)
        self.progress: list[Progress] = []
        self.figures: list[Figures] = []
        self.logs: list[str] = []
        self.ends: list[Done | str | None] = []
        self.states: list[str] = []
        self.client.progress.connect(self.progress.append)
        self.client.figures.connect(self.figures.append)
        self.client.log.connect(self.logs.append)
        self.client.done.connect(self.ends.append)
        self.client.failed.connect(self.ends.append)
        self.client.cancelled.connect(lambda: self.ends.append(None))
        self.client.state_changed.connect(self.states.append)

    def start(self, *arguments: str) -> None:
        self.client.start(Task("count", arguments))

    def end(self, number: int = 1) -> Done | str | None:
        turn_until(lambda: len(self.ends) == number, 30, lambda: str(self.states))
        return self.ends[-1]


@pytest.fixture
def heard(qapp: object) -> Iterator[Callable[[float], Heard]]:
    made: list[Heard] = []

    def make(patience: float = 3.0) -> Heard:
        made.append(Heard(patience))
        return made[-1]

    yield make
    for one in made:
        one.client.close()
        one.client.deleteLater()


def test_a_task_is_heard_to_its_end_and_another_follows(heard: Callable[..., Heard]) -> None:
    one = heard()
    one.start("5")
    assert one.client.state == RUNNING
    with pytest.raises(RuntimeError):
        one.start("5")
    end = one.end()
    assert isinstance(end, Done)
    assert not end.stopped
    assert one.logs == ["Counting to 5."]
    assert len(one.figures) == 5
    assert one.progress[-1].done == 5
    one.start("2")
    one.end(2)
    assert one.states == [RUNNING, IDLE, RUNNING, IDLE]


def test_a_polite_task_keeps_what_it_has(heard: Callable[..., Heard]) -> None:
    one = heard()
    one.start(*SLOW)
    turn_until(lambda: bool(one.figures), 30)
    one.client.cancel()
    assert one.client.state == STOPPING
    end = one.end()
    assert isinstance(end, Done)
    assert end.stopped


@pytest.mark.parametrize("again", [False, True])
def test_a_deaf_task_is_ended(heard: Callable[..., Heard], again: bool) -> None:
    one = heard(60.0 if again else 0.3)
    one.start(*SLOW, "--deaf")
    turn_until(lambda: bool(one.figures), 30)
    pid = one.client.pid
    one.client.cancel()
    if again:
        one.client.cancel()
    assert one.end() is None
    assert not leaks.is_alive(pid)
    assert one.client.state == IDLE


def test_a_task_that_dies_says_its_last_words(heard: Callable[..., Heard]) -> None:
    one = heard()
    one.start("1", "--then", "die")
    assert one.end() == "It ended before it was done: it broke."
    one.start(*SLOW)
    turn_until(lambda: bool(one.figures), 30)
    kill(one.client.pid)
    assert one.end(2) == "It ended before it was done: it crashed or was ended by the system."
    one.start("-1")
    assert one.end(3) == "It cannot be counted to -1."


def test_a_closed_client_says_nothing_more(heard: Callable[..., Heard]) -> None:
    one = heard()
    one.start(*SLOW)
    turn_until(lambda: bool(one.figures), 30)
    pid = one.client.pid
    one.client.close()
    assert not leaks.is_alive(pid)
    assert one.ends == []
    one.client.cancel()
    one.client.close()

"""A real worker at the other end of a real pipe, and how to talk to it."""

from __future__ import annotations

import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from gcdesk.config.thresholds import TEXT_WEIGHT
from gcdesk.worker.protocol.codec import parse_event, to_line
from gcdesk.worker.protocol.messages import Configure, Event, Fatal, Heartbeat, Item, Message, Priority

COMMAND = (sys.executable, "-m", "gcdesk.worker")
ME = TypeVar("ME", bound=Message)


def configure(folder: Path, **changed: object) -> Configure:
    """The starters under the app's own rule, with pictures in `folder`."""
    values: dict[str, object] = {
        "image_model": None,
        "text_model": None,
        "rule": None,
        "device": "cpu",
        "threads": None,
        "review_threshold": 0.8,
        "disagreement_margin": 0.2,
        "weight": TEXT_WEIGHT,
        "pictures_folder": str(folder),
    }
    return Configure(**{**values, **changed})  # type: ignore[arg-type]


class Worker:
    """The window's side of the pipe, without Qt."""

    def __init__(self, command: Sequence[str] = COMMAND) -> None:
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        self.events: queue.Queue[Event | None] = queue.Queue()
        self.seen: list[Event] = []
        self.said = ""
        self._heard: list[bytes] = []
        # A worker whose standard error is full waits: on Windows after 4 kB.
        self._readers = [threading.Thread(target=work) for work in (self._read, self._hear)]
        for reader in self._readers:
            reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.events.put(parse_event(line))
        self.events.put(None)

    def _hear(self) -> None:
        assert self.process.stderr is not None
        self._heard += self.process.stderr

    def send(self, *messages: Message) -> None:
        self.write(b"".join(to_line(message) for message in messages))

    def write(self, data: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def wait_for(
        self, kind: type[ME], which: Callable[[ME], bool] = lambda _event: True, timeout: float = 180
    ) -> ME:
        """The next event of a kind; those before it are kept in `seen`."""
        deadline = time.monotonic() + timeout
        while True:
            event = self.events.get(timeout=max(0.01, deadline - time.monotonic()))
            assert event is not None, "the worker ended"
            if isinstance(event, kind) and which(event):
                return event
            assert not isinstance(event, Fatal), event.text  # kind is another
            if not isinstance(event, Heartbeat):
                self.seen.append(event)

    def many(self, kind: type[ME], count: int) -> list[ME]:
        return [self.wait_for(kind) for _ in range(count)]

    def close(self) -> str:
        """End it by closing its input; returns what it said on standard error."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        if not self.process.stderr.closed:
            self.process.stdin.close()
            self.process.wait(60)
            for reader in self._readers:
                reader.join()
            self.process.stdout.close()
            self.said = b"".join(self._heard).decode(errors="replace")  # libraries have words of their own
            self.process.stderr.close()
        return self.said


@contextmanager
def running(*command: str) -> Iterator[Worker]:
    worker = Worker(command or COMMAND)
    try:
        yield worker
    finally:
        worker.process.kill()
        worker.close()


def item(
    number: int, path: Path | str, caption: str | None = None, priority: Priority = Priority.REST
) -> Item:
    return Item(number, number + 1000, str(path), caption, priority)

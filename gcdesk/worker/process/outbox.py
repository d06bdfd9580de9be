"""Events to the window, whole lines from any thread."""

from __future__ import annotations

import os
import threading

from gcdesk.worker.process.lifecycle import exit_immediately
from gcdesk.worker.protocol.codec import to_line
from gcdesk.worker.protocol.messages import Message


class Outbox:
    """Writes to the pipe. A window that reads slowly holds the writer up: that is the back-pressure."""

    def __init__(self, pipe: int) -> None:
        self._pipe = pipe
        self._lock = threading.Lock()

    def send(self, event: Message) -> None:
        """Send one event; the process ends where nobody listens any more."""
        line = memoryview(to_line(event))
        with self._lock:
            try:
                while line:
                    line = line[os.write(self._pipe, line) :]
            except OSError:
                exit_immediately()

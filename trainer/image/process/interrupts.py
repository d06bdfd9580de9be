"""Ctrl-C while a training runs in a terminal: a wish that is looked at between two steps."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_STOPPING = b"\nStopping after this step; the best so far will be written. Ctrl-C again ends at once.\n"


class Interrupted:
    """Asked at every step whether Ctrl-C was pressed. Pressed before the first step, or again, it ends at once."""

    def __init__(self) -> None:
        self.asked = self._stepping = False

    def __call__(self) -> bool:
        self._stepping = True
        return self.asked

    def press(self, _number: int, _frame: FrameType | None) -> None:
        if self.asked or not self._stepping:
            raise KeyboardInterrupt
        self.asked = True
        os.write(2, _STOPPING)  # a handler may not use a stream that it may have interrupted


@contextmanager
def interruptible() -> Iterator[Interrupted]:
    """While it lasts, Ctrl-C is a wish that the training looks at between two steps."""
    stop = Interrupted()
    before = signal.signal(signal.SIGINT, stop.press)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)

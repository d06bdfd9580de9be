"""Priority of the window's thread over the threads of a large intake. No Qt."""

from __future__ import annotations

import threading
from types import TracebackType

_PATIENCE = 0.05  # seconds: a window that is never done must not stop the work for good


class GuiPriority:
    """While the window's thread is inside (`with`), threads wait in `wait_for_gui` before their next piece of work.

    Python shares itself equally among threads: with three of them storing and scanning, a paint event of 20 ms took 80.
    """

    def __init__(self) -> None:
        self._free = threading.Event()
        self._free.set()
        self._depth = 0

    def __enter__(self) -> None:
        self._depth += 1
        self._free.clear()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._depth -= 1
        if not self._depth:
            self._free.set()

    def wait_for_gui(self) -> None:
        """Wait until the window's thread is out, at most for 50 ms. Not for the window's own thread."""
        self._free.wait(_PATIENCE)

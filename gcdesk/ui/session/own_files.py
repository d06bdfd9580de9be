"""Files that the app itself puts somewhere: the watched folder must not take them for new photos. No Qt."""

from __future__ import annotations

import threading


class OwnFiles:
    """Paths that are about to appear. Any thread may use it."""

    def __init__(self) -> None:
        self._paths: set[str] = set()
        self._lock = threading.Lock()

    def expect(self, path: str) -> None:
        """Call before the file gets its name."""
        with self._lock:
            self._paths.add(path)

    def forget(self, path: str) -> None:
        """The file did not get that name."""
        with self._lock:
            self._paths.discard(path)

    def take(self, path: str) -> bool:
        """Whether the file that was found there is the app's own. Only once: what comes there later is not."""
        with self._lock:
            if path not in self._paths:
                return False
            self._paths.remove(path)
            return True

"""Writing behind: calls return at once, and a thread commits what came together at most half a second later."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

from gcdesk.store.database import Store
from gcdesk.store.errors import StoreError
from gcdesk.store.records import StoredResult

COMMIT_SECONDS = 0.5
# After a write that failed (a full disk), the same is tried again this much later.
RETRY_SECONDS = 5.0

_log = logging.getLogger(__name__)

_Change = Callable[[Store], object]


class StoreWriter:
    """Changes of a store in the order they were asked for, several in one transaction.

    What cannot be written is told to `on_error` (on the writer's thread, once until a write succeeds) and kept: it
    is tried again every few seconds and at `close`. Nothing is lost as long as the process lives.
    """

    def __init__(
        self,
        store: Store,
        on_error: Callable[[StoreError], None],
        commit_seconds: float = COMMIT_SECONDS,
        retry_seconds: float = RETRY_SECONDS,
    ) -> None:
        self._store = store
        self._on_error = on_error
        self._commit_seconds = commit_seconds
        self._retry_seconds = retry_seconds
        self._changes: deque[_Change] = deque()
        self._wake = threading.Condition()
        self._writing = False
        self._hurry = False
        self._closed = False
        self._failing = False
        self._thread = threading.Thread(target=self._work, name="store-writer", daemon=True)
        self._thread.start()

    def record_results(self, results: Sequence[StoredResult]) -> None:
        """As `Store.record_results`, later."""
        self.call(lambda store: store.record_results(results))

    def set_captions(self, ids: Sequence[int], texts: Sequence[str]) -> None:
        """As `Store.set_captions`, later."""
        self.call(lambda store: store.set_captions(ids, texts))

    def set_operator_labels(
        self, ids: Sequence[int], labels: Sequence[int], spots: Sequence[int] | None = None
    ) -> None:
        """As `Store.set_operator_labels`, later."""
        self.call(lambda store: store.set_operator_labels(ids, labels, spots))

    def set_spots(self, ids: Sequence[int], spots: Sequence[int]) -> None:
        """As `Store.set_spots`, later."""
        self.call(lambda store: store.set_spots(ids, spots))

    def hide_items(self, ids: Sequence[int]) -> None:
        """As `Store.hide_items`, later."""
        self.call(lambda store: store.hide_items(ids))

    def call(self, change: _Change) -> None:
        """Have `change(store)` done in its turn, in a transaction with its neighbours."""
        with self._wake:
            if self._closed:
                raise StoreError("The store is closed: nothing more can be written.")
            self._changes.append(change)
            self._wake.notify_all()

    def flush(self, timeout: float = 10.0) -> bool:
        """Write at once what is waiting; False where it could not be written in time."""
        deadline = time.monotonic() + timeout
        with self._wake:
            self._hurry = True
            self._wake.notify_all()
            while self._changes or self._writing:
                left = deadline - time.monotonic()
                if left <= 0 or not self._thread.is_alive():
                    return False
                self._wake.wait(left)
            return True

    def close(self) -> bool:
        """Write what is waiting and end the thread; False where something could not be written."""
        with self._wake:
            self._closed = True
            self._hurry = True
            self._wake.notify_all()
        self._thread.join()
        return not self._changes

    def _work(self) -> None:
        while True:
            with self._wake:
                while not self._changes and not self._closed:
                    self._hurry = False
                    self._wake.wait()
                if not self._changes:
                    return
                self._gather()
                batch = list(self._changes)
                self._writing = True
            written = self._write(batch)
            with self._wake:
                self._writing = False
                if written:
                    for _ in batch:
                        self._changes.popleft()
                elif self._closed:
                    self._wake.notify_all()
                    return
                self._wake.notify_all()
                if not written:
                    self._hurry = False
                    self._wait_until(time.monotonic() + self._retry_seconds)

    def _gather(self) -> None:
        """Let neighbours arrive, for as long as results may stay unwritten."""
        self._wait_until(time.monotonic() + self._commit_seconds)

    def _wait_until(self, moment: float) -> None:
        while not self._hurry and (left := moment - time.monotonic()) > 0:
            self._wake.wait(left)

    def _write(self, batch: Sequence[_Change]) -> bool:
        try:
            with self._store.transaction():
                for change in batch:
                    change(self._store)
        except StoreError as error:
            if not self._failing:
                self._failing = True
                self._on_error(error)
            _log.warning("%d changes could not be written yet: %s", len(batch), error)
            return False
        except Exception as error:
            if len(batch) > 1:
                # One of them is at fault, and the others are not to suffer for it.
                return all([self._write([change]) for change in batch])
            # It would fail again: it is told, and given up.
            _log.exception("a change that cannot be written")
            self._on_error(StoreError(f"A change could not be written ({type(error).__name__}: {error})."))
        self._failing = False
        return True

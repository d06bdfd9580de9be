"""The ledger on the store: calls return at once, reading and adding happen on one thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from gcdesk.store import (
    NewPhoto,
    Run,
    SessionInfo,
    Store,
    StoredResult,
    StoreError,
    StoreWriter,
    identity,
)
from gcdesk.ui.session.ports import FoundPhoto, LoadedSession
from gcdesk.ui.session.rows import NewItem, Outcome, Rows
from gcdesk.ui.session.session_files import delete_session_files
from gcdesk.ui.threads.background import Background
from gcdesk.ui.threads.gui_priority import GuiPriority


class StoreLedger(QObject):
    """A `LedgerPort` on a `Store`; where the store cannot be used it reports that once and goes on in memory."""

    trouble = Signal(str)

    def __init__(
        self, path: Path | None, gui_priority: GuiPriority | None = None, parent: QObject | None = None
    ) -> None:
        """path: the store's file; None keeps the session in memory."""
        super().__init__(parent)
        self._path = path
        self._background = Background(self, gui_priority=gui_priority)
        self._closing = threading.Event()
        self._reader = Background(self)  # reads photos, which takes its time: nothing waits for it
        self.store: Store | None = None
        self._writer: StoreWriter | None = None
        self._run: int | None = None

    # --- sessions

    def open_last(self, done: Callable[[LoadedSession], None]) -> None:
        def work() -> tuple[LoadedSession, str]:
            try:
                return self._open_last(Store(self._path, in_memory=self._path is None))
            except StoreError as error:
                if self.store is not None:
                    self.store.close()
                loaded, _nothing = self._open_last(Store(in_memory=True))
                return loaded, f"{error} This session is not saved."

        def opened(result: tuple[LoadedSession, str]) -> None:
            loaded, trouble = result
            if trouble:
                self.trouble.emit(trouble)
            done(loaded)

        self._background.run(work, opened)

    def _open_last(self, store: Store) -> tuple[LoadedSession, str]:
        """Runs on the thread. The session used last, and what the operator must know of the store, "" for nothing."""
        self.store = store
        settled = store.settle_moves()
        last = store.last_session()
        loaded = self._load(last.id if last else store.create_session(_today()))
        self._writer = StoreWriter(store, lambda error: self.trouble.emit(str(error)))
        back = f"{settled.sentence} “Take back the last sorting” moves them all back."
        return loaded, " ".join(filter(None, (store.notice, back if settled.sentence else "")))

    def new_session(self, name: str, done: Callable[[LoadedSession], None]) -> None:
        self._background.run(lambda: self._load(self._open().create_session(name or _today())), done)

    def open_session(self, session_id: int, done: Callable[[LoadedSession], None]) -> None:
        self._background.run(lambda: self._load(session_id), done)

    @property
    def moves(self) -> Store:
        return self._open()

    def find_copies(
        self, session_id: int, items: Sequence[int], done: Callable[[dict[int, int]], None]
    ) -> None:
        def work() -> dict[int, int]:
            try:
                return self._open().flag_duplicates(session_id, items, self._closing)
            except StoreError:
                return {}  # a full disk is told by the writer; that copies are not marked harms nobody

        self._reader.run(work, done)

    def open_day(self, source: str, name: str, done: Callable[[LoadedSession], None]) -> None:
        self._background.run(lambda: self._load(self._open().session_for_day(source, name)), done)

    def sessions(self, done: Callable[[list[SessionInfo]], None]) -> None:
        def work() -> list[SessionInfo]:
            if self._writer is not None:
                self._writer.flush(10)
            return self._open().sessions()

        self._background.run(work, done)

    def rename_session(self, session_id: int, name: str, done: Callable[[str], None]) -> None:
        self._change(lambda store: store.rename_session(session_id, name), done)

    def delete_session(self, session_id: int, done: Callable[[str], None]) -> None:
        def work(store: Store) -> None:
            store.delete_session(session_id)
            delete_session_files(session_id)

        self._change(work, done)

    def _change(self, change: Callable[[Store], None], done: Callable[[str], None]) -> None:
        def work() -> str:
            try:
                change(self._open())
            except (StoreError, OSError) as error:
                return str(error)
            return ""

        self._background.run(work, done)

    def _open(self) -> Store:
        if self.store is None:
            raise StoreError("The store is not open.")
        return self.store

    def _load(self, session_id: int) -> LoadedSession:
        store = self._open()
        if self._writer is not None:
            self._writer.flush(10)
        opened = store.open_session(session_id)
        rows = Rows()
        rows.fill(store.load_rows(session_id))
        return LoadedSession(session_id, opened.name, rows)

    # --- photos and what is said of them

    def add_items(
        self, session_id: int, photos: Sequence[FoundPhoto], done: Callable[[list[NewItem]], None]
    ) -> None:
        def work() -> list[NewItem]:
            new = [
                NewPhoto(item.path, item.caption, size, mtime_ns, item.error, item.any_time)
                for item in photos
                for size, mtime_ns in (item.identity or identity(item.path),)
            ]
            added = self._open().add_items(session_id, new)
            return [
                NewItem(item.item_id, photo.path, photo.caption)
                for item, photo in zip(added, photos, strict=True)
                if item.is_new
            ]

        self._background.run(work, done)

    def past_captions(self, done: Callable[[list[str]], None]) -> None:
        if self.store is not None:
            self._background.run(self.store.past_captions, done)

    def begin_run(self, run: Run) -> None:
        """The models and the rule that the next results come from."""
        if self.store is not None:
            store = self.store
            self._background.run(lambda: store.begin_run(run), self._began)

    def _began(self, run_id: int) -> None:
        self._run = run_id

    def record(self, results: Sequence[tuple[int, Outcome]]) -> None:
        if self._writer is not None:
            self._writer.record_results([self._stored(item, outcome) for item, outcome in results])

    def _stored(self, item: int, o: Outcome) -> StoredResult:
        return StoredResult(
            item_id=item, image=o.image, text=o.text, label=o.label, winner=int(o.winner),
            confidence=o.confidence, margin=o.margin, review=o.review, reason=o.reason, error=o.error,
            thumbnail=o.thumbnail, width=o.width, height=o.height, seconds=o.seconds, run_id=self._run,
        )  # fmt: skip

    def set_captions(self, items: Sequence[int], texts: Sequence[str]) -> None:
        if self._writer is not None:
            self._writer.set_captions(items, texts)

    def set_labels(self, items: Sequence[int], labels: Sequence[int], spots: Sequence[int]) -> None:
        if self._writer is not None:
            self._writer.set_operator_labels(items, labels, spots)

    def offer_spot(self, item: int) -> None:
        if self._writer is not None:
            self._writer.set_spots([item], [1])

    def forget(self, items: Sequence[int]) -> None:
        if self._writer is not None:
            self._writer.hide_items(items)

    def set_paths(self, items: Sequence[int], paths: Sequence[str]) -> None:
        if self._writer is not None:
            self._writer.call(lambda store: store.set_paths(items, paths))

    def close(self) -> None:
        """Write what waits. A photo that is being read for its copies is not waited for: its drive may be silent."""
        self._closing.set()
        self._reader.abandon()
        self._background.close()
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        if self.store is not None:
            self.store.close()
            self.store = None


def _today() -> str:
    """The name of a session that nobody named."""
    return time.strftime("%d %B %Y")

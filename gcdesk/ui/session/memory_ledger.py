"""A ledger without a store, for when the store's file cannot be used: work goes on, nothing is saved."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count

from gcdesk.store import SessionInfo
from gcdesk.ui.session.ports import FoundPhoto, LoadedSession
from gcdesk.ui.session.rows import NewItem, Outcome

_UNSAVED = "Sessions cannot be saved at present."


class MemoryLedger:
    """Gives ids and stores nothing."""

    def __init__(self) -> None:
        self._items = count(1)
        self._sessions = count(1)

    def open_last(self, done: Callable[[LoadedSession], None]) -> None:
        self.new_session("", done)

    def new_session(self, name: str, done: Callable[[LoadedSession], None]) -> None:
        done(LoadedSession(next(self._sessions), name))

    def open_session(self, session_id: int, done: Callable[[LoadedSession], None]) -> None:
        done(LoadedSession(session_id, ""))

    def add_items(
        self, _session_id: int, photos: Sequence[FoundPhoto], done: Callable[[list[NewItem]], None]
    ) -> None:
        done([NewItem(next(self._items), photo.path, photo.caption) for photo in photos])

    def past_captions(self, done: Callable[[list[str]], None]) -> None:
        done([])

    def record(self, results: Sequence[tuple[int, Outcome]]) -> None:
        pass

    def set_captions(self, items: Sequence[int], texts: Sequence[str]) -> None:
        pass

    def set_labels(self, items: Sequence[int], labels: Sequence[int], spots: Sequence[int]) -> None:
        pass

    @property
    def moves(self) -> None:
        return None

    def offer_spot(self, item: int) -> None:
        pass

    def forget(self, items: Sequence[int]) -> None:
        pass

    def set_paths(self, items: Sequence[int], paths: Sequence[str]) -> None:
        pass

    def find_copies(
        self, _session_id: int, _items: Sequence[int], done: Callable[[dict[int, int]], None]
    ) -> None:
        done({})

    def open_day(self, source: str, name: str, done: Callable[[LoadedSession], None]) -> None:
        done(LoadedSession(next(self._sessions), name))

    def sessions(self, done: Callable[[list[SessionInfo]], None]) -> None:
        done([])

    def rename_session(self, session_id: int, name: str, done: Callable[[str], None]) -> None:
        done(_UNSAVED)

    def delete_session(self, session_id: int, done: Callable[[str], None]) -> None:
        done(_UNSAVED)

    def close(self) -> None:
        pass

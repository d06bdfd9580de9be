"""The store: one SQLite file for all sessions. Every call is one transaction and may be made from any thread."""

from __future__ import annotations

import datetime
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from gcdesk.config.folders import user_folders
from gcdesk.store import held_out_set as station_set
from gcdesk.store import items, loading, moves, sessions
from gcdesk.store.errors import StoreError, in_words
from gcdesk.store.opening import open_file, open_memory
from gcdesk.store.records import (
    Added,
    CaptionChange,
    FieldAccuracy,
    Judged,
    LoadedRows,
    NewPhoto,
    Run,
    SessionInfo,
    StoredResult,
)

_FILE_NAME = "sessions.sqlite"


def store_path() -> Path:
    """The user's own store."""
    return user_folders().data / _FILE_NAME


class Store:
    """All sessions of one user. Calls block for the disk: make them off the window's thread.

    Two processes may have the file open. Raises StoreError, with a sentence for the operator, from here and
    from every method. `notice` says what happened to a damaged file, "" where nothing did.
    """

    def __init__(self, path: Path | None = None, *, in_memory: bool = False) -> None:
        """Open the file at `path`, the user's own for None; or, in memory, a store that is gone once it is closed."""
        self.path = path or store_path()
        self.in_memory = in_memory
        opened = open_memory() if in_memory else open_file(self.path)
        self.notice = opened.notice
        self._connection: sqlite3.Connection | None = opened.connection
        self._lock = threading.RLock()
        self._depth = 0

    def close(self) -> None:
        """Close the file; safe to call twice."""
        with self._lock, in_words(self.path):
            connection, self._connection = self._connection, None
            if connection is not None:
                connection.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Everything in the block is written together or not at all. Blocks may be nested."""
        with self._lock, in_words(self.path):
            connection = self._open()
            if self._depth:
                yield connection
                return
            connection.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                # SQLite has rolled back by itself already after some errors, a full disk among them.
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            finally:
                self._depth -= 1

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._lock, in_words(self.path):
            yield self._open()

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            raise StoreError(f"{self.path} is closed.")
        return self._connection

    # --- sessions

    def create_session(self, name: str = "", source: str = "") -> int:
        """Begin a session; source: the folder that it watches. Without a name it is called by day and time."""
        with self.transaction() as connection:
            return sessions.create(connection, name, source)

    def sessions(self) -> list[SessionInfo]:
        """All of them, the one opened latest first."""
        with self._reading() as connection:
            return sessions.listed(connection)

    def last_session(self) -> SessionInfo | None:
        """The one that was opened latest."""
        with self._reading() as connection:
            return sessions.last(connection)

    def session(self, session_id: int) -> SessionInfo:
        """One session. Raises StoreError where it was deleted."""
        with self._reading() as connection:
            return sessions.found(connection, session_id)

    def open_session(self, session_id: int) -> SessionInfo:
        """Note that a session is opened now. Raises StoreError where it was deleted."""
        with self.transaction() as connection:
            sessions.touch(connection, session_id)
            return sessions.found(connection, session_id)

    def session_for_day(self, source: str, name: str = "", day: datetime.date | None = None) -> int:
        """The session of a watched folder for a day (default: today); begun where there is none yet."""
        with self.transaction() as connection:
            return sessions.for_day(connection, source, name, day or datetime.date.today())

    def rename_session(self, session_id: int, name: str) -> None:
        """Raises StoreError for an empty name."""
        with self.transaction() as connection:
            sessions.rename(connection, session_id, name)

    def delete_session(self, session_id: int) -> None:
        """Delete a session and its rows; the photos themselves are left alone."""
        with self.transaction() as connection:
            sessions.delete(connection, session_id)

    def begin_run(self, run: Run) -> int:
        """The id that results refer to; the same models and rule as last time have the same id."""
        with self.transaction() as connection:
            return sessions.begin_run(connection, run)

    # --- what people said

    def judged(self, sessions: Sequence[int] | None = None) -> list[Judged]:
        """Items with a bin by hand, of these sessions (all for None)."""
        with self._reading() as connection:
            return station_set.judged(connection, sessions)

    def set_photo_hashes(self, hashes: Mapping[int, int]) -> None:
        """Remember the fingerprints of photos, by item."""
        with self.transaction() as connection:
            station_set.set_photo_hashes(connection, hashes)

    def station_fates(self, keys: Iterable[str]) -> dict[str, bool]:
        """Of those keys that have a fate: whether they are set aside for ever."""
        with self._reading() as connection:
            return station_set.fates(connection, keys)

    def station_photos(self) -> dict[int, bool]:
        """Every fingerprint with a fate, and whether it is set aside."""
        with self._reading() as connection:
            return station_set.photo_fates(connection)

    def set_aside(self, things: Sequence[tuple[str, str]]) -> list[bool]:
        """Of photos, each a caption and a path: which belong to the station test set."""
        with self._reading() as connection:
            photos = {one.path: one.photo for one in station_set.judged(connection, None)}
            known = [
                (caption, None if (photo := photos.get(path)) is None else f"{photo:016x}")
                for caption, path in things
            ]
            return station_set.held_keys(connection, known)

    def decide_station(self, keys: Mapping[str, bool]) -> None:
        """Give keys their fate for ever; one that has one keeps it."""
        with self.transaction() as connection:
            station_set.decide(connection, keys)

    # --- items

    def add_items(self, session_id: int, photos: Sequence[NewPhoto]) -> list[Added]:
        """Add photos to a session, in order. One with the path, size and time of a listed row is that row."""
        with self.transaction() as connection:
            sessions.check(connection, session_id)
            return items.add(connection, session_id, photos)

    def flag_duplicates(
        self, session_id: int, item_ids: Sequence[int], stop: threading.Event | None = None
    ) -> dict[int, int]:
        """Find equal content among a session's photos and these: each copy's id, and that of the first.

        Only files of equal size are read, and that outside of any transaction; `stop` ends it between two
        files with what was found.
        """
        with self._reading() as connection:
            groups = items.equal_sizes(connection, session_id, item_ids)
        hashes, copies = items.hash_groups(groups, stop)
        if hashes or copies:
            with self.transaction() as connection:
                connection.executemany(
                    "UPDATE items SET content_hash = ? WHERE id = ?",
                    [(digest, number) for number, digest in hashes.items()],
                )
                connection.executemany(
                    "UPDATE items SET duplicate_of = ? WHERE id = ?",
                    [(first, number) for number, first in copies.items()],
                )
        return copies

    def record_results(self, results: Iterable[StoredResult]) -> None:
        """Write what the models said, all in one transaction. Unknown ids (a deleted session) are passed over."""
        with self.transaction() as connection:
            items.record(connection, results)

    def set_captions(self, ids: Sequence[int], texts: Sequence[str]) -> None:
        """Replace captions; the old ones go to the history."""
        with self.transaction() as connection:
            items.set_captions(connection, ids, texts)

    def set_operator_labels(
        self, ids: Sequence[int], labels: Sequence[int], spots: Sequence[int] | None = None
    ) -> None:
        """The operator's labels (0 to 3, 4 none of these, -1 taken back), beside the models' own."""
        with self.transaction() as connection:
            given = spots if spots is not None else items.spots_of(connection, ids)
            items.set_operator_labels(connection, ids, labels, given)

    def set_spots(self, ids: Sequence[int], spots: Sequence[int]) -> None:
        """Mark rows as offered for random confirmation, or as answered."""
        with self.transaction() as connection:
            items.set_column(connection, "spot", ids, spots)

    def set_status(self, ids: Sequence[int], status: int) -> None:
        """Queue rows again."""
        with self.transaction() as connection:
            items.set_column(connection, "status", ids, [status] * len(ids))

    def set_paths(self, ids: Sequence[int], paths: Sequence[str]) -> None:
        """The photos were moved. One that would become a listed row's twin keeps its old path."""
        with self.transaction() as connection:
            items.set_paths(connection, ids, paths)

    def hide_items(self, ids: Sequence[int]) -> None:
        """Take rows out of the list. What is known of them stays for the figures."""
        with self.transaction() as connection:
            items.set_column(connection, "hidden", ids, [1] * len(ids))

    def load_rows(self, session_id: int) -> LoadedRows:
        """The session's list as it was: also after a crash."""
        with self._reading() as connection:
            return loading.load_rows(connection, session_id)

    def caption_history(self, item_id: int) -> list[CaptionChange]:
        """The captions that an item had before, oldest first."""
        with self._reading() as connection:
            return items.history(connection, item_id)

    def past_captions(self, limit: int = 2000) -> list[str]:
        """Captions that were typed in any session, each once, the latest first."""
        with self._reading() as connection:
            return items.past_captions(connection, limit)

    def field_accuracy(self, session_id: int | None = None) -> FieldAccuracy:
        """Agreement over rows picked at random, of one session or of all."""
        with self._reading() as connection:
            return sessions.field_accuracy(connection, session_id)

    # --- photos that are copied or moved (see `moves`)

    def begin_moves(self, moved: bool) -> int:
        """Begin a batch in the journal; returns its id."""
        with self.transaction() as connection:
            return moves.begin_batch(connection, moved)

    def plan_moves(self, batch: int, photos: Sequence[moves.PlannedMove]) -> list[int]:
        """On the disk when it returns: only then may the photos be touched."""
        with self.transaction() as connection:
            return moves.plan(connection, batch, photos)

    def retarget_move(self, number: int, target: str) -> None:
        """Another name for one of them."""
        with self.transaction() as connection:
            moves.retarget(connection, number, target)

    def finish_moves(
        self,
        batch: int,
        placed: Sequence[tuple[int, str, int, int]],
        dropped: Sequence[int],
        folders: Sequence[str],
    ) -> None:
        """Photos at their targets, with their rows; those left alone; and the folders that were made."""
        with self.transaction() as connection:
            moves.finish(connection, placed, dropped)
            moves.set_folders(connection, batch, folders)

    def begin_return(self, works: Sequence[tuple[int, str]]) -> None:
        """Before photos are taken back."""
        with self.transaction() as connection:
            moves.begin_return(connection, works)

    def finish_return(self, back: Sequence[int], left: Sequence[int]) -> None:
        """Photos that are back, with their rows, and those that stayed."""
        with self.transaction() as connection:
            moves.finish_return(connection, back, left)

    def last_moves(self) -> tuple[list[moves.JournaledMove], list[str]]:
        """The photos of the latest batch that can be taken back, and the folders that were made for it."""
        with self._reading() as connection:
            found = moves.last_done(connection)
            return found, moves.folders_of(connection, found[0].batch) if found else []

    def settle_moves(self) -> moves.Settled:
        """Finish or take back what a kill caught on its way."""
        with self.transaction() as connection:
            caught = moves.unsettled(connection)
            return moves.settle(connection, caught) if caught else moves.Settled()

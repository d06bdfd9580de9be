"""Photos and what is known of them, as statements on an open connection; `Store` puts them into transactions."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from gcdesk.engine.labels import NOT_SET
from gcdesk.store.identity import content_hash
from gcdesk.store.records import (
    Added,
    CaptionChange,
    NewPhoto,
    SpotCheck,
    Status,
    StoredResult,
    as_blob,
    as_text,
    damaged_texts,
    from_text,
)

# SQLite takes at least 999 parameters a statement.
_AT_ONCE = 500
_Identity = tuple[str | bytes, int, int]


def add(connection: sqlite3.Connection, session_id: int, photos: Sequence[NewPhoto]) -> list[Added]:
    """Add photos at the end of the list, but for those that are in it already."""
    known = _known(connection, session_id, photos)
    row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'items'").fetchone()
    next_id = (row[0] if row else 0) + 1
    now = time.time()
    added: list[Added] = []
    fresh = []
    retimed: list[tuple[int, int]] = []
    for photo in photos:
        path = as_text(photo.path)
        key = (path, photo.size, photo.mtime_ns)
        if photo.size is not None and photo.mtime_ns is not None:
            there = known.get((path, photo.size, photo.mtime_ns))
            if there is None and photo.any_time:
                there = next(
                    (n for (p, size, _), n in known.items() if (p, size) == (path, photo.size)), None
                )
                if there is not None:
                    retimed.append((photo.mtime_ns, there))
            if there is not None:
                added.append(Added(there, False))
                continue
            known[(path, photo.size, photo.mtime_ns)] = next_id
        status = Status.FAILED if photo.error else Status.QUEUED
        fresh.append(
            (next_id, session_id, *key, as_text(photo.caption), int(status), as_text(photo.error), now)
        )
        added.append(Added(next_id, True))
        next_id += 1
    connection.executemany(
        "INSERT INTO items (id, session, path, size, mtime_ns, caption, status, error, added)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        fresh,
    )
    connection.executemany("UPDATE OR IGNORE items SET mtime_ns = ? WHERE id = ?", retimed)
    return added


def _known(
    connection: sqlite3.Connection, session_id: int, photos: Sequence[NewPhoto]
) -> dict[_Identity, int]:
    """Those of the photos that the session's list has, by identity."""
    paths = [as_text(photo.path) for photo in photos if photo.size is not None]
    known: dict[_Identity, int] = {}
    for start in range(0, len(paths), _AT_ONCE):
        part = paths[start : start + _AT_ONCE]
        rows = connection.execute(
            # SQLite takes the index of the counts by itself, and looks through all rows of the session.
            "SELECT id, path, size, mtime_ns FROM items INDEXED BY items_identity"  # noqa: S608
            " WHERE session = ? AND hidden = 0"
            f" AND size NOT NULL AND mtime_ns NOT NULL AND path IN ({', '.join('?' * len(part))})",
            (session_id, *part),
        )
        known.update(((path, size, mtime), number) for number, path, size, mtime in rows)
    return known


def record(connection: sqlite3.Connection, results: Iterable[StoredResult]) -> None:
    """Write what the models said. The operator's labels stay as they are."""
    now = time.time()
    connection.executemany(
        "UPDATE items SET status = ?, image = ?, text = ?, label = ?, winner = ?, confidence = ?, margin = ?,"
        " review = ?, reason = ?, error = ?, seconds = ?, finished = ?, run = coalesce(?, run),"
        " thumbnail = iif(? = '', thumbnail, ?),"
        " width = iif(? = 0, width, ?), height = iif(? = 0, height, ?) WHERE id = ?",
        [
            (
                int(Status.FAILED if one.error and one.label == NOT_SET else Status.DONE),
                as_blob(one.image),
                as_blob(one.text),
                int(one.label),
                int(one.winner),
                float(one.confidence),
                float(one.margin),
                bool(one.review),
                as_text(one.reason),
                as_text(one.error),
                float(one.seconds),
                now,
                one.run_id,
                *(as_text(one.thumbnail),) * 2,
                *(one.width,) * 2,
                *(one.height,) * 2,
                one.item_id,
            )
            for one in results
        ],
    )


def set_captions(connection: sqlite3.Connection, ids: Sequence[int], texts: Sequence[str]) -> None:
    """New captions; those that they replace go to the history."""
    now = time.time()
    new = [(number, as_text(text)) for number, text in zip(ids, texts, strict=True)]
    connection.executemany(
        "INSERT INTO caption_history (item, caption, replaced)"
        " SELECT id, caption, ? FROM items WHERE id = ? AND caption <> ?",
        [(now, number, text) for number, text in new],
    )
    connection.executemany(
        "UPDATE items SET caption = ?, caption_edited = ? WHERE id = ? AND caption <> ?",
        [(text, now, number, text) for number, text in new],
    )


def set_paths(connection: sqlite3.Connection, ids: Sequence[int], paths: Sequence[str]) -> None:
    """Where the photos are now."""
    connection.executemany(
        "UPDATE OR IGNORE items SET path = ? WHERE id = ?",
        [(as_text(path), int(number)) for number, path in zip(ids, paths, strict=True)],
    )


def set_operator_labels(
    connection: sqlite3.Connection, ids: Sequence[int], labels: Sequence[int], spots: Sequence[int]
) -> None:
    """The operator's labels, beside the models'; -1 takes one back."""
    now = time.time()
    connection.executemany(
        "UPDATE items SET operator = ?, operator_at = ?, spot = ? WHERE id = ?",
        [
            (int(label), now, int(SpotCheck(spot)), int(number))
            for number, label, spot in zip(ids, labels, spots, strict=True)
        ],
    )


def spots_of(connection: sqlite3.Connection, ids: Sequence[int]) -> list[int]:
    """Each item's spot as it is, for labels that come without."""
    found = {
        number: spot
        for start in range(0, len(ids), _AT_ONCE)
        for number, spot in connection.execute(
            f"SELECT id, spot FROM items WHERE id IN ({', '.join('?' * len(ids[start : start + _AT_ONCE]))})",  # noqa: S608
            [int(number) for number in ids[start : start + _AT_ONCE]],
        )
        if spot in tuple(SpotCheck)  # a damaged file may hold anything
    }
    return [found.get(int(number), int(SpotCheck.NO)) for number in ids]


def set_column(
    connection: sqlite3.Connection, column: str, ids: Sequence[int], values: Sequence[int]
) -> None:
    """One of the plain columns `spot`, `status` and `hidden`."""
    if column not in ("spot", "status", "hidden"):
        raise ValueError(f"{column} is no plain column")
    connection.executemany(
        f"UPDATE items SET {column} = ? WHERE id = ?",  # noqa: S608
        [(int(value), int(number)) for number, value in zip(ids, values, strict=True)],
    )


def history(connection: sqlite3.Connection, item_id: int) -> list[CaptionChange]:
    """The captions that an item had before the present one, oldest first."""
    with damaged_texts(connection):
        rows = connection.execute(
            "SELECT caption, replaced FROM caption_history WHERE item = ? ORDER BY id", (item_id,)
        ).fetchall()
    return [CaptionChange(from_text(caption), replaced) for caption, replaced in rows]


def past_captions(connection: sqlite3.Connection, limit: int) -> list[str]:
    """Captions that the operator typed, of all sessions: each once, the latest first."""
    with damaged_texts(connection):
        rows = connection.execute(
            "SELECT caption FROM items WHERE caption_edited IS NOT NULL AND caption <> ''"
            " GROUP BY caption ORDER BY max(caption_edited) DESC LIMIT ?",
            (limit,),
        ).fetchall()
    return [from_text(caption) for (caption,) in rows]


def equal_sizes(
    connection: sqlite3.Connection, session_id: int, ids: Sequence[int]
) -> dict[int, list[tuple[int, str, bytes | None]]]:
    """By size: id, path and hash of the listed items, where one of `ids` shares its size with another."""
    asked = {int(number) for number in ids}
    rows = connection.execute(
        "SELECT size, id, path, content_hash FROM items INDEXED BY items_size"
        " WHERE session = ? AND hidden = 0 AND size IN ("
        " SELECT size FROM items WHERE session = ? AND hidden = 0 AND size > 0"
        " GROUP BY size HAVING count(*) > 1) ORDER BY id",
        (session_id, session_id),
    )
    groups: dict[int, list[tuple[int, str, bytes | None]]] = {}
    for size, number, path, digest in rows:
        groups.setdefault(size, []).append((number, from_text(path), digest))
    return {size: group for size, group in groups.items() if asked & {number for number, _, _ in group}}


def hash_groups(
    groups: dict[int, list[tuple[int, str, bytes | None]]],
    stop: threading.Event | None = None,
) -> tuple[dict[int, bytes], dict[int, int]]:
    """Read the files of such groups. Returns hashes that were missing, and for each copy the first of its kind."""
    hashes: dict[int, bytes] = {}
    copies: dict[int, int] = {}
    for group in groups.values():
        first: dict[bytes, int] = {}
        for number, path, stored in group:
            if stop is not None and stop.is_set():
                return hashes, copies
            digest = stored if stored is not None else content_hash(Path(path))
            if digest is None:
                continue
            if stored is None:
                hashes[number] = digest
            if digest in first:
                copies[number] = first[digest]
            else:
                first[digest] = number
    return hashes, copies

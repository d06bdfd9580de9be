"""What people said of photos, and which of it is set aside for ever: the station's own test set.

An item is known by its caption and by its photo's fingerprint. The fate of a key is decided once, by the group of
items that it came with, and never changes: `held` keys only measure, the others may be trained on. A group that later
joins keys of both kinds is neither trained on nor measured.
"""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Iterable, Mapping, Sequence

from gcdesk.engine.captions.rules import apply_rule
from gcdesk.engine.labels import NOT_SET
from gcdesk.store.records import Judged, SpotCheck, from_text

_AT_ONCE = 500
_DIGITS = re.compile(r"[0-9a-f]{16}")


def judged(connection: sqlite3.Connection, sessions: Sequence[int] | None, bins: int = 4) -> list[Judged]:
    """Items with a bin by hand, of these sessions (all for None), in the order of arrival."""
    rows = connection.execute(
        "SELECT id, session, path, caption, label, operator, spot, photo_hash FROM items"
        " WHERE operator >= 0 AND operator < ? AND hidden = 0 ORDER BY id",
        (bins,),
    )
    wanted = None if sessions is None else set(sessions)
    return [
        Judged(
            item_id, session, from_text(path), from_text(caption), operator, _bin(label),
            spot == int(SpotCheck.ANSWERED),
            _fingerprint(photo),
        )
        for item_id, session, path, caption, label, operator, spot, photo in rows
        if (wanted is None or session in wanted) and isinstance(operator, int)
    ]  # fmt: skip


def _bin(cell: object) -> int:
    """A bin's number, -1 for what a damaged file holds instead."""
    return cell if isinstance(cell, int) and 0 <= cell <= 4 else NOT_SET


def _fingerprint(cell: object) -> int | None:
    """A photo's fingerprint out of its 16 hexadecimal digits; None for what a damaged file holds instead."""
    return int(cell, 16) if isinstance(cell, str) and _DIGITS.fullmatch(cell) else None


def set_photo_hashes(connection: sqlite3.Connection, hashes: Mapping[int, int]) -> None:
    """Remember fingerprints by item."""
    connection.executemany(
        "UPDATE items SET photo_hash = ? WHERE id = ?",
        [(f"{photo:016x}", item) for item, photo in hashes.items()],
    )


def fates(connection: sqlite3.Connection, keys: Iterable[str]) -> dict[str, bool]:
    """Of those keys that have one: whether it is held."""
    asked = list(dict.fromkeys(keys))
    found: dict[str, bool] = {}
    for start in range(0, len(asked), _AT_ONCE):
        part = asked[start : start + _AT_ONCE]
        rows = connection.execute(
            f"SELECT key, held FROM station_keys WHERE key IN ({', '.join('?' * len(part))})",  # noqa: S608
            part,
        )
        found.update((key, bool(held)) for key, held in rows)
    return found


def photo_fates(connection: sqlite3.Connection) -> dict[int, bool]:
    """Every fingerprint with a fate: photos that look alike share it."""
    rows = connection.execute("SELECT key, held FROM station_keys WHERE key >= 'p:' AND key < 'p;'")
    known = {_fingerprint(str(key)[2:]): bool(held) for key, held in rows}
    return {photo: held for photo, held in known.items() if photo is not None}


def decide(connection: sqlite3.Connection, keys: Mapping[str, bool]) -> None:
    """Give keys their fate; one that has one keeps it."""
    now = time.time()
    connection.executemany(
        "INSERT OR IGNORE INTO station_keys (key, held, since) VALUES (?, ?, ?)",
        [(key, int(held), now) for key, held in keys.items()],
    )


def held_keys(connection: sqlite3.Connection, things: Sequence[tuple[str, str | None]]) -> list[bool]:
    """Of things, each a caption as it was written and the 16 digits of its photo: which are set aside."""
    keys = [(f"c:{apply_rule(caption)}", f"p:{photo}") for caption, photo in things]
    known = fates(connection, (key for pair in keys for key in pair))
    return [any(known.get(key, False) for key in pair) for pair in keys]

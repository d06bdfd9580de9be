"""The journal of photos that are copied or moved: written before a file gets another name, so that after a kill each
one can be found, finished or taken back; and what a later start can still undo.

A photo goes from `source` to the hidden name `work` beside its target, and from there to `target`.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from gcdesk.config.placing import is_another_file, put_under, same_content
from gcdesk.store.records import as_text, from_text

_KEPT_BATCHES = 20  # that can still be undone; only the latest is offered
_GIVEN_UP_SECONDS = 30 * 86_400  # of a photo whose drive does not come back


class MoveState(IntEnum):
    """PLANNED: on its way to the target; RETURNING: on its way back; the others are where they belong."""

    PLANNED = 0
    DONE = 1
    RETURNING = 2
    UNDONE = 3


@dataclass(frozen=True, slots=True)
class JournaledMove:
    """One photo. size (bytes) and mtime_ns: of the file at its target, or of the source before it is there."""

    id: int
    batch: int
    moved: bool
    item_id: int
    source: str
    work: str
    target: str
    size: int
    mtime_ns: int
    state: MoveState


@dataclass(frozen=True, slots=True)
class PlannedMove:
    """One photo before it is touched."""

    item_id: int
    source: str
    work: str
    target: str
    size: int
    mtime_ns: int


@dataclass(frozen=True)
class Settled:
    """What a start made of photos that a kill had caught on their way: at their targets, at their sources, or neither
    (their drive is not there: they are looked for again the next time).
    """

    at_target: int = 0
    at_source: int = 0
    unknown: int = 0

    @property
    def sentence(self) -> str:
        """For the operator; "" where nothing was caught."""
        if not self.at_target + self.at_source + self.unknown:
            return ""
        words = f"gcdesk ended while photos were sorted into folders: {self.at_target:,} on their way are at their new"
        words += f" place, {self.at_source:,} at their old one."
        return words + (f" {self.unknown:,} are on a drive that is not there now." if self.unknown else "")


def begin_batch(connection: sqlite3.Connection, moved: bool) -> int:
    """A new copying or moving; the oldest ones are forgotten."""
    cursor = connection.execute(
        "INSERT INTO move_batches (moved, began) VALUES (?, ?)", (int(moved), time.time())
    )
    batch = int(cursor.lastrowid or 0)
    connection.execute(
        "DELETE FROM move_batches WHERE id <= ? AND id NOT IN (SELECT batch FROM moves WHERE state IN (?, ?))",
        (batch - _KEPT_BATCHES, int(MoveState.PLANNED), int(MoveState.RETURNING)),
    )
    return batch


def plan(connection: sqlite3.Connection, batch: int, photos: Sequence[PlannedMove]) -> list[int]:
    """Note photos before they are touched; returns their ids in the journal."""
    ids = []
    for one in photos:
        cursor = connection.execute(
            "INSERT INTO moves (batch, item, source, work, target, size, mtime_ns, state)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (batch, one.item_id, as_text(one.source), as_text(one.work), as_text(one.target), one.size, one.mtime_ns,
             int(MoveState.PLANNED)),
        )  # fmt: skip
        ids.append(int(cursor.lastrowid or 0))
    return ids


def retarget(connection: sqlite3.Connection, number: int, target: str) -> None:
    """Another program took the name meanwhile: the next one, before it is used."""
    connection.execute("UPDATE moves SET target = ? WHERE id = ?", (as_text(target), number))


def finish(
    connection: sqlite3.Connection, placed: Iterable[tuple[int, str, int, int]], dropped: Iterable[int]
) -> None:
    """Photos that are at their targets, as (id, target, size, mtime_ns), with their rows; and those left alone."""
    placed = list(placed)
    connection.executemany(
        "UPDATE moves SET state = ?, target = ?, size = ?, mtime_ns = ? WHERE id = ?",
        [
            (int(MoveState.DONE), as_text(target), size, mtime, number)
            for number, target, size, mtime in placed
        ],
    )
    _move_rows(connection, "target", [number for number, *_ in placed])
    connection.executemany("DELETE FROM moves WHERE id = ?", [(number,) for number in dropped])


def begin_return(connection: sqlite3.Connection, works: Iterable[tuple[int, str]]) -> None:
    """Note photos, as (id, hidden name beside the source), before they are taken back."""
    connection.executemany(
        "UPDATE moves SET state = ?, work = ? WHERE id = ?",
        [(int(MoveState.RETURNING), as_text(work), number) for number, work in works],
    )


def finish_return(connection: sqlite3.Connection, back: Iterable[int], left: Iterable[int]) -> None:
    """Photos that are back at their sources, with their rows; and those that stayed at their targets."""
    back = list(back)
    _set_state(connection, MoveState.UNDONE, back)
    _move_rows(connection, "source", back)
    _set_state(connection, MoveState.DONE, left)


def _set_state(connection: sqlite3.Connection, state: MoveState, numbers: Iterable[int]) -> None:
    connection.executemany(
        "UPDATE moves SET state = ? WHERE id = ?", [(int(state), number) for number in numbers]
    )


def _move_rows(connection: sqlite3.Connection, column: str, numbers: Sequence[int]) -> None:
    """Rows follow their moved photos; one that would become a listed row's twin keeps its path."""
    connection.executemany(
        f"UPDATE OR IGNORE items SET path = moves.{column}"  # noqa: S608 - a name of our own
        " FROM moves JOIN move_batches ON move_batches.id = moves.batch"
        " WHERE moves.id = ? AND items.id = moves.item AND move_batches.moved",
        [(number,) for number in numbers],
    )


def set_folders(connection: sqlite3.Connection, batch: int, folders: Sequence[str]) -> None:
    """The folders that were made for it, which an undo takes away where they are empty."""
    connection.execute("DELETE FROM move_folders WHERE batch = ?", (batch,))
    connection.executemany(
        "INSERT INTO move_folders (batch, place, path) VALUES (?, ?, ?)",
        [(batch, place, as_text(path)) for place, path in enumerate(folders)],
    )


def folders_of(connection: sqlite3.Connection, batch: int) -> list[str]:
    """The folders that were made for a batch, the outer ones first."""
    rows = connection.execute("SELECT path FROM move_folders WHERE batch = ? ORDER BY place", (batch,))
    return [from_text(path) for (path,) in rows]


def last_done(connection: sqlite3.Connection) -> list[JournaledMove]:
    """The photos of the latest copying or moving that are still at their targets; empty where none is."""
    row = connection.execute(
        "SELECT max(batch) FROM moves WHERE state = ?", (int(MoveState.DONE),)
    ).fetchone()
    if row[0] is None:
        return []
    return _found(connection, "moves.batch = ? AND moves.state = ?", (row[0], int(MoveState.DONE)))


def unsettled(connection: sqlite3.Connection) -> list[JournaledMove]:
    """Photos that were on their way when the process ended."""
    return _found(connection, "moves.state IN (?, ?)", (int(MoveState.PLANNED), int(MoveState.RETURNING)))


def _found(connection: sqlite3.Connection, where: str, values: tuple[int, ...]) -> list[JournaledMove]:
    rows = connection.execute(
        "SELECT moves.id, batch, moved, item, source, work, target, size, mtime_ns, state FROM moves"  # noqa: S608
        f" JOIN move_batches ON move_batches.id = moves.batch WHERE {where} ORDER BY moves.id",
        values,
    )
    return [
        JournaledMove(number, batch, bool(moved), item, from_text(source), from_text(work), from_text(target),
                      size, mtime, MoveState(state))
        for number, batch, moved, item, source, work, target, size, mtime, state in rows
    ]  # fmt: skip


def settle(connection: sqlite3.Connection, photos: Sequence[JournaledMove]) -> Settled:
    """Bring each photo to one of its two places, and its row with it. Called when the store is opened by the window;
    what the disk refuses counts as unknown and is tried again the next time.
    """
    placed: list[tuple[int, str, int, int]] = []
    dropped: list[int] = []
    back: list[int] = []
    left: list[int] = []
    unknown = 0
    for one in photos:
        going = one.state == MoveState.PLANNED
        start, end = (one.source, one.target) if going else (one.target, one.source)
        try:
            arrived = _arrive(start, Path(one.work), end, one)
        except OSError:
            arrived = None
        if arrived is None:
            unknown += 1
        elif not going:
            (back if arrived else left).append(one.id)
        elif arrived:
            status = os.stat(one.target)
            placed.append((one.id, one.target, status.st_size, status.st_mtime_ns))
        else:
            dropped.append(one.id)
    finish(connection, placed, dropped)
    finish_return(connection, back, left)
    if unknown:
        connection.execute(
            "DELETE FROM moves WHERE state IN (?, ?) AND batch IN (SELECT id FROM move_batches WHERE began < ?)",
            (int(MoveState.PLANNED), int(MoveState.RETURNING), time.time() - _GIVEN_UP_SECONDS),
        )
    return Settled(len(placed) + len(left), len(dropped) + len(back), unknown)


def _arrive(start: str, work: Path, end: str, photo: JournaledMove) -> bool | None:
    """Whether the photo is at `end` now (False: at `start`; None: at neither). Raises OSError."""
    at_start, at_end = os.path.lexists(start), os.path.lexists(end)
    if os.path.lexists(work):
        if at_start or at_end:
            work.unlink()  # half a copy, or a second name of the file at the end
        else:  # renamed away from its start, and not yet to its end
            put_under(work, Path(end))
            at_end = True
    if at_start and at_end:
        return _one_of_two(start, end, photo)
    if at_start == at_end:
        return None
    return at_end


def _one_of_two(start: str, end: str, photo: JournaledMove) -> bool:
    """Both names are there: a copy that is whole counts (of a move the start then goes), an empty claim does not."""
    if os.path.getsize(end) == 0 and photo.size:
        with suppress(OSError):
            os.unlink(end)
        return False
    if not same_content(start, end):
        return False  # somebody else's file
    if (photo.moved or photo.state == MoveState.RETURNING) and is_another_file(end, start):
        os.unlink(start)
    return True

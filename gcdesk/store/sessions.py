"""Sessions and runs, as statements on an open connection; `Store` puts them into transactions."""

from __future__ import annotations

import datetime
import sqlite3
import time

from gcdesk.engine.labels import NOT_SET
from gcdesk.store.errors import StoreError
from gcdesk.store.records import (
    FieldAccuracy,
    Run,
    SessionInfo,
    SpotCheck,
    Status,
    as_text,
    damaged_texts,
    from_text,
)

_GONE = "This session is no longer there: it was deleted."
_LATEST = 32_503_680_000  # the year 3000, s since 1970
_SUMMARY = f"""
SELECT s.id, s.name, s.source, s.created, s.opened,
    count(i.id),
    total(i.status = {int(Status.QUEUED)}),
    total(i.operator <> {NOT_SET} AND i.operator <> i.label)
FROM sessions s LEFT JOIN items i ON i.session = s.id AND i.hidden = 0
"""  # noqa: S608 - our own numbers


def create(connection: sqlite3.Connection, name: str, source: str) -> int:
    """A new session; its name is the day and time where none is given."""
    now = time.time()
    name = name.strip() or time.strftime("%Y-%m-%d %H:%M", time.localtime(now))
    cursor = connection.execute(
        "INSERT INTO sessions (name, source, created, opened) VALUES (?, ?, ?, ?)",
        (as_text(name), as_text(source), now, now),
    )
    return int(cursor.lastrowid or 0)


def listed(connection: sqlite3.Connection) -> list[SessionInfo]:
    """All sessions, the one opened latest first."""
    with damaged_texts(connection):
        rows = connection.execute(_SUMMARY + " GROUP BY s.id ORDER BY s.opened DESC, s.id DESC").fetchall()
    return [_info(row) for row in rows]


def last(connection: sqlite3.Connection) -> SessionInfo | None:
    """The session that was opened latest."""
    row = connection.execute("SELECT id FROM sessions ORDER BY opened DESC, id DESC LIMIT 1").fetchone()
    return found(connection, row[0]) if row else None


def found(connection: sqlite3.Connection, session_id: int) -> SessionInfo:
    """Raises StoreError where there is no such session."""
    with damaged_texts(connection):
        row = connection.execute(_SUMMARY + " WHERE s.id = ? GROUP BY s.id", (session_id,)).fetchone()
    if row is None:
        raise StoreError(_GONE)
    return _info(row)


def check(connection: sqlite3.Connection, session_id: int) -> None:
    """Raises StoreError where there is no such session. Quick, which `found` with its counts is not."""
    if connection.execute("SELECT 1 FROM sessions WHERE id = ?", (session_id,)).fetchone() is None:
        raise StoreError(_GONE)


def for_day(connection: sqlite3.Connection, source: str, name: str, day: datetime.date) -> int:
    """The session of a watched folder that was begun on this day, or a new one."""
    start = datetime.datetime.combine(day, datetime.time()).timestamp()
    end = datetime.datetime.combine(day + datetime.timedelta(days=1), datetime.time()).timestamp()
    row = connection.execute(
        "SELECT id FROM sessions WHERE source = ? AND created >= ? AND created < ? ORDER BY id DESC LIMIT 1",
        (as_text(source), start, end),
    ).fetchone()
    return int(row[0]) if row else create(connection, name or day.isoformat(), source)


def touch(connection: sqlite3.Connection, session_id: int) -> None:
    """It is open now: later than every other, whatever the clock did meanwhile."""
    connection.execute(
        "UPDATE sessions SET opened = max(?, (SELECT max(opened) FROM sessions) + 0.001) WHERE id = ?",
        (time.time(), session_id),
    )


def rename(connection: sqlite3.Connection, session_id: int, name: str) -> None:
    """Give a session another name. Raises StoreError."""
    if not name.strip():
        raise StoreError("A session must have a name.")
    connection.execute("UPDATE sessions SET name = ? WHERE id = ?", (as_text(name.strip()), session_id))


def delete(connection: sqlite3.Connection, session_id: int) -> None:
    """Delete a session with its rows. The photos themselves are left alone."""
    connection.execute("DELETE FROM sessions WHERE id = ?", (session_id,))


def begin_run(connection: sqlite3.Connection, run: Run) -> int:
    """The id of these models under this rule: the latest run if it is the same, else a new one."""
    values = (
        run.image_model,
        run.image_sha256,
        run.text_model,
        run.text_sha256,
        run.rule,
        run.weight,
        run.review_threshold,
        run.disagreement_margin,
        run.device,
    )
    columns = (
        "image_model, image_sha256, text_model, text_sha256, rule, weight, review_threshold,"
        " disagreement_margin, device"
    )
    latest = connection.execute(f"SELECT id, {columns} FROM runs ORDER BY id DESC LIMIT 1").fetchone()  # noqa: S608
    if latest is not None and tuple(latest[1:]) == values:
        return int(latest[0])
    cursor = connection.execute(
        f"INSERT INTO runs ({columns}, started) VALUES ({', '.join('?' * 10)})",  # noqa: S608
        (*values, time.time()),
    )
    return int(cursor.lastrowid or 0)


def field_accuracy(connection: sqlite3.Connection, session_id: int | None) -> FieldAccuracy:
    """How often the operator agreed, over rows that were picked at random; of all sessions for None."""
    row = connection.execute(
        "SELECT count(*), total(operator = label) FROM items"
        " WHERE spot = ? AND operator <> ? AND (? IS NULL OR session = ?)",
        (int(SpotCheck.ANSWERED), NOT_SET, session_id, session_id),
    ).fetchone()
    return FieldAccuracy(int(row[0]), int(row[1]))


def _info(row: tuple[int, str, str, float, float, int, float, float]) -> SessionInfo:
    number, name, source, created, opened, items, unfinished, corrected = row
    return SessionInfo(
        number, from_text(name), from_text(source), _moment(created), _moment(opened), items, int(unfinished),
        int(corrected),
    )  # fmt: skip


def _moment(stored: object) -> float:
    """Seconds since 1970; 0 for what is no time that a calendar has (a damaged file)."""
    return float(stored) if isinstance(stored, int | float) and 0 <= stored < _LATEST else 0.0

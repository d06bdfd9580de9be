"""Opening the file: a new one is made, an old one migrated, a newer one refused, a broken one set aside."""

from __future__ import annotations

import logging
import sqlite3
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from gcdesk.config.files import beside
from gcdesk.config.placing import put_under
from gcdesk.store.errors import StoreError, in_words, is_busy, is_damage, suspicion
from gcdesk.store.schema import APPLICATION_ID, STEPS, VERSION

# How long a statement waits for another process that is writing.
BUSY_SECONDS = 5.0
_TURN_SECONDS = 0.02
_COMPANIONS = ("", "-wal", "-shm", "-journal")
# A check reads the whole file, about 200 MB a second. A larger one is checked only where there is a reason.
_CHECKED_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class Opened:
    """The open file, and a sentence on what happened to an old one ("" for nothing)."""

    connection: sqlite3.Connection
    notice: str


def open_file(path: Path) -> Opened:
    """Open the store's file at its present version. Raises StoreError, which says what to do."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"The folder {path.parent} cannot be made: {error.strerror}.") from error
    with in_words(path):
        try:
            return Opened(_open_sound(path), "")
        except sqlite3.DatabaseError as error:
            if not is_damage(error):
                raise
        aside = _set_aside(path)
        notice = f"The file of sessions was damaged or empty. It was set aside as {aside}, and a new one was begun."
        return Opened(_open_sound(path), notice)


def open_memory() -> Opened:
    """An empty store without a file: for a session that cannot be saved. Its connection may be used by any thread."""
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA foreign_keys = ON")
    _migrate(connection)
    return Opened(connection, "")


def _open_sound(path: Path) -> sqlite3.Connection:
    _begin(path)
    doubtful = _is_doubtful(path)
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        _refuse_foreign(connection, path)
        if doubtful:
            _check(connection)
            suspicion(path).unlink(missing_ok=True)
        _write_ahead(connection)
        # A commit is on the disk when it returns: there are at most two a second, and a power cut takes nothing.
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA trusted_schema = OFF")
        _take_out_orders(connection)
        _migrate(connection)
    except UnicodeDecodeError as error:  # SQLite names a table of the file, and the name is no text
        connection.close()
        raise _damage(str(error)) from error
    except BaseException:
        connection.close()
        raise
    return connection


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Ask for WAL; a file system without shared memory (some network drives) stays in the mode that it can do.

    Of two processes that ask at once, SQLite refuses one straight away instead of letting it wait its turn.
    """
    until = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if not is_busy(error) or time.monotonic() >= until:
                raise
        time.sleep(_TURN_SECONDS)


def _refuse_foreign(connection: sqlite3.Connection, path: Path) -> None:
    """Leave a file alone that a newer gcdesk or another program wrote."""
    connection.execute("BEGIN")  # the three are of one moment, for another process may be making the file
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    tables = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    connection.execute("COMMIT")
    if tables and application != APPLICATION_ID and not (application == 0 and _is_ours(connection)):
        raise StoreError(f"{path} belongs to another program: move it away, gcdesk then begins its own.")
    if version > VERSION:
        raise StoreError(
            f"{path} was written by a newer gcdesk (format {version}, this one reads up to {VERSION}):"
            " install the newer gcdesk, or move the file away to begin a new one."
        )


def _is_doubtful(path: Path) -> bool:
    """Whether the file is worth a check: it was not closed, or failed in use, or is read in a moment anyway."""
    log = path.with_name(path.name + "-wal")
    not_closed = log.exists() and log.stat().st_size > 0
    return (
        not_closed or suspicion(path).exists() or not path.exists() or path.stat().st_size <= _CHECKED_BYTES
    )


def _check(connection: sqlite3.Connection) -> None:
    """Raise the error of a damaged file where its pages are not as they should be."""
    answer = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if answer != "ok":
        raise _damage(answer)


def _damage(what: str) -> sqlite3.DatabaseError:
    error = sqlite3.DatabaseError(what)
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    return error


def _begin(path: Path) -> None:
    """Make a new file whole before it gets its name: one that is empty is then always a damaged one."""
    if path.exists():
        if path.is_file() and path.stat().st_size == 0:
            raise _damage("the file is empty")
        return
    work = beside(path)
    try:
        connection = sqlite3.connect(work, isolation_level=None)
        try:
            _migrate(connection)
        finally:
            connection.close()
        with suppress(FileExistsError):  # another process was faster
            put_under(work, path)
    except OSError as error:
        raise StoreError(f"{path} cannot be made: {error.strerror}.") from error
    finally:
        for suffix in _COMPANIONS:
            work.with_name(work.name + suffix).unlink(missing_ok=True)


def _is_ours(connection: sqlite3.Connection) -> bool:
    """Whether a file that lost its mark has our tables."""
    return _steps_taken(connection) > 0


def _steps_taken(connection: sqlite3.Connection) -> int:
    """The number of STEPS whose tables and columns the file has. What it says of itself may be wrong after a fault.

    Raises the error of a damaged file where a later step was taken and an earlier one was not.
    """
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    columns = {row[1] for row in connection.execute("PRAGMA table_info(items)")}
    taken = [
        {"sessions", "runs", "items", "caption_history"} <= tables,
        {"spot", "duplicate_of"} <= columns,
        "station_keys" in tables and "photo_hash" in columns,
        {"move_batches", "moves", "move_folders"} <= tables,
    ]
    count = sum(taken)
    if not all(taken[:count]):
        raise _damage("some of its tables are missing")
    return count


def _take_out_orders(connection: sqlite3.Connection) -> None:
    """Our file has no triggers and no views: those of somebody else would be carried out with every change of ours."""
    found = connection.execute(
        "SELECT type, name FROM sqlite_schema WHERE type IN ('trigger', 'view')"
    ).fetchall()
    for kind, name in found:
        quoted = str(name).replace('"', '""')
        connection.execute(f'DROP {kind} IF EXISTS "{quoted}"')
    if found:
        logging.getLogger(__name__).warning(
            "%d triggers and views that are not gcdesk's were taken out.", len(found)
        )


def _migrate(connection: sqlite3.Connection) -> None:
    """Take the steps that the file lacks, all or none. Two processes that open it at once take turns."""
    if connection.execute("PRAGMA user_version").fetchone()[0] == VERSION == _steps_taken(connection):
        return
    connection.execute("BEGIN EXCLUSIVE")
    try:
        for step in STEPS[_steps_taken(connection) :]:
            for statement in step.split(";"):
                if statement.strip():
                    connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _set_aside(path: Path) -> Path:
    """Rename the file and its companions to `<name>.corrupt-<date>`; nothing is overwritten."""
    stamp = time.strftime("%Y%m%d-%H%M%S")
    aside = path.with_name(f"{path.name}.corrupt-{stamp}")
    number = 1
    while aside.exists():
        number += 1
        aside = path.with_name(f"{path.name}.corrupt-{stamp}-{number}")
    for suffix in _COMPANIONS:
        file = path.with_name(path.name + suffix)
        if file.exists():
            try:
                file.rename(aside.with_name(aside.name + suffix))
            except OSError as error:
                raise StoreError(
                    f"{file} is damaged and cannot be set aside ({error.strerror}): move it away."
                ) from error
    suspicion(path).unlink(missing_ok=True)
    return aside

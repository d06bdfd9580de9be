"""SQLite's errors, said in sentences that an operator can act on."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gcdesk.engine.errors import GcdeskError

# Primary result codes (the low byte of an extended one): https://www.sqlite.org/rescode.html
_PRIMARY = 0xFF
_SENTENCES = {
    sqlite3.SQLITE_FULL: "The disk is full, so nothing more can be written to {path}: free some space.",
    sqlite3.SQLITE_READONLY: "{path} may not be written: make the file and its folder writable.",
    sqlite3.SQLITE_CANTOPEN: "{path} cannot be opened: look at its folder and who may write there.",
    sqlite3.SQLITE_PERM: "{path} may not be opened: ask its owner for permission.",
    sqlite3.SQLITE_BUSY: "Another program keeps {path} busy: close it and try again.",
    sqlite3.SQLITE_LOCKED: "Another program keeps {path} busy: close it and try again.",
    sqlite3.SQLITE_IOERR: "The disk failed while {path} was read or written: look at the disk or the network"
    " drive.",
    sqlite3.SQLITE_TOOBIG: "A text is too long to be written to {path}.",
}
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


class StoreError(GcdeskError):
    """The file of sessions cannot be opened, read or written; the message says what to do."""


def is_damage(error: sqlite3.Error) -> bool:
    """Whether the file itself is broken, as opposed to its disk, its permissions or another program."""
    return _code(error) in _DAMAGED


def is_busy(error: sqlite3.Error) -> bool:
    """Whether another process holds the file just now."""
    return _code(error) == sqlite3.SQLITE_BUSY


def suspicion(path: Path) -> Path:
    """A file that is there when the store at `path` turned out damaged in use: it is checked when it is opened."""
    return path.with_name(path.name + ".suspect")


@contextmanager
def in_words(path: Path) -> Iterator[None]:
    """Raise what SQLite raises in this block as a StoreError about the file at `path`."""
    try:
        yield
    except sqlite3.Error as error:
        if is_damage(error):
            with suppress(OSError):
                suspicion(path).touch()
            sentence = "{path} is damaged: start gcdesk again, it sets the file aside and begins a new one."
        else:
            sentence = _SENTENCES.get(_code(error), f"{{path}} cannot be used: {error}.")
        raise StoreError(sentence.format(path=path)) from error


def _code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0) & _PRIMARY

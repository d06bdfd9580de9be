"""What goes into the store and what comes out of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum

import numpy as np


class Status(IntEnum):
    """Where a photo is in its work. RUNNING is never stored: after a crash it is queued again."""

    QUEUED = 0
    RUNNING = 1
    DONE = 2
    FAILED = 3


class SpotCheck(IntEnum):
    """Random confirmation of sure rows, kept apart so that accuracy in the field can be told without bias."""

    NO = 0
    OFFERED = 1
    ANSWERED = 2


@dataclass(frozen=True)
class SessionInfo:
    """A session and how many of its photos are in the list, not finished, and corrected by the operator.

    source: the watched folder, "" for a session that was begun by hand. created, opened: seconds since 1970.
    """

    id: int
    name: str
    source: str
    created: float
    opened: float
    items: int
    unfinished: int
    corrected: int


@dataclass(frozen=True, slots=True)
class NewPhoto:
    """A photo to add. `size` (bytes) and `mtime_ns` are None where they are not known: it is then always new.

    error: what is known to be wrong with the path; the row is failed from the start. any_time: one of the list with the
    same path and size is this photo, whatever its time.
    """

    path: str
    caption: str = ""
    size: int | None = None
    mtime_ns: int | None = None
    error: str = ""
    any_time: bool = False


@dataclass(frozen=True, slots=True)
class Added:
    """The row of a photo; `is_new` is False where path, size and time were in the session's list already."""

    item_id: int
    is_new: bool


@dataclass(frozen=True)
class Run:
    """Which models and which rule gave answers: recorded once, referred to by every result."""

    image_model: str | None
    text_model: str | None
    rule: str
    image_sha256: str | None = None
    text_sha256: str | None = None
    weight: float = 0.5
    review_threshold: float = 0.0
    disagreement_margin: float = 0.0
    device: str = ""


@dataclass(frozen=True, slots=True)
class StoredResult:
    """What the models said of one item; codes as in `schema`. Probabilities are four, or None (abstained).

    An error without a label makes the item failed. No thumbnail, or a width of 0, leaves what was known.
    """

    item_id: int
    image: Sequence[float] | None
    text: Sequence[float] | None
    label: int
    winner: int
    confidence: float
    margin: float
    review: bool
    reason: str = ""
    error: str = ""
    thumbnail: str = ""
    width: int = 0
    height: int = 0
    seconds: float = 0.0
    run_id: int | None = None


@dataclass(frozen=True)
class CaptionChange:
    """A caption that an item had, and when it was replaced (seconds since 1970)."""

    caption: str
    replaced: float


@dataclass(frozen=True)
class FieldAccuracy:
    """Of the rows offered at random: how many were answered, in how many the operator agreed with the models."""

    answered: int
    agreed: int


@dataclass(frozen=True)
class Judged:
    """An item whose bin a person set. bin: theirs; models: what the models said, -1 nothing. random: the row was
    picked at random for confirmation. photo: its fingerprint (see `gcdesk.engine.photos.perceptual_hash`),
    None where not known.
    """

    item_id: int
    session: int
    path: str
    caption: str
    bin: int
    models: int
    random: bool
    photo: int | None

    @property
    def corrected(self) -> bool:
        """Whether the operator's bin differs from the models' bin."""
        return self.bin != self.models


@dataclass(frozen=True)
class LoadedRows:
    """A session's list, column by column, in the order of arrival; n rows. What is not known is NaN, -1 or ""."""

    item_id: np.ndarray  # (n,) int64
    status: np.ndarray  # (n,) uint8, codes of Status
    image: np.ndarray  # (n, 4) float32, NaN where the model abstained
    text: np.ndarray  # (n, 4) float32
    label: np.ndarray  # (n,) int8
    winner: np.ndarray  # (n,) int8
    confidence: np.ndarray  # (n,) float32
    margin: np.ndarray  # (n,) float32
    review: np.ndarray  # (n,) bool
    operator: np.ndarray  # (n,) int8
    spot: np.ndarray  # (n,) uint8, codes of SpotCheck
    width: np.ndarray  # (n,) int32, pixels
    height: np.ndarray  # (n,) int32
    seconds: np.ndarray  # (n,) float32
    duplicate_of: np.ndarray  # (n,) int64, 0 for none
    path: list[str]
    caption: list[str]
    reason: list[str]
    error: list[str]
    thumbnail: list[str]

    def __len__(self) -> int:
        return len(self.path)


def as_text(text: str) -> str | bytes:
    """A text as SQLite can store it: file names that are no UTF-8 hold surrogates, and go as bytes."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")
    return text


def from_text(stored: str | bytes) -> str:
    """The inverse of `as_text`; what a damaged file holds in place of a text becomes one."""
    if isinstance(stored, bytes):
        try:
            return stored.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            return stored.decode("utf-8", "replace")
    return str(stored)


@contextmanager
def damaged_texts(connection: sqlite3.Connection) -> Iterator[None]:
    """Within the block a text whose bytes are damaged comes out with replacement characters, and raises nothing."""
    usual = connection.text_factory
    connection.text_factory = lambda stored: stored.decode("utf-8", "replace")
    try:
        yield
    finally:
        connection.text_factory = usual


def as_blob(probabilities: Sequence[float] | None) -> bytes | None:
    """Four probabilities as little-endian float32. Raises ValueError for another number of them."""
    if probabilities is None:
        return None
    values = np.asarray(probabilities, dtype="<f4")
    if values.shape != (4,):
        raise ValueError(f"{values.shape} probabilities: there must be 4")
    return values.tobytes()

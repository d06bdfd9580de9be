"""The list in memory as columns (numpy arrays and lists), so that 100,000 rows stay small and fast.

No Qt. A row's number is its place in the order of arrival and never changes.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from gcdesk.engine.labels import NOT_SET
from gcdesk.engine.selection.rules import Winner
from gcdesk.store import LoadedRows, SpotCheck, Status


@dataclass(frozen=True, slots=True)
class NewItem:
    """A photo that joins the list. `item_id` is the store's."""

    item_id: int
    path: str
    caption: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the models said of one row. Probabilities are four floats or None where that model abstained."""

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
    looks_like: Sequence[str] = ()


def failure(reason: str) -> Outcome:
    """A row that gives nothing but a reason."""
    nan = float("nan")
    return Outcome(None, None, NOT_SET, Winner.NONE, nan, nan, True, error=reason)


KINDS = 5  # kept of the kinds of things that a photo looks like
NO_KIND = -1
# Columns that a store does not keep.
_NOT_STORED = ("faulty", "kinds")

# name: (dtype, columns, value of a fresh row)
_ARRAYS: dict[str, tuple[str, int, float]] = {
    "item_id": ("i8", 1, -1),
    "status": ("u1", 1, Status.QUEUED),
    "image": ("f4", 4, np.nan),
    "text": ("f4", 4, np.nan),
    "label": ("i1", 1, NOT_SET),
    "winner": ("i1", 1, Winner.NONE),
    "confidence": ("f4", 1, np.nan),
    "margin": ("f4", 1, np.nan),
    "review": ("?", 1, 0),
    "faulty": ("?", 1, 0),
    "operator": ("i1", 1, NOT_SET),
    "spot": ("u1", 1, SpotCheck.NO),
    "width": ("i4", 1, 0),
    "height": ("i4", 1, 0),
    "seconds": ("f4", 1, 0),
    "duplicate_of": ("i8", 1, 0),
    "kinds": ("i2", KINDS, NO_KIND),
}
_TO_FILTER = (
    "status", "image", "text", "label", "winner", "confidence", "margin", "review", "faulty", "operator", "spot",
)  # fmt: skip


class Rows:
    """All rows of the open session. Arrays are views of length `len(rows)`: read them, write through the methods."""

    item_id: np.ndarray
    status: np.ndarray
    image: np.ndarray
    text: np.ndarray
    label: np.ndarray
    winner: np.ndarray
    confidence: np.ndarray
    margin: np.ndarray
    review: np.ndarray
    faulty: np.ndarray
    operator: np.ndarray
    spot: np.ndarray
    width: np.ndarray
    height: np.ndarray
    seconds: np.ndarray
    duplicate_of: np.ndarray  # item id of the first photo with the same content, 0 for none
    kinds: (
        np.ndarray
    )  # (n, KINDS) places in kind_names, of photos that were scored since the session was opened

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Start afresh."""
        self._count = 0
        self._store: dict[str, np.ndarray] = {}
        self.path: list[str] = []
        self.caption: list[str] = []
        self.reason: list[str] = []
        self.error: list[str] = []
        self.thumbnail: list[str] = []
        self.kind_names: list[str] = []
        self._row_of: dict[int, int] = {}
        self._grow(256)

    def fill(self, loaded: LoadedRows) -> None:
        """Become the columns that a store loaded; they are named and typed as here."""
        self.clear()
        count = len(loaded.path)
        self._grow(max(count, 256))
        self._count = count
        for name, whole in self._store.items():
            if name not in _NOT_STORED:
                whole[:count] = getattr(loaded, name)
        for name in ("path", "caption", "reason", "error", "thumbnail"):
            setattr(self, name, list(getattr(loaded, name)))
        self._views()
        self.faulty[:] = np.fromiter(map(bool, self.error), dtype=bool, count=count)
        self._row_of = {item: row for row, item in enumerate(self.item_id.tolist())}

    def take(self, other: Rows) -> None:
        """Become `other`, which is given up: how a session that was filled on a thread comes on the screen."""
        columns = ("path", "caption", "reason", "error", "thumbnail", "kind_names")
        for name in ("_count", "_store", *columns, "_row_of"):
            setattr(self, name, getattr(other, name))
        self._views()

    def copy_to_filter(self) -> Rows:
        """A copy of what filters, search and order read, for a thread; the other columns are empty."""
        made = Rows()
        made._count = self._count
        made._store = {name: getattr(self, name).copy() for name in _TO_FILTER}
        made.path, made.caption = self.path[:], self.caption[:]
        made._views()
        return made

    def __len__(self) -> int:
        return self._count

    def _grow(self, capacity: int) -> None:
        for name, (dtype, columns, fresh) in _ARRAYS.items():
            shape = (capacity,) if columns == 1 else (capacity, columns)
            bigger = np.full(shape, fresh, dtype=dtype)
            if self._count:
                bigger[: self._count] = self._store[name][: self._count]
            self._store[name] = bigger
        self._views()

    def _views(self) -> None:
        for name, whole in self._store.items():
            setattr(self, name, whole[: self._count])

    def add(self, items: Sequence[NewItem]) -> range:
        """Append photos as queued rows; returns their row numbers."""
        first = self._count
        needed = first + len(items)
        capacity = len(self._store["status"])
        if needed > capacity:
            self._grow(max(needed, 2 * capacity))
        self._count = needed
        self._views()
        self.item_id[first:] = [item.item_id for item in items]
        self.path.extend(item.path for item in items)
        self.caption.extend(item.caption for item in items)
        for column in (self.reason, self.error, self.thumbnail):
            column.extend([""] * len(items))
        self._row_of.update((item.item_id, first + i) for i, item in enumerate(items))
        return range(first, needed)

    def remove(self, gone: np.ndarray) -> None:
        """Take rows out; the others close ranks, so every row number may change."""
        keep = np.ones(self._count, dtype=bool)
        keep[gone] = False
        stay = np.flatnonzero(keep)
        for name, whole in self._store.items():
            whole[: len(stay)] = whole[stay]
            whole[len(stay) :] = _ARRAYS[name][2]
        for column in (self.path, self.caption, self.reason, self.error, self.thumbnail):
            column[:] = [column[row] for row in stay.tolist()]
        self._count = len(stay)
        self._views()
        self._row_of = {item: row for row, item in enumerate(self.item_id.tolist())}

    def row_of(self, item_id: int) -> int:
        """The row of an item, -1 where it is not in this session."""
        return self._row_of.get(item_id, -1)

    def twin(self, row: int) -> int:
        """The row of an earlier photo with the same content, -1 where there is none in the list."""
        first = int(self.duplicate_of[row])
        return self.row_of(first) if first else -1

    def name(self, row: int) -> str:
        """The file's name without its folders."""
        return os.path.basename(self.path[row])

    def set_status(self, rows: Iterable[int], status: Status) -> None:
        """Set the status of some rows."""
        self.status[np.fromiter(rows, dtype=np.int64)] = status

    def set_outcome(self, row: int, outcome: Outcome) -> None:
        """Write what the models said. An error without a label makes the row failed."""
        self.image[row] = np.nan if outcome.image is None else outcome.image
        self.text[row] = np.nan if outcome.text is None else outcome.text
        self.label[row] = outcome.label
        self.winner[row] = outcome.winner
        self.confidence[row] = outcome.confidence if outcome.label != NOT_SET else np.nan
        self.margin[row] = outcome.margin
        self.review[row] = outcome.review
        self.reason[row] = outcome.reason
        self.error[row] = outcome.error
        self.faulty[row] = bool(outcome.error)
        failed = outcome.label == NOT_SET and bool(outcome.error)
        self.status[row] = Status.FAILED if failed else Status.DONE
        if outcome.thumbnail:
            self.thumbnail[row] = outcome.thumbnail
        if outcome.width:
            self.width[row], self.height[row] = outcome.width, outcome.height
        self.seconds[row] = outcome.seconds
        if outcome.looks_like:
            self.kinds[row] = NO_KIND
            numbers = [self._kind_number(name) for name in outcome.looks_like[:KINDS]]
            self.kinds[row, : len(numbers)] = numbers

    def _kind_number(self, name: str) -> int:
        if name not in self.kind_names:
            self.kind_names.append(name)
        return self.kind_names.index(name)

    def looks_like(self, row: int) -> list[str]:
        """Kinds of things that the row's photo looks like, the likeliest first; none where that is not known."""
        return [self.kind_names[kind] for kind in self.kinds[row].tolist() if kind != NO_KIND]

    def set_operator(self, rows: np.ndarray, labels: np.ndarray) -> None:
        """The operator's label of each row: 0 to 3, UNSURE or NOT_SET. It wins; the models' stay beside it."""
        self.operator[rows] = labels
        spots = np.asarray(rows)[self.spot[rows] != SpotCheck.NO]
        self.spot[spots] = np.where(self.operator[spots] == NOT_SET, SpotCheck.OFFERED, SpotCheck.ANSWERED)

    def final(self, row: int) -> int:
        """The label that counts: the operator's where there is one, else the models'."""
        given = int(self.operator[row])
        return given if given != NOT_SET else int(self.label[row])

    def final_labels(self) -> np.ndarray:
        """`final` of all rows, (n,) int8."""
        return np.where(self.operator != NOT_SET, self.operator, self.label)

    def to_review(self) -> np.ndarray:
        """Rows that wait for the operator: (n,) bool. Done, doubtful or unlabelled, and not decided by hand."""
        done = self.status == Status.DONE
        waiting: np.ndarray = done & (self.operator == NOT_SET) & (self.review | (self.label == NOT_SET))
        return waiting

    def corrected(self) -> np.ndarray:
        """Rows where the operator said something else than the models: (n,) bool."""
        corrected: np.ndarray = (self.operator != NOT_SET) & (self.operator != self.label)
        return corrected

    def disagreement(self) -> np.ndarray:
        """Rows where both models answered and named different bins: (n,) bool."""
        both = ~np.isnan(self.image[:, 0]) & ~np.isnan(self.text[:, 0])
        differ = np.zeros(self._count, dtype=bool)
        differ[both] = self.image[both].argmax(axis=1) != self.text[both].argmax(axis=1)
        return differ

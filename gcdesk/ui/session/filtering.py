"""Filters, search and sort orders as numpy functions on a snapshot, to run on a thread. No Qt."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from gcdesk.engine.labels import BINS, NOT_SET, UNSURE
from gcdesk.store import Status
from gcdesk.ui.session.rows import Rows

_KEY_BYTES = 96  # of a name or caption that count when sorting
_SLICE = 2000  # rows of text work between two breaths, so that the window's thread gets its turn


class Show(StrEnum):
    """The filters of the bar; exactly one is chosen."""

    ALL = "all"
    REVIEW = "review"
    FAILED = "failed"
    WAITING = "waiting"
    DISAGREE = "disagree"
    CORRECTED = "corrected"
    SPOT = "spot"
    LOW = "low"
    HIGH = "high"
    BIN_0 = "bin0"
    BIN_1 = "bin1"
    BIN_2 = "bin2"
    BIN_3 = "bin3"
    UNSURE = "unsure"


_BINS = {Show(f"bin{code}"): code for code in range(len(BINS))} | {Show.UNSURE: UNSURE}


class SortBy(StrEnum):
    """What the list can be ordered by; ARRIVAL is the order in which photos came."""

    ARRIVAL = "arrival"
    NAME = "name"
    CAPTION = "caption"
    IMAGE = "image"
    TEXT = "text"
    BIN = "bin"
    WINNER = "winner"
    STATUS = "status"
    MARGIN = "margin"


@dataclass(frozen=True)
class ViewSpec:
    """What the operator asked to see. `low` and `high` bound the confidence of Show.LOW and Show.HIGH."""

    show: Show = Show.ALL
    search: str = ""
    sort: SortBy = SortBy.ARRIVAL
    descending: bool = False
    low: float = 0.60
    high: float = 0.90

    @property
    def plain(self) -> bool:
        """Everything, in the order of arrival."""
        return (
            self.show is Show.ALL
            and not self.search.strip()
            and self.sort is SortBy.ARRIVAL
            and not self.descending
        )


@dataclass(frozen=True)
class Snapshot:
    """Copies of the columns that filters and sorts read; `low` and `high` bound Show.LOW and Show.HIGH."""

    rows: Rows
    low: float
    high: float

    def __len__(self) -> int:
        return len(self.rows)


def take_snapshot(rows: Rows, low: float, high: float) -> Snapshot:
    """Copy what is needed; some milliseconds for 100,000 rows."""
    return Snapshot(rows.copy_to_filter(), low, high)


def fits(snapshot: Snapshot, show: Show) -> np.ndarray:
    """The rows that a filter shows, (n,) bool."""
    rows = snapshot.rows
    if show in _BINS:
        return np.asarray(rows.final_labels() == _BINS[show])
    with np.errstate(invalid="ignore"):
        match show:
            case Show.REVIEW:
                return rows.to_review()
            case Show.FAILED:
                return np.asarray(rows.faulty | (rows.status == Status.FAILED))
            case Show.WAITING:
                return np.asarray(rows.status <= Status.RUNNING)
            case Show.DISAGREE:
                return rows.disagreement()
            case Show.CORRECTED:
                return rows.corrected()
            case Show.SPOT:
                return rows.spot > 0
            case Show.LOW:
                return rows.confidence < snapshot.low
            case Show.HIGH:
                return rows.confidence >= snapshot.high
    return np.ones(len(rows), dtype=bool)


def counts(snapshot: Snapshot) -> dict[Show, int]:
    """How many rows each filter would show."""
    return {show: int(fits(snapshot, show).sum()) for show in Show}


def visible_rows(snapshot: Snapshot, spec: ViewSpec) -> np.ndarray:
    """Row numbers to show, in order: (m,) int32."""
    index = np.flatnonzero(fits(snapshot, spec.show)).astype(np.int32)
    words = spec.search.casefold().split()
    if words:
        index = _searched(snapshot, index, words)
    return _ordered(snapshot, index, spec)


def appended_rows(snapshot: Snapshot, spec: ViewSpec, shown: np.ndarray) -> np.ndarray:
    """Like `visible_rows`, but what is shown stays where it is and what newly fits comes after it.

    This is for results that arrive by themselves: nothing moves that the operator did not move.
    """
    wanted = visible_rows(snapshot, spec)
    return np.concatenate([shown, wanted[~np.isin(wanted, shown)]]).astype(np.int32)


def _searched(snapshot: Snapshot, index: np.ndarray, words: Sequence[str]) -> np.ndarray:
    """Rows whose name or caption has all the words."""
    found = []
    path, caption = snapshot.rows.path, snapshot.rows.caption
    whole = len(index) == len(snapshot)  # the index is ascending: then it is all rows
    for start in range(0, len(index), _SLICE):
        rows = index[start : start + _SLICE]
        if whole:
            part = slice(start, start + _SLICE)
            paths, captions = path[part], caption[part]
        else:
            numbers = rows.tolist()
            paths, captions = [path[row] for row in numbers], [caption[row] for row in numbers]
        found.append(rows[_have_all(paths, captions, words)])
        time.sleep(0)
    return np.concatenate(found) if found else index


def _have_all(paths: Sequence[str], captions: Sequence[str], words: Sequence[str]) -> np.ndarray:
    """Which rows have all the words in name or caption, without case: (n,) bool. What can be is one call for all
    rows: a call for each takes twice as long.
    """
    texts = list(map("\n".join, zip([path.rpartition(os.sep)[2] for path in paths], captions, strict=True)))
    joined = "\0".join(texts).casefold()
    if not all(word in joined for word in words):
        return np.zeros(len(texts), dtype=bool)
    folded = joined.split("\0")
    if len(folded) != len(texts):  # a caption with a null in it
        folded = [text.casefold() for text in texts]
    fits = np.ones(len(texts), dtype=bool)
    for word in words:
        fits &= np.array([word in text for text in folded], dtype=bool)
    return fits


def _ordered(snapshot: Snapshot, index: np.ndarray, spec: ViewSpec) -> np.ndarray:
    if spec.sort is SortBy.ARRIVAL:
        return index[::-1] if spec.descending else index
    keys = _sort_keys(snapshot, index, spec.sort)
    order = np.lexsort(keys) if isinstance(keys, tuple) else np.argsort(keys, kind="stable")
    return index[order[::-1]] if spec.descending else index[order]


def _sort_keys(snapshot: Snapshot, index: np.ndarray, sort: SortBy) -> np.ndarray | tuple[np.ndarray, ...]:
    """Keys for a stable ascending sort; in a tuple the last is the first to count. Rows without a value come last."""
    rows = snapshot.rows
    if sort is SortBy.NAME:
        return text_keys(rows.path, index, names=True)
    if sort is SortBy.CAPTION:
        keys = text_keys(rows.caption, index, names=False)
        return (keys, keys == b"")
    if sort is SortBy.IMAGE or sort is SortBy.TEXT:
        return _vote_keys(rows.image[index] if sort is SortBy.IMAGE else rows.text[index])
    if sort is SortBy.BIN:
        final = rows.final_labels()[index].astype(np.int16)
        final[final == NOT_SET] = 99
        return (-np.nan_to_num(rows.confidence[index], nan=-1.0), final)
    if sort is SortBy.WINNER:
        return np.asarray(rows.winner[index])
    if sort is SortBy.MARGIN:
        return np.asarray(np.nan_to_num(rows.margin[index], nan=9.0))
    review = rows.to_review()[index]
    corrected = rows.corrected()[index]
    # What wants attention first: to review, failed, running, queued, corrected, done.
    rank = np.select(
        [review, rows.status[index] == Status.FAILED, rows.status[index] == Status.RUNNING,
         rows.status[index] == Status.QUEUED, corrected],
        [0, 1, 2, 3, 4],
        5,
    )  # fmt: skip
    return rank.astype(np.int8)


def _vote_keys(probabilities: np.ndarray) -> tuple[np.ndarray, ...]:
    absent = np.isnan(probabilities[:, 0])
    filled = np.nan_to_num(probabilities)
    return (-filled.max(axis=1), filled.argmax(axis=1), absent)


def text_keys(texts: Sequence[str], index: np.ndarray, names: bool) -> np.ndarray:
    """Bytes that sort as people expect (case aside), made in slices; numpy then sorts them without holding Python."""
    keys = np.empty(len(index), dtype=f"S{_KEY_BYTES}")
    for start in range(0, len(index), _SLICE):
        part = index[start : start + _SLICE].tolist()
        if names:
            keys[start : start + len(part)] = [
                texts[row][texts[row].rfind(os.sep) + 1 :].casefold().encode()[:_KEY_BYTES] for row in part
            ]
        else:
            keys[start : start + len(part)] = [texts[row].casefold().encode()[:_KEY_BYTES] for row in part]
        time.sleep(0)
    return keys

"""What a text training would learn from: several sources joined, split, counted, and written as three tables.

No torch: the window shows this before a training is begun. What is set aside is chosen by the caption itself (its
group's hash), so a caption that was held out once is held out in every later training too, and two models that were
trained like this can be compared fairly on it.
"""

from __future__ import annotations

import csv
import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from gcdesk.engine.captions.rules import DEFAULT_CAPTION_RULE
from gcdesk.engine.labels import BINS
from gcdesk.engine.tables.reader import read_table
from trainer.text.data import EMPTY_CAPTION, NO_CAPTION, Caption, read_captions, settled, without
from trainer.text.settings import TextDataError

# How captions are set aside, as the model file names it.
HELD_OUT_RULE = "group-hash-v1"
_TEST_SHARE, _VAL_SHARE = 0.15, 0.10
_FEWEST = 20  # captions to train on
_FEWEST_HELD_OUT = 20  # fewer say next to nothing about a difference between two models

Role = Literal["train", "test"]
SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class Source:
    """A table or an ImageFolder. role: "test" never trains. where: only the rows with these values in these columns.
    names: what folders mean that are no bins.
    """

    path: Path
    role: Role = "train"
    where: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class SourceCount:
    """What one source holds: usable captions, and what was left out, in words. problem: why none could be read."""

    source: Source
    captions: int
    notes: tuple[str, ...] = ()
    problem: str = ""


@dataclass(frozen=True)
class Conflict:
    """A caption with several bins; `taken` is what is learnt, None where none is more frequent than the others."""

    text: str
    bins: tuple[str, ...]
    taken: str | None


@dataclass(frozen=True)
class Prepared:
    """The three splits, and what a supervisor should know of them before an hour is spent.

    duplicates: rows that repeat a caption with the same bin. leaks: rows taken out of the training captions because
    the same caption or entry is held out. empty: rows without a caption.
    """

    train: tuple[Caption, ...]
    val: tuple[Caption, ...]
    test: tuple[Caption, ...]
    sources: tuple[SourceCount, ...]
    duplicates: int
    conflicts: tuple[Conflict, ...]
    leaks: int
    empty: int

    def counts(self) -> dict[str, tuple[int, ...]]:
        """Rows by split and bin, in the order of BINS."""
        return {name: _by_bin(getattr(self, name)) for name in SPLITS}

    @property
    def problem(self) -> str:
        """Why nothing can be trained on this, "" where it can."""
        if not self.sources:
            return "Add captions first: a table, a folder of photos, or the corrected photos of sessions."
        unread = [item.problem for item in self.sources if item.problem]
        if unread:
            return unread[0]
        if len(self.train) < _FEWEST:
            return f"Captions to train on: {len(self.train)}. That is too few: at least {_FEWEST} are needed."
        if len({row.label for row in self.train}) < 2:
            return "All captions have the same bin: there is nothing to tell apart."
        return ""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is worth a second thought."""
        results = []
        missing = [name for name, count in zip(BINS, _by_bin(self.train), strict=True) if not count]
        if missing and self.train:
            results.append(f"No caption for {', '.join(missing)}: the model will not know it.")
        if self.train and len(self.test) < _FEWEST_HELD_OUT:
            results.append(
                f"Only {len(self.test)} captions are held out: a difference between two models will hardly show."
            )
        return tuple(results)


def prepare(sources: Sequence[Source]) -> Prepared:
    """Read and split. Where sources disagree on a caption the later one is believed. Nothing is raised for a source
    that cannot be read: its `problem` says why.
    """
    rows: list[Caption] = []
    test: list[Caption] = []
    counts: list[SourceCount] = []
    empty = 0
    for source in sources:
        try:
            read = read_captions(source.path, source.where, DEFAULT_CAPTION_RULE, source.names)
        except TextDataError as error:
            counts.append(SourceCount(source, 0, problem=str(error)))
            continue
        counts.append(SourceCount(source, len(read.rows), read.notes))
        empty += read.left_out.get(EMPTY_CAPTION, 0) + read.left_out.get(NO_CAPTION, 0)
        if source.role == "test":
            test += read.rows
        else:
            rows = [*without(rows, read.rows)[0], *read.rows] if rows else list(read.rows)
    conflicts = _conflicts(rows)
    duplicates = len(rows) - len({(row.text, row.label) for row in rows})
    train, val, own_test, leaks = _split(rows, test)
    return Prepared(
        tuple(settled(train)[0]),
        tuple(val),
        tuple([*test, *own_test]),
        tuple(counts),
        duplicates,
        conflicts,
        leaks,
        empty,
    )


def _split(
    rows: Sequence[Caption], test: Sequence[Caption]
) -> tuple[list[Caption], list[Caption], list[Caption], int]:
    """(train, val, held out of `rows`, rows left out because they are held out elsewhere)."""
    rest, leaked = without(rows, test)
    parts: dict[str, list[Caption]] = {name: [] for name in SPLITS}
    for row in rest:
        parts[_side_of(row.group)].append(row)
    # Two entries may share a caption: it stays where it is held out.
    val, in_test = without(parts["val"], parts["test"])
    train, in_both = without(parts["train"], [*parts["test"], *val])
    return train, val, parts["test"], leaked + in_test + in_both


def _side_of(group: str) -> str:
    place = int.from_bytes(hashlib.sha256(f"{HELD_OUT_RULE} {group}".encode()).digest()[:8], "big") / 2**64
    if place < _TEST_SHARE:
        return "test"
    return "val" if place < _TEST_SHARE + _VAL_SHARE else "train"


def _conflicts(rows: Sequence[Caption]) -> tuple[Conflict, ...]:
    votes: dict[str, Counter[int]] = defaultdict(Counter)
    for row in rows:
        votes[row.text][row.label] += 1
    results = []
    for text, count in sorted(votes.items()):
        if len(count) > 1:
            (first, most), (_second, next_most), *_rest = count.most_common()
            taken = BINS[first] if most > next_most else None
            results.append(Conflict(text, tuple(BINS[label] for label in sorted(count)), taken))
    return tuple(results)


def _by_bin(rows: Sequence[Caption]) -> tuple[int, ...]:
    count = Counter(row.label for row in rows)
    return tuple(count[label] for label in range(len(BINS)))


def write_splits(prepared: Prepared, folder: Path) -> dict[str, Path]:
    """Write `train.csv`, `val.csv` and `test.csv` into `folder`, where they hold something; the paths by split."""
    written = {}
    for name in SPLITS:
        rows: Sequence[Caption] = getattr(prepared, name)
        if rows:
            written[name] = write_captions(folder / f"{name}.csv", rows)
    return written


def write_captions(path: Path, rows: Sequence[Caption]) -> Path:
    """Write captions as a table that `read_captions` gives back as they are."""
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(("text", "bin", "group"))
        table.writerows((row.text, BINS[row.label], row.group) for row in rows)
    return path


def columns_to_choose(path: Path) -> dict[str, tuple[str, ...]]:
    """For a table with a column `city`: its values, for `Source.where`, so that one city's rules are learnt."""
    if not path.is_file():
        return {}
    try:
        table = read_table(path, TextDataError)
    except TextDataError:
        return {}  # why it cannot be read is said where it is read for its captions
    place = table.column("city")
    values = {row.cells[place] for row in table.rows} - {""} if place is not None else set()
    return {"city": tuple(sorted(values))} if len(values) > 1 else {}

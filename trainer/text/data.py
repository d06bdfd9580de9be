"""Captions with their bins, read from tables and ImageFolders, and kept apart between splits."""

from __future__ import annotations

import hashlib
import random
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gcdesk.engine.captions.rules import CaptionRule, apply_rule, caption_from_path
from gcdesk.engine.errors import LabelError, PhotoFolderError
from gcdesk.engine.labels import BINS, bin_index
from gcdesk.engine.photos.bin_folders import list_bins
from gcdesk.engine.tables.reader import read_table
from trainer.text.settings import TextDataError

_TEXT_COLUMNS = ("text", "caption")
_BIN_COLUMNS = ("bin", "label")
EMPTY_CAPTION, NO_CAPTION = "empty caption", "no caption in the file name"


@dataclass(frozen=True)
class Caption:
    """A caption in rule form, its class index, and the group that must not be split (synonyms of one entry)."""

    text: str
    label: int
    group: str


@dataclass(frozen=True)
class Captions:
    """What a source held: usable captions, and a sentence about each kind of thing that was left out.

    left_out: rows by the reason why they were left out.
    """

    rows: tuple[Caption, ...]
    notes: tuple[str, ...]
    left_out: Mapping[str, int] = field(default_factory=dict)


def read_captions(
    source: Path, where: Mapping[str, str], rule: CaptionRule, names: Mapping[str, str] | None = None
) -> Captions:
    """Read a CSV (columns text and bin, or caption and label) or an ImageFolder whose file names are captions.

    `where` keeps the CSV rows whose column has that value; it does not concern a CSV without the column. Rows with
    `several_bins` = 1 have no single right answer and are left out. names: what folders mean that are no bins. Raises
    TextDataError.
    """
    folder_notes: tuple[str, ...] = ()
    try:
        if source.is_dir():
            result, left_out, folder_notes = _read_folder(source, rule, names)
        elif source.is_file():
            result, left_out = _read_table(source, where, rule)
        else:
            raise TextDataError(f"{source} does not exist.")
    except OSError as error:
        raise TextDataError(f"{source.name} cannot be read: {error.strerror}.") from error
    notes = [f"{source.name}: {note}" for note in folder_notes]
    notes += [f"{source.name}: {count} left out ({why})" for why, count in sorted(left_out.items())]
    if not result:
        raise TextDataError(f"{source} holds no caption that can be used.")
    return Captions(tuple(result), tuple(notes), dict(left_out))


def _read_table(
    source: Path, where: Mapping[str, str], rule: CaptionRule
) -> tuple[list[Caption], Counter[str]]:
    left_out: Counter[str] = Counter()
    results: list[Caption] = []
    table = read_table(source, TextDataError)
    text_place, bin_place = table.column(*_TEXT_COLUMNS), table.column(*_BIN_COLUMNS)
    if text_place is None or bin_place is None:
        raise TextDataError(f"{source.name} needs the columns text and bin; it has {table.found()}.")
    wanted = [
        (place, value) for name, value in where.items() if (place := table.column(name.lower())) is not None
    ]
    several, grouped = table.column("several_bins"), table.column("group")
    for row in table.rows:
        cells = row.cells
        if any(cells[place] != value for place, value in wanted):
            left_out["another " + ", ".join(where)] += 1
            continue
        if several is not None and cells[several] == "1":
            left_out["several bins"] += 1
            continue
        try:
            label = bin_index(cells[bin_place])
        except LabelError as error:
            raise TextDataError(f"{source.name}, line {row.line}: {error}") from error
        text = apply_rule(cells[text_place], rule)
        if not text:
            left_out[EMPTY_CAPTION] += 1
            continue
        results.append(Caption(text, label, (cells[grouped] if grouped is not None else "") or text))
    return results, left_out


def _read_folder(
    source: Path, rule: CaptionRule, names: Mapping[str, str] | None
) -> tuple[list[Caption], Counter[str], tuple[str, ...]]:
    try:
        listed = list_bins(source, names)
    except PhotoFolderError as error:
        raise TextDataError(str(error)) from error
    left_out: Counter[str] = Counter()
    results: list[Caption] = []
    for photo in listed.photos:
        if photo.error is not None:
            continue
        text = caption_from_path(photo.path, rule)
        if text:
            results.append(Caption(text, photo.label, text))
        else:
            left_out[NO_CAPTION] += 1
    return results, left_out, listed.notes


def settled(rows: Sequence[Caption]) -> tuple[list[Caption], int]:
    """For training: one label a caption, the most frequent one; captions whose labels tie are left out. (rows,
    rows left out). What measures a model keeps its contradictions: they are part of the task.
    """
    votes: dict[str, Counter[int]] = defaultdict(Counter)
    for row in rows:
        votes[row.text][row.label] += 1
    kept: dict[str, int] = {}
    for text, count in votes.items():
        ranked = count.most_common(2)
        if len(ranked) == 1 or ranked[0][1] > ranked[1][1]:
            kept[text] = ranked[0][0]
    fine = [row for row in rows if kept.get(row.text) == row.label]
    return fine, len(rows) - len(fine)


def joined(rows: Sequence[Caption], extra: Sequence[Caption]) -> list[Caption]:
    """What to train on: `rows`, and what `extra` has besides; where they contradict each other, `rows` are believed."""
    return settled([*rows, *without(extra, rows)[0]])[0]


def without(rows: Sequence[Caption], held_out: Sequence[Caption]) -> tuple[list[Caption], int]:
    """`rows` less the captions and groups that are also in `held_out`, and how many that were."""
    texts, groups = {row.text for row in held_out}, {row.group for row in held_out}
    kept = [row for row in rows if row.text not in texts and row.group not in groups]
    return kept, len(rows) - len(kept)


def split_by_group(rows: Sequence[Caption], share: float, seed: int) -> tuple[list[Caption], list[Caption]]:
    """Set aside about `share` of the rows, whole groups at a time: (rest, aside)."""
    groups = sorted({row.group for row in rows})
    random.Random(seed).shuffle(groups)
    sizes = Counter(row.group for row in rows)
    aside: set[str] = set()
    taken = 0
    for group in groups:
        if taken >= share * len(rows):
            break
        aside.add(group)
        taken += sizes[group]
    rest = [row for row in rows if row.group not in aside]
    held = [row for row in rows if row.group in aside]
    # Two groups may share a caption: it stays where it is held out.
    rest, _ = without(rest, held)
    if not rest or not held:
        raise TextDataError("There are too few captions to set some aside for validation.")
    return rest, held


def fingerprint(rows: Sequence[Caption]) -> str:
    """A sha256 of captions and bins, whatever their order: what a model was trained on."""
    lines = sorted(f"{row.text}\t{BINS[row.label]}" for row in rows)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()

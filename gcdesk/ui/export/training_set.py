"""Writes labelled photos as a training set: an ImageFolder with captions as file names, and captions.csv. No Qt."""

from __future__ import annotations

import os
import re
import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from gcdesk.engine.captions.rules import caption_from_path
from gcdesk.engine.labels import BINS
from gcdesk.engine.os_errors import in_a_sentence
from gcdesk.engine.tables.writer import CsvTable, readable, replaced_file
from gcdesk.store import Store
from gcdesk.ui.export.transfer import Progress
from gcdesk.ui.session.rows import Rows

_FIELDS = ("file", "caption", "label")
_LONGEST = 80  # characters of a caption in a file name: some disks end at 143 bytes
# What a file name may not hold on one of the three systems.
_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f.]+')


@dataclass
class SavedSet:
    """What was written: how many photos of each bin, and what could not be."""

    folder: Path
    counts: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    set_aside: int = 0  # of the station test set, which is never trained on

    @property
    def total(self) -> int:
        """Photos that were written, over all bins."""
        return sum(self.counts.values())


def labelled_rows(rows: Rows, confirmed_too: bool) -> np.ndarray:
    """The rows that teach something: a bin by the operator's hand, other than the models' (or also the same)."""
    by_hand = (rows.operator >= 0) & (rows.operator < len(BINS))
    return np.flatnonzero(by_hand if confirmed_too else by_hand & rows.corrected())


def save_training_set(
    rows: Rows, parent: Path, tell: Progress | None = None, store: Path | None = None
) -> SavedSet:
    """Copy the photos of these rows, all with a bin by hand, into a new folder in `parent`.

    store: the file that knows which are set aside as the station test set; those are left out.

    The folder of a bin holds `<caption>_<number>.<ending>`, and `IMG_<number>` for a photo without a caption, so
    that the caption rule gives every caption back. Raises OSError where nothing can be written.
    """
    saved = SavedSet(_new_folder(parent))
    with replaced_file(saved.folder / "captions.csv") as stream:
        table = CsvTable(stream, _FIELDS)
        aside = _set_aside(rows, store)
        saved.set_aside = sum(aside)
        for row in range(len(rows)):
            if aside[row]:
                continue
            if tell is not None:
                tell(row, len(rows))
            label = BINS[int(rows.operator[row])]
            name = file_name(rows.caption[row], row + 1, Path(rows.path[row]).suffix)
            target = saved.folder / label / name
            try:
                target.parent.mkdir(exist_ok=True)
                shutil.copyfile(rows.path[row], target)
            except OSError as error:
                saved.problems.append(in_a_sentence(error))
                continue
            saved.counts[label] = saved.counts.get(label, 0) + 1
            if name.startswith("IMG_"):
                continue  # a table of captions has no place for a photo without one
            table.write({"file": f"{label}/{name}", "caption": readable(rows.caption[row]), "label": label})
        table.finish()
    return saved


def _set_aside(rows: Rows, store: Path | None) -> list[bool]:
    if store is None or not store.is_file():
        return [False] * len(rows)
    with Store(store) as opened:
        return opened.set_aside(list(zip(rows.caption, rows.path, strict=True)))


def file_name(caption: str, number: int, suffix: str) -> str:
    """A name that says the caption, as the course's photos are called: `coffee cup_0012.jpg`."""
    words = " ".join(_FORBIDDEN.sub(" ", readable(caption)).split())[:_LONGEST].strip()
    name = f"{words}_{number:04d}{suffix.lower()}"
    # A caption such as `photo` would be taken for a camera's name, and one without letters for none.
    if not words or not caption_from_path(name):
        return f"IMG_{number:04d}{suffix.lower()}"
    return name


def _new_folder(parent: Path) -> Path:
    """A folder that was not there; its name says when."""
    stem = f"training set {time.strftime('%Y-%m-%d %H%M')}"
    number = 1
    while True:
        folder = parent / (stem if number == 1 else f"{stem} ({number})")
        try:
            os.makedirs(folder)
        except FileExistsError:
            number += 1
            continue
        return folder

"""Items whose bin is known, read from folders of photos or from a table of texts, to measure models on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gcdesk.engine.captions.caption_table import CAPTION_COLUMNS
from gcdesk.engine.errors import EvaluationError, LabelError
from gcdesk.engine.labels import BINS, bin_index, canonical_bin
from gcdesk.engine.photos.discovery import find_photos
from gcdesk.engine.tables.reader import read_table

BIN_COLUMNS = ("bin", "label")


@dataclass(frozen=True)
class LabelledItem:
    """A photo (`caption` None: its file name is the caption) or a text (`path` None), and its bin's index.

    error: why the photo's path cannot be used, when that is known already.
    """

    path: Path | None
    caption: str | None
    label: int
    error: str | None = None


@dataclass(frozen=True)
class LabelledSet:
    """Items in the order of the bins (folders) or of the lines (a table), and what was left out, in words."""

    items: tuple[LabelledItem, ...]
    notes: tuple[str, ...] = ()

    @property
    def has_photos(self) -> bool:
        return any(item.path is not None for item in self.items)


def read_labelled(path: Path | str) -> LabelledSet:
    """Read a folder or, for a file, a table. Raises EvaluationError."""
    path = Path(path)
    if path.is_dir():
        return read_image_folder(path)
    if path.is_file():
        return read_text_table(path)
    raise EvaluationError(f"There is no such file or folder: {path}")


def read_image_folder(folder: Path | str) -> LabelledSet:
    """Read an ImageFolder: one subfolder a bin (`Other` counts as TTR), photos below it at any depth.

    Hidden files and files that are no photos are passed over; another subfolder is left out and noted. Raises
    EvaluationError when the folder cannot be read, has no subfolder of a bin, or no photo in one.
    """
    folder = Path(folder)
    try:
        with os.scandir(folder) as entries:
            names = sorted(
                entry.name for entry in entries if entry.is_dir() and not entry.name.startswith(".")
            )
    except OSError as error:
        raise EvaluationError(f"{folder} cannot be read: {error.strerror}.") from error
    bins, others = _sorted_out(names)
    if not bins:
        found = ", ".join(others[:5]) or "none"
        raise EvaluationError(
            f"{folder} has no folder named after a bin ({', '.join(BINS)}, or Other for TTR); folders: {found}."
        )
    items = [item for name in bins for item in _photos_of(folder / name, bin_index(name))]
    if not items:
        raise EvaluationError(f"There are no photos in the bins' folders of {folder}.")
    return LabelledSet(
        tuple(items), tuple(f"The folder {name} is no bin and is left out." for name in others)
    )


def _sorted_out(names: list[str]) -> tuple[list[str], list[str]]:
    """Names of bins, in the bins' order, and other names."""
    bins, others = [], []
    for name in names:
        try:
            canonical_bin(name)
        except LabelError:
            others.append(name)
        else:
            bins.append(name)
    return sorted(bins, key=bin_index), others


def _photos_of(folder: Path, label: int) -> Iterator[LabelledItem]:
    """The photos of a bin; none for an empty folder. Raises EvaluationError for one that cannot be read."""
    try:
        os.scandir(folder).close()
    except OSError as error:
        raise EvaluationError(f"{folder} cannot be read: {error.strerror}.") from error
    for found in find_photos([folder]):
        if found.path != folder:
            yield LabelledItem(found.path, None, label, found.error)


def read_text_table(path: Path | str) -> LabelledSet:
    """Read a CSV table with a column `text` or `caption` and a column `bin` or `label`; others are passed over.

    Raises EvaluationError for another table, and for a row without a text or whose bin is none (naming the
    line).
    """
    path = Path(path)
    table = read_table(path, EvaluationError)
    text, label = table.column("text", *CAPTION_COLUMNS), table.column(*BIN_COLUMNS)
    if text is None or label is None:
        raise EvaluationError(f"{path.name} needs the columns text and bin; found: {table.found()}.")
    items = []
    for row in table.rows:
        if not row.cells[text]:
            raise EvaluationError(f"{path.name}, line {row.line}: there is no text.")
        try:
            items.append(LabelledItem(None, row.cells[text], bin_index(row.cells[label])))
        except LabelError as error:
            raise EvaluationError(f"{path.name}, line {row.line}: {error}") from None
    if not items:
        raise EvaluationError(f"{path.name} has a header and no rows.")
    return LabelledSet(tuple(items))

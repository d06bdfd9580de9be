"""Items whose bin is known, read from folders of photos or from a table of texts, to measure models on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gcdesk.engine.captions.caption_table import CAPTION_COLUMNS
from gcdesk.engine.errors import EvaluationError, LabelError, PhotoFolderError
from gcdesk.engine.labels import bin_index
from gcdesk.engine.photos.bin_folders import list_bins
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
        """Whether any item has a photo, so that an image model can be measured."""
        return any(item.path is not None for item in self.items)


def read_labelled(path: Path | str, names: Mapping[str, str] | None = None) -> LabelledSet:
    """Read a folder or, for a file, a table. names: what folders mean that are no bins. Raises EvaluationError."""
    path = Path(path)
    if path.is_dir():
        return read_image_folder(path, names)
    if path.is_file():
        return read_text_table(path)
    raise EvaluationError(f"There is no such file or folder: {path}")


def read_image_folder(folder: Path | str, names: Mapping[str, str] | None = None) -> LabelledSet:
    """Read an ImageFolder: one subfolder a bin (`Other` counts as TTR), photos below it at any depth.

    Files that are no photos are passed over; another subfolder is left out and noted. Raises EvaluationError when the
    folder cannot be read, has no subfolder of a bin, or no photo in one.
    """
    folder = Path(folder)
    try:
        result = list_bins(folder, names)
    except PhotoFolderError as error:
        raise EvaluationError(str(error)) from error
    if not result.photos:
        raise EvaluationError(f"There are no photos in the bins' folders of {folder}.")
    items = tuple(LabelledItem(photo.path, None, photo.label, photo.error) for photo in result.photos)
    return LabelledSet(items, result.notes)


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

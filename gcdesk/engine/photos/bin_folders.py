"""Photos in folders named after the bins: the one list that evaluation, both trainers and the cluster's checks read.

What is a photo, what is hidden and which links are followed is `scan`'s answer; what a folder's name means is
`labels`' and, where the user says so, a mapping's.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gcdesk.engine.errors import LabelError, PhotoFolderError
from gcdesk.engine.labels import BINS, USUAL_NAMES, bin_index, canonical_bin, folded, usual_bin
from gcdesk.engine.photos.discovery import PassedOver, find_photos, is_system_folder

# Folders of splits, by the names that export tools give them.
SPLIT_NAMES = {
    **{name: "train" for name in ("train", "training")},
    **{name: "val" for name in ("val", "valid", "validation")},
    **{name: "test" for name in ("test", "testing")},
}
USUAL = "usual"
MAP_HELP = (
    "what folders mean that are not called like a bin: 'usual' (Landfill, Garbage = Black; Recycling = Blue; Compost,"
    " Organics = Green; Other = TTR), or such as Compost=Green,Rest=Black; 'usual,Rest=Black' is both"
)
_UNKNOWN_SHOWN = 8


@dataclass(frozen=True)
class BinPhoto:
    """A photo and its bin's index (0 to 3). error: why a path below the folder cannot be used."""

    path: Path
    label: int
    error: str | None = None


@dataclass(frozen=True)
class BinFolders:
    """The photos below `folder`, in the order of the bins. unknown: subfolders that are no bin; strays: how many files
    beside the photos are none.
    """

    folder: Path
    photos: tuple[BinPhoto, ...]
    unknown: tuple[str, ...]
    strays: int

    @property
    def empty(self) -> tuple[str, ...]:
        """The bins without a photo."""
        there = Counter(photo.label for photo in self.photos if photo.error is None)
        return tuple(name for label, name in enumerate(BINS) if not there[label])

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left out, a sentence each."""
        found = [unknown_note(name) for name in self.unknown]
        if self.photos and self.empty:
            found.append(f"There are no photos of {', '.join(self.empty)} in {self.folder.name}.")
        return tuple(found)


def list_bins(folder: Path, names: Mapping[str, str] | None = None) -> BinFolders:
    """Look through `folder`/<bin>/. names: what other folders mean (see `parse_names`).

    Raises PhotoFolderError when the folder or one of a bin cannot be read, or no subfolder is called after a bin; the
    message says which splits or well-known names are there instead.
    """
    meant, unknown = _sorted_out(folder, names or {})
    if not meant:
        raise PhotoFolderError(_no_bins(folder, unknown))
    passed = PassedOver()
    photos: list[BinPhoto] = []
    for name, label in meant:
        inside = folder / name
        try:
            os.scandir(inside).close()
        except OSError as error:
            raise PhotoFolderError(f"{inside} cannot be read: {error.strerror}.") from error
        for found in find_photos([inside], root=folder, passed=passed):
            if found.path != inside:
                photos.append(BinPhoto(found.path, label, found.error))
    return BinFolders(folder, tuple(photos), tuple(unknown), passed.files + _loose_files(folder))


def _loose_files(folder: Path) -> int:
    """How many files lie beside the bins' folders, hidden ones aside."""
    with os.scandir(folder) as entries:
        return sum(entry.is_file() and not entry.name.startswith(".") for entry in entries)


def _sorted_out(folder: Path, names: Mapping[str, str]) -> tuple[list[tuple[str, int]], list[str]]:
    """The subfolders of bins with the bin's index, in the bins' order, and the others'. Raises PhotoFolderError."""
    try:
        with os.scandir(folder) as entries:
            listed = sorted(entry.name for entry in entries if entry.is_dir())
    except OSError as error:
        raise PhotoFolderError(f"{folder} cannot be read: {error.strerror}.") from error
    meant: list[tuple[str, int]] = []
    unknown: list[str] = []
    for name in listed:
        if is_system_folder(name):
            continue
        try:
            meant.append((name, bin_index(names.get(folded(name), name))))
        except LabelError:
            unknown.append(name)
    return sorted(meant, key=lambda one: one[1]), unknown


def splits_in(folder: Path) -> dict[str, Path]:
    """The folders of train, val and test below `folder`, whatever an export tool calls them (`valid`, `Training`)."""
    found: dict[str, Path] = {}
    try:
        listed = sorted(entry.name for entry in os.scandir(folder) if entry.is_dir())
    except OSError:
        return {}
    # The exact name counts where there are two.
    for name in sorted(listed, key=lambda name: name not in ("train", "val", "test")):
        split = SPLIT_NAMES.get(name.lower())
        if split is not None:
            found.setdefault(split, folder / name)
    return found


def usual_names_in(folder: Path) -> dict[str, str]:
    """The subfolders with a well-known name that is no bin's, and the bins that these suggest."""
    try:
        listed = sorted(entry.name for entry in os.scandir(folder) if entry.is_dir())
    except OSError:
        return {}
    return {name: meant for name in listed if (meant := usual_bin(name)) is not None}


def parse_names(text: str | None) -> dict[str, str]:
    """`usual` and pairs such as `Compost=Green`, separated by commas, as {folder's name, folded: bin}.

    Raises LabelError. A name is found whatever its case and its separators.
    """
    found: dict[str, str] = {}
    for word in filter(None, (part.strip() for part in (text or "").split(","))):
        name, equals, meant = word.partition("=")
        if equals:
            found[folded(name)] = canonical_bin(meant)
        elif word.lower() == USUAL:
            found = {**USUAL_NAMES, **found}
        else:
            raise LabelError(
                f"{word!r}: write {USUAL}, or a folder's name and its bin, such as Compost=Green."
            )
    return found


def unknown_note(name: str, option: bool = True) -> str:
    """A sentence on a folder that is no bin. option: where names can be mapped; on a cluster folders are renamed."""
    meant = usual_bin(name)
    hint = f" --map-folders {USUAL} counts it as {meant}." if option else f" Call it {meant} to count it."
    hint = hint if meant else ""
    return f"The folder {name} is no bin and is left out.{hint}"


def _no_bins(folder: Path, unknown: list[str]) -> str:
    splits = splits_in(folder)
    if splits:
        best = splits.get("test") or splits.get("val") or next(iter(splits.values()))
        shown = ", ".join(path.name for path in splits.values())
        return f"{folder} holds the splits {shown}, not bins: name one of them, such as {best}."
    shown = ", ".join(unknown[:_UNKNOWN_SHOWN]) or "none"
    usual = [name for name in unknown if usual_bin(name)]
    hint = f" {', '.join(usual[:_UNKNOWN_SHOWN])}: --map-folders {USUAL} counts them." if usual else ""
    return f"{folder} has no folder named after a bin ({', '.join(BINS)}, or Other for TTR); folders: {shown}.{hint}"

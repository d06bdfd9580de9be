"""An ImageFolder of this computer that travels in the bundle: what is in it, how large it is."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from gcdesk.cluster.errors import BundleError
from gcdesk.engine.labels import BINS
from gcdesk.engine.photos.bin_folders import splits_in
from trainer.image.photos.data import DataError, Split, copies_note, lacking, list_split

SPLITS = ("train", "val", "test")
# Names with these cannot be checked by every sha256sum, or written by every system.
_UNSAFE = ('"', "\\", "\n", "\r")


@dataclass(frozen=True)
class PackedPhoto:
    """A photo and its place below the bundle's data folder, with forward slashes."""

    path: Path
    place: str
    size: int


@dataclass(frozen=True)
class Packed:
    """The photos of a folder with train/, val/ and perhaps test/. notes: what stays behind, a sentence each."""

    folder: Path
    splits: tuple[str, ...]
    photos: tuple[PackedPhoto, ...]
    counts: dict[str, dict[str, int]]
    notes: tuple[str, ...]

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(photo.size for photo in self.photos)


def list_photos(folder: Path, names: Mapping[str, str] | None = None) -> Packed:
    """Look through an ImageFolder. names: what folders mean that are no bins.

    Raises BundleError unless train and val (or valid) are there, and each split has photos of every bin: what the
    preflight on the cluster would refuse.
    """
    photos: list[PackedPhoto] = []
    notes: list[str] = []
    counts: dict[str, dict[str, int]] = {}
    present = splits_in(folder)
    splits = tuple(split for split in SPLITS if split in present)
    for needed in ("train", "val"):
        if needed not in splits:
            raise BundleError(f"{folder} has no folder {needed}: it must hold train and val, each with bins.")
    listed: dict[str, Split] = {}
    for split in splits:
        try:
            listed[split] = result = list_split(present[split], names)
        except (DataError, OSError) as error:
            raise BundleError(str(error)) from error
        notes += result.notes
        if lacking(result):
            raise BundleError(
                f"{present[split]} has no photos of {', '.join(lacking(result))}: every split needs photos of every"
                f" bin. {' '.join(result.notes)}"
            )
        photos += _packed(split, result, notes)
        counts[split] = dict(Counter(BINS[sample.label] for sample in result.samples))
    notes += filter(None, (copies_note(listed["train"], listed[split]) for split in splits[1:]))
    return Packed(folder, splits, tuple(photos), counts, tuple(notes))


def _packed(split: str, listed: Split, notes: list[str]) -> Iterator[PackedPhoto]:
    taken: set[str] = set()
    for sample in listed.samples:
        inside = sample.path.relative_to(listed.folder).parts[1:]
        place = "/".join((split, BINS[sample.label], *inside))
        if any(sign in place for sign in _UNSAFE) or not _encodable(place):
            notes.append(f"{sample.path.name}: its name cannot travel, left out.")
            continue
        place = _free(place, taken)
        yield PackedPhoto(sample.path, place, os.stat(sample.path).st_size)


def _free(place: str, taken: set[str]) -> str:
    """A place that no other photo has: two folders may mean one bin."""
    stem, ending = os.path.splitext(place)
    number = 2
    while place.casefold() in taken:
        place, number = f"{stem} ({number}){ending}", number + 1
    taken.add(place.casefold())
    return place


def _encodable(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True

"""An ImageFolder of this computer that travels in the bundle: what is in it, how large it is."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from gcdesk.cluster.errors import BundleError
from gcdesk.engine.labels import BINS
from trainer.image.data import DataError, list_split

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


def list_photos(folder: Path) -> Packed:
    """Look through an ImageFolder. Raises BundleError unless train and val are there with photos of two bins."""
    photos: list[PackedPhoto] = []
    notes: list[str] = []
    counts: dict[str, dict[str, int]] = {}
    splits = tuple(split for split in SPLITS if (folder / split).is_dir())
    for needed in ("train", "val"):
        if needed not in splits:
            raise BundleError(f"{folder} has no folder {needed}: it must hold train and val, each with bins.")
    for split in splits:
        try:
            listed = list_split(folder / split)
        except (DataError, OSError) as error:
            raise BundleError(str(error)) from error
        notes += listed.notes
        for sample in listed.samples:
            inside = sample.path.relative_to(folder / split).parts[1:]
            place = "/".join((split, BINS[sample.label], *inside))
            if any(sign in place for sign in _UNSAFE) or not _encodable(place):
                notes.append(f"{sample.path.name}: its name cannot travel, left out.")
                continue
            photos.append(PackedPhoto(sample.path, place, os.stat(sample.path).st_size))
        counts[split] = dict(Counter(BINS[sample.label] for sample in listed.samples))
    return Packed(folder, splits, tuple(photos), counts, tuple(notes))


def _encodable(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True

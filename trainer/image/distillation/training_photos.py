"""Photos that a training learns from, out of several folders: with a bin and an item, or without any label."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gcdesk.engine.errors import PhotoError
from gcdesk.engine.labels import BINS
from gcdesk.engine.photos.decoding import decode_photo
from gcdesk.engine.photos.discovery import PHOTO_SUFFIXES
from trainer.image.photos.data import DataError, list_split, shrink

UNLABELLED = "unlabelled"
MANIFEST = "manifest.csv"


@dataclass(frozen=True)
class TrainingPhoto:
    """One photo. label: its bin (0 to 3), -1 for none. look: the item's name in its file name.

    scene: how it was taken (manifest's `look`; else the folder's name). origin: the photo that it was cut from.
    sure: False where the manifest doubts the bin (`bin_unsure`).
    """

    path: Path
    label: int
    look: str
    scene: str
    origin: str
    sure: bool = True
    drawn_from: Path | None = None  # of a drawn picture: the photo whose thing it shows


def list_training_photos(folder: Path) -> list[TrainingPhoto]:
    """The photos of an ImageFolder, or of a folder without bins (then without labels). Raises DataError.

    A `manifest.csv` in it or up to two folders above it tells scenes and origins.
    """
    if not folder.is_dir():
        raise DataError(f"There is no folder {folder}.")
    rows = _manifest(folder)
    found: list[TrainingPhoto] = []
    if any((folder / name).is_dir() for name in BINS):
        for sample in list_split(folder).samples:
            found.append(_training_photo(sample.path, sample.label, sample.look, folder, rows))
    loose = folder / UNLABELLED if (folder / UNLABELLED).is_dir() else folder
    for path in sorted(loose.iterdir()):
        if path.suffix.lower() in PHOTO_SUFFIXES and not path.name.startswith("."):
            found.append(_training_photo(path, -1, "", folder, rows))
    if not found:
        raise DataError(f"{folder} holds no photos.")
    return found


def _training_photo(
    path: Path, label: int, look: str, folder: Path, rows: dict[str, dict[str, str]]
) -> TrainingPhoto:
    row = rows.get(str(path), {})
    return TrainingPhoto(
        path=path,
        label=label,
        look=row.get("item_class") or look,
        scene=row.get("look") or folder.name,
        origin=row.get("source_path") or str(path),
        sure=row.get("bin_unsure", "0") != "1",
        drawn_from=Path(row["drawn_from"]) if row.get("drawn_from") else None,
    )


def _manifest(folder: Path) -> dict[str, dict[str, str]]:
    """The manifest's rows by the photo's path."""
    for place in (folder, folder.parent, folder.parent.parent):
        file = place / MANIFEST
        if file.is_file():
            with file.open(newline="", encoding="utf-8") as stream:
                return {str(place / row["file"]): row for row in csv.DictReader(stream) if row.get("file")}
    return {}


def read_training_photo(photo: TrainingPhoto, short: int) -> Image.Image | None:
    """The decoded photo with about `short` pixels on its short side, None where it cannot be read."""
    try:
        return shrink(decode_photo(photo.path, short), short)
    except PhotoError:
        return None


def sampling_shares(photos: Sequence[TrainingPhoto], unlabelled: float) -> NDArray[np.float64]:
    """How often each photo (n,) is to be shown, with mean 1: those without a bin get the share `unlabelled`.

    Every bin gets the same; within a bin each scene by the root of its photos, within a scene each item so too: a
    scene must not tell the bin, and a rare item must not be drowned.
    """
    labels = np.array([photo.label for photo in photos])
    scenes = [(photo.label, photo.scene) for photo in photos]
    items = [(photo.label, photo.scene, photo.look) for photo in photos]
    counts = Counter(items)
    weights = np.array([counts[item] ** -0.5 for item in items])
    weights = _spread(weights, scenes, 0.5)
    weights = _spread(weights, [(int(label),) for label in labels], 0.0)
    loose = labels < 0
    if loose.any() and (~loose).any():
        weights[loose] *= unlabelled / weights[loose].sum()
        weights[~loose] *= (1 - unlabelled) / weights[~loose].sum()
    return np.asarray(weights / weights.mean(), np.float64)


def _spread(
    weights: NDArray[np.float64], groups: Sequence[tuple[object, ...]], power: float
) -> NDArray[np.float64]:
    """Scale each group's weights so that they sum to (its photos) ** power."""
    numbers = {group: place for place, group in enumerate(dict.fromkeys(groups))}
    index = np.array([numbers[group] for group in groups])
    sums = np.bincount(index, weights)
    counts = np.bincount(index)
    return np.asarray(weights * (counts[index] ** power / sums[index]), np.float64)

"""Pictures as a station takes them, made from cut-outs: one thing on a table, a floor or a belt, or in a hand.

They are files, not views made while training, so that a teacher can look at each once.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageChops

from gcdesk.engine.labels import BINS
from trainer.image.distillation.training_photos import UNLABELLED, TrainingPhoto, read_training_photo
from trainer.image.photos.augment import AugmentSettings, GroundBank, generator, lay, recolour, spoil
from trainer.image.photos.backgrounds import find_cutout
from trainer.image.photos.hands import draw_hand

SIDE = 288  # pixels of a picture's side
MANIFEST = "manifest.csv"
_SETTINGS = AugmentSettings(preset="station", smallest_object=0.4, colour=0.8, spoil=0.2)
_IN_HAND = 0.18  # share of the pictures with a hand
_QUALITY = 90


@dataclass(frozen=True)
class Composite:
    """A picture that was written: its file below the folder, and what it was made from."""

    file: str
    source: TrainingPhoto


def make_composite(photo: Image.Image, bank: GroundBank, rng: np.random.Generator) -> Image.Image | None:
    """The photo's thing on another ground (RGB, SIDE x SIDE), None where its ground is not plain enough to cut."""
    cutout = find_cutout(photo)
    if cutout is None:
        return None
    ground = bank.pick(rng, SIDE, None)
    if rng.random() >= _IN_HAND:
        picture = lay(photo, cutout, ground, _SETTINGS, rng)
    else:
        skin, palm, tips = draw_hand(SIDE, rng)
        ground.paste(skin, (0, 0), palm)
        picture = lay(photo, cutout, ground, _SETTINGS, rng)
        if rng.random() < 0.6:
            darker = ImageChops.multiply(skin, Image.new("RGB", skin.size, (235, 225, 220)))
            picture.paste(darker, (0, 0), tips)
    return spoil(recolour(picture, _SETTINGS.colour, rng), _SETTINGS.spoil, rng)


def write_composites(
    photos: Sequence[TrainingPhoto], wanted: Sequence[int], folder: Path, seed: int, workers: int
) -> list[Composite]:
    """Write `wanted[i]` pictures of photo i as `folder`/<bin>/<look>_<n>.jpg (without a bin: `unlabelled`).

    Photos that cannot be cut give none. A manifest names each picture's bin, item and source.
    """
    bank = GroundBank(seed)
    folder.mkdir(parents=True, exist_ok=True)

    def write(place: int) -> list[Composite]:
        source = photos[place]
        photo = read_training_photo(source, SIDE)
        written: list[Composite] = []
        if photo is None:
            return written
        for turn in range(wanted[place]):
            picture = make_composite(photo, bank, generator(seed, turn, place))
            if picture is None:
                break
            below = BINS[source.label] if source.label >= 0 else UNLABELLED
            file = f"{below}/{source.look}_{place:05d}{turn}.jpg"
            (folder / below).mkdir(exist_ok=True)
            picture.save(folder / file, "JPEG", quality=_QUALITY)
            written.append(Composite(file, source))
        return written

    with ThreadPoolExecutor(workers) as pool:
        found = [one for many in pool.map(write, range(len(photos))) for one in many]
    with (folder / MANIFEST).open("w", newline="", encoding="utf-8") as stream:
        rows = csv.writer(stream)
        rows.writerow(("file", "bin", "item_class", "look", "bin_unsure", "source_path", "drawn_from"))
        for one in found:
            label = BINS[one.source.label] if one.source.label >= 0 else ""
            made = one.source
            unsure = int(not made.sure)
            rows.writerow((one.file, label, made.look, "drawn ground", unsure, made.origin, made.path))
    return found

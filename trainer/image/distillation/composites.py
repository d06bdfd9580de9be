"""Pictures as a station takes them, made from cut-outs: one thing on a table, a floor or a belt, or in a hand.

python -m trainer.image.distillation.composites --out FOLDER --wanted N DATA ...

They are files, not views made while training, so that they can be looked at; FOLDER is then a folder to train on.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageChops

from gcdesk.engine.labels import BINS
from trainer.image.distillation.training_photos import (
    UNLABELLED,
    TrainingPhoto,
    list_training_photos,
    read_training_photo,
    sampling_shares,
)
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


def wanted_composites(photos: Sequence[TrainingPhoto], total: int) -> list[int]:
    """How many pictures each photo is to give, as the training would balance them, at most six."""
    shares = sampling_shares(photos, unlabelled=0.25) * total / len(photos)
    chances = np.random.default_rng(0).random(len(photos))
    return [min(6, int(share + chance)) for share, chance in zip(shares, chances, strict=True)]


def main() -> None:
    """Parse the command line and draw."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, nargs="+", metavar="DATA")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    parser.add_argument(
        "--wanted", type=int, default=10_000, metavar="N", help="pictures, where all can be cut"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=1, metavar="N")
    args = parser.parse_args()
    photos = [one for folder in args.data for one in list_training_photos(folder)]
    made = write_composites(photos, wanted_composites(photos, args.wanted), args.out, args.seed, args.workers)
    sys.stderr.write(f"{len(made)} pictures in {args.out}\n")


if __name__ == "__main__":
    main()

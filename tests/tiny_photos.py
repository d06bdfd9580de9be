"""A tiny ImageFolder of the bundled samples with all three splits."""

from __future__ import annotations

import shutil
from pathlib import Path

BIN_OF = {
    "used toothbrush": "Black",
    "kitchen sponge": "Black",
    "clear plastic fruit container": "Blue",
    "green glass bottle": "Blue",
    "orange peel": "Green",
    "rose stem with leaves": "Green",
    "old black sock": "TTR",
}


def tiny_folder(samples: Path, folder: Path) -> Path:
    """Every photo once in train, val and test."""
    for split in ("train", "val", "test"):
        for caption, name in BIN_OF.items():
            target = folder / split / name / f"{caption}_000.jpg"
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(samples / f"{caption}.jpg", target)
    return folder

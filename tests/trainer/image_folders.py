"""Small ImageFolders of the bundled sample photos, for the image trainer's tests."""

from __future__ import annotations

from pathlib import Path

BIN_OF = {
    "used toothbrush": "Black",
    "kitchen sponge": "Black",
    "clear plastic fruit container": "Blue",
    "empty coconut milk can": "Blue",
    "green glass bottle": "Blue",
    "grocery store flyer": "Blue",
    "orange peel": "Green",
    "rose stem with leaves": "Green",
    "old black sock": "TTR",
}


def make_folder(samples: Path, folder: Path, copies: int = 1) -> Path:
    """Copy the samples into `folder`/<bin>/; copies beyond the first get a number and bytes of their own."""
    for caption, name in BIN_OF.items():
        for number in range(copies):
            target = folder / name / f"{caption}_{number:03d}.jpg"
            target.parent.mkdir(parents=True, exist_ok=True)
            content = (samples / f"{caption}.jpg").read_bytes()
            target.write_bytes(content + (f"{folder.name} {number}".encode() if number else b""))
    return folder

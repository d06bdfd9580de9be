"""A training of the image model on the user's own computer: the trainer of the cluster, with what is right for a PC.

The starter's recipe and its backbone where nothing else was asked for, and room on the disk looked at first.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from gcdesk.config.resources import resource_path
from gcdesk.engine.photos.bin_folders import splits_in
from trainer.image.photos.data import list_split
from trainer.image.settings import ImageSettings, RecipeError
from trainer.image.training import Sources

RECIPE = Path(__file__).resolve().parent.parent / "recipes" / "starter-image.toml"
# A view of 224 pixels behind the frozen blocks, and a checkpoint: the late blocks' 8 million weights as they are,
# averaged, best, before unfreezing, and AdamW's two moments. Two stay while the next is written.
_VIEW_BYTES = 34_000
_CHECKPOINTS_BYTES = 3 * 6 * 4 * 8_000_000
_ROOM = 100_000_000


def starter_backbone() -> Path:
    """What a local training starts from: nothing has to be fetched."""
    return resource_path("models", "starter-image.gcmodel")


def local_sources(folder: Path, station: Path | None) -> Sources:
    """The splits of an ImageFolder: its train, val and test, or its bins, of which a part is held out."""
    splits = splits_in(folder)
    if "train" not in splits:
        return Sources(folder, None, None, station)
    return Sources(splits["train"], splits.get("val"), splits.get("test"), station)


def check_fresh(run_folder: Path) -> None:
    """Raises RecipeError where an earlier training would be lost: its hours are worth a question."""
    if any(run_folder.glob("checkpoint-*.safetensors")) or (run_folder / "distillation.pt").is_file():
        raise RecipeError(
            f"{run_folder} holds a training: add --resume to go on with it, or delete the folder to start again."
        )


def check_space(sources: Sources, settings: ImageSettings, run_folder: Path) -> None:
    """Raises RecipeError where the disk has too little room for the cached views and the checkpoints, and DataError
    where there are no photos."""
    photos = len(list_split(sources.train, sources.names).samples)
    needed = round(photos * settings.views * _VIEW_BYTES * (settings.view_size / 224) ** 2)
    needed += _CHECKPOINTS_BYTES + _ROOM
    place = run_folder.resolve()
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    if free < needed:
        raise RecipeError(
            f"The disk has {free / 1e9:.1f} GB left and this training writes up to {needed / 1e9:.1f} GB in"
            f" {run_folder}: make room first, or name another place with --run-folder."
        )

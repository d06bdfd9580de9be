"""Checks before a job is handed in, on the login node: the environment, the photos, the room, the weights.

Each check gives one line; a failed one says what to do. The scripts have checked files and Slurm before.
"""

from __future__ import annotations

import errno
import importlib.util
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from gcdesk.engine.errors import GcdeskError, PhotoError, PhotoFolderError
from gcdesk.engine.labels import BINS
from gcdesk.engine.photos.bin_folders import list_bins, unknown_note
from gcdesk.engine.photos.decoding import decode_photo
from trainer.image.photos.data import DataError, copies_note, list_split
from trainer.job.config import CONFIG_FILE, JobConfig, read_config

PACKAGES = ("torch", "torchvision", "numpy", "PIL", "pillow_heif", "safetensors", "platformdirs")
OLDEST_PYTHON = (3, 11)
CHECKPOINT_MB = 250  # an unfrozen EfficientNet-B2 with optimizer, average and two copies of its weights
_KEPT = 3  # two, and the one that is being written
_PYTHON_MB = 1500  # a process with torch in it, before the first photo
_BAD_SHOWN = 20
_WEIGHTS = "efficientnet_b2_rwightman-c35c1473.pth"  # torchvision's name of the file


@dataclass(frozen=True)
class Found:
    """What a check found."""

    fine: bool
    text: str


def preflight(bundle: Path, deep: bool = False, say: Callable[[str], None] = print) -> int:
    """Run every check; 0 when all are fine, else 1."""
    failed = 0
    try:
        config = read_config(bundle / CONFIG_FILE)
    except GcdeskError as error:
        say(f"FAIL  {error}")
        return 1
    for check in (
        _environment,
        _layout,
        _copies,
        _memory,
        _room,
        _weights,
        *((_decode_all,) if deep else ()),
    ):
        for found in check(bundle, config):
            say(f"{'ok  ' if found.fine else 'FAIL'}  {found.text}")
            failed += not found.fine
    return 1 if failed else 0


def _environment(_bundle: Path, config: JobConfig) -> Iterator[Found]:
    version = ".".join(str(part) for part in sys.version_info[:3])
    if sys.version_info < OLDEST_PYTHON:
        yield Found(False, f"Python {version} is too old: run ./setup_env.sh (3.11 or newer is needed).")
    missing = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        yield Found(
            False, f"The environment lacks {', '.join(missing)}: run ./setup_env.sh on this login node."
        )
        return
    import torch

    built = torch.version.cuda
    if built is None and not config.allow_cpu:
        yield Found(
            False,
            f"torch {torch.__version__} is a CPU build, and this job may not train on the CPU: install a CUDA"
            " build (./setup_env.sh does), or export the job with the CPU allowed.",
        )
        return
    yield Found(
        True, f"Python {version}, torch {torch.__version__}, CUDA {built or 'none: trains on the CPU'}"
    )


def _layout(bundle: Path, config: JobConfig) -> Iterator[Found]:
    for split, path in config.folders.named().items():
        yield _split(split, bundle / path)


def _split(split: str, folder: Path) -> Found:
    """An ImageFolder with the four bins, each with photos: listed as the trainer does."""
    if not folder.is_dir():
        return Found(False, f"{split}: there is no folder {folder} here: correct [data] in {CONFIG_FILE}.")
    try:
        listed = list_bins(folder)
    except PhotoFolderError as error:
        if isinstance(error.__cause__, PermissionError):
            closed_to_us = error.__cause__.filename
            return Found(
                False, f"{split}: {closed_to_us} may not be read by you: ask its owner for the right to."
            )
        return Found(False, f"{split}: {error}")
    closed = [photo for photo in listed.photos if photo.error is not None]
    if closed:
        return Found(
            False, f"{split}: {closed[0].path}: {closed[0].error}: ask its owner for the right to read it."
        )
    unknown = "".join(f" {unknown_note(name, option=False)}" for name in listed.unknown)
    if listed.empty:
        return Found(
            False,
            f"{split}: {folder} has no photos of {', '.join(listed.empty)}: it must hold the folders"
            f" {', '.join(BINS)} with photos in each.{unknown}",
        )
    counts = Counter(photo.label for photo in listed.photos)
    told = ", ".join(f"{name} {counts[label]}" for label, name in enumerate(BINS))
    return Found(True, f"{split}: {sum(counts.values())} photos ({told}){unknown}")


def _copies(bundle: Path, config: JobConfig) -> Iterator[Found]:
    """Photos that are learned and measured on as well."""
    splits = {}
    for split, path in config.folders.named().items():
        try:
            splits[split] = list_split(bundle / path)
        except DataError:
            return  # said before
    train = splits.pop("train", None)
    for split, other in splits.items():
        note = copies_note(train, other) if train is not None else ""
        if note:
            yield Found(True, f"{split}: {note}")


def _photos(folder: Path) -> list[Path]:
    """The photos, as the trainer lists them."""
    try:
        return [photo.path for photo in list_bins(folder).photos if photo.error is None]
    except PhotoFolderError:
        return []  # said before


def _memory(bundle: Path, config: JobConfig) -> Iterator[Found]:
    """Decoded photos stay in memory: about a byte and a half a pixel and channel, once a process."""
    count = sum(len(_photos(bundle / path)) for path in config.folders.named().values())
    side = 1.25 * max(config.training.size, config.training.view_size)
    needed = config.gpus * (_PYTHON_MB + count * side * side * 4 / 3 * 3 / 1e6)
    if config.memory_mb < needed:
        yield Found(
            False,
            f"{count} photos need about {needed / 1000:.0f} GB of memory and the job asks for"
            f" {config.memory_mb / 1000:.0f} GB: raise --mem in train.sbatch and memory_mb in {CONFIG_FILE}.",
        )
    else:
        yield Found(True, f"memory: about {needed / 1000:.1f} of {config.memory_mb / 1000:.1f} GB")


def _room(bundle: Path, config: JobConfig) -> Iterator[Found]:
    """Really take the room for three checkpoints for a moment: this asks the quota too."""
    needed = _KEPT * CHECKPOINT_MB
    folder = bundle / config.run_folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, needed * 1_000_000)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            yield Found(
                False,
                f"There is no room for checkpoints: {needed} MB are needed in {folder}, and the disk or your"
                " quota has less.",
            )
            return
        if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL):
            yield Found(False, f"{folder} cannot be written: {error.strerror}.")
            return
    yield Found(True, f"room for checkpoints: {needed} MB")


def _weights(bundle: Path, config: JobConfig) -> Iterator[Found]:
    """The weights to start from; ImageNet's are fetched here, since compute nodes may be offline."""
    if config.base:
        if (bundle / config.base).exists():
            yield Found(True, f"starts from {config.base}")
        else:
            yield Found(
                False, f"{config.base} is missing: unpack the bundle again, or copy the weights there."
            )
        return
    if importlib.util.find_spec("torchvision") is None:
        return  # said before
    try:
        from trainer.image.imagenet import imagenet_state

        imagenet_state()
    except (OSError, RuntimeError) as error:
        yield Found(
            False,
            f"The pretrained weights are not here and cannot be fetched ({error}): copy {_WEIGHTS} to"
            " init/torch/hub/checkpoints/, or export the job starting from one of your models.",
        )
        return
    yield Found(True, "starts from torchvision's ImageNet weights (fetched)")


def _decode_all(bundle: Path, config: JobConfig) -> Iterator[Found]:
    """Decode every photo as the trainer will."""
    for split, path in config.folders.named().items():
        photos = _photos(bundle / path)
        with ThreadPoolExecutor(max(1, config.cpus)) as pool:
            bad = [said for said in pool.map(_trouble_with, photos) if said]
        for said in bad[:_BAD_SHOWN]:
            yield Found(False, f"{split}: {said}")
        if len(bad) > _BAD_SHOWN:
            yield Found(False, f"{split}: and {len(bad) - _BAD_SHOWN} more")
        if not bad:
            yield Found(True, f"{split}: all {len(photos)} photos can be read")


def _trouble_with(photo: Path) -> str:
    try:
        decode_photo(photo, 64)
    except PhotoError as error:
        return f"{photo}: {error}"
    return ""

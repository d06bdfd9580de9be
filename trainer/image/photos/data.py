"""Photos of an ImageFolder split, decoded once, and the order in which an epoch takes them."""

from __future__ import annotations

import hashlib
import os
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gcdesk.engine.errors import GcdeskError, PhotoError, PhotoFolderError
from gcdesk.engine.labels import BINS
from gcdesk.engine.photos.bin_folders import list_bins
from gcdesk.engine.photos.decoding import decode_photo

# Decoded photos are kept at this many times the view's side: random crops magnify.
_KEEP = 1.25
_COPIES_SHOWN = 3
_NUMBER = re.compile(r"[ _-]*\d+$")
# "peel (1)", "peel - Copy (2)", "Copy of peel", "peel - Kopie", "peel copy 2"
_COPY = re.compile(
    r"(?:\s*\(\d+\)|[\s_-]+(?:copy|kopie|copie|copia|kopia)(?:\s*\d+)?)+$|^copy of\s+", re.IGNORECASE
)


class DataError(GcdeskError):
    """Training data that cannot be used."""


@dataclass(frozen=True)
class Sample:
    """One photo of a split: its path, its bin (0 to 3) and its look, the file name without its number."""

    path: Path
    label: int
    look: str


@dataclass(frozen=True)
class Split:
    """The photos of a split, sorted by path, and what was left out (one sentence each)."""

    folder: Path
    samples: tuple[Sample, ...]
    notes: tuple[str, ...]


def list_split(folder: Path, names: Mapping[str, str] | None = None) -> Split:
    """List the photos under `folder`/<bin>, as every other reader does. names: what folders mean that are no bins.

    Raises DataError when the folder is missing or cannot be read, or fewer than two bins have photos.
    """
    if not folder.is_dir():
        raise DataError(f"There is no folder {folder}: the photos must lie in {folder.name}/<bin>/.")
    try:
        found = list_bins(folder, names)
    except PhotoFolderError as error:
        raise DataError(str(error)) from error
    samples = sorted(
        (Sample(one.path, one.label, look_of(one.path)) for one in found.photos if one.error is None),
        key=lambda sample: sample.path,
    )
    notes = [*found.notes, *(f"{one.path}: {one.error}" for one in found.photos if one.error is not None)]
    if found.strays:
        notes.append(f"{found.strays} files that are no photos in {folder.name}, left out.")
    if len({sample.label for sample in samples}) < 2:
        unknown = f" {' '.join(found.notes)}" if found.unknown else ""
        raise DataError(
            f"{folder} holds photos of fewer than two bins: expected folders {', '.join(BINS)}.{unknown}"
        )
    return Split(folder, tuple(samples), tuple(notes))


def look_of(path: Path) -> str:
    """A file's name without its number and without what a system adds to the name of a copy."""
    return _NUMBER.sub("", _COPY.sub("", path.stem)).lower()


def lacking(split: Split) -> tuple[str, ...]:
    """The bins that have no photo in a split."""
    there = {sample.label for sample in split.samples}
    return tuple(name for label, name in enumerate(BINS) if label not in there)


def copies_in(split: Split, other: Split) -> tuple[Path, ...]:
    """The photos of a split whose bytes a photo of another one has too. Only files of equal sizes are read."""
    mine, theirs = _by_size(split), _by_size(other)
    found: list[Path] = []
    for size in mine.keys() & theirs.keys():
        digests = {_digest(path) for path in theirs[size]}
        found += [path for path in mine[size] if _digest(path) in digests]
    return tuple(sorted(found))


def copies_note(split: Split, other: Split) -> str:
    """A sentence on copies that are on both sides, "" where there are none: what is learned cannot be measured on."""
    copies = copies_in(split, other)
    if not copies:
        return ""
    names = ", ".join(f"{path.parent.name}/{path.name}" for path in copies[:_COPIES_SHOWN])
    return (
        f"{len(copies)} photos of {split.folder.name} are in {other.folder.name} as well ({names}): its figures"
        " flatter. Delete one side."
    )


def _by_size(split: Split) -> dict[int, list[Path]]:
    found: dict[int, list[Path]] = defaultdict(list)
    for sample in split.samples:
        try:
            found[sample.path.stat().st_size].append(sample.path)
        except OSError:
            continue  # it is named when it is decoded
    return found


def _digest(path: Path) -> bytes:
    """Of a file's content; of one that cannot be read, which is named when it is decoded, of its path."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest()
    except OSError:
        return os.fsencode(path)


def hold_out(split: Split, share: float) -> tuple[Split, Split]:
    """Take about `share` of each bin's photos out of a split: what is left, and what was taken.

    Neighbours in number are often the same thing, so a look with many photos gives its last ones in a row, and small
    looks go as a whole (the choice hangs on their names alone). Every bin with two looks or two photos gives some.
    Copies of a photo go to its side. Raises DataError when a bin has a single photo.
    """
    taken: set[Path] = set()
    first_of = _firsts(split)
    copies = {path for path, first in first_of.items() if path != first}
    alone = tuple(sample for sample in split.samples if sample.path not in copies)
    for label in range(len(BINS)):
        looks: dict[str, list[Sample]] = {}
        for sample in alone:
            if sample.label == label:
                looks.setdefault(sample.look, []).append(sample)
        count = sum(len(members) for members in looks.values())
        if count == 1:
            raise DataError(
                f"{BINS[label]} has a single photo in {split.folder}: one learns and one measures."
            )
        large = [members for members in looks.values() if len(members) * share >= 1]
        small = [members for members in looks.values() if len(members) * share < 1]
        for members in large:
            last = sorted(members, key=_number)[-max(1, round(len(members) * share)) :]
            taken.update(sample.path for sample in last)
        wanted = round(share * sum(len(members) for members in small))
        if small and not large:
            wanted = max(1, wanted)
        named = {members[0].look: hashlib.sha256(members[0].look.encode()).digest() for members in small}
        small.sort(key=lambda members: (len(members) > wanted, named[members[0].look]))
        for members in small:
            if wanted <= 0:
                break
            # The only look of a bin is shared out all the same.
            part = members if len(looks) > 1 else sorted(members, key=_number)[-1:]
            taken.update(sample.path for sample in part)
            wanted -= len(part)
    taken |= {path for path in copies if first_of[path] in taken}
    return (
        replace(split, samples=tuple(s for s in split.samples if s.path not in taken)),
        Split(split.folder, tuple(s for s in split.samples if s.path in taken), ()),
    )


def _firsts(split: Split) -> dict[Path, Path]:
    """Each photo that is the same, byte by byte, as others of the split: the first of them."""
    found: dict[Path, Path] = {}
    for paths in _by_size(split).values():
        if len(paths) > 1:
            first: dict[bytes, Path] = {}
            for path in paths:
                found[path] = first.setdefault(_digest(path), path)
    return found


def _number(sample: Sample) -> tuple[int, str]:
    """The number at the end of a photo's name, -1 for none, then the name."""
    found = re.search(r"\d+$", sample.path.stem)
    return int(found[0]) if found else -1, sample.path.name


def fingerprint(samples: Sequence[Sample]) -> str:
    """sha256 over the bins, names and sizes of the photos: the same data give the same string anywhere."""
    digest = hashlib.sha256()
    for sample in samples:
        line = f"{BINS[sample.label]}/{sample.path.name} {sample.path.stat().st_size}\n"
        digest.update(line.encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


@dataclass(frozen=True)
class Photos:
    """Decoded photos (RGB) with their labels (n,), and a sentence on each that could not be read."""

    samples: tuple[Sample, ...]
    images: tuple[Image.Image, ...]
    labels: NDArray[np.int64]
    unreadable: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.samples)


def load_photos(split: Split, size: int, workers: int) -> Photos:
    """Decode a split's photos to about 1.25 * `size` on the short side.

    A photo that cannot be decoded is left out and named in `unreadable`. Takes about 0.3 MB a photo at 224.
    Raises DataError when none is left.
    """
    short = int(size * _KEEP)

    def load(sample: Sample) -> Image.Image | str:
        try:
            return shrink(decode_photo(sample.path, short), short)
        except PhotoError as error:
            return f"{sample.path}: {error}"

    with ThreadPoolExecutor(workers) as pool:
        results = list(pool.map(load, split.samples))
    fine = [(s, r) for s, r in zip(split.samples, results, strict=True) if not isinstance(r, str)]
    if not fine:
        raise DataError(f"No photo of {split.folder} can be read.")
    return Photos(
        samples=tuple(sample for sample, _ in fine),
        images=tuple(image for _, image in fine),
        labels=np.array([sample.label for sample, _ in fine], np.int64),
        unreadable=tuple(result for result in results if isinstance(result, str)),
    )


def shrink(photo: Image.Image, short: int) -> Image.Image:
    """The photo with its short side at most `short` px."""
    scale = short / min(photo.size)
    if scale >= 1.0:
        return photo
    shape = (max(1, round(photo.size[0] * scale)), max(1, round(photo.size[1] * scale)))
    return photo.resize(shape, Image.Resampling.BICUBIC, reducing_gap=3.0)


def sampling_weights(samples: Sequence[Sample], balance: str) -> NDArray[np.float64]:
    """Weights (n,) with mean 1: "bin" gives each bin the same sum; "look" within a bin the root of a look's
    share.
    """
    weights = np.ones(len(samples))
    if balance == "look":
        looks = Counter((sample.label, sample.look) for sample in samples)
        weights = np.array([looks[s.label, s.look] ** -0.5 for s in samples])
    if balance != "none":
        labels = np.array([sample.label for sample in samples])
        sums = np.bincount(labels, weights, minlength=len(BINS))
        weights = weights / sums[labels]
    return np.asarray(weights / weights.mean(), np.float64)


def epoch_order(
    count: int, seed: int, epoch: int, weights: NDArray[np.float64] | None = None
) -> NDArray[np.int64]:
    """The indices of an epoch, from (seed, epoch) alone: a permutation, or drawn by `weights` (n,)."""
    rng = np.random.default_rng((seed, epoch))
    if weights is None:
        return rng.permutation(count).astype(np.int64)
    # Systematic sampling: every index comes floor or ceil of its expected number of times.
    marks = np.searchsorted(np.cumsum(weights / weights.sum()), (np.arange(count) + rng.random()) / count)
    drawn = np.minimum(marks, count - 1).astype(np.int64)
    rng.shuffle(drawn)
    return drawn


def batches(order: NDArray[np.int64], size: int, least: int = 2) -> Iterator[NDArray[np.int64]]:
    """Cut an epoch's order into batches; a last one of fewer than `least` is dropped (BatchNorm takes two)."""
    for start in range(0, len(order), size):
        batch = order[start : start + size]
        if len(batch) >= least:
            yield batch

"""Batches as the learning part of the network sees them: fresh views, or views cached behind the frozen
blocks.

The first five feature blocks never learn, so what they make of a view can be kept: an epoch on cached views
costs no decoding, no augmentation and none of the dearest convolutions. Epoch e (from 1) then shows view (e -
1) % views.
"""

from __future__ import annotations

import hashlib
import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from gcdesk.config.files import beside
from gcdesk.engine.photos.preprocessing import IMAGENET_MEAN, IMAGENET_STD, Preprocessing, preprocess
from trainer.image.photos.augment import GroundBank, generator, make_view, pick_other
from trainer.image.photos.backgrounds import Cutout, find_cutout
from trainer.image.photos.data import Photos
from trainer.image.settings import ImageSettings

_CACHE_BATCH = 32
FROZEN_BLOCKS = 5  # of EfficientNet-B2's nine: the original tuned the last four


def autocast(device: torch.device, low_precision: bool) -> AbstractContextManager[Any]:
    """fp16 on CUDA, bf16 on a CPU, or nothing."""
    if not low_precision:
        return nullcontext()
    kind = torch.float16 if device.type == "cuda" else torch.bfloat16
    return torch.autocast(device.type, dtype=kind)


@dataclass(frozen=True)
class Batch:
    """What the frozen blocks made of some photos: `maps` (b, c, h, w), and the photos' indices (b,)."""

    indices: NDArray[np.int64]
    maps: Tensor


class ViewMaker:
    """Makes normalised views (b, 3, size, size) of photos; depends on (seed, epoch, index) alone."""

    def __init__(self, photos: Photos, settings: ImageSettings) -> None:
        self._photos, self._settings = photos, settings
        # Drawing grounds takes seconds, and only the station's views lie on them.
        self._bank = GroundBank(settings.seed, 160 if settings.augment.preset == "station" else 0)
        self._cutouts: dict[int, Cutout | None] = {}

    def __call__(self, epoch: int, indices: NDArray[np.int64]) -> Tensor:
        return normalise([self._view(epoch, int(index)) for index in indices])

    def _view(self, epoch: int, index: int) -> Image.Image:
        rng = generator(self._settings.seed, epoch, index)
        photos, size = self._photos, self._settings.view_size
        other = pick_other(photos.images, rng)
        augment = self._settings.augment
        if augment.preset == "station" and index not in self._cutouts:
            self._cutouts[index] = find_cutout(photos.images[index])
        cutout = self._cutouts.get(index)
        return make_view(photos.images[index], cutout, other, augment, self._bank, rng, size)


def normalise(views: list[Image.Image]) -> Tensor:
    """Views (RGB, one size) as a float tensor (b, 3, h, w) with ImageNet's mean and std."""
    pixels = np.stack([np.asarray(view, np.float32) for view in views]) / np.float32(255.0)
    scaled = (pixels - np.array(IMAGENET_MEAN, np.float32)) / np.array(IMAGENET_STD, np.float32)
    return torch.from_numpy(np.ascontiguousarray(scaled.transpose(0, 3, 1, 2)))


def plain_views(photos: Photos, preprocessing: Preprocessing) -> Callable[[int, NDArray[np.int64]], Tensor]:
    """Views as the finished model will see photos, whatever the epoch."""

    def make(_epoch: int, indices: NDArray[np.int64]) -> Tensor:
        return torch.from_numpy(np.stack([preprocess(photos.images[int(i)], preprocessing) for i in indices]))

    return make


def ahead(
    make: Callable[[int, NDArray[np.int64]], Tensor],
    epoch: int,
    batches: Iterable[NDArray[np.int64]],
    workers: int,
) -> Iterator[tuple[NDArray[np.int64], Tensor]]:
    """Yield (indices, views) in order while `workers` threads make the next few batches."""
    waiting: deque[tuple[NDArray[np.int64], Future[Tensor]]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        for indices in batches:
            waiting.append((indices, pool.submit(make, epoch, indices)))
            if len(waiting) > workers + 1:
                first, views = waiting.popleft()
                yield first, views.result()
        while waiting:
            first, views = waiting.popleft()
            yield first, views.result()


def to_device(views: Tensor, device: torch.device) -> Tensor:
    """Move a batch to `device` in channels_last, which convolutions want on CUDA and in bf16 on a CPU."""
    return views.to(device, memory_format=torch.channels_last, non_blocking=True)


class FreshSource:
    """Views made anew each epoch and run through the frozen blocks."""

    def __init__(
        self,
        views: ViewMaker,
        frozen: nn.Module,
        workers: int,
        device: torch.device,
        low_precision: bool,
    ) -> None:
        self._views, self._frozen, self._workers = views, frozen, workers
        self._device, self._low = device, low_precision

    def __call__(self, epoch: int, batches: Iterable[NDArray[np.int64]]) -> Iterator[Batch]:
        for indices, views in ahead(self._views, epoch, batches, self._workers):
            with torch.no_grad(), autocast(self._device, self._low):
                maps = self._frozen(to_device(views, self._device))
            yield Batch(indices, maps)


class CachedSource:
    """A fixed number of views of every photo behind the frozen blocks, in files (fp16, memory-mapped)."""

    def __init__(self, views: Sequence[NDArray[np.float16]]) -> None:
        self._views = tuple(views)  # one array (photos, c, h, w) a view

    def __call__(self, epoch: int, batches: Iterable[NDArray[np.int64]]) -> Iterator[Batch]:
        view = self._views[(epoch - 1) % len(self._views)]
        for indices in batches:
            yield Batch(indices, torch.from_numpy(view[indices].astype(np.float32)))


def cache_key(settings: ImageSettings, fingerprint: str, frozen: nn.Module) -> str:
    """Names a cache: any other photos, views or frozen weights give another key."""
    digest = hashlib.sha256(fingerprint.encode())
    chosen = {"augment": settings.to_json()["augment"], "size": settings.view_size, "seed": settings.seed}
    digest.update(json.dumps(chosen, sort_keys=True).encode())
    for tensor in frozen.state_dict().values():
        digest.update(tensor.cpu().numpy().tobytes())
    return digest.hexdigest()[:16]


def build_cache(
    folder: Path,
    key: str,
    views: ViewMaker,
    count: int,
    frozen: nn.Module,
    settings: ImageSettings,
    low_precision: bool,
    on_step: Callable[[int, int], None],
) -> CachedSource:
    """Open the cache of `settings.views` views of `count` photos, making the views that it lacks.

    One file a view, renamed when whole, so an interrupted build goes on where it stopped. `on_step(done,
    total)` is called after each batch. Disk: 34 kB a view of 224 pixels.
    """
    folder.mkdir(parents=True, exist_ok=True)
    opened: list[NDArray[np.float16]] = []
    for number in range(settings.views):
        file = folder / f"{key}-{number}.npy"
        if not file.is_file():
            _cache_view(
                file,
                partial(_maps, views, number + 1, frozen, low_precision),
                count,
                settings.workers,
                partial(_tell, on_step, number * count, settings.views * count),
            )
        opened.append(np.load(file, mmap_mode="r"))
    return CachedSource(opened)


def _maps(
    views: ViewMaker, epoch: int, frozen: nn.Module, low_precision: bool, indices: NDArray[np.int64]
) -> NDArray[np.float16]:
    cpu = torch.device("cpu")
    with torch.no_grad(), autocast(cpu, low_precision):
        return np.asarray(frozen(to_device(views(epoch, indices), cpu)).float().numpy(), np.float16)


def _tell(on_step: Callable[[int, int], None], before: int, total: int, done: int) -> None:
    on_step(before + done, total)


def _cache_view(
    file: Path,
    make: Callable[[NDArray[np.int64]], NDArray[np.float16]],
    count: int,
    workers: int,
    on_step: Callable[[int], None],
) -> None:
    """Write one view of every photo. Small layers leave a second thread idle, so each core works on its own
    batch.
    """
    batches = np.array_split(np.arange(count), max(1, count // _CACHE_BATCH))
    work = beside(file)
    threads = torch.get_num_threads()
    torch.set_num_threads(max(1, threads // workers))
    try:
        with ThreadPoolExecutor(workers) as pool:
            array: np.memmap | None = None
            for indices, maps in zip(batches, pool.map(make, batches), strict=True):
                if array is None:
                    array = np.lib.format.open_memmap(work, "w+", np.float16, (count, *maps.shape[1:]))
                array[indices] = maps
                on_step(int(indices[-1]) + 1)
    finally:
        torch.set_num_threads(threads)
    work.rename(file)

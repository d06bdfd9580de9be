"""A training that learns from a teacher's embeddings and from labels at once, photos without labels among them.

The loss is teacher_weight * (1 - cosine to the teacher's embedding of the photo) and the cross-entropies over bins and
over kinds of items, each for the photos that have such a target. The moving average of the weights is what is kept.
"""

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gcdesk.config.files import replace_atomically
from gcdesk.engine.os_errors import os_reason
from trainer.image.distillation.network import DistillNetwork
from trainer.image.distillation.settings import DistillSettings
from trainer.image.distillation.training_photos import TrainingPhoto, read_training_photo, sampling_shares
from trainer.image.network import Weights
from trainer.image.photos.augment import GroundBank, generator, make_view
from trainer.image.photos.data import epoch_order
from trainer.image.photos.features import autocast, normalise, to_device
from trainer.image.process.stop_requests import Order, Orders
from trainer.image.state import ResumeError, SaveError

CHECKPOINT = "distillation.pt"
_WARM_UP = 0.05
_NONE = -1
_GROUNDS = 24
# Settings that only the finished model hangs on: they may change between stopping and finishing.
_OF_THE_END = ("size", "resize", "head_strength", "kind_strength", "head_scene", "head_scene_weight",
    "head_drawn", "workers")  # fmt: skip


@dataclass(frozen=True)
class DistillData:
    """What is learned from: photos, each one's row of the teacher's vectors (n, d) and kind (-1: none)."""

    photos: tuple[TrainingPhoto, ...]
    teacher_rows: NDArray[np.int64]
    vectors: NDArray[np.float32]
    kinds: NDArray[np.int64]
    kind_names: tuple[str, ...]
    mark: str  # fingerprint

    @property
    def labels(self) -> NDArray[np.int64]:
        return np.array([photo.label for photo in self.photos], np.int64)


@dataclass
class DistillProgress:
    """Where a distillation stands; `average` is the moving average of all that learns."""

    step: int = 0
    loss: float = 0.0  # sum over this round's steps
    average: Weights = field(default_factory=dict)
    history: list[dict[str, float]] = field(default_factory=list)


def rate_share(step: int, steps: int) -> float:
    """Of the full rate: linear warm-up, then half a cosine to nothing."""
    warm = max(1, int(steps * _WARM_UP))
    if step < warm:
        return (step + 1) / warm
    return 0.5 * (1.0 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))


class TrainingViews:
    """Augmented views, new at every step; a view depends on (seed, step, place) alone."""

    def __init__(self, data: DistillData, settings: DistillSettings) -> None:
        self._data, self._settings = data, settings
        self._bank = GroundBank(settings.seed, _GROUNDS)
        self._weights = sampling_shares(data.photos, settings.unlabelled)

    def batch_of(self, step: int) -> NDArray[np.int64]:
        """The photos of a step, drawn so that scenes and bins are balanced."""
        chosen = self._settings
        order = self._order(step * chosen.batch // len(self._weights))
        start = step * chosen.batch % len(order)
        return order[start : start + chosen.batch]

    def _order(self, turn: int) -> NDArray[np.int64]:
        return epoch_order(len(self._weights), self._settings.seed, turn, self._weights)

    def __call__(self, step: int) -> tuple[NDArray[np.int64], Tensor]:
        """Indices (b,) and views (b, 3, side, side) of a step; photos that cannot be read are left out."""
        chosen, views, indices = self._settings, [], []
        for place, index in enumerate(self.batch_of(step)):
            photo = read_training_photo(self._data.photos[index], int(chosen.train_size * 1.25))
            if photo is None:
                continue
            rng = generator(chosen.seed, step, place)
            views.append(make_view(photo, None, None, chosen.augment, self._bank, rng, chosen.train_size))
            indices.append(index)
        return np.array(indices, np.int64), normalise(views)

    def ahead(self, steps: Sequence[int]) -> Iterator[tuple[NDArray[np.int64], Tensor]]:
        """The steps' batches in order, the next ones made meanwhile."""
        workers = self._settings.workers
        waiting: list[Future[tuple[NDArray[np.int64], Tensor]]] = []
        with ThreadPoolExecutor(workers) as pool:
            try:
                for step in steps:
                    waiting.append(pool.submit(self, step))
                    if len(waiting) > workers + 1:
                        yield waiting.pop(0).result()
                while waiting:
                    yield waiting.pop(0).result()
            finally:
                for future in waiting:
                    future.cancel()


class Distiller:
    """Network, optimizer and moving average of one distillation."""

    def __init__(
        self,
        data: DistillData,
        network: DistillNetwork,
        settings: DistillSettings,
        device: torch.device,
        low: bool,
    ) -> None:
        self.data, self.settings, self.device, self.low = data, settings, device, low
        self.network = network.to(device)
        self.progress = DistillProgress(average=network.learned())
        self.optimizer = torch.optim.AdamW(
            [
                {"params": network.filters(), "lr": settings.rate, "weight_decay": settings.weight_decay},
                {"params": network.heads(), "lr": settings.head_rate, "weight_decay": settings.weight_decay},
            ]
        )
        self._rates = (settings.rate, settings.head_rate)
        self._scaler = torch.amp.GradScaler("cuda", enabled=low and device.type == "cuda")
        self._labels = torch.from_numpy(data.labels)
        self._kinds = torch.from_numpy(data.kinds)

    def train(
        self, views: TrainingViews, orders: Orders, on_step: Callable[[int, float, float], None], until: int
    ) -> bool:
        """Take the steps up to `until`; False when it was told to stop. Saving is the caller's."""
        self.network.train()
        progress, last = self.progress, self.settings.steps
        for indices, pixels in views.ahead(range(progress.step, until)):
            share = rate_share(progress.step, last)
            for group, rate in zip(self.optimizer.param_groups, self._rates, strict=True):
                group["lr"] = rate * share
            loss = self._step(indices, to_device(pixels, self.device))
            progress.step, progress.loss = progress.step + 1, progress.loss + loss
            on_step(progress.step, loss, self._rates[0] * share)
            if orders.next() is Order.STOP:
                return False
        return True

    def _step(self, indices: NDArray[np.int64], pixels: Tensor) -> float:
        with autocast(self.device, self.low):
            embedding, bins, kinds = self.network(pixels)
        loss = self._loss(indices, embedding.float(), bins.float(), kinds.float())
        self.optimizer.zero_grad(set_to_none=True)
        self._scaler.scale(loss).backward()
        self._scaler.unscale_(self.optimizer)
        nn.utils.clip_grad_norm_([*self.network.filters(), *self.network.heads()], 5.0)
        self._scaler.step(self.optimizer)
        self._scaler.update()
        self._average()
        return float(loss.detach())

    def _loss(self, indices: NDArray[np.int64], embedding: Tensor, bins: Tensor, kinds: Tensor) -> Tensor:
        chosen, data = self.settings, self.data
        rows = data.teacher_rows[indices]
        labelled = torch.from_numpy(rows >= 0)
        loss = embedding.sum() * 0.0
        if bool(labelled.any()):
            target = torch.from_numpy(data.vectors[rows[rows >= 0]]).to(self.device)
            cosine = nn.functional.cosine_similarity(embedding[labelled.to(self.device)], target)
            loss = loss + chosen.teacher_weight * (1.0 - cosine).mean()
        for logits, targets, weight in (
            (bins, self._labels[indices], chosen.bin_weight),
            (kinds, self._kinds[indices], chosen.kind_weight),
        ):
            if weight > 0 and bool((targets >= 0).any()):
                loss = loss + weight * nn.functional.cross_entropy(
                    logits,
                    targets.to(self.device),
                    ignore_index=_NONE,
                    label_smoothing=chosen.label_smoothing,
                )
        return loss

    def _average(self) -> None:
        step = self.progress.step + 1
        decay = min(self.settings.average, (1.0 + step) / (10.0 + step))
        for name, parameter in self.network.named_parameters():
            if parameter.requires_grad:
                self.progress.average[name].lerp_(parameter.detach(), 1.0 - decay)


class DistillFolder:
    """The checkpoint of a distillation, whole or not there."""

    def __init__(self, folder: Path, settings: DistillSettings, mark: str) -> None:
        self.file = folder / CHECKPOINT
        chosen = {name: value for name, value in settings.to_json().items() if name not in _OF_THE_END}
        self._identity = json.dumps({"settings": chosen, "data": mark}, sort_keys=True)

    def save(self, distiller: Distiller) -> None:
        """Raises SaveError where there is no room; what was saved before is kept."""
        progress = distiller.progress
        packed = io.BytesIO()
        torch.save(
            {
                "identity": self._identity,
                "learned": distiller.network.learned(),
                "optimizer": distiller.optimizer.state_dict(),
                "average": progress.average,
                "step": progress.step,
                "loss": progress.loss,
                "history": progress.history,
                "random": torch.get_rng_state(),
            },
            packed,
        )
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            with replace_atomically(self.file) as file:
                file.write(packed.getbuffer())
        except OSError as error:
            raise SaveError(
                f"{self.file} cannot be written ({packed.tell() / 1e6:.0f} MB): {os_reason(error)}."
            ) from error

    def resume(self, distiller: Distiller) -> bool:
        """Put the distiller where its checkpoint stands; False without one. Raises ResumeError for another run's."""
        if not self.file.is_file():
            return False
        try:
            content: dict[str, Any] = torch.load(self.file, map_location=distiller.device, weights_only=True)
            same = content["identity"] == self._identity
        except (OSError, RuntimeError, KeyError, EOFError, ValueError) as error:
            raise ResumeError(f"{self.file} is damaged: delete it to start again ({error}).") from error
        if not same:
            raise ResumeError(
                f"{self.file} belongs to a run with other settings or photos: use another run folder."
            )
        distiller.network.put(content["learned"])
        distiller.optimizer.load_state_dict(content["optimizer"])
        distiller.progress = DistillProgress(
            int(content["step"]), float(content["loss"]), content["average"], content["history"]
        )
        torch.set_rng_state(content["random"].cpu())
        return True

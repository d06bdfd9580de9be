"""The training itself: epochs, evaluation, what is kept as best, and the state that a resumed run continues
from.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gcdesk.engine.labels import BINS
from trainer.image.network import MovingAverage, Network, Weights, set_mode
from trainer.image.photos.data import Photos, batches, epoch_order, sampling_weights
from trainer.image.photos.features import Batch, ahead, autocast, to_device
from trainer.image.process.distributed import ALONE, Team
from trainer.image.settings import ImageSettings

_WARM_UP = 0.1  # of a phase's steps
_EVALUATION_BATCH = 32


class Source(Protocol):
    """Gives an epoch's batches behind the frozen blocks."""

    def __call__(self, epoch: int, batches: Iterator[NDArray[np.int64]]) -> Iterator[Batch]: ...


@dataclass
class Progress:
    """Where a run stands: all that a resumed run needs beside the settings and the data."""

    epoch: int = 0  # epochs finished
    step: int = 0  # steps taken of the next epoch
    loss: float = 0.0  # the sum of their losses
    random: list[Tensor] = field(default_factory=list)  # each process's generators at that step
    best_score: float = -1.0
    best_epoch: int = 0
    best: Weights | None = None
    before: Weights | None = None  # the weights when unfreezing began
    history: list[dict[str, float]] = field(default_factory=list)


def rate_at(step: int, steps: int, rate: float) -> float:
    """Learning rate of a phase's step: linear warm-up, then half a cosine to a hundredth."""
    warm = max(1, int(steps * _WARM_UP))
    if step < warm:
        return rate * (step + 1) / warm
    share = (step - warm) / max(1, steps - warm)
    return rate * (0.01 + 0.99 * 0.5 * (1.0 + math.cos(math.pi * share)))


class _Learning(nn.Module):
    """What learns, as one module: the maps behind the frozen blocks in, logits out."""

    def __init__(self, network: Network, device: torch.device, low: bool) -> None:
        super().__init__()
        self.blocks, self.head = network.blocks, network.head
        self._pooled, self._device, self._low = network.pooled, device, low

    def forward(self, maps: Tensor, unfrozen: bool) -> Tensor:
        with autocast(self._device, self._low), torch.set_grad_enabled(unfrozen):
            pooled = self._pooled(maps)
        logits: Tensor = self.head(pooled)
        return logits


class Learner:
    """Network, optimizer and averages of one run; `train_epoch` moves it on by an epoch."""

    def __init__(
        self,
        network: Network,
        photos: Photos,
        settings: ImageSettings,
        device: torch.device,
        low: bool,
        team: Team = ALONE,
    ) -> None:
        self.network, self.settings, self.device, self.low = network, settings, device, low
        self.team = team
        self._learning: nn.Module | None = None
        self.labels = torch.from_numpy(photos.labels).to(device)
        weights = sampling_weights(photos.samples, settings.balance)
        self.weights = None if settings.balance == "none" else weights
        self.scaler = torch.amp.GradScaler("cuda", enabled=low and device.type == "cuda")
        self.unfrozen = False
        self.optimizer = self._new_optimizer()
        self.average: MovingAverage | None = None

    def _new_optimizer(self) -> torch.optim.AdamW:
        parameters = self.network.learning(self.unfrozen)
        return torch.optim.AdamW(parameters, lr=self.settings.rate, weight_decay=self.settings.weight_decay)

    def unfreeze(self) -> None:
        """Let the last four blocks learn from now on, with a fresh optimizer and average."""
        self.unfrozen = True
        self._learning = None
        self.optimizer = self._new_optimizer()
        if self.settings.average > 0:
            self.average = MovingAverage(self.network.state(), self.settings.average)

    def phase(self, epoch: int) -> tuple[int, int, float]:
        """First epoch, number of epochs and rate of the phase that `epoch` lies in."""
        chosen = self.settings
        turn = chosen.unfreeze_epoch if chosen.unfreeze_epoch else chosen.epochs + 1
        if epoch < turn:
            return 1, min(turn - 1, chosen.epochs), chosen.rate
        return turn, chosen.epochs - turn + 1, chosen.rate * chosen.fine_rate

    def train_epoch(
        self,
        epoch: int,
        source: Source,
        on_step: Callable[[int, int, float, float], object],
        max_steps: int | None = None,
        taken: int = 0,
        loss: float = 0.0,
    ) -> float | None:
        """Train one epoch and return its mean loss, or None when it was stopped.

        `on_step(step, steps, loss, rate)` is called after every step and stops the epoch by returning True.
        taken, loss: the steps of this epoch that were taken before, and the sum of their losses; then the
        caller has put the generators back.
        """
        chosen, team = self.settings, self.team
        set_mode(self.network, self.unfrozen, training=True, dropout=chosen.dropout)
        order = epoch_order(len(self.labels), chosen.seed, epoch, self.weights)
        if taken == 0:  # dropout and mixup: the same after a resume, and others in each process
            torch.manual_seed(chosen.seed * 100_003 + epoch + 1_000_000_007 * team.rank)
        cut = list(batches(order, chosen.batch, least=max(2, team.size)))[:max_steps]
        first, epochs, rate = self.phase(epoch)
        mine = (team.part(batch) for batch in cut[taken:])
        for step, batch in enumerate(source(epoch, mine), start=taken):
            now = rate_at((epoch - first) * len(cut) + step, epochs * len(cut), rate)
            for group in self.optimizer.param_groups:
                group["lr"] = now
            of_step = self._step(batch, len(cut[step]))
            loss += of_step
            if on_step(step + 1, len(cut), of_step, now) is True:
                return None
        return loss / max(1, len(cut))

    def _step(self, batch: Batch, together: int) -> float:
        """One step on this process's part of a batch of `together` photos; returns the whole batch's loss."""
        labels = self.labels[torch.from_numpy(batch.indices).to(self.device)]
        targets = nn.functional.one_hot(labels, len(BINS)).float()
        targets = targets * (1 - self.settings.label_smoothing) + self.settings.label_smoothing / len(BINS)
        maps = to_device(batch.maps, self.device)
        if self.settings.mixup > 0:
            share = float(torch.distributions.Beta(self.settings.mixup, self.settings.mixup).sample())
            partner = torch.randperm(len(labels)).to(self.device)
            maps = share * maps + (1 - share) * maps[partner]
            targets = share * targets + (1 - share) * targets[partner]
        logits = self._learning_module()(maps, self.unfrozen)
        loss = -(targets * logits.log_softmax(1)).sum(1).mean()
        part = len(labels) / together
        self.optimizer.zero_grad(set_to_none=True)
        # The processes' gradients are averaged; parts may differ by a photo, so each counts as many as it has.
        self.scaler.scale(loss * (part * self.team.size)).backward()
        self.scaler.unscale_(self.optimizer)
        nn.utils.clip_grad_norm_(self.network.learning(self.unfrozen), 5.0)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        if self.average is not None:
            self.average.update(self.network)
        return self.team.total(float(loss.detach()) * part)

    def _learning_module(self) -> nn.Module:
        """Made anew after unfreezing: DDP takes the parameters that learn when it is made."""
        if self._learning is None:
            self._learning = _Learning(self.network, self.device, self.low)
            if self.team.size > 1:
                self._learning = nn.parallel.DistributedDataParallel(self._learning, broadcast_buffers=False)
        return self._learning

    def weights_to_judge(self) -> Weights:
        """The weights that are evaluated and kept: the moving average where there is one."""
        if self.average is None:
            return self.network.state()
        return {name: value.clone() for name, value in self.average.values.items()}

    def state(self) -> dict[str, Any]:
        """Everything of the learner for a checkpoint."""
        average = self.average
        return {
            "network": self.network.state(),
            "optimizer": self.optimizer.state_dict(),
            "scaler": self.scaler.state_dict(),
            "unfrozen": self.unfrozen,
            "average": None if average is None else average.values,
            "average_steps": 0 if average is None else average.steps,
        }

    def put(self, state: dict[str, Any]) -> None:
        """Continue from such a checkpoint."""
        self.network.put(state["network"])
        if state["unfrozen"]:
            self.unfreeze()
        self.optimizer.load_state_dict(state["optimizer"])
        self.scaler.load_state_dict(state["scaler"])
        if self.average is not None and state["average"] is not None:
            self.average.values = {k: v.to(self.device) for k, v in state["average"].items()}
            self.average.steps = int(state["average_steps"])


class Evaluator:
    """Runs a split through the network as it stands. What the frozen blocks make of its photos is kept
    (fp16).
    """

    def __init__(self, network: Network, device: torch.device, low_precision: bool, workers: int) -> None:
        self._network, self._device, self._low, self._workers = network, device, low_precision, workers
        self._maps: dict[str, list[Tensor]] = {}

    def logits(
        self, name: str, views: Callable[[int, NDArray[np.int64]], Tensor], count: int
    ) -> NDArray[np.float32]:
        """Logits (count, 4) of the split called `name`; `views` makes its pixels when they are first
        needed.
        """
        set_mode(self._network, unfrozen=False, training=False)
        if name not in self._maps:
            self._maps[name] = list(self._frozen(views, count))
        parts: list[NDArray[np.float32]] = []
        with torch.no_grad():
            for maps in self._maps[name]:
                with autocast(self._device, self._low):
                    pooled = self._network.pooled(to_device(maps.float(), self._device))
                parts.append(self._network.head(pooled).float().cpu().numpy())
        return np.concatenate(parts)

    def features(self, views: Callable[[int, NDArray[np.int64]], Tensor], count: int) -> NDArray[np.float32]:
        """Pooled features (count, 1408) of photos; nothing is kept."""
        set_mode(self._network, unfrozen=False, training=False)
        parts: list[NDArray[np.float32]] = []
        for maps in self._frozen(views, count):
            with torch.no_grad(), autocast(self._device, self._low):
                parts.append(self._network.pooled(to_device(maps.float(), self._device)).cpu().numpy())
        return np.concatenate(parts)

    def _frozen(self, views: Callable[[int, NDArray[np.int64]], Tensor], count: int) -> Iterator[Tensor]:
        order = np.array_split(np.arange(count), max(1, math.ceil(count / _EVALUATION_BATCH)))
        for _, pixels in ahead(views, 0, order, self._workers):
            with torch.no_grad(), autocast(self._device, self._low):
                yield self._network.frozen(to_device(pixels, self._device)).half().cpu()

"""The loop: epochs of shuffled, disturbed captions, the best epoch kept, a checkpoint after each."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gcdesk.config.files import replace_atomically
from gcdesk.engine.inference.torch_networks import TextClassifier
from gcdesk.engine.labels import BINS
from gcdesk.engine.modelfile.tokenizer import CaptionTokenizer
from gcdesk.engine.os_errors import writing
from trainer.checkpoint_file import DAMAGE, pack, unpack
from trainer.image.process.reporting import Reporter
from trainer.text.augment import disturb
from trainer.text.data import Caption, fingerprint
from trainer.text.settings import TextDataError, TextSettings

_CHECKPOINT = "checkpoint.safetensors"
_EVALUATION_BATCH = 64
_VERSIONS = 4  # of a caption with its typing errors, where a frozen encoder keeps what it said
_POOL = 8  # batches whose captions are sorted by length together, so that little is padded

Memo = dict[str, Tensor]
"""Pooled features (dim,) of captions, as one frozen encoder gives them."""


def never() -> bool:
    """Nobody asks to stop."""
    return False


@dataclass
class Progress:
    """How far a training is; `history` has the figures of each finished epoch."""

    epoch: int = 0
    best_epoch: int = 0
    best_accuracy: float = -1.0
    history: list[dict[str, float]] = field(default_factory=list)


class TextTraining:
    """One training of `network` on `train`, watched on `val`; without `val` the last epoch counts as the best.

    All chance of an epoch is drawn from (seed, epoch), so a run that is resumed from the last epoch's checkpoint
    takes the very steps that it would have taken (on CPU with the same number of threads: bit for bit).
    """

    def __init__(
        self,
        network: TextClassifier,
        tokenizer: CaptionTokenizer,
        train: Sequence[Caption],
        val: Sequence[Caption],
        settings: TextSettings,
        device: str = "cpu",
        memo: Memo | None = None,
    ) -> None:
        self.network, self.tokenizer = network.to(device), tokenizer
        self.train, self.val, self.settings, self.device = list(train), list(val), settings, device
        self.progress = Progress()
        self.stopped = False
        self._memo: Memo = {} if memo is None else memo
        self._steps = -(-len(self.train) // settings.batch)
        _freeze(self.network, settings)
        self._groups = _groups(self.network, settings)
        self._optimizer = torch.optim.AdamW(self._groups, lr=settings.rate)
        self._average = copy.deepcopy(self._parameters())
        self._best = copy.deepcopy(self.network.state_dict())
        self._loss = nn.CrossEntropyLoss(
            _weights(self.train, settings).to(device), label_smoothing=settings.label_smoothing
        )

    def run(
        self,
        report: Reporter,
        folder: Path | None = None,
        *,
        resume: bool = False,
        stopping: Callable[[], bool] = never,
    ) -> TextClassifier:
        """Train to the end and return the network with its best weights. Raises TextDataError when the checkpoint in
        `folder` belongs to another run or is damaged.

        `stopping` is asked before each step; once it says yes, what is best so far is returned and `stopped` is set.
        The checkpoint stays that of the last whole epoch, so the run can be resumed as if it had been killed.
        """
        if folder is not None and resume:
            self._resume(folder)
        while self.progress.epoch < self.settings.epochs and not self._exhausted():
            if not self._epoch(self.progress.epoch + 1, report, stopping):
                self.stopped = True
                break
            if folder is not None:
                self._save(folder)
        self.network.load_state_dict(self._best)
        return self.network.eval()

    def _exhausted(self) -> bool:
        patience = self.settings.patience
        return bool(patience and self.val) and self.progress.epoch - self.progress.best_epoch >= patience

    def _epoch(self, epoch: int, report: Reporter, stopping: Callable[[], bool]) -> bool:
        """Take an epoch's steps and score it; False where it was left in the middle."""
        settings = self.settings
        rng = random.Random(f"{settings.seed} {epoch}")
        torch.manual_seed(rng.getrandbits(63))
        self.network.train()
        self._remember(epoch)
        total = 0.0
        for step, rows in enumerate(_batches(self.train, settings.batch, rng)):
            if stopping():
                if step and not self.progress.best_epoch:
                    self._score(epoch, total / step, report)  # less than an epoch is better than nothing
                return False
            texts = [self._disturbed(row.text, epoch, rng) for row in rows]
            taken = (epoch - 1) * self._steps + step
            rate = self._set_rate(taken)
            loss = self._step(texts, [row.label for row in rows], taken)
            total += loss
            report.step(epoch, settings.epochs, step + 1, self._steps, loss, rate)
        self._score(epoch, total / self._steps, report)
        return True

    def _disturbed(self, text: str, epoch: int, rng: random.Random) -> str:
        settings = self.settings
        if settings.freeze_encoder:
            # New errors each epoch would send every caption through the encoder again.
            rng = random.Random(f"{settings.seed} {epoch % _VERSIONS} {text}")
        return disturb(text, settings.disturbance, rng)

    def _logits(self, texts: Sequence[str]) -> Tensor:
        if not self.settings.freeze_encoder:
            logits, _ = self.network(*self._tensors(texts))
            return cast(Tensor, logits)
        return self.network.classify(torch.stack([self._memo[text] for text in texts]))

    def _remember(self, epoch: int) -> None:
        """Send the captions of an epoch that a frozen encoder has not seen yet through it, without its dropout."""
        if not self.settings.freeze_encoder:
            return
        texts = {self._disturbed(row.text, epoch, random.Random(0)) for row in self.train}
        missing = sorted(texts - self._memo.keys(), key=lambda text: (len(text), text))
        self.network.distilbert.eval()  # type: ignore[no-untyped-call]
        with torch.no_grad():
            for start in range(0, len(missing), _EVALUATION_BATCH):
                batch = missing[start : start + _EVALUATION_BATCH]
                self._memo.update(zip(batch, self.network(*self._tensors(batch))[1], strict=True))

    def _step(self, texts: Sequence[str], labels: Sequence[int], taken: int) -> float:
        kind = torch.device(self.device).type
        with torch.autocast(kind, torch.bfloat16, enabled=self.settings.low_precision):
            logits = self._logits(texts)
        loss = self._loss(logits.float(), torch.tensor(labels, device=self.device))
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self._optimizer.step()
        if self.settings.average:
            # A short memory at first: a training of few steps must not average its untrained start.
            decay = min(self.settings.average, (taken + 1) / (taken + 10))
            parameters = self._parameters()
            torch._foreach_lerp_(
                [self._average[name] for name in parameters], [*parameters.values()], 1 - decay
            )
        return float(loss.detach())

    def _score(self, epoch: int, loss: float, report: Reporter) -> None:
        raw = copy.deepcopy(self._parameters())
        if self.settings.average:
            self._put(self._average)
        scores = {"loss": loss}
        if self.val:
            logits = predict(self.network, self.tokenizer, self.val, self.settings, self.device)
            scores["val"] = float((logits.argmax(1) == [row.label for row in self.val]).mean())
        better = not self.val or scores["val"] > self.progress.best_accuracy
        if better:
            self.progress.best_accuracy, self.progress.best_epoch = scores.get("val", -1.0), epoch
            self._best = copy.deepcopy(self.network.state_dict())
        self._put(raw)
        self.progress.epoch = epoch
        self.progress.history.append({"epoch": epoch, **scores})
        report.epoch(epoch, self.settings.epochs, scores, better)

    def _set_rate(self, step: int) -> float:
        """Linear warm-up, then linear decay to zero over all steps."""
        total = self._steps * self.settings.epochs
        warmup = max(1, round(total * self.settings.warmup))
        share = (step + 1) / warmup if step < warmup else (total - step) / max(1, total - warmup)
        for group in self._optimizer.param_groups:
            group["lr"] = group["top_rate"] * share
        return self.settings.rate * share

    def _tensors(self, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        return _tensors(self.tokenizer, texts, self.settings, self.device)

    def _parameters(self) -> dict[str, Tensor]:
        """What is learnt; frozen weights need no average and no copies."""
        named = self.network.named_parameters()
        return {name: parameter.detach() for name, parameter in named if parameter.requires_grad}

    def _put(self, values: dict[str, Tensor]) -> None:
        for name, parameter in self._parameters().items():
            parameter.copy_(values[name])

    def _identity(self) -> str:
        data = {
            "settings": asdict(self.settings),
            "train": fingerprint(self.train),
            "val": fingerprint(self.val),
        }
        return json.dumps(data, sort_keys=True)

    def _save(self, folder: Path) -> None:
        """Written to a temporary file, flushed, then renamed over the last one."""
        folder.mkdir(parents=True, exist_ok=True)
        content = {
            "identity": self._identity(),
            "network": self.network.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "average": self._average,
            "best": self._best,
            "progress": asdict(self.progress),
        }
        # In memory first: a library's own writer turns a full disk into an error that names no reason.
        packed = pack(content)
        with writing(folder / _CHECKPOINT, TextDataError), replace_atomically(folder / _CHECKPOINT) as file:
            file.write(packed)

    def _resume(self, folder: Path) -> None:
        file = folder / _CHECKPOINT
        if not file.is_file():
            return
        try:
            content: dict[str, Any] = unpack(file, self.device)
            same = content["identity"] == self._identity()
        except DAMAGE as error:
            raise TextDataError(f"{file} is damaged: delete it to start again ({error}).") from error
        if not same:
            raise TextDataError(
                f"{file} belongs to a run with other settings or captions: use another run folder."
            )
        self.network.load_state_dict(content["network"])
        self._optimizer.load_state_dict(content["optimizer"])
        self._average, self._best = content["average"], content["best"]
        self.progress = Progress(**content["progress"])
        for epoch in range(1, self.progress.epoch + 1):  # in the batches of before: rounding depends on them
            self._remember(epoch)


def predict(
    network: TextClassifier,
    tokenizer: CaptionTokenizer,
    rows: Sequence[Caption],
    settings: TextSettings,
    device: str = "cpu",
) -> NDArray[np.float32]:
    """Logits (n, 4) of `rows`, in their order; short captions run beside short ones."""
    network.eval()
    logits = np.zeros((len(rows), len(BINS)), np.float32)
    order = sorted(range(len(rows)), key=lambda i: len(rows[i].text))
    with torch.inference_mode():
        for start in range(0, len(order), _EVALUATION_BATCH):
            chosen = order[start : start + _EVALUATION_BATCH]
            ids, mask = _tensors(tokenizer, [rows[i].text for i in chosen], settings, device)
            logits[chosen] = network(ids, mask)[0].float().cpu().numpy()
    return logits


def _tensors(
    tokenizer: CaptionTokenizer, texts: Sequence[str], settings: TextSettings, device: str
) -> tuple[Tensor, Tensor]:
    ids, mask = tokenizer.pad(tokenizer.encode(texts, settings.pad_to or settings.max_tokens))
    missing = settings.pad_to - ids.shape[1]
    if missing > 0:
        ids = np.pad(ids, ((0, 0), (0, missing)), constant_values=tokenizer.pad_id)
        mask = np.pad(mask, ((0, 0), (0, missing)))
    return torch.from_numpy(ids).to(device), torch.from_numpy(mask).to(device)


def _batches(rows: Sequence[Caption], size: int, rng: random.Random) -> list[list[Caption]]:
    """All of `rows` once, shuffled, captions of about the same length together."""
    order = list(rows)
    rng.shuffle(order)
    batches: list[list[Caption]] = []
    for start in range(0, len(order), size * _POOL):
        pool = sorted(order[start : start + size * _POOL], key=lambda row: len(row.text))
        batches += [pool[i : i + size] for i in range(0, len(pool), size)]
    rng.shuffle(batches)
    return batches


def _freeze(network: TextClassifier, settings: TextSettings) -> None:
    for name, parameter in network.named_parameters():
        frozen = settings.freeze_embeddings and name.endswith("_embeddings.weight")
        frozen |= settings.freeze_encoder and name.startswith("distilbert.")
        frozen |= any(f".layer.{number}." in name for number in range(settings.freeze_layers))
        parameter.requires_grad_(not frozen)


def _groups(network: nn.Module, settings: TextSettings) -> list[dict[str, Any]]:
    """The optimizer's groups: encoder and head at their rates; matrices decay, biases and LayerNorm do not."""
    groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            groups.setdefault((name.startswith("distilbert."), parameter.ndim > 1), []).append(parameter)
    return [
        {
            "params": parameters,
            "top_rate": settings.rate if encoder else settings.head_rate or settings.rate,
            "weight_decay": settings.weight_decay if matrices else 0.0,
        }
        for (encoder, matrices), parameters in groups.items()
    ]


def _weights(rows: Sequence[Caption], settings: TextSettings) -> Tensor:
    counts = np.bincount([row.label for row in rows], minlength=len(BINS))
    if not settings.class_weights:
        return torch.ones(len(BINS))
    rarity = np.sqrt(counts.sum() / np.maximum(counts, 1))
    weights = rarity / (rarity * counts / counts.sum()).sum()
    return torch.from_numpy(weights.astype(np.float32))

"""The task `pace-text`: how many captions a second this computer trains on, by some real steps.

Arguments: those of `train-text`. The answer are the figures `captions_per_second` and `start_seconds`, which is what
comes before the first step.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from gcdesk.worker.protocol.task_messages import Done
from gcdesk.worker.tasks.runner import ProgressReporter
from gcdesk.worker.tasks.train_text import parsed

_WARM_STEPS = 3
_SECONDS = 4.0


class _Watch:
    """A trainer's Reporter that takes the time of steps. The first ones are slower than the rest."""

    def __init__(self) -> None:
        self.taken = 0
        self.begun = self.last = time.monotonic()

    def note(self, text: str) -> None: ...

    def caching(self, done: int, total: int) -> None: ...

    def epoch(self, epoch: int, epochs: int, scores: Mapping[str, float], better: bool) -> None: ...

    def done(self, result: Path, accuracies: Mapping[str, float]) -> None: ...

    def step(self, epoch: int, epochs: int, step: int, steps: int, loss: float, rate: float) -> None:
        self.taken += 1
        self.last = time.monotonic()
        if self.taken <= _WARM_STEPS:
            self.begun = self.last

    @property
    def steps_per_second(self) -> float:
        return (self.taken - _WARM_STEPS) / max(1e-6, self.last - self.begun)

    @property
    def enough(self) -> bool:
        return self.taken > _WARM_STEPS and self.last - self.begun > _SECONDS


def run(arguments: Sequence[str], reporter: ProgressReporter) -> Done:
    """Take steps on the training captions for some seconds, and forget them."""
    started = time.monotonic()
    args = parsed(arguments)
    from gcdesk.engine.captions.rules import DEFAULT_CAPTION_RULE
    from gcdesk.engine.modelfile.tokenizer import load_tokenizer, shared_tokenizer
    from trainer.text.command import settings_of
    from trainer.text.data import read_captions
    from trainer.text.network import starting_network
    from trainer.text.training import TextTraining

    settings = replace(settings_of(args, "cpu"), epochs=1_000, patience=0)
    rows = read_captions(args.train[-1], {}, DEFAULT_CAPTION_RULE).rows
    network = starting_network(args.base, settings.pooling, settings.seed)
    training = TextTraining(network, load_tokenizer(shared_tokenizer()), rows, [], settings)
    reporter.check()
    watch = _Watch()
    before = time.monotonic() - started
    training.run(watch, stopping=lambda: watch.enough or reporter.stopping)
    reporter.check()
    speed = watch.steps_per_second * min(settings.batch, len(rows))
    reporter.figures(0, {"captions_per_second": speed, "start_seconds": before})
    return Done(summary=f"{speed:.0f} captions/s")

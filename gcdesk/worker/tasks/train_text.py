"""The task `train-text`: the text trainer with its own options, its figures told to the app. Arguments: see
trainer.text.command.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from gcdesk.config.build import torch_installed
from gcdesk.engine.errors import DeviceError
from gcdesk.engine.inference.devices import INSTALL_TORCH
from gcdesk.worker.protocol.task_messages import Done
from gcdesk.worker.tasks.runner import ProgressReporter

_FIGURES_SECONDS = 0.4
_PACE_WINDOW = 20.0  # seconds over which the rate is measured


class TaskReporter:
    """A trainer's Reporter that speaks to the app."""

    def __init__(self, reporter: ProgressReporter, batch: int, folder: Path | None) -> None:
        """`folder`: the run's, which keeps the curves for a window that is opened later."""
        self._reporter, self._batch, self._folder = reporter, batch, folder
        self._losses: list[float] = []
        self._marks: list[tuple[float, float]] = []  # when, at how many epochs
        self._drawn = 0.0

    def note(self, text: str) -> None:
        self._reporter.log(text)

    def caching(self, done: int, total: int) -> None:
        self._reporter.progress(done, total, "Preparing")

    def step(self, epoch: int, epochs: int, step: int, steps: int, loss: float, rate: float) -> None:
        """The loss is drawn as the mean since the last point."""
        now, place = time.monotonic(), epoch - 1 + step / steps
        self._marks.append((now, place))
        while now - self._marks[0][0] > _PACE_WINDOW and len(self._marks) > 2:
            self._marks.pop(0)
        speed = self._speed()
        words = f"Epoch {epoch} of {epochs}"
        if speed:
            words += f" · {speed * steps * self._batch:,.0f} captions/s"
        left = (epochs - place) / speed if speed else None
        self._reporter.progress((epoch - 1) * steps + step, epochs * steps, words, left)
        self._losses.append(loss)
        if now - self._drawn >= _FIGURES_SECONDS or step == steps:
            self._draw(place, {"loss": sum(self._losses) / len(self._losses)})
            self._losses.clear()
            self._drawn = now

    def _draw(self, step: float, values: Mapping[str, float]) -> None:
        self._reporter.figures(step, values)
        if self._folder is not None:
            from trainer.text.runs import add_point

            add_point(self._folder, step, values)

    def _speed(self) -> float:
        """Epochs a second, 0 while unknown."""
        (first, before), (last, after) = self._marks[0], self._marks[-1]
        return (after - before) / (last - first) if last - first > 1.0 else 0.0

    def epoch(self, epoch: int, epochs: int, scores: Mapping[str, float], better: bool) -> None:
        if "val" in scores:
            self._draw(epoch, {"accuracy": scores["val"]})
        shown = f"Epoch {epoch} of {epochs}: loss {scores['loss']:.3f}"
        if "val" in scores:
            shown += f", {scores['val']:.1%} of the watched captions right"
        self._reporter.log(shown + (" (best so far)" if better else ""))
        self._marks.clear()  # scoring took time that is no training's
        self._marks.append((time.monotonic(), float(epoch)))

    def done(self, result: Path, accuracies: Mapping[str, float]) -> None:
        self._reporter.log(f"Written: {result.name}")


def parsed(arguments: Sequence[str]) -> argparse.Namespace:
    """The trainer's options. Raises DeviceError where torch is not installed."""
    if not torch_installed():
        raise DeviceError(f"Training needs torch, which is not installed: {INSTALL_TORCH}")
    from trainer.text.command import add_arguments

    parser = argparse.ArgumentParser(prog="train-text")
    add_arguments(parser)
    return parser.parse_args(list(arguments))


def run(arguments: Sequence[str], reporter: ProgressReporter) -> Done:
    """Train; when the app asks to stop, the best so far is written."""
    reporter.progress(0, 0, "Starting")
    args = parsed(arguments)
    from trainer.text.command import settings_of, train

    report = TaskReporter(reporter, settings_of(args, "cpu").batch, args.run_folder)
    trained = train(args, report, lambda: reporter.stopping)
    if trained.path is None:
        return Done(summary="Nothing was learnt yet.", stopped=True)
    figures = ", ".join(f"{name} {value:.1%}" for name, value in trained.accuracies.items())
    return Done(str(trained.path), figures, trained.stopped)

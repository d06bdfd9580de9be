"""The ranking that a sweep brought home, checked, with the curve of each setting's best training."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gcdesk.cluster.errors import ResultError
from gcdesk.cluster.results.metrics import drawable_metrics
from trainer.job.collect import TASKS_FOLDER
from trainer.job.sweep import SWEEP_FILE


@dataclass(frozen=True)
class Ranked:
    """One place. words: the settings. mean: validation accuracy over `count` trainings; half: half of its 95 %
    interval, None for one. curve: (epoch, validation accuracy) of its best training.
    """

    words: str
    mean: float
    half: float | None
    count: int
    curve: tuple[tuple[float, float], ...]


def read_ranking(folder: Path) -> tuple[Ranked, ...]:
    """The ranking of an unpacked result; empty for one that is no sweep. Raises ResultError."""
    file = folder / SWEEP_FILE
    if not file.is_file():
        return ()
    try:
        content = json.loads(file.read_bytes())
        accuracies = {int(task["task"]): float(task["val"] or 0.0) for task in content["tasks"]}
        named = [int(task) for group in content["groups"] for task in group["tasks"]]
        if len(set(named)) != len(named):
            raise ValueError("a task of two settings")
        return tuple(_place(group, accuracies, folder) for group in content["groups"])
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
        raise ResultError(f"The result's {SWEEP_FILE} is damaged.") from error


def _place(group: dict[str, Any], accuracies: dict[int, float], folder: Path) -> Ranked:
    tasks = [int(task) for task in group["tasks"]]
    best = max(tasks, key=lambda task: accuracies[task])
    lines = drawable_metrics(folder / TASKS_FOLDER / f"task-{best}.jsonl")
    mean, half = float(group["mean"]), None if group["half"] is None else float(group["half"])
    if not math.isfinite(mean) or (half is not None and not math.isfinite(half)):
        raise ValueError("no number")
    curve = tuple((float(line["epoch"]), float(line["val"])) for line in lines if "val" in line)
    return Ranked(" ".join(map(str, group["words"])) or "all alike", mean, half, len(tasks), curve)

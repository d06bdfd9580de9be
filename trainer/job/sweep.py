"""Sweeps: the same training under every combination of some settings, ranked by validation accuracy."""

from __future__ import annotations

import itertools
import json
import math
import shutil
import statistics
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from gcdesk.config.files import write_atomically
from trainer.image.settings import RecipeError, assigned
from trainer.job.config import CONFIG_FILE, Folders, JobConfig, JobError, read_config
from trainer.job.parity import PARITY_FILE, write_parity
from trainer.job.record import METRICS_FILE, Status, read_metrics, read_status, write_status

SWEEP_FILE = "sweep.json"
MOST_TASKS = 200
ALIASES = {"lr": "rate"}
_SEED = "seed"
# Two-sided 95 % quantiles of Student's t for 1 to 9 degrees of freedom (R: qt(0.975, 1:9)); beyond, 2.26.
_T = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262)

Axis = tuple[str, tuple[str, ...]]


def parse_axis(text: str) -> Axis:
    """`lr=1e-4,5e-4` as a setting's name and its values. Raises JobError."""
    name, equals, words = text.partition("=")
    values = tuple(word.strip() for word in words.split(",") if word.strip())
    if not equals or not name.strip() or not values or len(set(values)) != len(values):
        raise JobError(f"--sweep {text}: write NAME=VALUE,VALUE with different values.")
    return ALIASES.get(name.strip(), name.strip()), values


def combinations(axes: Sequence[Axis]) -> list[tuple[str, ...]]:
    """Each task's `NAME=VALUE` words, in the order of the tasks' numbers. Raises JobError."""
    names = [name for name, _ in axes]
    if len(set(names)) != len(names):
        raise JobError("A setting is swept twice.")
    results = [
        tuple(f"{name}={value}" for name, value in zip(names, values, strict=True))
        for values in itertools.product(*(values for _, values in axes))
    ]
    if len(results) > MOST_TASKS:
        raise JobError(f"The sweep has {len(results)} trainings: {MOST_TASKS} are the most.")
    return results


def task_config(config: JobConfig, task: int) -> JobConfig:
    """What task `task` trains: its own settings, and no look at the test photos."""
    words = combinations(config.sweep)
    if not 0 <= task < len(words):
        raise JobError(f"There is no task {task}: the sweep has {len(words)}.")
    try:
        training = assigned(config.training, words[task])
    except RecipeError as error:
        raise JobError(str(error)) from error
    folders = Folders(config.folders.train, config.folders.val)
    return replace(config, training=training, folders=folders, sweep=())


def task_folder(run_folder: Path, task: int) -> Path:
    """Where a task of a sweep keeps its run."""
    return run_folder / f"task-{task}"


@dataclass(frozen=True)
class TaskResult:
    """One training. val: validation accuracy of its best epoch, None when it has none."""

    task: int
    words: tuple[str, ...]
    state: str
    val: float | None
    message: str


@dataclass(frozen=True)
class Group:
    """Trainings that differ by the seed alone. half: half of the 95 % interval of the mean, None for one seed."""

    words: tuple[str, ...]
    mean: float
    half: float | None
    tasks: tuple[int, ...]


def read_tasks(run_folder: Path, axes: Sequence[Axis]) -> list[TaskResult]:
    """How every task stands."""
    results = []
    for task, words in enumerate(combinations(axes)):
        folder = task_folder(run_folder, task)
        status = read_status(folder)
        best = [line for line in read_metrics(folder / METRICS_FILE) if line.get("best")]
        done = status is not None and status.state == "done"
        results.append(
            TaskResult(
                task,
                words,
                status.state if status else "not started",
                float(best[-1]["val"]) if done and best else None,
                status.message if status else "",
            )
        )
    return results


def ranked(tasks: Sequence[TaskResult]) -> list[Group]:
    """Groups over seeds, the best mean first; tasks that did not end well count in none."""
    members: dict[tuple[str, ...], list[TaskResult]] = {}
    for task in tasks:
        if task.val is not None:
            words = tuple(word for word in task.words if not word.startswith(f"{_SEED}="))
            members.setdefault(words, []).append(task)
    groups = []
    for words, of_group in members.items():
        values = [task.val for task in of_group if task.val is not None]
        half = None
        if len(values) > 1:
            quantile = _T[min(len(values) - 1, len(_T)) - 1]
            half = quantile * statistics.stdev(values) / math.sqrt(len(values))
        groups.append(Group(words, statistics.fmean(values), half, tuple(task.task for task in of_group)))
    return sorted(groups, key=lambda group: -group.mean)


def rank_sweep(bundle: Path) -> int:
    """After all tasks: rank them, let the winner alone see the test photos, and write what collect packs."""
    config = read_config(bundle / CONFIG_FILE)
    folder = bundle / config.run_folder
    tasks = read_tasks(folder, config.sweep)
    groups = ranked(tasks)
    epochs = config.training.epochs
    if not groups:
        why = next((task.message for task in tasks if task.message), "no task was finished")
        write_status(folder, Status(config.run, "failed", "other", f"No training of the sweep ended: {why}"))
        print(f"No training of the sweep ended: {why}")
        return 1
    best = set(groups[0].tasks)
    winner = max(
        (task for task in tasks if task.task in best), key=lambda task: (task.val or 0.0, -task.task)
    )
    place = task_folder(folder, winner.task)
    model = folder / f"{config.model}.gcmodel"
    shutil.rmtree(model, ignore_errors=True)
    shutil.copytree(place / model.name, model)
    if config.folders.test:
        from trainer.job.measure import add_test_figures

        add_test_figures(model, bundle / config.folders.test, config.training.workers)
    write_parity(model, folder / PARITY_FILE)
    shutil.copyfile(place / METRICS_FILE, folder / METRICS_FILE)
    content = {
        "v": 1,
        "ranked": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "winner": winner.task,
        "groups": [asdict(group) for group in groups],
        "tasks": [asdict(task) for task in tasks],
    }
    write_atomically(folder / SWEEP_FILE, json.dumps(content, indent=1) + "\n")
    write_status(folder, Status(config.run, "done", epoch=epochs, epochs=epochs))
    for line in table(groups, tasks):
        print(line)
    return 0


def table(groups: Sequence[Group], tasks: Sequence[TaskResult]) -> list[str]:
    """The ranking in lines, and the tasks that are not in it."""
    lines = []
    for index, group in enumerate(groups, 1):
        interval = "" if group.half is None else f" +- {group.half:.1%}"
        seeds = "1 training" if len(group.tasks) == 1 else f"{len(group.tasks)} trainings"
        lines.append(
            f"{index:>3}. {' '.join(group.words) or 'all alike':<40} {group.mean:.1%}{interval} ({seeds})"
        )
    lines += [
        f"     task {task.task} ({' '.join(task.words)}): {task.state} {task.message}".rstrip()
        for task in tasks
        if task.val is None
    ]
    return lines

"""The files of a run: lists of photos in shards, results that grow and are renamed when whole.

shards/00012.jsonl     a photo's path a line (JSON, so that any name fits); written once, by the first job
results/00012.jsonl    a row a photo, in the same order; `.00012.jsonl.part` while it grows
tasks/3.json           how task 3 stands: "running", "stopped", "done" or "failed", and a sentence
tasks/3.on             what its worker is on; one that is there at a start is of a worker that died
tasks/3.retries        how often it was handed in again after it had failed
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gcdesk.config.files import write_atomically
from gcdesk.engine.photos.discovery import find_photos
from trainer.job.config import JobError
from trainer.shards.config import ShardsConfig

STATES = ("running", "stopped", "done", "failed")


@dataclass(frozen=True)
class TaskState:
    """How a task of the job ended, or that it runs; error: why it failed."""

    task: int
    state: str
    message: str = ""


@dataclass(frozen=True)
class Marker:
    """What the worker process `pid` is on. photo: its place in the shard, alone in flight; -1 = several may be.

    crash_count: workers that died on that photo before. opened: whether this worker is on it now.
    """

    pid: int
    shard: str = ""
    photo: int = -1
    crash_count: int = 0
    opened: bool = False


def list_photos(config: ShardsConfig, place: Path) -> int:
    """Cut the folder's photos into shards, in the order of their names; returns how many photos there are.

    Done once: a list that is whole is left as it is. Raises JobError for a folder without photos.
    """
    target, work = place / "shards", place / ".shards.work"
    if target.is_dir():
        return sum(1 for shard in shards_of(place) for _ in read_lines(shard))
    work.mkdir(parents=True, exist_ok=True)
    for old in work.iterdir():
        old.unlink()
    count = 0
    lines: list[str] = []
    for found in find_photos([config.folder]):
        if found.error is not None and not found.path.is_file():
            raise JobError(f"{found.path}: {found.error}")
        lines.append(json.dumps(str(found.path)) + "\n")
        count += 1
        if len(lines) == config.shard_size:
            _flush(work, count, config, lines)
    if lines:
        _flush(work, count, config, lines)
    if not count:
        raise JobError(f"There are no photos in {config.folder}.")
    work.rename(target)
    return count


def _flush(work: Path, count: int, config: ShardsConfig, lines: list[str]) -> None:
    number = (count - 1) // config.shard_size
    (work / f"{number:06d}.jsonl").write_text("".join(lines), encoding="utf-8", newline="\n")
    lines.clear()


def shards_of(place: Path) -> list[Path]:
    """The lists of photos of a job, in order."""
    return sorted((place / "shards").glob("*.jsonl"))


def read_lines(file: Path) -> Iterator[Any]:
    """The lines of a file of JSON; one that was cut off is the end."""
    try:
        with file.open("rb") as stream:  # a line may be cut off within a character
            for line in stream:
                if not line.endswith(b"\n"):
                    return
                yield json.loads(line)
    except FileNotFoundError:
        return


def result_of(place: Path, shard: Path) -> Path:
    """Where the rows of a shard go once it is whole."""
    return place / "results" / shard.name


def part_of(place: Path, shard: Path) -> Path:
    """Where the rows of a shard go while it grows."""
    return place / "results" / f".{shard.name}.part"


def write_state(place: Path, state: TaskState) -> None:
    """Keep how a task ended."""
    _write(place / "tasks" / f"{state.task}.json", json.dumps(asdict(state)) + "\n")


def marker_of(place: Path, task: int) -> Path:
    """The file that says what a task's worker is on."""
    return place / "tasks" / f"{task}.on"


def write_marker(place: Path, task: int, note: Marker) -> None:
    """Say what a task's worker is on, in one step."""
    _write(marker_of(place, task), json.dumps(asdict(note)) + "\n")


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(file, text)


def read_marker(place: Path, task: int) -> Marker | None:
    """None after a worker that ended well."""
    try:
        return Marker(**json.loads(marker_of(place, task).read_text()))
    except (OSError, ValueError, TypeError):
        return None


def retries_of(place: Path, task: int) -> int:
    """How often a failed task was handed in again."""
    try:
        return int((place / "tasks" / f"{task}.retries").read_text())
    except (OSError, ValueError):
        return 0


def read_states(place: Path, tasks: int) -> list[TaskState | None]:
    """How every task stands; None for one that did not start."""
    results: list[TaskState | None] = []
    for task in range(tasks):
        try:
            results.append(TaskState(**json.loads((place / "tasks" / f"{task}.json").read_text())))
        except (OSError, ValueError, TypeError):
            results.append(None)
    return results


def unfinished(config: ShardsConfig, place: Path) -> list[int]:
    """The tasks that have a shard without its whole result."""
    missing = {
        number % config.tasks
        for number, shard in enumerate(shards_of(place))
        if not result_of(place, shard).is_file()
    }
    return sorted(missing)

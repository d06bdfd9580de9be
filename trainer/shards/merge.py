"""After all tasks: every photo has exactly one row, and the rows become one table with a summary."""

from __future__ import annotations

import hashlib
import json
import tarfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gcdesk.config.files import replace_atomically, write_atomically
from gcdesk.engine.classification.result_row import FIELDS
from gcdesk.engine.labels import BINS
from gcdesk.engine.tables.writer import BYTE_ORDER_MARK, CsvTable, readable, replaced_file
from trainer.job.config import JobError
from trainer.shards.config import CONFIG_FILE, ShardsConfig
from trainer.shards.files import (
    TaskState,
    part_of,
    read_lines,
    read_states,
    result_of,
    retries_of,
    shards_of,
    unfinished,
)
from trainer.shards.parquet import have_pyarrow, write_parquet

ROWS_FILE, SUMMARY_FILE, PARQUET_FILE = "rows.csv", "summary.json", "rows.parquet"
ROWS_KIND, ROWS_VERSION = "gcdesk-rows", 1
WAITS = "waiting"
_ALWAYS = ("done", "running", "failed")
_TOLD = (*_ALWAYS, "stopped", WAITS)


@dataclass(frozen=True)
class Standing:
    """How far a run is. rows: written so far. states: of every task. retries: times each was handed in again."""

    photos: int
    rows: int
    failed_rows: int
    states: tuple[TaskState, ...]
    retries: tuple[int, ...]

    def count(self, state: str) -> int:
        """How many tasks are in this state."""
        return sum(task.state == state for task in self.states)


def merge(config: ShardsConfig, place: Path) -> dict[str, Any]:
    """Write rows.csv, rows.parquet where it is wanted and pyarrow is there, and summary.json.

    Raises JobError naming the first photo without its one row.
    """
    if not shards_of(place):
        raise JobError("The photos were not listed: see the log of the first job, then ./submit.sh --again.")
    missing = unfinished(config, place)
    if missing:
        states = read_states(place, config.tasks)
        why = "; ".join(
            f"task {task}: {(state.message or state.state) if (state := states[task]) else 'did not start'}"
            for task in missing[:5]
        )
        raise JobError(
            f"{len(missing)} tasks are not finished ({why}): ./submit.sh --again hands in those alone."
        )
    summary: dict[str, Any] = {"v": ROWS_VERSION, "photos": 0, "review": 0, "unreadable": 0, "seconds": 0.0}
    bins: Counter[str] = Counter()
    with replaced_file(place / ROWS_FILE) as stream:
        stream.write(BYTE_ORDER_MARK)
        table = CsvTable(stream, FIELDS)
        for row in checked_rows(place):
            summary["photos"] += 1
            summary["review"] += bool(row["review"])
            summary["unreadable"] += row["error"] is not None
            summary["seconds"] += float(row.pop("seconds"))
            bins[row["label"] or "none"] += 1
            table.write(row)
        table.finish()
    summary["seconds"] = round(summary["seconds"], 2)
    summary["bins"] = {name: bins[name] for name in (*BINS, "none")}
    if config.table == "parquet" and have_pyarrow():
        write_parquet(place / ROWS_FILE, place / PARQUET_FILE)
    summary["models"] = [name for name in (config.image_model, config.text_model) if name]
    write_atomically(place / SUMMARY_FILE, json.dumps(summary, indent=1) + "\n")
    return summary


def checked_rows(place: Path) -> Iterator[dict[str, Any]]:
    """All rows in order. Raises JobError where a shard's rows are not its photos, one each."""
    for shard in shards_of(place):
        rows = read_lines(result_of(place, shard))
        for path in read_lines(shard):
            row = next(rows, None)
            if row is None or row["path"] != readable(path):
                raise JobError(
                    f"{path} has no row of its own in {shard.name}: delete that result and submit again."
                )
            yield row
        if next(rows, None) is not None:
            raise JobError(f"{shard.name} has more rows than photos: delete that result and submit again.")


def standing(config: ShardsConfig, place: Path) -> Standing:
    """Counted from the files as they are now."""
    photos = rows = failed = 0
    for shard in shards_of(place):
        photos += len(_whole_lines(shard))
        whole = result_of(place, shard)
        result = _whole_lines(whole if whole.is_file() else part_of(place, shard))
        rows += len(result)
        # Not parsed: of millions of rows that would take minutes. A quote within a text has a backslash before it.
        failed += sum(b'"error": null' not in line for line in result)
    states = tuple(
        state or TaskState(task, WAITS) for task, state in enumerate(read_states(place, config.tasks))
    )
    return Standing(
        photos, rows, failed, states, tuple(retries_of(place, task) for task in range(config.tasks))
    )


def _whole_lines(file: Path) -> list[bytes]:
    """The lines of a file as they are; none of a file that is not there, and no last one that was cut off."""
    try:
        lines = file.read_bytes().splitlines(keepends=True)
    except FileNotFoundError:
        return []
    return lines if not lines or lines[-1].endswith(b"\n") else lines[:-1]


def told(config: ShardsConfig, place: Path, seconds: float = 5.0) -> Iterator[str]:
    """The lines of `collect.sh --status`: looks twice, `seconds` apart, while tasks are running."""
    first = standing(config, place)
    yield f"tasks: {', '.join(f'{first.count(name)} {name}' for name in _TOLD if first.count(name) or name in _ALWAYS)}"
    for task, retries in zip(first.states, first.retries, strict=True):
        again = f" (handed in again {retries} of {config.retries} times)" if retries else ""
        if task.state == "failed" or again:
            yield f"  task {task.task}: {task.state}{again}{': ' if task.message else ''}{task.message}"
    yield f"photos: {first.rows:,} of {first.photos:,} done, {first.failed_rows:,} unreadable"
    if first.rows < first.photos and first.count("running"):
        started = time.monotonic()
        time.sleep(seconds)
        rate = (standing(config, place).rows - first.rows) / (time.monotonic() - started)
        left = f", {_time_left((first.photos - first.rows) / rate)} left" if rate else ""
        yield f"speed: {rate:.1f} photos/s{left}"


def _time_left(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def collect_rows(bundle: Path, config: ShardsConfig) -> Path:
    """`result-<run>.tar.gz` with the merged table, its summary and the logs. Raises JobError before the merge."""
    place = config.place(bundle)
    if not (place / SUMMARY_FILE).is_file():
        raise JobError(f"{config.run} is not merged yet: ./collect.sh --status shows how far it is.")
    files = [bundle / CONFIG_FILE, place / ROWS_FILE, place / SUMMARY_FILE]
    manifest = {
        "v": ROWS_VERSION,
        "kind": ROWS_KIND,
        "run": config.run,
        "files": {file.name: {"sha256": _digest(file), "bytes": file.stat().st_size} for file in files},
    }
    listed = place / "manifest.json"
    write_atomically(listed, json.dumps(manifest, indent=1) + "\n")
    target = bundle / f"result-{config.run}.tar.gz"
    with replace_atomically(target) as packed, tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for file in (listed, *files):
            item = tarfile.TarInfo(f"result-{config.run}/{file.name}")
            item.size, item.mode = file.stat().st_size, 0o644
            with file.open("rb") as stream:
                archive.addfile(item, stream)
    return target


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()

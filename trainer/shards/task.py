"""One task of the array: a worker process, started again where a photo ended it or it hangs.

A decoder that crashes, or a photo for which the memory does not suffice, takes its process along. This one holds no
photo and no model, so it lives on and starts the next worker; what that makes of the photo is in `work`.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

from trainer.shards.config import ShardsConfig
from trainer.shards.files import TaskState, marker_of, part_of, read_marker, result_of, shards_of, write_state

_MOST_IN_VAIN = 2  # workers that die one after the other without a row, and on no photo of their own
_LOOK_SECONDS = 0.5


def run_task(bundle: Path, config: ShardsConfig, task: int) -> int:
    """See a task to its end. Returns 0, or 1 for one that failed; how it ended is in tasks/<task>.json."""
    place = config.place(bundle)
    write_state(place, TaskState(task, "running"))
    asked: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: asked.append(number))
    in_vain = 0
    while in_vain < _MOST_IN_VAIN:
        before, left = _rows(config, place, task), read_marker(place, task)
        code = _worker(bundle, config, task, asked)
        if code >= 0:
            if code > 1:
                write_state(place, TaskState(task, "failed", f"the worker ended with code {code}"))
            return min(code, 1)
        if asked:
            write_state(place, TaskState(task, "stopped"))
            return 0
        print(f"The worker was ended by signal {-code}; another one goes on.", file=sys.stderr)
        note = read_marker(place, task)
        alone = note is not None and note.opened and note != left  # its own note, not an earlier worker's
        in_vain = 0 if alone or _rows(config, place, task) > before else in_vain + 1
    words = f"the worker is ended by signal {-code} whenever it starts: is the memory too little?"
    write_state(place, TaskState(task, "failed", words))
    return 1


def _worker(bundle: Path, config: ShardsConfig, task: int, asked: list[int]) -> int:
    """Run a worker to its end and return its exit code; one that makes no row for too long is killed."""
    place = config.place(bundle)
    words = [sys.executable, "-P", "-m", "trainer.shards", "work", "--task", str(task)]
    last, since, told = -1.0, time.monotonic(), False
    with subprocess.Popen(words, cwd=bundle) as worker:
        while True:
            try:
                return worker.wait(_LOOK_SECONDS)
            except subprocess.TimeoutExpired:
                pass
            if asked and not told:
                told = True
                worker.terminate()
            now = _progress(config, place, task)
            if now != last:
                last, since = now, time.monotonic()
            elif time.monotonic() - since > config.photo_seconds:
                print(f"No new row for {config.photo_seconds} s: the worker hangs.", file=sys.stderr)
                worker.kill()
                since = time.monotonic()  # one that waits for a drive ends when the drive answers


def _rows(config: ShardsConfig, place: Path, task: int) -> int:
    """Something that grows with the rows of the task."""
    total = 0
    for shard in shards_of(place)[task :: config.tasks]:
        for file in (result_of(place, shard), part_of(place, shard)):
            total += file.stat().st_size if file.is_file() else 0
    return total


def _progress(config: ShardsConfig, place: Path, task: int) -> float:
    """Something that changes with every row and every note."""
    note = read_marker(place, task)
    times = [file.stat().st_mtime for file in (marker_of(place, task),) if file.is_file()]
    part = part_of(place, place / note.shard) if note and note.shard else None
    return sum(times) + (part.stat().st_size if part and part.is_file() else 0)

"""The worker of a task: its shards one after the other, each result a line at a time, from where it stopped.

A worker that dies leaves its note behind. The next one takes the photos that may have been in flight one by one, and a
photo on which two died alone becomes a row with that reason.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TextIO

from gcdesk.config.thresholds import Thresholds
from gcdesk.engine.classification.classifier import Classifier
from gcdesk.engine.classification.opening import open_models
from gcdesk.engine.classification.result_row import fields_of
from gcdesk.engine.classification.results import Item
from gcdesk.engine.errors import GcdeskError
from gcdesk.engine.selection.rules import Rule
from trainer.shards.config import MODELS_FOLDER, ShardsConfig
from trainer.shards.files import (
    Marker,
    TaskState,
    marker_of,
    part_of,
    read_lines,
    read_marker,
    result_of,
    shards_of,
    write_marker,
    write_state,
)

_MOST_CRASHES = 2
_POISONED = (
    "The program ended or hung while it read this photo, more than once: open and save it again elsewhere."
)


def work_on_task(bundle: Path, config: ShardsConfig, task: int) -> int:
    """Work on the shards of `task`. Returns 0, or 1 for one that failed; how it ended is in tasks/<task>.json."""
    place = config.place(bundle)
    try:
        marker = CrashMarker(place, task)
        stop = _stopper(place / f"STOP-{task}")
        mine = [
            shard for shard in shards_of(place)[task :: config.tasks] if not result_of(place, shard).is_file()
        ]
        state = "done"
        if mine:
            classifier = open_classifier(bundle, config)
        for shard in mine:
            if not classify_shard(classifier, place, shard, stop, marker):
                state = "stopped"
                break
        marker.end()
    except (GcdeskError, OSError, ImportError) as error:
        traceback.print_exc()
        marker_of(place, task).unlink(missing_ok=True)
        write_state(place, TaskState(task, "failed", str(error)))
        return 1
    write_state(place, TaskState(task, state))
    return 0


class CrashMarker:
    """The note of this worker, and what the one before left, if it died."""

    def __init__(self, place: Path, task: int) -> None:
        self._place, self._task, self._pid = place, task, os.getpid()
        before = read_marker(place, task)
        self._before = before and replace(before, crash_count=before.crash_count + before.opened)
        write_marker(place, task, replace(self._before or Marker(0), pid=self._pid, opened=False))

    def died_on(self, shard: Path) -> bool:
        """Whether the worker before died on this shard."""
        return self._before is not None and self._before.shard == shard.name

    def crash_count(self, shard: Path, photo: int) -> int:
        """How many workers died on this photo when it was alone in flight."""
        before = self._before
        return before.crash_count if before and (before.shard, before.photo) == (shard.name, photo) else 0

    def enter(self, shard: Path, photo: int = -1) -> None:
        """This worker is on the shard now, or on one photo of it alone."""
        crash_count = self.crash_count(shard, photo) if photo >= 0 else 0
        write_marker(self._place, self._task, Marker(self._pid, shard.name, photo, crash_count, photo >= 0))

    def end(self) -> None:
        """This worker ends as it should: nothing is left to find."""
        marker_of(self._place, self._task).unlink(missing_ok=True)


def open_classifier(bundle: Path, config: ShardsConfig) -> Classifier:
    """Both models of the bundle on the cores that Slurm gave, or on CUDA where torch and a GPU are there."""
    cores = int(os.environ.get("SLURM_CPUS_PER_TASK", config.cpus))
    folder = bundle / MODELS_FOLDER

    def say(sentence: str) -> None:
        print(sentence, file=sys.stderr)

    names = {"image": config.image_model, "text": config.text_model}
    models = open_models(lambda kind: folder / names[kind] if names[kind] else None, notify=say)
    thresholds = Thresholds(config.review_threshold, config.disagreement_margin, config.sure_threshold)
    classifier = models.classifier(Rule(config.rule), thresholds, config.text_weight, cores)
    print(f"Classifying with {models} and {cores} cores", file=sys.stderr)
    return classifier


def classify_shard(
    classifier: Classifier, place: Path, shard: Path, stop: Callable[[], bool], marker: CrashMarker
) -> bool:
    """Bring a shard's result to its end; False when it was told to stop before.

    Whole rows of an earlier start are kept. Their number tells where to go on, because rows come in order.
    """
    part = part_of(place, shard)
    part.parent.mkdir(parents=True, exist_ok=True)
    done = sum(1 for _ in read_lines(part))
    _cut_back(part, done)
    paths: Sequence[str] = list(read_lines(shard))
    parallelism = classifier.parallelism
    alone = done + 1 + parallelism.chunks_ahead * parallelism.image_batch if marker.died_on(shard) else done
    with part.open("a", encoding="utf-8", newline="\n") as stream:
        while done < min(alone, len(paths)) and not stop():
            marker.enter(shard, done)
            item = _item(classifier, paths[done], marker.crash_count(shard, done))
            done += _classify(classifier, [item], stream, stop)
        if done < len(paths) and not stop():
            marker.enter(shard)
            done += _classify(classifier, (Item(Path(path)) for path in paths[done:]), stream, stop)
        os.fsync(stream.fileno())
    if done < len(paths):
        return False
    part.replace(result_of(place, shard))
    return True


def _item(classifier: Classifier, path: str, crash_count: int) -> Item:
    """The photo, not to be opened after so many crashes; its name may still decide, as for any that is unreadable."""
    item = Item(Path(path))
    if crash_count < _MOST_CRASHES:
        return item
    return replace(item, caption=classifier.caption_of(item), error=_POISONED)


def _classify(classifier: Classifier, items: Iterable[Item], stream: TextIO, stop: Callable[[], bool]) -> int:
    """Write a row an item until all are done or it is told to stop; returns how many."""
    cancel = threading.Event()
    count = 0
    for result in classifier.classify(items, cancel):
        seconds = round(result.times.decode + result.times.image + result.times.text, 5)
        stream.write(json.dumps({**fields_of(result), "seconds": seconds}, ensure_ascii=False) + "\n")
        # Handed to the system at once: a worker that dies loses no row that it had finished.
        stream.flush()
        count += 1
        if stop():
            cancel.set()
    return count


def _cut_back(part: Path, lines: int) -> None:
    """Drop a last line that was cut off."""
    if not part.is_file():
        return
    with part.open("rb+") as stream:
        for _ in range(lines):
            stream.readline()
        stream.truncate(stream.tell())


def _stopper(file: Path) -> Callable[[], bool]:
    """Whether the STOP file is there (looked for twice a second), or Slurm asked this process to end."""
    asked: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: asked.append(number))
    last = [0.0, 0.0]

    def stop() -> bool:
        now = time.monotonic()
        if now - last[0] > 0.5:
            last[0], last[1] = now, float(file.exists())
        return bool(asked) or bool(last[1])

    return stop

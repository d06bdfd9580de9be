"""The task `write-corrections`: what operators said, as tables for a text training.

`STORE FOLDER PART...`; a part is `all` or the ids of sessions, `3,7`. Part n is written as `FOLDER/corrections n.csv`,
which may be trained on, and `FOLDER/corrections n held.csv`, which is of the station test set and only measures.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from gcdesk.store import Store
from gcdesk.worker.protocol.task_messages import Done
from gcdesk.worker.tasks.corrections import SplitAssignment, read_corrections
from gcdesk.worker.tasks.runner import ProgressReporter

EVERY = "all"


def learn_file(folder: Path, number: int) -> Path:
    """The table of part `number` (from 1) that may be trained on."""
    return folder / f"corrections {number}.csv"


def held_file(folder: Path, number: int) -> Path:
    """The table of part `number` that only measures."""
    return folder / f"corrections {number} held.csv"


def run(arguments: Sequence[str], reporter: ProgressReporter) -> Done:
    """Write the tables; a part without captions has none."""
    parser = argparse.ArgumentParser(prog="write-corrections")
    parser.add_argument("store", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("parts", nargs="+")
    args = parser.parse_args(list(arguments))
    from trainer.text.data import Caption
    from trainer.text.preview import write_captions

    def step(done: int, total: int) -> None:
        reporter.check()
        reporter.progress(done, total, "Looking at corrected photos")

    with Store(args.store) as store:
        result = read_corrections(store, tell=step)
    args.folder.mkdir(parents=True, exist_ok=True)
    for number, part in enumerate(args.parts, 1):
        wanted = None if part == EVERY else {int(word) for word in part.split(",")}
        chosen = [
            item for item in result if item.caption and (wanted is None or item.judged.session in wanted)
        ]
        for assignment, file in ((SplitAssignment.LEARN, learn_file), (SplitAssignment.HELD_OUT, held_file)):
            rows = [
                Caption(item.caption, item.judged.bin, item.caption)
                for item in chosen
                if item.assignment is assignment
            ]
            path = file(args.folder, number)
            path.unlink(missing_ok=True)
            if rows:
                write_captions(path, rows)
    return Done(str(args.folder), f"{len(result)} corrections")

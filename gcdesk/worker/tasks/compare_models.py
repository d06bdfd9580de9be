"""The task `compare-models`: `FIRST SECOND --data FOLDER|CSV --out FILE.json [--words WORDS]`, two model folders."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from gcdesk.engine.evaluation.labelled_set import read_labelled
from gcdesk.engine.evaluation.model_comparison import compare_models, save_comparison
from gcdesk.worker.protocol.task_messages import Done
from gcdesk.worker.tasks.runner import ProgressReporter


def run(arguments: Sequence[str], reporter: ProgressReporter) -> Done:
    """Run both over the items and write the comparison."""
    parser = argparse.ArgumentParser(prog="compare-models")
    parser.add_argument("first", type=Path)
    parser.add_argument("second", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--words", default="")
    args = parser.parse_args(list(arguments))
    reporter.progress(0, 0, "Reading the items")
    labelled = read_labelled(args.data)

    def step(done: int, total: int) -> None:
        reporter.check()
        reporter.progress(done, total, "Comparing")

    comparison = compare_models(args.first, args.second, labelled, args.words or args.data.name, step)
    save_comparison(comparison, args.out)
    return Done(str(args.out), comparison.verdict)

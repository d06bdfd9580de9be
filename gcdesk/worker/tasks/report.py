"""The task "report": a kept evaluation as one HTML file. Arguments: the set's file, the target, then options.

In a process of its own because it opens photos, which the window never does.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from gcdesk.config.thresholds import TEXT_WEIGHT, Thresholds
from gcdesk.engine.evaluation.analysis import analyse
from gcdesk.engine.evaluation.html_report import write_report
from gcdesk.engine.evaluation.scored_set import read_scored
from gcdesk.engine.selection.fitted_rule import load_fitted
from gcdesk.engine.selection.rules import Rule
from gcdesk.worker.protocol.task_messages import Done
from gcdesk.worker.tasks.runner import ProgressReporter


def run(arguments: Sequence[str], reporter: ProgressReporter) -> Done:
    """`result` is the page's file. Raises GcdeskError and OSError."""
    parser = argparse.ArgumentParser(prog="report")
    parser.add_argument("file", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--rule", choices=[rule.value for rule in Rule])
    parser.add_argument("--weight", type=float, default=TEXT_WEIGHT)
    parser.add_argument("--review", type=float, default=Thresholds().review)
    parser.add_argument("--disagreement", type=float, default=Thresholds().disagreement)
    args = parser.parse_args(list(arguments))
    scored = read_scored(args.file)
    fitted = None
    if scored.image is not None and scored.text is not None:
        fitted = load_fitted(scored.image.sha256, scored.text.sha256)
    limits = Thresholds(args.review, args.disagreement)
    rule = Rule(args.rule) if args.rule else None

    def on_progress(done: int, total: int) -> None:
        reporter.check()
        reporter.progress(done, total, "Adding small pictures…")

    write_report(analyse(scored, rule, limits, args.weight, fitted), args.target, on_progress)
    return Done(result=str(args.target), summary=f"The report is in {args.target.name}.")

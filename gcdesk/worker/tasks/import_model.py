"""The task `import-model`: `SOURCE [--name NAME] [--class-order BINS] [--pooling cls|mean]` into the user's library."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from gcdesk.config.folders import user_folders
from gcdesk.engine.labels import BINS
from gcdesk.engine.library.library import Library, is_course_file
from gcdesk.worker.process.sandbox import confine
from gcdesk.worker.protocol.task_messages import Done
from gcdesk.worker.tasks.runner import ProgressReporter


def run(arguments: Sequence[str], reporter: ProgressReporter) -> Done:
    """Install the model; `result` is its folder. The log says what a course file was recognised as."""
    parser = argparse.ArgumentParser(prog="import-model")
    parser.add_argument("source", type=Path)
    parser.add_argument("--name")
    parser.add_argument("--class-order", type=lambda words: words.split(","))
    parser.add_argument("--pooling")
    args = parser.parse_args(list(arguments))
    # The file is a stranger's: what reads it may write the model and nothing else.
    confine([user_folders().models])
    reporter.progress(0, 0, f"Importing {args.source.name}")
    if is_course_file(args.source):
        _say_recognised(args.source, args.class_order is not None, reporter)
    model = Library().import_model(args.source, args.name, args.class_order, args.pooling)
    return Done(str(model.folder), f"{model.name} is installed.")


def _say_recognised(source: Path, order_given: bool, reporter: ProgressReporter) -> None:
    from gcdesk.engine.course.checkpoint import recognise

    recognition = recognise(source)
    reporter.log(recognition.sentence)
    if recognition.asks_class_order and not recognition.class_names and not order_given:
        reporter.log(
            f"The file does not tell the order of its classes: {', '.join(BINS)} is taken (--class-order)."
        )

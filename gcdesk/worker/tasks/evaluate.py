"""The task "evaluate": both models over a folder or over corrected items; the scored set is kept.

Arguments: a name; then `folder`, its path and perhaps what folders mean that are no bins (`usual`), or `sessions` and
their numbers (none: all). Before them, options `--image-model`, `--text-model`, `--device`, `--threads`, as in the
settings.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from gcdesk.engine.classification.opening import open_models
from gcdesk.engine.errors import EvaluationError
from gcdesk.engine.evaluation.labelled_set import read_labelled
from gcdesk.engine.evaluation.scoring import Measured, measure, of_labelled
from gcdesk.engine.library.library import Library
from gcdesk.engine.photos.bin_folders import parse_names
from gcdesk.store import Store, store_path
from gcdesk.worker.protocol.task_messages import Done
from gcdesk.worker.tasks.corrections import read_corrections
from gcdesk.worker.tasks.kept_evaluations import save_evaluation
from gcdesk.worker.tasks.runner import ProgressReporter

_SESSIONS, _FOLDER = "sessions", "folder"


def run(arguments: Sequence[str], reporter: ProgressReporter) -> Done:
    """Score, keep; `result` is the folder of the kept evaluation. Raises GcdeskError."""
    args = _parser().parse_args(list(arguments))
    items, data, notes = _items(args, reporter)
    library, names = Library(), {"image": args.image_model, "text": args.text_model}
    models = open_models(lambda kind: library.choose(kind, names[kind]), args.device)
    reporter.check()
    total = len(items)

    def on_progress(done: int) -> None:
        reporter.check()
        reporter.progress(done, total, "Asking both models…")

    scored = measure(items, models, args.name, data, args.threads, notes, on_progress)
    kept = save_evaluation(scored)
    return Done(result=str(kept.folder), summary=f"{total:,} items measured.")


def _items(
    asked: argparse.Namespace, reporter: ProgressReporter
) -> tuple[Sequence[Measured], str, Sequence[str]]:
    if asked.what == _FOLDER:
        labelled = read_labelled(Path(asked.which[0]), parse_names(",".join(asked.which[1:])))
        return of_labelled(labelled), "/".join(Path(asked.which[0]).parts[-2:]), labelled.notes

    def on_progress(done: int, total: int) -> None:
        reporter.check()
        reporter.progress(done, total, "Looking for photos of the same thing…")

    with Store(store_path()) as store:
        result = read_corrections(store, [int(item) for item in asked.which] or None, tell=on_progress)
    if not result:
        raise EvaluationError(
            "No item of these sessions has a bin by hand yet: correct or confirm some first."
        )
    words = "all sessions" if not asked.which else f"{len(asked.which)} sessions"
    return [item.measured() for item in result], f"corrected items of {words}", ()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="evaluate")
    parser.add_argument("--image-model")
    parser.add_argument("--text-model")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--threads", type=int)
    parser.add_argument("name")
    parser.add_argument("what", choices=[_FOLDER, _SESSIONS])
    parser.add_argument("which", nargs="*")
    return parser

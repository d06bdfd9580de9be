"""The task `verify-model`: a model's name; its files are checked and it answers the sample photos."""

from __future__ import annotations

from collections.abc import Sequence

from gcdesk.engine.evaluation.model_comparison import samples_right
from gcdesk.engine.library.library import Library
from gcdesk.worker.protocol.task_messages import Done
from gcdesk.worker.tasks.runner import ProgressReporter


def run(arguments: Sequence[str], reporter: ProgressReporter) -> Done:
    """Check one model."""
    (name,) = arguments
    reporter.progress(0, 0, f"Checking {name}")
    library = Library()
    result = library.verify(name)
    reporter.check()
    right, total = samples_right(library.find(name).folder)
    return Done(
        summary=f"{name} is sound: {right} of {total} sample photos right,"
        f" {1000 * result.run_seconds:.0f} ms for one on this computer."
    )

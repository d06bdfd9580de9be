"""The task "fit": fit the selection on a kept evaluation and keep it for its models. Argument: the set's file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gcdesk.engine.evaluation.scored_set import read_scored
from gcdesk.engine.learning.rule_fitting import fit_selection
from gcdesk.engine.selection.fitted_rule import save_fitted
from gcdesk.worker.protocol.task_messages import Done
from gcdesk.worker.tasks.runner import ProgressReporter


def run(arguments: Sequence[str], reporter: ProgressReporter) -> Done:
    """`result` is the selection's file. Raises SelectionError and EvaluationError."""
    scored = read_scored(Path(arguments[0]))
    reporter.progress(0, 1, "Fitting, with cross-validation…")
    fitted = fit_selection(scored)
    checked = fitted.checked
    file = save_fitted(fitted)
    return Done(
        result=str(file),
        summary=(
            f"Fitted on {checked.items} items. On items that it had not seen it is right on {checked.fitted:.1%}:"
            f" image model {checked.image:.1%}, text model {checked.text:.1%}, original rule"
            f" {checked.max_confidence:.1%}, either one right {checked.reachable:.1%}."
        ),
    )

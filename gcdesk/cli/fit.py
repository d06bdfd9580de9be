"""`gcdesk fit`: fit the selection on pairs whose bin is known, and keep it for the models in use."""

from __future__ import annotations

import argparse
from dataclasses import replace

from gcdesk.cli.evaluate import add_data_arguments, score_path
from gcdesk.cli.main import EXIT_FINE
from gcdesk.cli.opening import tell
from gcdesk.config.settings import load_settings, save_settings
from gcdesk.engine.errors import SelectionError
from gcdesk.engine.learning.rule_fitting import fit_selection
from gcdesk.engine.selection.fitted_rule import FittedRule, save_fitted
from gcdesk.engine.selection.rules import Rule

_WAYS = {
    "pool": "both models, weighted",
    "surer": "the surer model, at these temperatures",
    "image": "the image model alone: nothing else proved itself on unseen items",
    "text": "the text model alone: nothing else proved itself on unseen items",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `gcdesk fit`."""
    add_data_arguments(parser)
    parser.add_argument("--use", action="store_true", help="make it the rule in use")


def run(args: argparse.Namespace) -> int:
    """Score, fit, keep, print."""
    settings = load_settings()
    scored, _models = score_path(args, settings)
    fitted = fit_selection(scored)
    file = save_fitted(fitted)
    for line in fitted_lines(fitted):
        print(line)
    tell(f"StoredEvaluation in {file}.")
    if args.use:
        try:
            save_settings(replace(settings, rule=Rule.FITTED.value))
        except OSError as error:
            raise SelectionError(f"The choice cannot be saved in the settings: {error.strerror}.") from error
        tell("It is the rule in use now; `max_confidence` in the settings goes back to the original's.")
    return EXIT_FINE


def fitted_lines(fitted: FittedRule) -> list[str]:
    """What was fitted and what it is worth."""
    checked = fitted.checked
    return [
        f"Way: {_WAYS[fitted.way]}",
        f"Text model's weight {fitted.weight:.2f}; temperatures: image {fitted.image_temperature:.2f},"
        f" text {fitted.text_temperature:.2f}",
        f"Cross-validated on {checked.items} items: fitted {checked.fitted:.1%}, image {checked.image:.1%},"
        f" text {checked.text:.1%}, max_confidence {checked.max_confidence:.1%},"
        f" either one right {checked.reachable:.1%}",
    ]

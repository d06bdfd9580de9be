"""The options that choose models and device, and opening what they name."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field

from gcdesk.config.settings import Settings
from gcdesk.engine.classification.classifier import Classifier
from gcdesk.engine.classification.opening import OpenModels, open_models
from gcdesk.engine.errors import SelectionError
from gcdesk.engine.inference.devices import Device
from gcdesk.engine.library.library import NO_MODEL, Library
from gcdesk.engine.selection.rules import Rule

FORCE = "let the output replace a file that gcdesk did not write (never a photo, a model or an input)"


@dataclass
class Notices:
    """Sentences that the user must read, each shown once, on stderr."""

    told: list[str] = field(default_factory=list)

    def __call__(self, message: str) -> None:
        if message not in self.told:
            self.told.append(message)

    def flush(self) -> Iterator[str]:
        """What has not been shown yet."""
        told, self.told = self.told, []
        yield from told


def classifier_of(models: OpenModels, rule: Rule, settings: Settings) -> Classifier:
    """A classifier with the thresholds, weight and threads of the settings.

    Raises SelectionError where the rule is the fitted one and none was fitted for these models.
    """
    fitted = None
    if rule is Rule.FITTED and models.image is not None and models.text is not None:
        fitted = models.fitted_rule()
        if fitted is None:
            raise SelectionError("No selection was fitted for these models: type gcdesk fit FOLDER first.")
    return models.classifier(rule, settings.thresholds, settings.text_weight, settings.threads, fitted)


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    """`--image-model`, `--text-model` and `--device`."""
    for kind in ("image", "text"):
        parser.add_argument(
            f"--{kind}-model",
            metavar="NAME",
            help=f"a name (gcdesk models list), a folder, or {NO_MODEL!r}; default: the one in use",
        )
    parser.add_argument(
        "--device",
        choices=[device.value for device in Device],
        help="where the models run; auto takes a GPU if there is one (default: see the settings)",
    )


def models_of(args: argparse.Namespace, settings: Settings, notify: Notices) -> OpenModels:
    """Open the models that the arguments name. Raises GcdeskError for one that is missing or damaged."""
    library, names = Library(), {"image": args.image_model, "text": args.text_model}
    return open_models(lambda kind: library.choose(kind, names[kind]), args.device or settings.device, notify)


def tell(line: str) -> None:
    """Write a line to stderr."""
    print(line, file=sys.stderr)

"""The options that choose models and device, and opening what they name."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from gcdesk.config.settings import Settings
from gcdesk.engine.classification.classifier import Classifier
from gcdesk.engine.errors import SelectionError
from gcdesk.engine.inference.backend import ImageBackend, TextBackend
from gcdesk.engine.inference.devices import Device, open_backend
from gcdesk.engine.inference.parallelism import arrangement_for
from gcdesk.engine.library.library import Library
from gcdesk.engine.selection.fitted_rule import load_fitted
from gcdesk.engine.selection.rules import Rule

NO_MODEL = "none"
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


@dataclass(frozen=True)
class Models:
    """The two backends; None where the user asked for none."""

    image: ImageBackend | None
    text: TextBackend | None

    def classifier(self, rule: Rule, settings: Settings) -> Classifier:
        """A classifier of both that keeps to the threads of the settings.

        Raises SelectionError where the rule is the fitted one and none was fitted for these models.
        """
        fitted = None
        if rule is Rule.FITTED and self.image is not None and self.text is not None:
            fitted = load_fitted(self.image.info.weights_sha256, self.text.info.weights_sha256)
            if fitted is None:
                raise SelectionError(
                    "No selection was fitted for these models: type gcdesk fit FOLDER first."
                )
        device = self.image.device if self.image is not None else "cpu"
        way = arrangement_for(device, settings.threads)
        return Classifier(self.image, self.text, rule, settings.thresholds, settings.text_weight, way, fitted)

    def __str__(self) -> str:
        names = [f"{b.info.name} on {b.device}" for b in (self.image, self.text) if b is not None]
        return ", ".join(names)


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


def open_models(args: argparse.Namespace, settings: Settings, notify: Notices) -> Models:
    """Open both models at the same time. Raises GcdeskError for one that is missing or damaged."""
    library = Library()
    device = args.device or settings.device
    image = library.resolve("image", args.image_model) if args.image_model != NO_MODEL else None
    text = library.resolve("text", args.text_model) if args.text_model != NO_MODEL else None
    with ThreadPoolExecutor(2) as pool:
        image_job = image and pool.submit(lambda: open_backend("image", image, device, notify=notify))
        text_job = text and pool.submit(lambda: open_backend("text", text, device, notify=notify))
    return Models(image_job.result() if image_job else None, text_job.result() if text_job else None)


def tell(line: str) -> None:
    """Write a line to stderr."""
    print(line, file=sys.stderr)

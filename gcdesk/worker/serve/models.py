"""The two models and the rule that the worker classifies with; loaded anew when the window says so."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from gcdesk.config.thresholds import Thresholds
from gcdesk.engine.classification.classifier import Classifier
from gcdesk.engine.classification.opening import OpenModels, open_models
from gcdesk.engine.errors import GcdeskError, SelectionError
from gcdesk.engine.explanation.heatmap import ImageHead
from gcdesk.engine.inference.cuda_driver import cuda_driver
from gcdesk.engine.library.library import Library
from gcdesk.engine.modelfile.specs import ImageArchitecture
from gcdesk.engine.selection.fitted_rule import FittedRule
from gcdesk.engine.selection.rules import DEFAULT_RULE, Rule
from gcdesk.worker.protocol.messages import Configure


@dataclass
class Models:
    """A classifier with what the worker needs beside it. Used from several threads."""

    classifier: Classifier
    opened: OpenModels
    _heads: list[ImageHead] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def device(self) -> str:
        """Where the photos are classified, in words."""
        backend = self.classifier.image or self.classifier.text
        if backend is not None and backend.device == "cuda":
            return f"GPU ({', '.join(cuda_driver().devices)})"
        lanes = self.classifier.parallelism.lanes
        return "CPU, 1 thread" if lanes == 1 else f"CPU, {lanes} threads"

    def image_head(self) -> ImageHead:
        """The image model's head, read at its first use. Raises GcdeskError where there is no image model."""
        image = self.opened.image
        if image is None or not isinstance(image.backend.info.architecture, ImageArchitecture):
            raise GcdeskError("There is no image model, so there is no heat-map.")
        with self._lock:
            if not self._heads:
                self._heads.append(ImageHead.load(image.folder, image.backend.info.architecture))
            return self._heads[0]


def load_models(asked: Configure, present: Models | None, notify: Callable[[str], None]) -> Models:
    """The models that are asked for; a backend that is loaded already is taken over.

    A model that cannot be loaded is told to `notify` and left out. Raises GcdeskError where none is left.
    """
    library, names = Library(), {"image": asked.image_model, "text": asked.text_model}
    problems: list[GcdeskError] = []
    opened = open_models(
        lambda kind: library.choose(kind, names[kind]),
        asked.device,
        notify,
        present=present.opened if present is not None else None,
        text_threads=1,  # an edited caption needs one core, and gets it however busy the lanes are
        on_failure=problems.append,
    )
    if opened == OpenModels():
        message = " ".join(map(str, problems))
        raise GcdeskError(message or "There is no model to classify with: choose one.")
    for problem in problems:
        notify(str(problem))
    rule = Rule(asked.rule) if asked.rule in set(Rule) else DEFAULT_RULE
    thresholds = Thresholds(review=asked.review_threshold, disagreement=asked.disagreement_margin)
    fitted = _fitted(opened, notify) if rule is Rule.FITTED else None
    return Models(opened.classifier(rule, thresholds, asked.weight, asked.threads, fitted), opened)


def _fitted(opened: OpenModels, notify: Callable[[str], None]) -> FittedRule | None:
    """The selection that was fitted for these models; without one `notify` is told that the usual one is used."""
    if opened.image is None or opened.text is None:
        return None
    try:
        fitted = opened.fitted_rule()
    except SelectionError as error:
        notify(f"{error} The usual selection is used.")
        return None
    if fitted is None:
        notify("No selection was fitted for these models yet, so the usual one is used.")
    return fitted

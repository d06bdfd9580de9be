"""The two models and the rule that the worker classifies with; loaded anew when the window says so."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from gcdesk.config.thresholds import Thresholds
from gcdesk.engine.classification.classifier import Classifier
from gcdesk.engine.errors import GcdeskError, SelectionError
from gcdesk.engine.explanation.heatmap import ImageHead
from gcdesk.engine.inference.backend import ImageBackend, TextBackend
from gcdesk.engine.inference.cuda_driver import cuda_driver
from gcdesk.engine.inference.devices import open_backend
from gcdesk.engine.inference.parallelism import Arrangement, arrangement_for
from gcdesk.engine.library.library import Library
from gcdesk.engine.modelfile.checkpoint import load_info
from gcdesk.engine.modelfile.specs import ImageArchitecture
from gcdesk.engine.selection.fitted_rule import FittedRule, load_fitted
from gcdesk.engine.selection.rules import DEFAULT_RULE, Rule
from gcdesk.worker.protocol.messages import NO_MODEL, Configure

# Captions whose scores are kept: repeated captions ("same as previous") cost nothing.
_REMEMBERED_CAPTIONS = 5_000
Backend = ImageBackend | TextBackend


@dataclass(frozen=True)
class Source:
    """What a backend was loaded from: the same again needs no loading."""

    folder: Path
    sha256: str
    device: str


@dataclass
class Models:
    """A classifier with what the worker needs beside it. Used from several threads."""

    classifier: Classifier
    arrangement: Arrangement
    sources: dict[str, Source]
    _heads: list[ImageHead] = field(default_factory=list)
    _scores: OrderedDict[str, np.ndarray] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def device(self) -> str:
        """Where the photos are classified, in words."""
        backend: Backend | None = self.classifier.image or self.classifier.text
        if backend is not None and backend.device == "cuda":
            return f"GPU ({', '.join(cuda_driver().devices)})"
        lanes = self.arrangement.lanes
        return "CPU, 1 thread" if lanes == 1 else f"CPU, {lanes} threads"

    @property
    def image_temperature(self) -> float:
        """What divides the image model's logits under the rule."""
        return self.classifier.temperature("image")

    def text_logits(self, captions: Sequence[str]) -> list[np.ndarray | None]:
        """Logits (4,) of captions in rule form; None where the text model abstains."""
        if self.classifier.text is None:
            return [None] * len(captions)
        with self._lock:
            known = {one: self._scores[one] for one in captions if one in self._scores}
        fresh = [one for one in dict.fromkeys(captions) if one and one not in known]
        if fresh:
            scored = dict(zip(fresh, self.classifier.text.run(fresh).logits, strict=True))
            known |= scored
            with self._lock:
                self._scores.update(scored)
                while len(self._scores) > _REMEMBERED_CAPTIONS:
                    self._scores.popitem(last=False)
        return [known.get(one) for one in captions]

    def image_head(self) -> ImageHead:
        """The image model's head, read at its first use. Raises GcdeskError where there is no image model."""
        image = self.classifier.image
        if image is None or not isinstance(image.info.architecture, ImageArchitecture):
            raise GcdeskError("There is no image model, so there is no heat-map.")
        with self._lock:
            if not self._heads:
                self._heads.append(ImageHead.load(self.sources["image"].folder, image.info.architecture))
            return self._heads[0]


def load_models(asked: Configure, present: Models | None, notify: Callable[[str], None]) -> Models:
    """The models that are asked for; a backend that is loaded already is taken over.

    A model that cannot be loaded is told to `notify` and left out. Raises GcdeskError where none is left.
    """
    library = Library()
    wanted: tuple[tuple[Literal["image", "text"], str | None], ...] = (
        ("image", asked.image_model),
        ("text", asked.text_model),
    )
    with ThreadPoolExecutor(2) as pool:
        jobs = [
            pool.submit(_open, library, kind, name, asked, present, notify)
            for kind, name in wanted
            if name != NO_MODEL
        ]
        found: dict[str, tuple[Source, Backend]] = {}
        problems = []
        for job in jobs:
            try:
                kind, source, backend = job.result()
                found[kind] = (source, backend)
            except GcdeskError as error:
                problems.append(str(error))
    if not found:
        raise GcdeskError(" ".join(problems) or "There is no model to classify with: choose one.")
    for problem in problems:
        notify(problem)
    return _arranged(asked, found, notify)


def _arranged(
    asked: Configure, found: dict[str, tuple[Source, Backend]], notify: Callable[[str], None]
) -> Models:
    rule = Rule(asked.rule) if asked.rule in set(Rule) else DEFAULT_RULE
    fitted = _fitted(rule, found, notify)
    thresholds = Thresholds(review=asked.review_threshold, disagreement=asked.disagreement_margin)
    image, text = (found[kind][1] if kind in found else None for kind in ("image", "text"))
    classifier = Classifier(image, text, rule, thresholds, asked.weight, fitted=fitted)  # type: ignore[arg-type]
    cores = asked.threads if classifier.arrangement == arrangement_for("cpu") else None
    arrangement = arrangement_for("cpu", cores) if cores else classifier.arrangement
    return Models(classifier, arrangement, {kind: source for kind, (source, _) in found.items()})


def _fitted(
    rule: Rule, found: dict[str, tuple[Source, Backend]], notify: Callable[[str], None]
) -> FittedRule | None:
    """The selection that was fitted for these models, where the rule asks for it."""
    if rule is not Rule.FITTED or len(found) < 2:
        return None
    try:
        fitted = load_fitted(found["image"][0].sha256, found["text"][0].sha256)
    except SelectionError as error:
        notify(f"{error} The usual selection is used.")
        return None
    if fitted is None:
        notify("No selection was fitted for these models yet, so the usual one is used.")
    return fitted


def _open(
    library: Library,
    kind: Literal["image", "text"],
    name: str | None,
    asked: Configure,
    present: Models | None,
    notify: Callable[[str], None],
) -> tuple[str, Source, Backend]:
    """Load a model, or take over the one that is loaded if it is still the same."""
    folder = library.resolve(kind, name)
    if present is not None and kind in present.sources:
        source = Source(folder, load_info(folder).weights_sha256, asked.device)
        loaded = present.classifier.image if kind == "image" else present.classifier.text
        if loaded is not None and source == present.sources[kind]:
            return kind, source, loaded
    backend: Backend
    if kind == "image":
        backend = open_backend("image", folder, asked.device, None, notify)
    else:
        # An edited caption needs one core, and gets it however busy the lanes are.
        backend = open_backend("text", folder, asked.device, 1, notify)
    return kind, Source(folder, backend.info.weights_sha256, asked.device), backend

"""Run both models over items whose bin is known and keep what they said as a scored set."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gcdesk.engine.classification.opening import OpenModels
from gcdesk.engine.classification.results import Item, Result
from gcdesk.engine.errors import EvaluationError
from gcdesk.engine.evaluation.labelled_set import LabelledSet
from gcdesk.engine.evaluation.scored_set import FOLDER, ScoredItem, ScoredModel, ScoredSet
from gcdesk.engine.inference.backend import ImageBackend, TextBackend
from gcdesk.engine.labels import BINS
from gcdesk.engine.modelfile.training_captions import caption_hash, load_training_captions
from gcdesk.engine.selection.rules import Rule

# A set of so many photos with fewer than one caption in five of them is named by class, not by caption;
# the same thing photographed a few times is not.
_CLASS_NAMES_FROM = 20
_PHOTOS_A_CAPTION = 5


@dataclass(frozen=True)
class Measured:
    """A photo with its caption (None: the file's name) and true bin. held: of the test set.

    source: one of `scored_set.SOURCES`.
    """

    path: Path | None
    caption: str | None
    label: int
    source: str = FOLDER
    held: bool = False
    error: str | None = None


def of_labelled(labelled: LabelledSet) -> tuple[Measured, ...]:
    """The items of a folder or a table."""
    return tuple(Measured(item.path, item.caption, item.label, error=item.error) for item in labelled.items)


def measure(
    items: Sequence[Measured],
    models: OpenModels,
    name: str,
    data: str,
    cores: int | None = None,
    notes: Sequence[str] = (),
    tell: Callable[[int], None] = lambda _done: None,
) -> ScoredSet:
    """Run both models over the items and keep their logits.

    name, data: see `ScoredSet`. cores: how many may work, None for all. tell: how many items are done; may raise to
    stop. Raises EvaluationError for no items, ModelFileError for a damaged model, and whatever the backends raise.
    """
    if not items:
        raise EvaluationError("There is nothing to evaluate.")
    # Any rule will do, as only the logits are kept: this one needs nothing but them.
    classifier = models.classifier(Rule.MAX_CONFIDENCE, cores=cores)
    seen: frozenset[str] = frozenset()
    if models.text is not None:
        seen = load_training_captions(models.text.folder, models.text.backend.info)
    results: list[Result] = []
    stream = classifier.classify(Item(item.path, item.caption, item.error) for item in items)
    try:
        for result in stream:
            results.append(result)
            tell(len(results))
    finally:
        stream.close()  # type: ignore[attr-defined]  # it is a generator: stop what it has in flight
    image, text = classifier.image, classifier.text
    kept = tuple(
        ScoredItem(
            path=str(item.path) if item.path is not None else "",
            caption=result.caption,
            label=item.label,
            source=item.source,
            seen=bool(result.caption) and caption_hash(result.caption) in seen,
            held=item.held,
            doubt=math.nan if result.distance is None else result.distance,
            known_words=round(result.known_words, 3),
            error=result.error or "",
        )
        for item, result in zip(items, results, strict=True)
    )
    messages = list(notes)
    if text is not None and named_by_class([r.caption for r in results if r.path is not None]):
        messages.append(
            "Many photos share a name: these seem to be class names, not captions, so the figures of the text"
            " model and of the rules say nothing here; the image model's count."
        )
    return ScoredSet(
        name=name,
        data=data,
        created=time.time(),
        items=kept,
        image=_model(image),
        text=_model(text),
        image_logits=_logits(results, "image"),
        text_logits=_logits(results, "text"),
        image_there=np.array([result.image is not None for result in results], dtype=bool),
        text_there=np.array([result.text is not None for result in results], dtype=bool),
        notes=tuple(messages),
    )


def named_by_class(captions: Sequence[str]) -> bool:
    """Whether a set's captions are the names of a few classes: on average five photos or more share one."""
    present = [caption for caption in captions if caption]
    return len(present) >= _CLASS_NAMES_FROM and len(present) >= _PHOTOS_A_CAPTION * len(set(present))


def _model(backend: ImageBackend | TextBackend | None) -> ScoredModel | None:
    if backend is None:
        return None
    return ScoredModel(backend.info.name, backend.info.weights_sha256, backend.info.temperature)


def _logits(results: Sequence[Result], kind: str) -> np.ndarray:
    logits = np.zeros((len(results), len(BINS)))
    for index, result in enumerate(results):
        vote = result.image if kind == "image" else result.text
        if vote is not None:
            logits[index] = vote.logits
    return logits

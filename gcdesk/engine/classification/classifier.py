"""Paths and captions in, results out: decode, two models, selection, as a stream in the order of the items.

Memory is bounded for a folder of any size: only a few windows of captions and a few chunks of photos are in
flight. See `parallelism` for how the work is laid over the cores.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np

from gcdesk.config.thresholds import TEXT_WEIGHT, Thresholds
from gcdesk.engine.captions.rules import DEFAULT_CAPTION_RULE, apply_rule, caption_from_path, is_unreadable
from gcdesk.engine.classification.results import Combined, Item, ModelVotes, Result, Times
from gcdesk.engine.classification.scoring import (
    CaptionScorer,
    ImageScore,
    OpenedPhoto,
    TextScore,
    open_photo,
    score_photos,
)
from gcdesk.engine.errors import GcdeskError
from gcdesk.engine.inference.backend import ImageBackend, TextBackend
from gcdesk.engine.inference.parallelism import ParallelismConfig, parallelism_for
from gcdesk.engine.selection.fitted_rule import FittedRule
from gcdesk.engine.selection.input_flags import InputFlags
from gcdesk.engine.selection.rules import DEFAULT_RULE, Rule, select

_TextRun = Future[list[TextScore | None]]


@dataclass(frozen=True)
class _Entry:
    """An item, and where the score of its caption will be: a row of a text run that may still be going on."""

    index: int
    item: Item
    caption: str
    text: _TextRun
    row: int


@dataclass(frozen=True)
class _Chunk:
    entries: list[_Entry]
    photos: Future[list[ImageScore]] | None


class Classifier:
    """Two backends and a rule. Either backend may be None: that model then abstains everywhere.

    `weight` is the text model's share under Rule.WEIGHTED; `fitted` is for Rule.FITTED.
    Raises GcdeskError when there is no model at all.
    One classifier may be used from several threads when its backends may.
    """

    def __init__(
        self,
        image: ImageBackend | None,
        text: TextBackend | None,
        rule: Rule = DEFAULT_RULE,
        thresholds: Thresholds | None = None,
        weight: float = TEXT_WEIGHT,
        parallelism: ParallelismConfig | None = None,
        fitted: FittedRule | None = None,
    ) -> None:
        if image is None and text is None:
            raise GcdeskError(
                "There is no model to classify with: choose an image model, a text model or both."
            )
        self.image = image
        self.text = text
        self.fitted = _own_fit(rule, image, text, fitted)
        # Without its numbers, or with one model alone, the fitted rule is the usual one.
        self.rule = DEFAULT_RULE if rule is Rule.FITTED and self.fitted is None else rule
        self.thresholds = thresholds or Thresholds()
        self.weight = weight
        device = image.device if image is not None else "cpu"
        self.parallelism = parallelism or parallelism_for(device)
        info = text.info if text is not None else None
        self.captions = CaptionScorer(text)
        self.caption_rule = info.caption_rule if info and info.caption_rule else DEFAULT_CAPTION_RULE

    def caption_of(self, item: Item) -> str:
        """The item's caption in the form that the text model reads ("" when there is none)."""
        if item.caption is not None:
            return apply_rule(item.caption, self.caption_rule)
        if item.path is None or item.error is not None:
            return ""
        return caption_from_path(item.path, self.caption_rule)

    def classify(self, items: Iterable[Item], cancel: threading.Event | None = None) -> Iterator[Result]:
        """Yield one Result for each item, in order. Setting `cancel` ends the stream after the runs in
        flight.

        `items` is read lazily, a few windows ahead. A photo that cannot be decoded is a result with its
        reason; an error of a backend itself is raised.
        """
        run = _Run(self, cancel or threading.Event())
        try:
            yield from run.results(iter(items))
        finally:
            run.close()

    def score_photos(self, items: Sequence[Item]) -> list[ImageScore]:
        """Decode and score the photos of items in the calling thread; an item with an error is not opened."""
        preprocessing = self.image.info.preprocessing if self.image is not None else None
        if preprocessing is None:
            return [ImageScore(error=item.error) for item in items]
        photos = [
            OpenedPhoto(error=item.error)
            if item.path is None or item.error is not None
            else open_photo(item.path, preprocessing)
            for item in items
        ]
        return score_photos(self.image, photos)

    def answer(
        self,
        items: Sequence[Item],
        captions: Sequence[str],
        images: Sequence[ImageScore],
        texts: Sequence[TextScore | None],
        first: int = 0,
    ) -> list[Result]:
        """Apply temperatures and the rule to what the models said of items, whose captions are in rule form.

        first: the index of the first result.
        """
        flags = InputFlags.of(
            [image.distance for image in images],
            [text.known_words if text is not None else 1.0 for text in texts],
            [text.unknown if text is not None else () for text in texts],
            [
                self.text is not None and is_unreadable(item.caption or "", self.caption_rule)
                for item in items
            ],
        )
        combined = self._combine(
            [image.logits for image in images],
            [text.logits if text is not None else None for text in texts],
            flags,
        )
        results = []
        for row, (item, caption, image, text) in enumerate(zip(items, captions, images, texts, strict=True)):
            times = Times(image.decode_seconds, image.run_seconds, text.seconds if text is not None else 0.0)
            result = combined.result(row, first + row, item, caption, item.error or image.error, times)
            result = replace(result, distance=image.distance, kinds=image.kinds)
            results.append(_doubted(result, image.damage) if image.damage else result)
        return results

    def _combine(
        self, image: Sequence[np.ndarray | None], text: Sequence[np.ndarray | None], flags: InputFlags
    ) -> Combined:
        scaled = self.rule.uses_temperature
        image_votes, text_votes = (
            ModelVotes.of(logits, self.temperature(kind), flags.temperature_factors(kind) if scaled else None)
            for kind, logits in (("image", image), ("text", text))
        )
        if scaled:
            text_votes = text_votes.without(flags.abstains(image_votes.there))
        weight = self.fitted.weight if self.fitted is not None else self.weight
        chosen = select(
            self.fitted.applied if self.fitted is not None else self.rule,
            image_votes.probabilities,
            text_votes.probabilities,
            image_votes.there,
            text_votes.there,
            self.thresholds,
            weight=flags.text_weights(weight, image_votes.there) if scaled else weight,
        )
        return Combined(image_votes, text_votes, chosen, flags)

    def temperature(self, kind: str) -> float:
        """What divides the logits of the image or the text model under the rule."""
        backend = self.image if kind == "image" else self.text
        if backend is None or not self.rule.uses_temperature:
            return 1.0
        if self.fitted is not None:
            return self.fitted.image_temperature if kind == "image" else self.fitted.text_temperature
        return backend.info.temperature


def _doubted(result: Result, damage: str) -> Result:
    """A result whose photo is damaged in its file, and could be read nevertheless: a person looks at it."""
    return replace(result, review=True, reason=f"{result.reason}. {damage}")


def _own_fit(
    rule: Rule, image: ImageBackend | None, text: TextBackend | None, fitted: FittedRule | None
) -> FittedRule | None:
    """The fitted selection where the rule asks for it. Raises SelectionError for one of other models."""
    if rule is not Rule.FITTED or fitted is None or image is None or text is None:
        return None
    fitted.check_models(image.info.weights_sha256, text.info.weights_sha256)
    return fitted


class _Run:
    """One pass over the items: the windows and chunks in flight."""

    def __init__(self, classifier: Classifier, cancel: threading.Event) -> None:
        self.classifier = classifier
        self.parallelism = classifier.parallelism
        self.cancel = cancel
        self.pool = ThreadPoolExecutor(self.parallelism.lanes, thread_name_prefix="lane")

    def close(self) -> None:
        self.pool.shutdown(wait=True, cancel_futures=True)

    def results(self, items: Iterator[Item]) -> Iterator[Result]:
        in_flight: deque[_Chunk] = deque()
        for chunk in self._chunks(items):
            in_flight.append(chunk)
            if len(in_flight) >= self.parallelism.chunks_ahead:
                if self.cancel.is_set():
                    return
                yield from self._finish(in_flight.popleft())
        while in_flight:
            if self.cancel.is_set():
                return
            yield from self._finish(in_flight.popleft())

    def _chunks(self, items: Iterator[Item]) -> Iterator[_Chunk]:
        """Start the work of the items, chunk by chunk; the text of the next windows is started ahead of
        them.
        """
        images = self.classifier.image is not None
        windows = self._windows(items)
        # With captions alone a window is all the work there is, so each lane gets one; beside photos one
        # is enough.
        ahead = 1 if images else self.parallelism.lanes
        ready: deque[list[_Entry]] = deque(islice(windows, 1))
        while ready and not self.cancel.is_set():
            ready.extend(islice(windows, ahead + 1 - len(ready)))
            entries = ready.popleft()
            size = self.parallelism.image_batch if images else len(entries)
            for start in range(0, len(entries), size):
                yield self._start_photos(entries[start : start + size])

    def _windows(self, items: Iterator[Item]) -> Iterator[list[_Entry]]:
        index = 0
        size = self.parallelism.first_window
        while window := list(islice(items, size)):
            captions = [self.classifier.caption_of(item) for item in window]
            run = self.pool.submit(self.classifier.captions.score, captions)
            yield [
                _Entry(index + row, item, caption, run, row)
                for row, (item, caption) in enumerate(zip(window, captions, strict=True))
            ]
            index += len(window)
            size = min(4 * size, self.parallelism.caption_window)

    def _start_photos(self, entries: list[_Entry]) -> _Chunk:
        items = [entry.item for entry in entries]
        if self.classifier.image is None or all(
            item.path is None or item.error is not None for item in items
        ):
            return _Chunk(entries, None)
        return _Chunk(entries, self.pool.submit(self.classifier.score_photos, items))

    def _finish(self, chunk: _Chunk) -> list[Result]:
        entries = chunk.entries
        images = chunk.photos.result() if chunk.photos is not None else [ImageScore()] * len(entries)
        texts = [entry.text.result()[entry.row] for entry in entries]
        items, captions = [entry.item for entry in entries], [entry.caption for entry in entries]
        return self.classifier.answer(items, captions, images, texts, entries[0].index)

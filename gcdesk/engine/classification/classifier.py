"""Paths and captions in, results out: decode, two models, selection, as a stream in the order of the items.

Memory is bounded for a folder of any size: only a few windows of captions and a few chunks of photos are in
flight. See `arrangement` for how the work is laid over the cores.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice

import numpy as np

from gcdesk.config.thresholds import TEXT_WEIGHT, Thresholds
from gcdesk.engine.captions.rules import CaptionRule, apply_rule, caption_from_path
from gcdesk.engine.classification.results import Combined, Item, Result, Times, Vote, Votes
from gcdesk.engine.errors import GcdeskError, PhotoError
from gcdesk.engine.inference.backend import ImageBackend, TextBackend
from gcdesk.engine.inference.parallelism import Arrangement, arrangement_for
from gcdesk.engine.photos.preprocessing import decode_photo, preprocess
from gcdesk.engine.selection.doubt import Doubts
from gcdesk.engine.selection.fitted_rule import FittedRule
from gcdesk.engine.selection.rules import DEFAULT_RULE, Rule, select

__all__ = ["Classifier", "Item", "Result", "Times", "Vote"]

# Captions whose scores are kept while a batch runs, so that repeated captions are scored once.
_REMEMBERED_CAPTIONS = 20_000


@dataclass
class _Photos:
    """Logits (n, 4) of the photos of a chunk that could be read, by place in the chunk; the others'
    errors.
    """

    logits: dict[int, np.ndarray] = field(default_factory=dict)
    errors: dict[int, str] = field(default_factory=dict)
    doubts: dict[int, float] = field(default_factory=dict)
    decode_seconds: dict[int, float] = field(default_factory=dict)
    run_seconds: float = 0.0


@dataclass(frozen=True)
class _Captions:
    """Logits (n, 4) of the captions of a window, which of them have no known word (n,), and the seconds that
    each took on average.
    """

    logits: np.ndarray
    unknown: np.ndarray
    seconds_each: float


@dataclass(frozen=True)
class _Score:
    """Where the score of a caption will be: a row of a text run that may still be going on."""

    run: Future[_Captions]
    row: int


@dataclass(frozen=True)
class _Entry:
    index: int
    item: Item
    caption: str
    score: _Score | None


@dataclass(frozen=True)
class _Chunk:
    entries: list[_Entry]
    photos: Future[_Photos] | None


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
        arrangement: Arrangement | None = None,
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
        self.arrangement = arrangement or arrangement_for(device)
        info = text.info if text is not None else None
        self.caption_rule = info.caption_rule if info and info.caption_rule else CaptionRule.COURSE_V1

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

    def run_photos(self, items: list[Item]) -> _Photos:
        """Decode and score the photos of a chunk in the calling thread."""
        out = _Photos()
        if self.image is None or self.image.info.preprocessing is None:
            return out
        preprocessing = self.image.info.preprocessing
        pixels: list[np.ndarray] = []
        places: list[int] = []
        for place, item in enumerate(items):
            if item.path is None:
                continue
            started = time.perf_counter()
            try:
                pixels.append(preprocess(decode_photo(item.path, preprocessing.resize_to), preprocessing))
                places.append(place)
            except PhotoError as error:
                out.errors[place] = str(error)
            out.decode_seconds[place] = time.perf_counter() - started
        if pixels:
            started = time.perf_counter()
            logits, doubts = self.run_pixels(np.stack(pixels))
            out.doubts = dict(zip(places, doubts.tolist(), strict=False))
            out.run_seconds = (time.perf_counter() - started) / len(places)
            out.logits = dict(zip(places, logits, strict=True))
        return out

    def run_captions(self, captions: list[str]) -> _Captions:
        """Score captions (in rule form, none empty) in the calling thread."""
        assert self.text is not None  # noqa: S101 - only asked when there is a text model
        started = time.perf_counter()
        logits = self.text.run(captions).logits
        return _Captions(logits, self.text.unknown(captions), (time.perf_counter() - started) / len(captions))

    def run_pixels(self, pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Logits (n, 4) of preprocessed photos (n, 3, h, w), and how unlike the training photos each is (n,).

        The second has no rows where the model cannot tell (see `novelty`).
        """
        assert self.image is not None  # noqa: S101 - only asked when there is an image model
        if self.image.novelty is None:
            logits = self.image.run(pixels, ("logits",)).logits
            return logits, np.zeros(0)
        out = self.image.run(pixels, ("logits", "features"))
        return out.logits, self.image.novelty.distances(out.features)

    def combine(
        self,
        image: dict[int, np.ndarray],
        text: dict[int, np.ndarray],
        n: int,
        doubts: Doubts | None = None,
    ) -> Combined:
        """Apply temperatures and the rule to the logits of `n` items, given by place where there are any."""
        doubts = doubts if doubts is not None else Doubts.none(n)
        stretched = self.rule.uses_temperature
        image_votes, text_votes = (
            Votes.of(logits, n, self.temperature(kind), doubts.stretches(kind) if stretched else None)
            for kind, logits in (("image", image), ("text", text))
        )
        weight = self.fitted.weight if self.fitted is not None else self.weight
        chosen = select(
            self.fitted.applied if self.fitted is not None else self.rule,
            image_votes.probabilities,
            text_votes.probabilities,
            image_votes.there,
            text_votes.there,
            self.thresholds,
            weight=doubts.shares(weight, image_votes.there) if stretched else weight,
        )
        return Combined(image_votes, text_votes, chosen, doubts)

    def temperature(self, kind: str) -> float:
        """What divides the logits of the image or the text model under the rule."""
        backend = self.image if kind == "image" else self.text
        if backend is None or not self.rule.uses_temperature:
            return 1.0
        if self.fitted is not None:
            return self.fitted.image_temperature if kind == "image" else self.fitted.text_temperature
        return backend.info.temperature


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
        self.arrangement = classifier.arrangement
        self.cancel = cancel
        self.pool = ThreadPoolExecutor(self.arrangement.lanes, thread_name_prefix="lane")
        self.scores: OrderedDict[str, _Score] = OrderedDict()

    def close(self) -> None:
        self.pool.shutdown(wait=True, cancel_futures=True)

    def results(self, items: Iterator[Item]) -> Iterator[Result]:
        in_flight: deque[_Chunk] = deque()
        for chunk in self._chunks(items):
            in_flight.append(chunk)
            if len(in_flight) >= self.arrangement.chunks_ahead:
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
        ahead = 1 if images else self.arrangement.lanes
        ready: deque[list[_Entry]] = deque(islice(windows, 1))
        while ready and not self.cancel.is_set():
            ready.extend(islice(windows, ahead + 1 - len(ready)))
            entries = ready.popleft()
            size = self.arrangement.image_batch if images else len(entries)
            for start in range(0, len(entries), size):
                yield self._start_photos(entries[start : start + size])

    def _windows(self, items: Iterator[Item]) -> Iterator[list[_Entry]]:
        index = 0
        size = self.arrangement.first_window
        while window := list(islice(items, size)):
            captions = [self.classifier.caption_of(item) for item in window]
            scores = self._start_captions(captions)
            yield [
                _Entry(index + place, item, caption, score)
                for place, (item, caption, score) in enumerate(zip(window, captions, scores, strict=True))
            ]
            index += len(window)
            size = min(4 * size, self.arrangement.caption_window)

    def _start_captions(self, captions: list[str]) -> list[_Score | None]:
        """Start one text run over the captions that have no score yet; return where each will find its
        own.
        """
        if self.classifier.text is None:
            return [None] * len(captions)
        fresh = [caption for caption in dict.fromkeys(captions) if caption and caption not in self.scores]
        if fresh:
            run = self.pool.submit(self.classifier.run_captions, fresh)
            self.scores.update((caption, _Score(run, row)) for row, caption in enumerate(fresh))
        found = [self.scores.get(caption) for caption in captions]
        while len(self.scores) > _REMEMBERED_CAPTIONS:
            self.scores.popitem(last=False)
        return found

    def _start_photos(self, entries: list[_Entry]) -> _Chunk:
        items = [entry.item for entry in entries]
        to_open = [Item() if item.error is not None else item for item in items]
        if self.classifier.image is None or all(item.path is None for item in to_open):
            return _Chunk(entries, None)
        return _Chunk(entries, self.pool.submit(self.classifier.run_photos, to_open))

    def _finish(self, chunk: _Chunk) -> Iterator[Result]:
        photos = chunk.photos.result() if chunk.photos else _Photos()
        texts = {
            place: (entry.score.run.result(), entry.score.row)
            for place, entry in enumerate(chunk.entries)
            if entry.score is not None
        }
        text_logits = {place: run.logits[row] for place, (run, row) in texts.items()}
        doubts = Doubts.none(len(chunk.entries))
        doubts.novel[[place for place, doubt in photos.doubts.items() if doubt > 1]] = True
        doubts.wordless[[place for place, (run, row) in texts.items() if run.unknown[row]]] = True
        combined = self.classifier.combine(photos.logits, text_logits, len(chunk.entries), doubts)
        for place, entry in enumerate(chunk.entries):
            times = Times(
                decode=photos.decode_seconds.get(place, 0.0),
                image=photos.run_seconds if place in photos.logits else 0.0,
                text=texts[place][0].seconds_each if place in texts else 0.0,
            )
            error = entry.item.error or photos.errors.get(place)
            yield combined.result(
                place, entry.index, entry.item, entry.caption, error, times, photos.doubts.get(place)
            )

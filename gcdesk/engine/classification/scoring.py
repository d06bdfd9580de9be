"""What each model says of photos and captions, before any rule: the one way for window, command line and cluster."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gcdesk.engine.errors import PhotoError
from gcdesk.engine.inference.backend import ImageBackend, TextBackend
from gcdesk.engine.modelfile.item_kinds import Guess
from gcdesk.engine.photos.decoding import decode_photo
from gcdesk.engine.photos.jpeg import DAMAGE
from gcdesk.engine.photos.preprocessing import Preprocessing, preprocess

# Captions whose scores are kept, so that a repeated one ("same as previous") costs nothing.
_CACHED_CAPTIONS = 10_000
# Of a photo its likeliest kinds of things, this many.
KINDS_TOLD = 5


@dataclass(frozen=True)
class OpenedPhoto:
    """A decoded photo: pixels (3, h, w) float32 as the image model takes them, or the error in words. damage: what is
    wrong with a photo that can be read nevertheless.
    """

    pixels: np.ndarray | None = None
    error: str | None = None
    seconds: float = 0.0
    damage: str = ""


@dataclass(frozen=True, slots=True)
class ImageScore:
    """What the image model said of one photo.

    logits: (4,), None for a photo that was not scored; error: why it could not be read. distance: how unlike the
    training photos it is (`modelfile.novelty`; more than 1 is out of distribution), None where the model cannot tell.
    kinds: the likeliest kinds of things, the likeliest first, none where the model cannot tell. damage: as of the
    opened photo.
    """

    logits: np.ndarray | None = None
    error: str | None = None
    distance: float | None = None
    decode_seconds: float = 0.0
    run_seconds: float = 0.0
    kinds: tuple[Guess, ...] = ()
    damage: str = ""


@dataclass(frozen=True, slots=True)
class TextScore:
    """What the text model said of one caption: logits (4,), the share of its words that it knows, and the others."""

    logits: np.ndarray
    known_words: float
    unknown: tuple[str, ...]
    seconds: float


def open_photo(path: Path, preprocessing: Preprocessing) -> OpenedPhoto:
    """Decode and preprocess a photo. One that cannot be read is returned with its error."""
    started = time.perf_counter()
    pixels = error = None
    damage = ""
    try:
        image = decode_photo(path, preprocessing.resize_to)
        pixels, damage = preprocess(image, preprocessing), image.info.get(DAMAGE, "")
    except PhotoError as problem:
        error = str(problem)
    return OpenedPhoto(pixels, error, time.perf_counter() - started, damage)


def score_photos(image: ImageBackend | None, photos: Sequence[OpenedPhoto]) -> list[ImageScore]:
    """Score the photos that have pixels in one run of the image model (None: no run); one score for each photo."""
    stacked = [photo.pixels for photo in photos if photo.pixels is not None]
    if image is None or not stacked:
        return [ImageScore(error=photo.error, decode_seconds=photo.seconds) for photo in photos]
    started = time.perf_counter()
    wanted = ("logits",) if image.novelty is None and image.kinds is None else ("logits", "features")
    output = image.run(np.stack(stacked), wanted)
    distances: list[float | None] = [None] * len(stacked)
    if image.novelty is not None:
        distances = image.novelty.distances(output.features).tolist()
    kinds: list[tuple[Guess, ...]] = [()] * len(stacked)
    if image.kinds is not None:
        kinds = image.kinds.guesses(output.features, KINDS_TOLD)
    seconds = (time.perf_counter() - started) / len(stacked)
    scores = []
    rows = iter(range(len(stacked)))
    for photo in photos:
        if photo.pixels is None:
            scores.append(ImageScore(error=photo.error, decode_seconds=photo.seconds))
        else:
            row = next(rows)
            scores.append(
                ImageScore(
                    output.logits[row], None, distances[row], photo.seconds, seconds, kinds[row], photo.damage
                )
            )
    return scores


class CaptionScorer:
    """Runs the text model on captions, on each of the latest few thousand once. Used from several threads."""

    def __init__(self, text: TextBackend | None) -> None:
        self._text = text
        self._scores: OrderedDict[str, Future[TextScore]] = OrderedDict()
        self._lock = threading.Lock()

    def score(self, captions: Sequence[str]) -> list[TextScore | None]:
        """Scores of captions in rule form; None for "" and where there is no text model.

        Raises whatever the backend raises.
        """
        if self._text is None:
            return [None] * len(captions)
        with self._lock:
            fresh: dict[str, Future[TextScore]] = {
                caption: Future()
                for caption in dict.fromkeys(captions)
                if caption and caption not in self._scores
            }
            self._scores.update(fresh)
            results = [self._scores.get(caption) for caption in captions]
            while len(self._scores) > _CACHED_CAPTIONS:
                self._scores.popitem(last=False)
        if fresh:
            self._run(self._text, fresh)
        # What another thread is scoring at this moment is waited for here.
        return [score.result() if score is not None else None for score in results]

    def _run(self, text: TextBackend, fresh: dict[str, Future[TextScore]]) -> None:
        captions = list(fresh)
        started = time.perf_counter()
        try:
            logits, knowledge = text.run(captions).logits, text.knowledge(captions)
        except BaseException as error:
            with self._lock:
                for caption, future in fresh.items():
                    self._scores.pop(caption, None)
                    future.set_exception(error)
            raise
        seconds = (time.perf_counter() - started) / len(captions)
        for row, future in enumerate(fresh.values()):
            share, unknown = float(knowledge.shares[row]), knowledge.unknown[row]
            future.set_result(TextScore(logits[row], share, unknown, seconds))

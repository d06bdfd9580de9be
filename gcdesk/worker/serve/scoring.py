"""Answers for the window: from decoded photos and captions through both models and the rule."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from gcdesk.engine.classification import results
from gcdesk.engine.classification.classifier import Classifier
from gcdesk.engine.errors import GcdeskError, PhotoError
from gcdesk.engine.explanation.heatmap import grad_cam, over_photo
from gcdesk.engine.explanation.word_influence import word_influence
from gcdesk.engine.labels import bin_index
from gcdesk.engine.photos.preprocessing import preprocess
from gcdesk.engine.selection.doubt import Doubts
from gcdesk.worker.protocol.codec import HeatMap, Item, Rescore, Result, Vote, Words, WordsReady
from gcdesk.worker.protocol.messages import Priority
from gcdesk.worker.serve.models import Models
from gcdesk.worker.serve.picture_cache import Photo, Pictures, used_again, write_picture

# Times that an item was scored: its image logits are kept for edited captions, 35 bytes each. Of an older one the
# window says the probabilities, which give the same answer as long as the rule and its temperature are what they
# were; that it was unlike the training photos is forgotten.
_REMEMBERED_ITEMS = 50_000
# What a photo is decoded for where there is no image model: a thumbnail.
_THUMBNAIL_TARGET = 80
_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Known:
    """What the image model said of an item: logits (4,), or what is wrong with the photo; and which model.

    doubt: how unlike the training photos it is, 0 where that is not known.
    """

    logits: np.ndarray | None
    error: str | None
    model: str | None
    doubt: float = 0.0


_NOBODY = -1
_RECORD = np.dtype([("item", "i8"), ("logits", "f4", 4), ("doubt", "f8"), ("scored", "?"), ("model", "i2")])


class Memory:
    """What is known of the items that were classified lately, in a ring: the oldest makes room for the newest.

    One block of memory, because 50,000 objects with an array each are 25 MB. Used from several threads.
    """

    def __init__(self) -> None:
        self._ring = np.zeros(_REMEMBERED_ITEMS, _RECORD)
        self._ring["item"] = _NOBODY
        self._next = 0
        self._errors: dict[int, str] = {}  # by item: few have any
        self._models: list[str | None] = []
        self._lock = threading.Lock()

    def keep(self, item: int, known: Known) -> None:
        with self._lock:
            before = self._place(item)
            if before is not None:
                self._ring["item"][before] = _NOBODY
            place = self._next
            self._next = (place + 1) % len(self._ring)
            self._errors.pop(int(self._ring["item"][place]), None)
            if known.model not in self._models:
                self._models.append(known.model)
            scored = known.logits is not None
            logits = known.logits if scored else np.zeros(4)
            self._ring[place] = (item, logits, known.doubt, scored, self._models.index(known.model))
            self._errors.pop(item, None)
            if known.error is not None:
                self._errors[item] = known.error

    def recall(self, item: int, model: str | None) -> Known | None:
        """What this image model said of the item, None where that is not known."""
        with self._lock:
            place = self._place(item)
            if place is None or self._models[self._ring["model"][place]] != model:
                return None
            record = self._ring[place]
            logits = record["logits"].copy() if record["scored"] else None
            return Known(logits, self._errors.get(item), model, float(record["doubt"]))

    def _place(self, item: int) -> int | None:
        found = np.flatnonzero(self._ring["item"] == item)
        return int(found[0]) if len(found) else None


@dataclass
class _Opened:
    photo: Photo | None = None
    error: str | None = None
    thumbnail: str = ""
    pixels: np.ndarray | None = None
    seconds: float = 0.0


def score_items(models: Models, pictures: Pictures, memory: Memory, items: Sequence[Item]) -> list[Result]:
    """Decode, score and answer a few photos in the calling thread; one that cannot be read gets its reason."""
    classifier = models.classifier
    opened = [_open(models, pictures, item) for item in items]
    started = time.perf_counter()
    logits: dict[int, np.ndarray] = {}
    doubts: dict[int, float] = {}
    places = [place for place, one in enumerate(opened) if one.pixels is not None]
    if places and classifier.image is not None:
        pixels = np.stack([one.pixels for one in opened if one.pixels is not None])
        found, distances = classifier.run_pixels(pixels)
        logits = dict(zip(places, found, strict=True))
        doubts = dict(zip(places, distances.tolist(), strict=False))
    captions = [classifier.caption_of(results.Item(Path(item.path), item.caption)) for item in items]
    answers = _answers(models, items, captions, logits, [one.error for one in opened], doubts)
    shared = (time.perf_counter() - started) / len(items)
    model = _image_model(classifier)
    done = []
    for place, (answer, one) in enumerate(zip(answers, opened, strict=True)):
        memory.keep(answer.id, Known(logits.get(place), one.error, model, doubts.get(place, 0.0)))
        photo = one.photo
        done.append(
            replace(
                answer,
                thumbnail=one.thumbnail or None,
                width=photo.width if photo else 0,
                height=photo.height if photo else 0,
                seconds=round(one.seconds + shared, 4),
            )
        )
    return done


def _open(models: Models, pictures: Pictures, item: Item) -> _Opened:
    """Decode a photo once for its thumbnail and for the model."""
    started = time.perf_counter()
    image = models.classifier.image
    preprocessing = image.info.preprocessing if image is not None else None
    opened = _Opened()
    try:
        photo = pictures.open(item.path, preprocessing.resize_to if preprocessing else _THUMBNAIL_TARGET)
        opened.photo = photo
        opened.thumbnail = pictures.thumbnail(photo)
        if preprocessing is not None:
            opened.pixels = preprocess(photo.image, preprocessing)
    except PhotoError as error:
        opened.error = str(error)
    opened.seconds = time.perf_counter() - started
    return opened


def rescore(models: Models, memory: Memory, asked: Rescore) -> Result:
    """The answer for a caption that was edited, beside what the image model said before."""
    started = time.perf_counter()
    known = memory.recall(asked.id, _image_model(models.classifier))
    logits = known.logits if known is not None else None
    error = asked.error if asked.error is not None else known.error if known is not None else None
    if models.classifier.image is not None and logits is None:
        if asked.image_logits is not None:
            logits = np.array(asked.image_logits)
        elif asked.image_probabilities is not None:
            # Logits but for a constant that give these probabilities, which were rounded, at the rule's temperature.
            floor = 0.5 * 10.0**-_DIGITS
            logits = models.image_temperature * np.log(np.maximum(asked.image_probabilities, floor))
    caption = models.classifier.caption_of(results.Item(None, asked.caption))
    item = Item(asked.id, asked.ticket, "", asked.caption, Priority.EDITED)
    doubt = {0: known.doubt} if known is not None else {}
    (answer,) = _answers(models, [item], [caption], {} if logits is None else {0: logits}, [error], doubt)
    return replace(answer, seconds=round(time.perf_counter() - started, 4))


def draw_heatmap(models: Models, pictures: Pictures, asked: HeatMap) -> str:
    """The file of a heat-map. Raises GcdeskError with what stands in its way, and OSError."""
    label = bin_index(asked.label)
    head = models.image_head()
    image = models.classifier.image
    assert image is not None  # noqa: S101 - image_head has seen it
    preprocessing = image.info.preprocessing
    assert preprocessing is not None  # noqa: S101 - every image model says how its photos are prepared
    file = pictures.heatmap(asked.path, image.info.weights_sha256[:12], asked.label)
    if used_again(file):
        return str(file)
    photo = pictures.open(asked.path, preprocessing.resize_to)
    out = image.run(preprocess(photo.image, preprocessing)[None], ("feature_map",))
    heat = grad_cam(head, out.feature_map[0], label)
    write_picture(over_photo(heat, (photo.width, photo.height), preprocessing), file, format="PNG")
    pictures.note(file)
    return str(file)


def explain_words(models: Models, asked: Words) -> WordsReady:
    """What each word of the caption does. Raises GcdeskError where there is no text model."""
    text = models.classifier.text
    if text is None:
        raise GcdeskError("There is no text model, so no word counts.")
    caption = models.classifier.caption_of(results.Item(None, asked.caption))

    def logits_of(captions: Sequence[str]) -> np.ndarray:
        return np.stack([one for one in models.text_logits(captions) if one is not None])

    found = word_influence(caption, bin_index(asked.label), logits_of, models.classifier.temperature("text"))
    return WordsReady(asked.id, asked.ticket, found.words, found.values)


def _answers(
    models: Models,
    items: Sequence[Item],
    captions: Sequence[str],
    image: dict[int, np.ndarray],
    errors: Sequence[str | None],
    distances: dict[int, float],
) -> list[Result]:
    """Both models' logits and the rule, as the protocol says it."""
    scored = models.text_logits(captions)
    text = {place: logits for place, logits in enumerate(scored) if logits is not None}
    doubts = Doubts.none(len(items))
    doubts.novel[[place for place, distance in distances.items() if distance > 1]] = True
    if models.classifier.text is not None:
        doubts.wordless[:] = models.classifier.text.unknown(captions)
    combined = models.classifier.combine(image, text, len(items), doubts)
    made = []
    for place, item in enumerate(items):
        shown = results.Item(Path(item.path) if item.path else None, item.caption)
        said = combined.result(place, place, shown, captions[place], errors[place], results.Times())
        made.append(
            Result(
                id=item.id,
                ticket=item.ticket,
                image=_vote(said.image),
                text=_vote(said.text),
                label=said.label,
                winner=said.winner,
                confidence=round(said.confidence, _DIGITS),
                margin=round(said.margin, _DIGITS),
                review=said.review,
                reason=said.reason,
                error=said.error,
            )
        )
    return made


def _vote(vote: results.Vote | None) -> Vote | None:
    if vote is None:
        return None
    return Vote(
        tuple(round(value, _DIGITS) for value in vote.probabilities),
        vote.label,
        round(vote.confidence, _DIGITS),
        tuple(round(value, _DIGITS) for value in vote.logits),
    )


def _image_model(classifier: Classifier) -> str | None:
    return classifier.image.info.weights_sha256 if classifier.image is not None else None

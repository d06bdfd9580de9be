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
from gcdesk.engine.classification.scoring import ImageScore, OpenedPhoto, score_photos
from gcdesk.engine.errors import GcdeskError, PhotoError
from gcdesk.engine.explanation.heatmap import grad_cam, over_photo
from gcdesk.engine.explanation.word_influence import word_influence
from gcdesk.engine.labels import bin_index
from gcdesk.engine.photos.jpeg import DAMAGE
from gcdesk.engine.photos.preprocessing import preprocess
from gcdesk.worker.protocol.messages import HeatMap, Item, Priority, Rescore, Result, Vote, Words, WordsReady
from gcdesk.worker.serve.models import Models
from gcdesk.worker.serve.picture_cache import Photo, Pictures, used_again, write_picture

# Times that an item was scored: its image logits are kept for edited captions, 35 bytes each. Of an older one the
# window says the probabilities, which give the same answer as long as the rule and its temperature are what they
# were; that it was unlike the training photos is forgotten.
_REMEMBERED_ITEMS = 50_000
# What a photo is decoded for where there is no image model: a thumbnail.
_THUMBNAIL_TARGET = 80
_DIGITS = 6


_NOBODY = -1
_RECORD = np.dtype(
    [("item", "i8"), ("logits", "f4", 4), ("distance", "f8"), ("scored", "?"), ("model", "i2")]
)


class ImageScoreCache:
    """What the image model said of the items that were classified lately: a ring, the oldest makes room for the newest.

    One block of memory, because 50,000 objects with an array each are 25 MB. Used from several threads.
    """

    def __init__(self) -> None:
        self._ring = np.zeros(_REMEMBERED_ITEMS, _RECORD)
        self._ring["item"] = _NOBODY
        self._next = 0
        self._errors: dict[int, str] = {}  # by item: few have any
        self._damages: dict[int, str] = {}
        self._models: list[str | None] = []
        self._lock = threading.Lock()

    def put(self, item: int, model: str | None, score: ImageScore) -> None:
        """Keep an item's score by the model of these weights (SHA-256)."""
        with self._lock:
            before = self._index(item)
            if before is not None:
                self._ring["item"][before] = _NOBODY
            index = self._next
            self._next = (index + 1) % len(self._ring)
            for texts in (self._errors, self._damages):
                texts.pop(int(self._ring["item"][index]), None)
                texts.pop(item, None)
            if model not in self._models:
                self._models.append(model)
            scored = score.logits is not None
            logits = score.logits if scored else np.zeros(4)
            distance = np.nan if score.distance is None else score.distance
            self._ring[index] = (item, logits, distance, scored, self._models.index(model))
            if score.error is not None:
                self._errors[item] = score.error
            if score.damage:
                self._damages[item] = score.damage

    def get(self, item: int, model: str | None) -> ImageScore | None:
        """What the model of these weights said of the item, None where that is not known."""
        with self._lock:
            index = self._index(item)
            if index is None or self._models[self._ring["model"][index]] != model:
                return None
            record = self._ring[index]
            logits = record["logits"].copy() if record["scored"] else None
            distance = None if np.isnan(record["distance"]) else float(record["distance"])
            damage = self._damages.get(item, "")
            return ImageScore(logits, self._errors.get(item), distance, damage=damage)

    def _index(self, item: int) -> int | None:
        result = np.flatnonzero(self._ring["item"] == item)
        return int(result[0]) if len(result) else None


@dataclass(frozen=True)
class _Opened:
    """photo and thumbnail: None and "" where it cannot be read; scored: as the image model takes it."""

    photo: Photo | None
    thumbnail: str
    scored: OpenedPhoto


def score_items(
    models: Models, pictures: Pictures, cache: ImageScoreCache, items: Sequence[Item]
) -> list[Result]:
    """Decode, score and answer a few photos in the calling thread; one that cannot be read gets its reason."""
    classifier = models.classifier
    opened = [_open(models, pictures, item) for item in items]
    started = time.perf_counter()
    images = score_photos(classifier.image, [one.scored for one in opened])
    answers = _answers(classifier, items, images)
    shared = (time.perf_counter() - started) / len(items)
    model = _image_model(classifier)
    done = []
    for answer, one, image in zip(answers, opened, images, strict=True):
        cache.put(answer.id, model, image)
        done.append(
            replace(
                answer,
                thumbnail=one.thumbnail or None,
                width=one.photo.width if one.photo else 0,
                height=one.photo.height if one.photo else 0,
                seconds=round(one.scored.seconds + shared, 4),
                looks_like=tuple(guess.name for guess in image.kinds),
            )
        )
    return done


def _open(models: Models, pictures: Pictures, item: Item) -> _Opened:
    """Decode a photo once for its thumbnail and for the model."""
    started = time.perf_counter()
    image = models.classifier.image
    preprocessing = image.info.preprocessing if image is not None else None
    photo, thumbnail, pixels, problem, damage = None, "", None, None, ""
    try:
        photo = pictures.open(item.path, preprocessing.resize_to if preprocessing else _THUMBNAIL_TARGET)
        thumbnail = pictures.thumbnail(photo)
        damage = photo.image.info.get(DAMAGE, "")
        if preprocessing is not None:
            pixels = preprocess(photo.image, preprocessing)
    except PhotoError as error:
        problem = str(error)
    return _Opened(photo, thumbnail, OpenedPhoto(pixels, problem, time.perf_counter() - started, damage))


def rescore(models: Models, cache: ImageScoreCache, asked: Rescore) -> Result:
    """The answer for a caption that was edited, beside what the image model said before."""
    started = time.perf_counter()
    classifier = models.classifier
    image = cache.get(asked.id, _image_model(classifier)) or ImageScore()
    if asked.error is not None:
        image = replace(image, error=asked.error)
    if classifier.image is not None and image.logits is None:
        image = replace(image, logits=_logits_of(asked, classifier.temperature("image")))
    item = Item(asked.id, asked.ticket, "", asked.caption, Priority.EDITED)
    (answer,) = _answers(classifier, [item], [image])
    return replace(answer, seconds=round(time.perf_counter() - started, 4))


def _logits_of(asked: Rescore, temperature: float) -> np.ndarray | None:
    """The image model's logits (4,) as the window knows them, None where it knows none."""
    if asked.image_logits is not None:
        return np.array(asked.image_logits)
    if asked.image_probabilities is None:
        return None
    # Logits but for a constant that give these probabilities, which were rounded, at the rule's temperature.
    floor = 0.5 * 10.0**-_DIGITS
    return np.asarray(temperature * np.log(np.maximum(asked.image_probabilities, floor)))


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
        return np.stack(
            [item.logits for item in models.classifier.captions.score(captions) if item is not None]
        )

    result = word_influence(caption, bin_index(asked.label), logits_of, models.classifier.temperature("text"))
    return WordsReady(asked.id, asked.ticket, result.words, result.values)


def _answers(classifier: Classifier, items: Sequence[Item], images: Sequence[ImageScore]) -> list[Result]:
    """Both models' scores and the rule, as the protocol says it."""
    asked = [results.Item(Path(item.path) if item.path else None, item.caption) for item in items]
    captions = [classifier.caption_of(item) for item in asked]
    answers = classifier.answer(asked, captions, images, classifier.captions.score(captions))
    return [
        Result(
            id=item.id,
            ticket=item.ticket,
            image=_vote(answer.image),
            text=_vote(answer.text),
            label=answer.label,
            winner=answer.winner,
            confidence=round(answer.confidence, _DIGITS),
            margin=round(answer.margin, _DIGITS),
            review=answer.review,
            reason=answer.reason,
            error=answer.error,
        )
        for item, answer in zip(items, answers, strict=True)
    ]


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

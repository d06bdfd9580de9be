"""Real models on real and on broken photos, as a stream."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import pytest
from bad_photos import write_broken, write_odd

from gcdesk.engine.classification.classifier import Classifier
from gcdesk.engine.classification.results import Item, Result
from gcdesk.engine.errors import GcdeskError
from gcdesk.engine.inference.backend import ImageBackend, TextBackend, TextOutput
from gcdesk.engine.inference.devices import open_backend
from gcdesk.engine.inference.parallelism import ParallelismConfig
from gcdesk.engine.labels import BINS
from gcdesk.engine.modelfile.info import ModelInfo
from gcdesk.engine.modelfile.known_words import Knowledge
from gcdesk.engine.photos.discovery import find_photos
from gcdesk.engine.selection.calibration import softmax
from gcdesk.engine.selection.rules import Rule


@pytest.fixture(scope="module")
def image(starter_image: Path) -> ImageBackend:
    return open_backend("image", starter_image, device="cpu")


@pytest.fixture(scope="module")
def text(starter_text: Path) -> TextBackend:
    return open_backend("text", starter_text, device="cpu")


@pytest.fixture
def classifier(image: ImageBackend, text: TextBackend) -> Classifier:
    return Classifier(image, text)


@pytest.fixture
def photo(samples: Path) -> Path:
    return samples / "empty water bottle.jpg"


class CountingText:
    """The real text backend, and every caption that it was given."""

    def __init__(self, backend: TextBackend) -> None:
        self.backend = backend
        self.info: ModelInfo = backend.info
        self.device = backend.device
        self.scored: list[str] = []

    def run(self, captions: Sequence[str]) -> TextOutput:
        self.scored += captions
        return self.backend.run(captions)

    def knowledge(self, captions: Sequence[str]) -> Knowledge:
        return self.backend.knowledge(captions)


def items_of(*paths: Path) -> list[Item]:
    return [Item(found.path, None, found.error) for found in find_photos(paths)]


def test_samples_come_back_in_order_with_two_votes_each(classifier: Classifier, samples: Path) -> None:
    items = items_of(samples)
    results = list(classifier.classify(items))
    assert [r.path for r in results] == [item.path for item in items]
    assert [r.index for r in results] == list(range(len(items)))
    for result in results:
        assert result.error is None
        assert result.label in BINS
        assert result.winner in ("image", "text", "both")
        assert result.reason
        for vote in (result.image, result.text):
            assert vote is not None
            assert sum(vote.probabilities) == pytest.approx(1, abs=1e-5)
            assert vote.label == BINS[int(np.argmax(vote.probabilities))]
            assert vote.confidence == max(vote.probabilities)
        assert result.times.decode > 0
        assert result.times.image > 0
        assert result.times.text > 0
    assert next(r for r in results if r.path and r.path.stem == "orange peel").caption == "orange peel"


def test_every_arrangement_gives_the_same_answers(
    image: ImageBackend, text: TextBackend, samples: Path
) -> None:
    items = items_of(samples)
    answers = [
        list(Classifier(image, text, parallelism=ParallelismConfig(lanes, batch, 1, 8, 2)).classify(items))
        for lanes, batch in [(1, 1), (1, 8), (2, 1), (3, 4)]
    ]
    for other in answers[1:]:
        assert [r.label for r in other] == [r.label for r in answers[0]]
        for one, two in zip(answers[0], other, strict=True):
            assert one.confidence == pytest.approx(two.confidence, abs=1e-4)


def test_a_caption_is_scored_once_however_often_it_comes(image: ImageBackend, text: TextBackend) -> None:
    counting = CountingText(text)
    captions = ["banana peel", "Banana_peel 2", "coffee cup"] * 300
    results = list(Classifier(None, counting).classify(Item(None, caption) for caption in captions))
    assert len(results) == 900
    assert sorted(counting.scored) == ["banana peel", "coffee cup"]
    assert {r.label for r in results[::3]} == {r.label for r in results[1::3]} == {results[0].label}


def test_items_are_read_lazily(classifier: Classifier, photo: Path) -> None:
    taken = itertools.count()
    stream = classifier.classify(Item(photo, f"thing {chr(97 + next(taken) % 26)}") for _ in range(100_000))
    first = [next(stream) for _ in range(30)]
    stream.close()
    assert [r.index for r in first] == list(range(30))
    assert next(taken) < 1000


def test_first_result_comes_before_the_items_end(classifier: Classifier, photo: Path) -> None:
    """A source that never ends (a watched folder) still gives results."""
    stream = classifier.classify(Item(photo) for _ in itertools.count())
    assert next(stream).label in BINS
    stream.close()


def test_cancel_ends_the_stream_between_batches(classifier: Classifier, photo: Path) -> None:
    cancel = threading.Event()
    seen: list[Result] = []
    for result in classifier.classify([Item(photo)] * 500, cancel):
        seen.append(result)
        if len(seen) == 5:
            cancel.set()
    assert 5 <= len(seen) < 20
    assert not [t for t in threading.enumerate() if t.name.startswith("lane")]


def test_cancel_before_the_start_gives_nothing(classifier: Classifier, photo: Path) -> None:
    cancel = threading.Event()
    cancel.set()
    assert list(classifier.classify([Item(photo)], cancel)) == []


def test_no_items_no_results(classifier: Classifier) -> None:
    assert list(classifier.classify([])) == []


def test_camera_name_leaves_the_decision_to_the_image(
    classifier: Classifier, photo: Path, tmp_path: Path
) -> None:
    path = tmp_path / "IMG_2031.jpg"
    path.write_bytes(photo.read_bytes())
    [result] = classifier.classify([Item(path)])
    assert result.text is None
    assert result.caption == ""
    assert result.winner == "image"
    assert result.label == result.image.label if result.image else False


def test_unreadable_photo_with_a_caption_is_decided_by_text(classifier: Classifier, tmp_path: Path) -> None:
    path = tmp_path / "IMG_1.jpg"
    path.write_bytes(b"")
    [result] = classifier.classify([Item(path, "banana peel")])
    assert result.image is None
    assert result.winner == "text"
    assert result.label == "Green"
    assert "empty" in (result.error or "")
    assert result.review


def test_neither_photo_nor_caption_is_a_row_without_a_bin(classifier: Classifier, tmp_path: Path) -> None:
    path = tmp_path / "IMG_1.jpg"
    path.write_bytes(b"")
    results = list(classifier.classify([Item(path), Item(None, ""), Item(tmp_path / "gone", error="gone")]))
    for result in results:
        assert result.label is None
        assert result.winner is None
        assert result.review
        assert result.reason
    assert [bool(r.error) for r in results] == [True, False, True]


def test_broken_photos_each_get_a_reason_and_the_rest_is_classified(
    image: ImageBackend, samples: Path, photo: Path, tmp_path: Path
) -> None:
    broken = write_broken(tmp_path / "broken", photo)
    good = items_of(samples)
    mixed = [item for pair in zip(good, map(Item, broken), strict=False) for item in pair]
    results = list(Classifier(image, None).classify(mixed))
    assert all(r.label in BINS and r.error is None for r in results[::2])
    assert all(r.label is None and r.error for r in results[1::2])
    assert len({r.error for r in results[1::2]}) >= 4


def test_odd_photos_are_classified(classifier: Classifier, photo: Path, tmp_path: Path) -> None:
    paths = write_odd(tmp_path, photo)
    results = list(classifier.classify(map(Item, paths)))
    assert {r.path.name: r.error for r in results if r.path and r.error} == {}
    assert all(r.image is not None and r.label in BINS for r in results)


def test_a_long_caption_is_cut_not_refused(classifier: Classifier) -> None:
    [result] = classifier.classify([Item(None, "banana " * 40)])
    assert result.label in BINS


def test_a_photo_without_permission_is_a_row_and_the_others_are_classified(
    image: ImageBackend,
    photo: Path,
    open_folder: Path,
    another_user: Callable[[], AbstractContextManager[None]],
) -> None:
    for name in ("a.jpg", "b.jpg"):
        (open_folder / name).write_bytes(photo.read_bytes())
        (open_folder / name).chmod(0o644)
    (open_folder / "a.jpg").chmod(0o000)
    classifier = Classifier(image, None)
    list(classifier.classify([Item(photo)]))
    with another_user():
        results = list(classifier.classify([Item(open_folder / "a.jpg"), Item(open_folder / "b.jpg")]))
    assert "permission" in (results[0].error or "")
    assert results[1].label in BINS


@pytest.mark.parametrize("rule", list(Rule))
def test_each_rule_sees_the_probabilities_it_is_meant_for(
    image: ImageBackend, text: TextBackend, photo: Path, rule: Rule
) -> None:
    [result] = Classifier(image, text, rule).classify([Item(photo)])
    [raw] = Classifier(image, text, Rule.MAX_CONFIDENCE).classify([Item(photo)])
    assert result.text is not None
    assert raw.text is not None
    logits = text.run([result.caption]).logits
    temperature = text.info.temperature if rule.uses_temperature else 1.0
    assert result.text.probabilities == pytest.approx(softmax(logits, temperature)[0], abs=1e-5)


def test_one_model_alone_is_enough_and_none_is_an_error(
    image: ImageBackend, text: TextBackend, photo: Path
) -> None:
    [by_image] = Classifier(image, None).classify([Item(photo)])
    [by_text] = Classifier(None, text).classify([Item(photo)])
    assert (by_image.winner, by_text.winner) == ("image", "text")
    with pytest.raises(GcdeskError, match="no model"):
        Classifier(None, None)


def test_an_error_of_the_source_reaches_the_caller(classifier: Classifier, photo: Path) -> None:
    def source() -> Iterator[Item]:
        yield Item(photo)
        raise OSError("the camera's share is gone")

    with pytest.raises(OSError, match="share is gone"):
        list(classifier.classify(source()))
    assert not [t for t in threading.enumerate() if t.name.startswith("lane")]

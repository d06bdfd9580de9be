"""Words that the text model cannot know, photos unlike the training photos, and what that does to an answer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gcdesk.engine.classification.classifier import Classifier
from gcdesk.engine.classification.results import Item
from gcdesk.engine.errors import ModelFileError
from gcdesk.engine.explanation.word_influence import word_influence
from gcdesk.engine.inference.devices import open_backend
from gcdesk.engine.modelfile.checkpoint import load_info
from gcdesk.engine.modelfile.novelty import NOVELTY_FILE, Novelty, fit_novelty, load_novelty, save_novelty
from gcdesk.engine.modelfile.tokenizer import load_tokenizer, shared_tokenizer
from gcdesk.engine.modelfile.training_captions import (
    SEEN_FILE,
    caption_hash,
    load_training_captions,
    save_training_captions,
)
from gcdesk.engine.selection.rules import Rule


@pytest.mark.parametrize(
    ("caption", "unknown"),
    [
        ("banana peel", False), ("styrofoam", False), ("tv", False), ("", False), ("xqzjw", True),
        ("бумага", True), ("电池", True), ("qqqq banana", False), ("zxcv qqqq", True),
    ],
)  # fmt: skip
def test_which_words_can_be_known(caption: str, unknown: bool) -> None:
    assert load_tokenizer(shared_tokenizer()).unknown([caption]).tolist() == [unknown]


def features_of(seed: int, n: int = 300, width: int = 1408) -> tuple[np.ndarray, np.ndarray]:
    """Features (n, c) in six heaps, and the middles (6, c) of the heaps."""
    middles = np.random.default_rng(7).gamma(0.5, 0.3, (6, width))
    rng = np.random.default_rng(seed)
    rows = middles[rng.integers(0, 6, n)] * rng.uniform(0.8, 1.2, (n, 1)) + 0.02 * rng.normal(size=(n, width))
    return rows.astype(np.float32), middles.astype(np.float32)


def test_what_is_far_from_the_training_photos_is_told(tmp_path: Path, starter_image: Path) -> None:
    learned, middles = features_of(0)
    novelty = fit_novelty(learned)
    assert (novelty.distances(features_of(1)[0]) > 1).mean() < 0.1
    odd = 2 * middles.mean(axis=0) - middles
    assert (novelty.distances(odd) > 1).all()
    info = load_info(starter_image)
    save_novelty(novelty, tmp_path, info.weights_sha256)
    back = load_novelty(tmp_path, info)
    assert back is not None
    np.testing.assert_allclose(back.distances(learned), novelty.distances(learned), atol=0.05)
    assert load_novelty(tmp_path, replace(info, weights_sha256="0" * 64)) is None
    (tmp_path / NOVELTY_FILE).write_bytes(b"nothing of the kind")
    with pytest.raises(ModelFileError, match="cannot be read"):
        load_novelty(tmp_path, info)
    with pytest.raises(ModelFileError, match="too few"):
        fit_novelty(learned[:10])


def test_seen_captions_are_hashes_only(tmp_path: Path, starter_text: Path) -> None:
    info = load_info(starter_text)
    file = save_training_captions(["banana peel", "", "old tin"], tmp_path, info.weights_sha256)
    assert "banana" not in file.read_text()
    assert load_training_captions(tmp_path, info) == {caption_hash("banana peel"), caption_hash("old tin")}
    assert load_training_captions(tmp_path, replace(info, weights_sha256="0" * 64)) == frozenset()
    (tmp_path / SEEN_FILE).write_text("gcdesk captions\nbanana peel\n")
    with pytest.raises(ModelFileError, match="damaged"):
        load_training_captions(tmp_path, info)


@pytest.fixture(scope="module")
def pair(starter_image: Path, starter_text: Path) -> Classifier:
    return Classifier(open_backend("image", starter_image, "cpu"), open_backend("text", starter_text, "cpu"))


@pytest.mark.parametrize("caption", ["souris d'ordinateur", "asdfgh", "leere Flasche", "xqzjw zxcv"])
def test_where_no_word_is_known_the_photo_decides_and_the_words_are_named(
    samples: Path, pair: Classifier, caption: str
) -> None:
    photo = samples / "orange peel.jpg"
    unknown, alone = pair.classify([Item(photo, caption), Item(None, caption)])
    assert unknown.image is not None
    assert (unknown.text, unknown.label) == (None, unknown.image.label)
    assert f"knows none of these words ({', '.join(unknown.caption.split())})" in unknown.reason
    assert alone.review
    assert alone.confidence < 0.8
    assert "guess" in alone.reason


def test_where_few_words_are_known_the_caption_counts_less(samples: Path, pair: Classifier) -> None:
    photo = samples / "orange peel.jpg"
    none, half, most = pair.classify(
        [Item(photo, "battery"), Item(photo, "battery bouteille"), Item(photo, "old dead battery bouteille")]
    )
    assert none.label == most.label == "TTR"
    assert half.label == "Green" or half.confidence < none.confidence
    assert "does not know bouteille, so the caption counts less" in half.reason
    assert "does not know bouteille" in most.reason
    assert "know" not in none.reason


def test_the_originals_rule_minds_no_unknown_words(samples: Path, pair: Classifier) -> None:
    original = Classifier(pair.image, pair.text, Rule.MAX_CONFIDENCE)
    (raw,) = original.classify([Item(samples / "orange peel.jpg", "xqzjw zxcv")])
    assert raw.text is not None
    assert "know" not in raw.reason


@pytest.mark.parametrize(
    "caption",
    ["\u9999\u8549\u76ae", "\u043a\u043e\u0436\u0443\u0440\u0430", "\u0642\u0634\u0631", "\U0001f34c", "12"],
)
@pytest.mark.parametrize("rule", [Rule.WEIGHTED, Rule.MAX_CONFIDENCE])
def test_a_caption_that_cannot_be_read_is_said_and_asks_for_a_review(
    samples: Path, pair: Classifier, caption: str, rule: Rule
) -> None:
    classifier = Classifier(pair.image, pair.text, rule)
    photo = samples / "orange peel.jpg"
    typed, alone, none = classifier.classify([Item(photo, caption), Item(None, caption), Item(photo, "")])
    assert typed.review
    assert "the caption has none" in typed.reason
    assert (alone.label, alone.review) == (None, True)
    for one in (typed, alone):
        assert "there is no caption" not in one.reason
    assert "there is no caption" in none.reason


def test_a_photo_unlike_the_others_weighs_less(samples: Path, starter_image: Path) -> None:
    image = open_backend("image", starter_image, "cpu")
    assert isinstance(image.novelty, Novelty)
    photo = Item(samples / "orange peel.jpg", "")
    (usual,) = Classifier(image, None).classify([photo])
    image.novelty = replace(image.novelty, limit=1e-6)  # type: ignore[misc]  # everything is far now
    (odd,) = Classifier(image, None).classify([photo])
    assert odd.confidence < usual.confidence
    assert "unlike those that the image model learned" in odd.reason
    assert usual.distance is not None
    assert odd.label == usual.label


def test_each_words_influence(starter_text: Path) -> None:
    backend = open_backend("text", starter_text, "cpu")
    found = word_influence("banana peel", 2, lambda captions: backend.run(list(captions)).logits)
    assert found.words == ("banana", "peel")
    assert max(found.values) > 0
    alone = word_influence("battery", 3, lambda captions: backend.run(list(captions)).logits)
    assert alone.values[0] > 0.5
    assert word_influence("", 0, lambda captions: backend.run(list(captions)).logits).words == ()

"""Quick learn on the starter models: corrected mistakes change, the rest stays, worse is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gcdesk.engine.errors import LearningError
from gcdesk.engine.evaluation.scoring import Measured
from gcdesk.engine.inference.devices import open_backend
from gcdesk.engine.labels import BINS
from gcdesk.engine.learning.last_layer import LastLayer, last_layer
from gcdesk.engine.learning.learned_model import DETAIL, learn_model, learned_words
from gcdesk.engine.learning.quick_learn import TrainingSet, fit_layer, learn
from gcdesk.engine.library.library import Library
from gcdesk.engine.modelfile.checkpoint import load_info, load_model
from gcdesk.engine.modelfile.training_captions import caption_hash, load_training_captions

# This station puts milk cartons and everything like them into Black, which the starter does not know.
HOUSE_RULE = [
    "milk carton", "empty milk carton", "juice carton", "flattened milk carton", "soy milk carton",
    "almond milk carton", "small milk carton", "orange juice carton", "oat milk carton", "cream carton",
]  # fmt: skip
BLACK = BINS.index("Black")


@pytest.fixture
def lessons_of(starter_text: Path) -> tuple[LastLayer, TrainingSet]:
    model = load_model(starter_text)
    layer = last_layer(model.info, model.weights)
    backend = open_backend("text", starter_text, "cpu")
    others = ["banana peel", "old battery", "glass bottle", "kitchen sponge", "newspaper", "broken chair"] * 5
    inputs = layer.inputs(backend.run(HOUSE_RULE).features)
    anchors = layer.inputs(backend.run(others).features)
    labels = np.full(len(HOUSE_RULE), BLACK)
    return layer, TrainingSet(inputs, labels, np.arange(len(HOUSE_RULE)), anchors)


def test_the_last_layer_is_the_models_own(starter_text: Path, starter_image: Path, samples: Path) -> None:
    model = load_model(starter_text)
    out = open_backend("text", starter_text, "cpu").run(["banana peel", "tin can"])
    layer = last_layer(model.info, model.weights)
    np.testing.assert_allclose(layer.logits(layer.inputs(out.features)), out.logits, atol=1e-4)
    eye = load_model(starter_image)
    layer = last_layer(eye.info, eye.weights)
    pixels = np.random.default_rng(0).normal(size=(2, 3, 64, 64)).astype(np.float32)
    seen = open_backend("image", starter_image, "cpu").run(pixels, ("logits", "features"))
    np.testing.assert_allclose(layer.logits(layer.inputs(seen.features)), seen.logits, atol=1e-2)


def test_a_house_rule_is_learned_and_the_rest_stays(lessons_of: tuple[LastLayer, TrainingSet]) -> None:
    layer, training_set = lessons_of
    found = learn(training_set, layer)
    assert found.before < 3
    assert found.after >= 9
    assert found.mended == found.mistakes
    assert found.changed == 0
    assert found.test.significant


def test_one_correction_changes_its_item(lessons_of: tuple[LastLayer, TrainingSet]) -> None:
    layer, training_set = lessons_of
    one = replace(
        training_set,
        inputs=training_set.inputs[:1],
        labels=training_set.labels[:1],
        groups=training_set.groups[:1],
    )
    new = fit_layer(one, layer)
    assert new.logits(one.inputs).argmax() == BLACK
    before, after = (each.logits(training_set.anchors).argmax(axis=1) for each in (layer, new))
    assert (before == after).all()


def test_labels_at_random_are_refused(lessons_of: tuple[LastLayer, TrainingSet]) -> None:
    layer, training_set = lessons_of
    old = layer.logits(training_set.inputs).argmax(axis=1)
    odd = old.copy()
    odd[::2] = (odd[::2] + 1 + np.arange(5) % 3) % 4
    with pytest.raises(LearningError, match=r"do not help yet|would change"):
        learn(replace(training_set, labels=odd), layer)
    with pytest.raises(LearningError, match="nothing to learn"):
        learn(replace(training_set, labels=old), layer)


def test_the_learned_model_is_a_new_one_in_the_library(starter_text: Path) -> None:
    library = Library()
    items = [Measured(None, caption, BLACK) for caption in HOUSE_RULE]
    name, found = learn_model("text", starter_text, items, list(range(len(items))), library)
    assert library.in_use("text").name == "starter-text"
    made = library.find(name)
    assert made.info is not None
    assert made.info.provenance.details[DETAIL]["base"] == "starter-text"
    assert "quick learn" in made.info.provenance.source
    assert made.info.metrics["corrections_cross_validation"]["accuracy"] >= 0.9
    assert "9 of 10" in learned_words(name, found) or "10 of 10" in learned_words(name, found)
    old = load_training_captions(starter_text, load_info(starter_text))
    assert load_training_captions(made.folder, made.info) == old | {
        caption_hash(caption) for caption in HOUSE_RULE
    }
    phrases = ["banana peel", "dead battery", "pizza box", "winter coat", "milk carton"]
    before, after = (
        open_backend("text", folder, "cpu").run(phrases).logits.argmax(axis=1)
        for folder in (starter_text, made.folder)
    )
    assert (before[:-1] == after[:-1]).all()
    assert after[-1] == BLACK
    library.use(name)
    assert library.in_use("text").name == name
    library.use("starter-text")
    assert library.in_use("text").name == "starter-text"
    again, _ = learn_model("text", starter_text, items, list(range(len(items))), library)
    assert again == f"{name} 2"


def test_photos_teach_too_and_one_that_is_gone_is_left_out(starter_image: Path, samples: Path) -> None:
    photos = [*sorted(samples.glob("*.jpg"))[:3], samples / "gone.jpg"]
    backend = open_backend("image", starter_image, "cpu")
    assert backend.novelty is not None
    items = [Measured(photo, None, BINS.index("TTR")) for photo in photos]
    asked: list[int] = []
    name, found = learn_model(
        "image", starter_image, items, [0, 0, 1, 2], Library(), lambda done, _total: asked.append(done)
    )
    assert found.items == 3
    assert asked == sorted(asked)
    made = Library().find(name)
    assert open_backend("image", made.folder, "cpu").novelty is not None

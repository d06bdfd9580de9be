"""The ONNX backends: whatever the order, the batch or the number, an item gets its own answer."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from model_making import CAPTIONS, RESNET, sample_pixels, save_random

from gcdesk.engine.errors import ModelFileError
from gcdesk.engine.inference.onnx_backend import TEXT_ROWS, OnnxImageBackend, OnnxTextBackend
from gcdesk.engine.modelfile.checkpoint import TOKENIZER_FILE, load_model
from gcdesk.engine.modelfile.info import LoadedModel
from gcdesk.engine.modelfile.specs import MINILM


@pytest.fixture(scope="module")
def text_model(tmp_path_factory: pytest.TempPathFactory, samples: Path) -> LoadedModel:
    return load_model(save_random(tmp_path_factory.mktemp("t") / "text.gcmodel", MINILM, samples, half=True))


@pytest.fixture(scope="module")
def text(text_model: LoadedModel) -> OnnxTextBackend:
    return OnnxTextBackend(text_model, threads=2)


@pytest.fixture(scope="module")
def image_model(tmp_path_factory: pytest.TempPathFactory, samples: Path) -> LoadedModel:
    return load_model(save_random(tmp_path_factory.mktemp("i") / "image.gcmodel", RESNET, samples))


@pytest.fixture(scope="module")
def image(image_model: LoadedModel) -> OnnxImageBackend:
    return OnnxImageBackend(image_model, threads=2)


def test_captions_keep_their_order(text: OnnxTextBackend) -> None:
    captions = (CAPTIONS * 8)[: 2 * TEXT_ROWS + 5]
    together = text.run(captions)
    assert together.logits.shape == (len(captions), 4)
    assert together.features.shape == (len(captions), 384)
    assert together.logits.dtype == together.features.dtype == np.float32
    for index, caption in enumerate(CAPTIONS):
        alone = text.run([caption])
        np.testing.assert_array_equal(together.logits[index], alone.logits[0])
        np.testing.assert_array_equal(together.features[index], alone.features[0])


def test_the_courses_captions_do_not_depend_on_their_batch(starter_text: Path, shared_data: Path) -> None:
    with (shared_data / "captions" / "course_dev.csv").open(encoding="utf-8", newline="") as file:
        captions = list(dict.fromkeys(row["text"] for row in csv.DictReader(file)))[:200]
    captions += ["a very long name of a thing " * count for count in (1, 1, 1, 2, 3, 4)]
    model = load_model(starter_text)
    whole = OnnxTextBackend(model, threads=2).run(captions).logits
    assert np.ptp(whole, axis=0).max() > 0.1
    one_thread = OnnxTextBackend(model, threads=1)
    np.testing.assert_array_equal(one_thread.run(captions[::-1]).logits, whole[::-1])
    for size in (1, 7, 50):
        parts = [
            one_thread.run(captions[start : start + size]).logits for start in range(0, len(captions), size)
        ]
        np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_no_captions_and_no_photos_are_fine(text: OnnxTextBackend, image: OnnxImageBackend) -> None:
    assert text.run([]).logits.shape == (0, 4)
    output = image.run(np.empty((0, 3, 96, 96), np.float32))
    assert output.logits.shape == (0, 4)
    assert len(output.features) == len(output.feature_map) == 0


def test_photos_do_not_depend_on_their_batch(image: OnnxImageBackend, samples: Path) -> None:
    pixels = sample_pixels(samples, 96, 96)
    together = image.run(pixels)
    assert together.feature_map.shape == (4, 512, 3, 3)
    for index in range(4):
        alone = image.run(pixels[index : index + 1])
        np.testing.assert_allclose(together.logits[index], alone.logits[0], atol=1e-4, rtol=1e-4)


def test_only_wanted_outputs_are_copied(image: OnnxImageBackend, samples: Path) -> None:
    pixels = sample_pixels(samples, 96, 96)
    everything = image.run(pixels)
    logits = image.run(pixels, want=("logits",))
    np.testing.assert_array_equal(logits.logits, everything.logits)
    assert len(logits.features) == len(logits.feature_map) == 0
    both = image.run(pixels, want=("features", "logits"))
    np.testing.assert_array_equal(both.logits, everything.logits)
    np.testing.assert_array_equal(both.features, everything.features)


def test_a_model_of_the_other_kind_is_refused(text_model: LoadedModel, image_model: LoadedModel) -> None:
    with pytest.raises(ModelFileError, match="not a text model"):
        OnnxTextBackend(image_model)
    with pytest.raises(ModelFileError, match="not an image model"):
        OnnxImageBackend(text_model)


def test_a_tokenizer_with_more_pieces_than_the_model_is_refused(
    text_model: LoadedModel, tmp_path: Path
) -> None:
    content = json.loads((text_model.folder / TOKENIZER_FILE).read_text(encoding="utf-8"))
    content["model"]["vocab"]["gcdesk"] = len(content["model"]["vocab"])
    (tmp_path / TOKENIZER_FILE).write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(ModelFileError, match="gives ids up to 30,522, which the model lacks"):
        OnnxTextBackend(replace(text_model, folder=tmp_path))

"""Whole runs on the bundled samples: resume, what is kept as best, the cache, the model file, the dry run."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from image_folders import make_folder
from PIL import Image
from safetensors.torch import save_file

from gcdesk.engine.inference.devices import open_backend
from gcdesk.engine.inference.torch_networks import build_image
from gcdesk.engine.modelfile.checkpoint import load_model
from gcdesk.engine.modelfile.specs import ImageArchitecture
from gcdesk.engine.photos.decoding import decode_photo
from gcdesk.engine.photos.preprocessing import preprocess
from trainer.image.command import add_arguments, run
from trainer.image.photos.augment import AugmentSettings
from trainer.image.process.reporting import TextReporter
from trainer.image.settings import ImageSettings, RecipeError, read_recipe, settings_from
from trainer.image.state import ResumeError
from trainer.image.training import DRY_PHOTOS, Place, Run, Sources, load_splits

SMALL = ImageSettings(
    head="linear",
    size=64,
    epochs=3,
    unfreeze_epoch=2,
    batch=4,
    depthwise=False,
    average=0.9,
    mixup=0.2,
    balance="look",
    augment=AugmentSettings(preset="station"),
)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained backbone: these tests look at the machinery, not at accuracy."""
    torch.manual_seed(0)
    state = build_image(ImageArchitecture("efficientnet_b2", "linear")).state_dict()
    features = {
        name: t.half() for name, t in state.items() if name.startswith("features.") and t.is_floating_point()
    }
    file = tmp_path_factory.mktemp("base") / "backbone.safetensors"
    save_file(features, file)
    return file


@pytest.fixture
def sources(samples: Path, tmp_path: Path) -> Sources:
    data = tmp_path / "data"
    folders = {name: make_folder(samples, data / name) for name in ("train", "val", "test", "station")}
    return Sources(**folders)


def place(base: Path, folder: Path, **changes: object) -> Place:
    usual = Place(
        device=torch.device("cpu"),
        low_precision=False,
        run_folder=folder / "run",
        result=folder / "image.gcmodel",
        base=base,
    )
    return replace(usual, **changes)  # type: ignore[arg-type]


@pytest.fixture
def report(tmp_path: Path) -> TextReporter:
    return TextReporter((tmp_path / "log.txt").open("w", encoding="utf-8"))


def test_a_resumed_run_ends_with_the_same_weights(
    base: Path, sources: Sources, tmp_path: Path, report: TextReporter
) -> None:
    whole = Run(sources, SMALL, place(base, tmp_path / "whole"), report).train()
    parts = None
    for _ in range(SMALL.epochs):
        here = place(base, tmp_path / "parts", resume=True, stop_after=1)
        parts = Run(sources, SMALL, here, report).train()
    assert whole is not None
    assert parts is not None
    expected, found = load_model(whole), load_model(parts)
    assert found.info.temperature == expected.info.temperature
    for name, array in expected.weights.items():
        assert np.array_equal(array, found.weights[name]), name


def test_the_model_file_says_how_it_was_made_and_the_best_epoch_is_the_best(
    base: Path, sources: Sources, tmp_path: Path, report: TextReporter
) -> None:
    result = Run(sources, SMALL, place(base, tmp_path), report).train()
    assert result is not None
    info = load_model(result).info
    assert info.preprocessing is not None
    assert info.preprocessing.size == 64
    assert set(info.metrics) == {"val", "test", "station_chosen_on", "station_held_out"}
    assert info.metrics["station_chosen_on"]["items"] == 5  # the odd one of each bin
    history = info.provenance.details["history"]
    scores = [line["score"] for line in history]
    assert info.provenance.details["best_epoch"] == 1 + scores.index(max(scores))
    assert info.provenance.data_fingerprint


def test_frozen_blocks_and_batch_norms_stay_as_they_were(
    base: Path, sources: Sources, tmp_path: Path, report: TextReporter
) -> None:
    trained = Run(sources, SMALL, place(base, tmp_path), report)
    before = {name: tensor.clone() for name, tensor in trained.network.whole.state_dict().items()}
    trained.learner.unfreeze()
    trained._epoch(2, trained._source())
    changed = {n for n, t in trained.network.whole.state_dict().items() if not torch.equal(t, before[n])}
    assert any(name.startswith("features.5.") for name in changed)
    assert any(name.startswith("features.8.") for name in changed)
    assert "classifier.1.weight" in changed
    assert not any(name.startswith(tuple(f"features.{i}." for i in range(5))) for name in changed)
    assert not any("running_" in name for name in changed)


def test_cached_views_give_the_same_training_as_fresh_ones(
    base: Path, sources: Sources, tmp_path: Path, report: TextReporter
) -> None:
    fresh = Run(sources, SMALL, place(base, tmp_path / "fresh"), report)
    cached = Run(sources, replace(SMALL, views=3), place(base, tmp_path / "cached"), report)
    order = [np.array([0, 3, 5])]
    for epoch in (1, 2):
        (one,), (other,) = (list(r._source()(epoch, iter(order))) for r in (fresh, cached))
        assert torch.allclose(one.maps, other.maps, atol=2e-3, rtol=2e-3)
    files = sorted((tmp_path / "cached" / "run" / "views").iterdir())
    assert len(files) == 3
    stamps = [file.stat().st_mtime_ns for file in files[:2]]
    files[2].unlink()  # as if the build had been stopped before the third
    cached._source()
    assert [file.stat().st_mtime_ns for file in files[:2]] == stamps
    assert files[2].is_file()


def test_a_checkpoint_of_another_run_or_a_damaged_one_is_refused(
    base: Path, sources: Sources, tmp_path: Path, report: TextReporter
) -> None:
    Run(sources, SMALL, place(base, tmp_path, stop_after=1), report).train()
    other = Run(sources, replace(SMALL, rate=0.5), place(base, tmp_path, resume=True), report)
    with pytest.raises(ResumeError, match="other settings"):
        other.train()
    (file,) = (tmp_path / "run").glob("checkpoint-*.safetensors")
    file.write_bytes(b"PK not a checkpoint")
    again = Run(sources, SMALL, place(base, tmp_path, resume=True), report)
    with pytest.raises(ResumeError, match="damaged"):
        again.train()


def test_a_base_that_does_not_fit_is_refused(sources: Sources, tmp_path: Path, report: TextReporter) -> None:
    save_file({"features.0.0.weight": torch.zeros(3)}, tmp_path / "odd.safetensors")
    (tmp_path / "words.safetensors").write_text("nothing")
    for name, message in (("odd", "does not fit"), ("words", "damaged"), ("absent", "cannot be read")):
        with pytest.raises(RecipeError, match=message):
            Run(sources, SMALL, place(tmp_path / f"{name}.safetensors", tmp_path), report)


def arguments(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args(words)


def test_dry_run_trains_saves_resumes_and_evaluates_in_json_lines(
    base: Path, sources: Sources, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (sources.train / "Blue" / "cut off.jpg").write_bytes(b"\xff\xd8\xff\xe0 nothing")
    data = str(sources.train.parent)
    args = arguments("--data", data, "--base", str(base), "--dry-run", "--json-events", "--device", "cpu")
    assert run(args) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    kinds = [line["type"] for line in lines]
    assert kinds.count("epoch") == 2
    assert kinds.count("done") == 1
    assert any("cut off.jpg" in line.get("text", "") for line in lines)
    assert any("Going on after epoch 1" in line.get("text", "") for line in lines)
    assert not list(tmp_path.glob("*.gcmodel"))


def test_settings_default_to_the_original_project_and_recipes_are_checked(tmp_path: Path) -> None:
    usual = ImageSettings()
    assert (usual.size, usual.resize, usual.unfreeze_epoch, usual.fine_rate) == (288, "squash", 5, 0.1)
    assert usual.augment.preset == "original"
    recipe = tmp_path / "recipe.toml"
    recipe.write_text('epochs = 4\n[augment]\npreset = "station"\n')
    read = read_recipe(recipe)
    assert (read.epochs, read.augment.preset, read.batch) == (4, "station", 32)
    for words in ("epochs = 0", "epoch = 3", "epochs = 'many'", "epochs = [", '[augment]\npreset = "wild"'):
        recipe.write_text(words)
        with pytest.raises(RecipeError):
            read_recipe(recipe)
    with pytest.raises(RecipeError, match="unknown setting"):
        settings_from({"colour": 3})


def test_the_starter_recipe_is_a_recipe() -> None:
    root = Path(__file__).resolve().parents[3]
    assert read_recipe(root / "trainer" / "recipes" / "starter-image.toml").augment.preset == "station"


def test_photos_of_other_sizes_and_modes_are_trained_on(
    base: Path, sources: Sources, tmp_path: Path, report: TextReporter
) -> None:
    Image.new("L", (40, 300), 90).save(sources.train / "Black" / "grey.png")
    Image.new("RGBA", (30, 30), (9, 9, 9, 0)).save(sources.train / "TTR" / "clear.png")
    result = Run(sources, replace(SMALL, epochs=1, unfreeze_epoch=0), place(base, tmp_path), report).train()
    assert result is not None


def test_the_model_knows_what_its_training_photos_look_like(
    starter_image: Path, samples: Path, tmp_path: Path, report: TextReporter
) -> None:
    """Fitted at training, on as many photos as that takes; the backend that opens the model tells by it."""
    data = {
        name: make_folder(samples, tmp_path / name, copies) for name, copies in (("train", 24), ("val", 1))
    }
    for number, file in enumerate(sorted(data["train"].rglob("*.jpg"))):
        with Image.open(file) as photo:
            small = photo.convert("RGB").resize((120, 120))
        small.crop((number % 24, 0, 120, 120 - number % 24)).save(file)  # no two are the same
    quick = replace(SMALL, epochs=1, unfreeze_epoch=0, batch=32, augment=AugmentSettings(preset="none"))
    result = Run(Sources(**data), quick, place(starter_image, tmp_path), report).train()
    assert result is not None
    backend = open_backend("image", result, "cpu")
    assert backend.novelty is not None
    preprocessing = backend.info.preprocessing
    assert preprocessing is not None

    def distance(photo: Image.Image) -> float:
        features = backend.run(preprocess(photo, preprocessing)[None], ("features",)).features
        return float(backend.novelty.distances(features)[0])  # type: ignore[union-attr]

    known = decode_photo(samples / "orange peel.jpg", 64)
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8))
    assert distance(known) <= 1
    assert distance(noise) > 1


def test_a_dry_run_holds_photos_out_before_it_takes_a_few(
    samples: Path, tmp_path: Path, report: TextReporter
) -> None:
    """A bin of which a single photo is among the few still has others to measure on."""
    folder = make_folder(samples, tmp_path / "photos", 10)
    for photo in sorted((folder / "TTR").iterdir())[4:]:
        photo.unlink()
    found = load_splits(Sources(folder, None), SMALL, dry=True, report=report)
    assert (len(found.train), len(found.val) > 4) == (DRY_PHOTOS, True)

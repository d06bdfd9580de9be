"""Distillation: embeddings are found, photos without labels teach, a resume repeats, and the model names kinds."""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from image_folders import make_folder
from PIL import Image, ImageDraw
from safetensors.torch import save_file

from gcdesk.engine.inference.devices import open_backend
from gcdesk.engine.inference.torch_networks import build_image
from gcdesk.engine.labels import BINS
from gcdesk.engine.modelfile.checkpoint import load_model
from gcdesk.engine.modelfile.item_kinds import load_item_kinds
from gcdesk.engine.modelfile.specs import ImageArchitecture
from gcdesk.engine.photos.decoding import decode_photo
from gcdesk.engine.photos.preprocessing import preprocess
from trainer.image.command import add_arguments, run
from trainer.image.distillation.composites import write_composites
from trainer.image.distillation.linear_heads import fit_head, one_hot
from trainer.image.distillation.run import DistillPlace, DistillRun, DistillSources
from trainer.image.distillation.settings import distill_settings
from trainer.image.distillation.teacher import read_teacher, save_embeddings
from trainer.image.distillation.training_photos import list_training_photos, sampling_shares
from trainer.image.photos.data import DataError
from trainer.image.process.reporting import TextReporter
from trainer.image.process.stop_requests import Orders
from trainer.image.settings import RecipeError

WIDTH = 8
SMALL = ("size=48", "train_size=32", "rounds=2", "round_steps=2", "batch=4", "frozen_blocks=5")


@dataclass(frozen=True)
class Data:
    """folder/train with bins, folder/loose without; embeddings of all but one photo."""

    folder: Path
    base: Path
    embeddings: Path
    kinds: Path


@pytest.fixture(scope="module")
def data(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Data:
    folder = tmp_path_factory.mktemp("distill")
    make_folder(samples, folder / "train", copies=2)
    loose = folder / "loose"
    loose.mkdir()
    for photo in sorted(samples.glob("*.jpg"))[:4]:
        shutil.copyfile(photo, loose / photo.name)
    torch.manual_seed(0)
    state = build_image(ImageArchitecture("efficientnet_b2", "linear")).state_dict()
    base = folder / "backbone.safetensors"
    save_file({n: t for n, t in state.items() if n.startswith("features.") and t.is_floating_point()}, base)
    names = [p.relative_to(folder).as_posix() for p in sorted(folder.rglob("*.jpg"))][1:]
    vectors = np.random.default_rng(0).standard_normal((len(names), WIDTH)).astype(np.float32)
    save_embeddings(folder / "teacher.npz", names, vectors)
    kinds = folder / "kinds.csv"
    with kinds.open("w", newline="") as stream:
        csv.writer(stream).writerows(
            (
                ("item", "kind"),
                ("green glass bottle", "bottle"),
                ("empty coconut milk can", "can"),
                ("orange peel", ""),
            )
        )
    return Data(folder, base, folder / "teacher.npz", kinds)


def train(data: Data, work: Path, name: str, options: Sequence[str] = ()) -> Path:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    words = [
        "--train",
        data.folder / "train",
        "--photos",
        data.folder / "loose",
        "--teacher",
        data.embeddings,
    ]
    words += [
        "--station",
        data.folder / "train",
        "--kinds",
        data.kinds,
        "--base",
        data.base,
        "--device",
        "cpu",
    ]
    words += ["--out", work / f"{name}.gcmodel", "--precision", "full", "--json-events"]
    sets = [word for one in SMALL for word in ("--set", one)]
    run(parser.parse_args([*map(str, words), *sets, *options]))
    return work / f"{name}.gcmodel"


def test_a_training_with_a_teacher_writes_a_model_that_names_bins_and_kinds(
    data: Data, samples: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = train(data, tmp_path, "labelled")
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [e["epoch"] for e in events if e["type"] == "epoch"] == [1, 2]
    assert all({"station", "nll", "loss"} <= set(e["scores"]) for e in events if e["type"] == "epoch")
    assert events[-1]["type"] == "done"
    loaded = load_model(model)
    backend = open_backend("image", model, "cpu")
    assert loaded.info.preprocessing is not None
    pixels = preprocess(decode_photo(samples / "green glass bottle.jpg", 48), loaded.info.preprocessing)
    out = backend.run(pixels[None])
    assert out.logits.shape == (1, len(BINS))
    kinds = load_item_kinds(model, loaded.info)
    assert kinds is not None
    assert kinds.names == ("bottle", "can")
    assert sum(guess.probability for guess in kinds.guesses(out.features, 2)[0]) == pytest.approx(1, abs=1e-4)


def test_a_stopped_training_goes_on_to_the_same_weights(data: Data, tmp_path: Path) -> None:
    settings = distill_settings(None, SMALL)
    sources = DistillSources(
        (data.folder / "train", data.folder / "loose"), (data.embeddings,), (), data.kinds
    )
    report = TextReporter((tmp_path / "log.txt").open("w", encoding="utf-8"))

    def train_in(
        name: str, stop: Callable[[], bool] | None, resume: bool
    ) -> tuple[bool, dict[str, torch.Tensor]]:
        place = DistillPlace(torch.device("cpu"), False, tmp_path / name, data.base, Orders(stop))
        run = DistillRun(sources, settings, place, report)
        run.start(resume)
        return run.train(), run.distiller.progress.average

    done, whole = train_in("whole", None, resume=False)
    stops = iter([False, False, True])
    halted, _ = train_in("halted", lambda: next(stops), resume=False)
    assert (done, halted) == (True, False)
    done, again = train_in("halted", None, resume=True)
    assert done
    for name, tensor in whole.items():
        torch.testing.assert_close(again[name], tensor, rtol=0, atol=0, msg=name)


def test_a_second_training_in_the_same_place_is_refused(data: Data, tmp_path: Path) -> None:
    (tmp_path / "one.run").mkdir()
    (tmp_path / "one.run" / "distillation.pt").write_bytes(b"hours of work")
    with pytest.raises(RecipeError, match="--resume"):
        train(data, tmp_path, "one")


def test_embeddings_are_found_by_the_end_of_the_path_or_by_content(samples: Path, tmp_path: Path) -> None:
    photo = samples / "orange peel.jpg"
    save_embeddings(tmp_path / "by-path.npz", [f"samples/{photo.name}"], np.full((1, 4), 2.0, np.float32))
    by_path = read_teacher([tmp_path / "by-path.npz"])
    assert by_path.row_of(photo) == 0
    assert np.linalg.norm(by_path.vectors[0]) == pytest.approx(1)
    folder = tmp_path / "by-content"
    folder.mkdir()
    np.save(folder / f"{hashlib.sha256(photo.read_bytes()).hexdigest()}.npy", np.ones(4, np.float32))
    renamed = tmp_path / "renamed.jpg"
    shutil.copyfile(photo, renamed)
    by_content = read_teacher([folder])
    assert by_content.row_of(renamed) == 0
    assert by_content.row_of(samples / "kitchen sponge.jpg") == -1


def test_embeddings_that_are_none_are_refused(tmp_path: Path) -> None:
    (tmp_path / "torn.npz").write_bytes(b"PK\x03\x04 no zip")
    with pytest.raises(DataError, match=r"torn\.npz"):
        read_teacher([tmp_path / "torn.npz"])
    save_embeddings(tmp_path / "zero.npz", ["a.jpg"], np.zeros((1, 4), np.float32))
    with pytest.raises(DataError, match="zero"):
        read_teacher([tmp_path / "zero.npz"])


def test_scenes_and_bins_are_balanced(data: Data) -> None:
    photos = [*list_training_photos(data.folder / "train"), *list_training_photos(data.folder / "loose")]
    weights = sampling_shares(photos, 0.25)
    labels = np.array([photo.label for photo in photos])
    assert weights[labels < 0].sum() / weights.sum() == pytest.approx(0.25)
    sums = [weights[labels == label].sum() for label in range(len(BINS))]
    assert sums == pytest.approx([sums[0]] * len(BINS))


def test_drawn_pictures_keep_bin_and_item_and_leave_out_what_cannot_be_cut(tmp_path: Path) -> None:
    for label, name in (("TTR", "red ball_001"), ("Blue", "red tin_001"), ("Black", "noise_001")):
        (tmp_path / "photos" / label).mkdir(parents=True)
        file = tmp_path / "photos" / label / f"{name}.jpg"
        if label == "Black":
            photo = Image.fromarray(np.random.default_rng(0).integers(0, 255, (200, 200, 3), np.uint8))
        else:
            photo = Image.new("RGB", (200, 200), (250, 250, 250))
            ImageDraw.Draw(photo).ellipse((50, 50, 150, 150), fill=(200, 30, 30))
        photo.save(file)
    photos = list_training_photos(tmp_path / "photos")
    write_composites(photos, [2] * len(photos), tmp_path / "drawn", seed=1, workers=1)
    drawn = list_training_photos(tmp_path / "drawn")
    found = [(BINS[one.label], one.look, one.scene) for one in drawn]
    assert found == [("Blue", "red tin", "drawn ground")] * 2 + [("TTR", "red ball", "drawn ground")] * 2
    assert {one.drawn_from for one in drawn[2:]} == {tmp_path / "photos" / "TTR" / "red ball_001.jpg"}
    first, second = (np.asarray(Image.open(one.path), np.int16) for one in drawn[2:])
    assert np.abs(first - second).mean() > 5, "two pictures of a thing have different grounds"
    assert ((first[..., 0] - first[..., 1]) > 60).any(), "the red thing is in the picture"


def test_a_last_layer_is_smaller_the_stronger_it_is_held_and_separates_what_can_be() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 4, 400)
    features = (rng.standard_normal((4, 12))[labels] * 3 + rng.standard_normal((400, 12))).astype(np.float32)
    loose, held = (
        fit_head(features, one_hot(labels, 4), np.ones(400), strength) for strength in (1e-4, 1e-1)
    )
    assert (loose.logits(features).argmax(axis=1) == labels).mean() > 0.95
    assert np.linalg.norm(held.weight) < np.linalg.norm(loose.weight)

"""A text training as a process: it learns, is killed, resumes to the very same weights, and refuses what it must."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from gcdesk.engine.captions.rules import CaptionRule
from gcdesk.engine.inference.torch_networks import build_text, weights_of
from gcdesk.engine.modelfile.checkpoint import load_info, load_model, save_model
from gcdesk.engine.modelfile.info import ModelInfo
from gcdesk.engine.modelfile.specs import TextArchitecture
from trainer.__main__ import main
from trainer.text.command import add_arguments, train
from trainer.text.network import starting_network

_ITEMS = {"Black": "plastic bag", "Blue": "soda can", "Green": "banana peel", "TTR": "old battery"}
_COLOURS = ["red", "blue", "green", "white", "brown", "grey", "pink", "small", "large", "old", "new", "wet"]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A two-layer encoder with random weights: small enough to train in seconds."""
    arch = TextArchitecture(dim=48, n_layers=2, n_heads=4, hidden_dim=96)
    info = ModelInfo("tiny", "text", arch, caption_rule=CaptionRule.COURSE_V1, max_tokens=24)
    return save_model(tmp_path_factory.mktemp("base") / "tiny.gcmodel", info, weights_of(build_text(arch)))


@pytest.fixture
def captions(tmp_path: Path) -> Path:
    lines = [
        f"{colour} {item} {tail},{bin_}"
        for bin_, item in _ITEMS.items()
        for colour in _COLOURS
        for tail in "abc"
    ]
    path = tmp_path / "captions.csv"
    path.write_text("text,bin\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return path


def arguments(base: Path, captions: Path, out: Path, *more_captions: Path) -> list[str]:
    settings = ["epochs=6", "patience=0", "rate=0.003", "batch=8", "freeze_embeddings=false"]
    options = [word for setting in settings for word in ("--set", setting)]
    sources = [word for source in (captions, *more_captions) for word in ("--train", str(source))]
    place = ["--device", "cpu", "--threads", "1", "--json-events", "--out", str(out)]
    return ["text", *sources, "--base", str(base), *options, *place]


def command(base: Path, captions: Path, out: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "trainer", *arguments(base, captions, out), *more]


def cut_short(words: list[str], out: Path, epoch: int) -> None:
    """Kill a training in the epoch after this one. A training that was quicker than the signal is begun again."""
    for _ in range(10):
        process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        for line in process.stdout:
            event = json.loads(line)
            if event["type"] == "epoch" and event["epoch"] == epoch:
                break
        time.sleep(0.02)  # into the middle of the next epoch
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        if not out.exists():
            assert process.returncode == -signal.SIGKILL
            return
        shutil.rmtree(out)
    pytest.fail("no training could be killed before its end")


def test_it_learns_and_says_what_it_does(base: Path, captions: Path, tmp_path: Path) -> None:
    out = tmp_path / "learned.gcmodel"
    done = subprocess.run(
        command(base, captions, out), capture_output=True, text=True, check=True, timeout=200
    )
    events = [json.loads(line) for line in done.stdout.splitlines()]
    epochs = [event for event in events if event["type"] == "epoch"]
    assert [event["epoch"] for event in epochs] == [1, 2, 3, 4, 5, 6]
    best = max(event["scores"]["val"] for event in epochs)
    model = load_model(out)
    assert model.info.metrics["val"]["accuracy"] == pytest.approx(best, abs=1e-3)
    assert best > 0.9
    assert model.info.provenance.seed == 0
    assert model.info.provenance.data_fingerprint


@pytest.mark.slow
def test_a_killed_training_resumes_to_the_same_weights(base: Path, captions: Path, tmp_path: Path) -> None:
    whole, broken = tmp_path / "whole.gcmodel", tmp_path / "broken.gcmodel"
    subprocess.run(command(base, captions, whole), capture_output=True, check=True, timeout=200)

    cut_short(command(base, captions, broken), broken, 3)
    again = subprocess.run(
        command(base, captions, broken, "--resume"), capture_output=True, text=True, check=True, timeout=200
    )
    resumed = [json.loads(line) for line in again.stdout.splitlines()]
    assert min(event["epoch"] for event in resumed if event["type"] == "epoch") >= 3
    first, second = load_model(whole), load_model(broken)
    assert first.info.weights_sha256 == second.info.weights_sha256
    assert first.info.temperature == second.info.temperature
    for name, array in first.weights.items():
        np.testing.assert_array_equal(array, second.weights[name])


@pytest.mark.slow
def test_ctrl_c_writes_the_best_so_far_and_resume_ends_with_the_same_weights(
    base: Path, captions: Path, tmp_path: Path
) -> None:
    whole, stopped = tmp_path / "whole.gcmodel", tmp_path / "stopped.gcmodel"
    longer = ["--set", "epochs=12"]  # so that it is not done before the signal comes
    subprocess.run(command(base, captions, whole, *longer), capture_output=True, check=True, timeout=200)
    words = [sys.executable, "-m", "gcdesk", "train", *arguments(base, captions, stopped), *longer]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as training:
        assert training.stdout is not None
        for line in training.stdout:
            event = json.loads(line)
            if event["type"] == "epoch":
                break
        training.send_signal(signal.SIGINT)
        said, told = training.communicate(timeout=60)
        assert training.returncode == 0, told
    assert "Stopping after this step" in told
    assert "--resume goes on from here" in said
    assert load_info(stopped).weights_sha256 != load_info(whole).weights_sha256
    subprocess.run([*words, "--resume"], capture_output=True, check=True, timeout=200)
    assert load_info(stopped).weights_sha256 == load_info(whole).weights_sha256


def test_with_a_frozen_encoder_the_head_learns_and_resumes_to_the_same_weights(
    base: Path, captions: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    only_head = ["--set", "freeze_encoder=true", "--set", "head=net", "--set", "head_rate=0.02"]
    whole, cut = tmp_path / "whole.gcmodel", tmp_path / "cut.gcmodel"
    assert main([*arguments(base, captions, whole), *only_head]) == 0
    losses = [
        event["scores"]["loss"]
        for event in map(json.loads, capsys.readouterr().out.splitlines())
        if event["type"] == "epoch"
    ]
    assert losses[-1] < 0.8 * losses[0]
    first = load_model(whole)
    assert first.info.architecture.id.endswith("net-mean-h4-f96")
    start = load_model(base).weights
    for name, array in start.items():
        if name.startswith("distilbert."):
            np.testing.assert_allclose(first.weights[name], array, atol=1e-3)

    cut_short([*command(base, captions, cut), *only_head], cut, 2)
    assert main([*arguments(base, captions, cut), *only_head, "--resume"]) == 0
    for name, array in load_model(cut).weights.items():
        np.testing.assert_array_equal(first.weights[name], array)


def test_a_model_keeps_its_own_head_to_learn_more(base: Path, tmp_path: Path) -> None:
    kept = starting_network(str(base), "cls", seed=5)
    new = starting_network(str(base), "cls", seed=5, head="linear")
    pooled_otherwise = starting_network(str(base), "mean", seed=5)
    own = load_model(base).weights["classifier.weight"]
    np.testing.assert_allclose(kept.state_dict()["classifier.weight"].numpy(), own)
    for other in (new, pooled_otherwise):
        assert np.abs(other.state_dict()["classifier.weight"].numpy() - own).max() > 0.01


def test_a_checkpoint_of_other_captions_is_refused(base: Path, captions: Path, tmp_path: Path) -> None:
    out = tmp_path / "m.gcmodel"
    subprocess.run(
        [*command(base, captions, out), "--set", "epochs=1"], capture_output=True, check=True, timeout=200
    )
    captions.write_text(captions.read_text(encoding="utf-8") + "tea bag,Green\n", encoding="utf-8")
    refused = subprocess.run(
        [*command(base, captions, out, "--resume"), "--set", "epochs=1"],
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert refused.returncode == 2
    assert "belongs to a run with other settings or captions" in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--set", "speed=3"], "There is no setting 'speed'. There are"),
        (["--set", "speed"], "write NAME=VALUE"),
        (["--set", "epochs=many"], "epochs must be a whole number"),
        (["--recipe", "/nowhere.toml"], "recipe /nowhere.toml cannot be read"),
        (["--folds", "1"], "--folds needs a number from 2 on"),
        (["--set", "epochs=0"], "Epochs must be at least 1"),
        (["--base", "/nowhere/model"], "neither a model folder nor a model that this computer has"),
    ],
)
def test_wrong_options_are_told_in_a_line(
    base: Path,
    captions: Path,
    tmp_path: Path,
    more: list[str],
    words: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert main([*arguments(base, captions, tmp_path / "m.gcmodel"), *more]) == 2
    assert words in capsys.readouterr().err


def test_cross_validation_measures_and_then_learns_from_every_caption(
    base: Path, captions: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "m.gcmodel"
    more = ["--folds", "2", "--set", "epochs=4", "--test", str(captions)]
    other = tmp_path / "other.csv"
    other.write_text("text,bin\ngrey sofa,TTR\nold soda can,Blue\n", encoding="utf-8")
    words = arguments(base, other, out, captions)
    assert main([*words, "--folds", "2", "--set", "epochs=4"]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    notes = [event["text"] for event in events if event["type"] == "note"]
    assert sum(note.startswith("Fold ") for note in notes) == 2
    rows = len(captions.read_text(encoding="utf-8").splitlines()) - 1
    assert f"{rows + 2} captions to train on, 0 to validate, 0 to test." in notes
    info = load_model(out).info
    assert info.metrics["cross_validation"]["items"] == rows
    assert info.metrics["cross_validation"]["accuracy"] == events[-1]["accuracies"]["cross_validation"]

    # The same captions to train on and to test on leave nothing to learn from.
    assert main([*arguments(base, captions, out), *more]) == 2


class Count:
    """A reporter that counts steps and keeps the numbers of finished epochs."""

    def __init__(self) -> None:
        self.steps = 0
        self.epochs: list[int] = []

    def note(self, text: str) -> None: ...

    def caching(self, done: int, total: int) -> None: ...

    def done(self, result: Path, accuracies: object) -> None: ...

    def step(self, *_figures: float) -> None:
        self.steps += 1

    def epoch(self, epoch: int, *_more: object) -> None:
        self.epochs.append(epoch)


def test_stopped_it_writes_the_best_and_goes_on_later(base: Path, captions: Path, tmp_path: Path) -> None:
    parser = argparse.ArgumentParser()
    add_arguments(parser)

    def options(name: str, *more: str) -> argparse.Namespace:
        words = [
            *arguments(base, captions, tmp_path / f"{name}.gcmodel")[1:],
            "--run-folder",
            str(tmp_path / "run"),
        ]
        return parser.parse_args([*words, *more])

    report = Count()
    assert train(options("none"), report, lambda: True).path is None
    assert report.steps == 0
    early = train(options("early"), report, lambda: report.steps >= 5)
    assert early.stopped
    assert early.path is not None
    assert report.epochs == [1]  # less than an epoch is scored, and is no checkpoint
    assert not (tmp_path / "run" / "checkpoint.safetensors").exists()
    report = Count()
    later = train(options("later"), report, lambda: report.steps >= 25)
    assert report.epochs == [1]
    assert later.path is not None
    kept = train(options("kept", "--finish"), Count())
    assert kept.path is not None
    assert load_info(kept.path).weights_sha256 == load_info(later.path).weights_sha256
    assert load_info(kept.path).provenance.details["stopped"] is True
    report = Count()
    whole = train(options("whole", "--resume"), report)
    assert report.epochs == [2, 3, 4, 5, 6]
    assert not whole.stopped

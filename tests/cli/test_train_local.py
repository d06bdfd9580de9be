"""`gcdesk train image --local` on a small ImageFolder: a model that can be imported, Ctrl-C, resume, no torch."""

from __future__ import annotations

import argparse
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from gcdesk.cli.main import main
from gcdesk.engine.library.library import Library
from gcdesk.engine.modelfile.checkpoint import load_info, load_model
from trainer.image import command
from trainer.image.settings import RecipeError

QUICK = [
    "--set",
    "size=64",
    "--set",
    "views=0",
    "--set",
    "batch=4",
    "--set",
    "epochs=2",
    "--set",
    "unfreeze_epoch=2",
]


@pytest.fixture
def folder(shared_data: Path, tmp_path: Path) -> Path:
    """Six station photos a bin, straight in the bins' folders."""
    for bin_folder in sorted((shared_data / "field").iterdir()):
        for photo in sorted(bin_folder.glob("*.jpg"))[:6] if bin_folder.is_dir() else ():
            target = tmp_path / "photos" / bin_folder.name / photo.name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(photo, target)
    return tmp_path / "photos"


@pytest.fixture
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def words(folder: Path, out: Path, *more: str) -> list[str]:
    return ["train", "image", "--local", str(folder), "--out", str(out), *QUICK, *more]


@pytest.mark.usefixtures("one_thread")
def test_it_trains_from_the_starter_and_the_model_can_be_imported(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "line 2.gcmodel"
    assert main(words(folder, out)) == 0
    told = capsys.readouterr().err
    assert "photos of" in told
    assert "are held out to measure" in told
    assert "Epoch 2 of 2" in told
    assert "Photos unlike the training photos cannot be told" in told
    assert f"Written: {out}" in told
    info = load_info(out)
    assert info.kind == "image"
    assert "starter-image" in info.provenance.source
    assert info.metrics["val"]["items"] >= 4
    assert info.provenance.details["stopped"] is False
    assert main(["models", "import", str(out)]) == 0
    assert Library().resolve("image", "line 2").is_dir()
    # The hours of an earlier training are not overwritten by habit.
    assert main(words(folder, out)) == 2
    assert "add --resume to go on with it" in capsys.readouterr().err


@pytest.mark.slow
def test_ctrl_c_keeps_the_best_so_far_and_resume_goes_on(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "stopped.gcmodel"
    more = ("--threads", "1", "--set", "epochs=5", "--set", "batch=2")
    command = [sys.executable, "-m", "gcdesk", *words(folder, out, *more)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as training:
        assert training.stderr is not None
        told = ""
        while "Epoch 1 of 5" not in told:
            line = training.stderr.readline()
            assert line, told
            told += line
        training.send_signal(signal.SIGINT)
        told += training.stderr.read()
        assert training.wait(60) == 0, told
    assert "Stopping after this step" in told
    assert "--resume goes on from here" in told
    first = load_info(out)
    assert first.provenance.details["stopped"] is True
    assert 1 <= len(first.provenance.details["history"]) < 5
    done = subprocess.run([*command, "--resume"], capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    assert "Going on after" in done.stderr
    second = load_model(out).info
    assert second.provenance.details["stopped"] is False
    assert len(second.provenance.details["history"]) == 5
    assert second.provenance.details["history"][0] == first.provenance.details["history"][0]


def test_ctrl_c_before_the_first_step_ends_at_once(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "none.gcmodel"
    command = [sys.executable, "-m", "gcdesk", *words(folder, out)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as training:
        assert training.stderr is not None
        assert "held out" in training.stderr.readline()
        start = time.monotonic()
        training.send_signal(signal.SIGINT)
        training.stderr.read()
        assert training.wait(60) in (130, 2)  # 2: it had begun to step, and says that there is no model yet
        assert time.monotonic() - start < 30
    assert not out.exists()


def test_a_full_disk_is_told_before_anything_is_spent(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A view of so many pixels and so often: no disk has room for it."""
    out = tmp_path / "large.gcmodel"
    assert main(words(folder, out, "--set", "views=2000000000")) == 2
    assert "make room first" in capsys.readouterr().err
    assert not out.with_name("large.run").exists()


def test_without_torch_it_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from gcdesk.cli.main import main\n"
        "sys.exit(main(['train', 'image', '--local', 'photos']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "Training needs torch" in done.stderr
    assert "Traceback" not in done.stderr


def test_without_a_folder_it_asks_for_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "image", "--local"]) == 2
    assert "--local FOLDER" in capsys.readouterr().err


def test_this_folder_can_be_named_and_what_else_is_named_counts(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    monkeypatch.chdir(folder)
    found = command._sources(parser.parse_args(["--local", ".", "--test", str(tmp_path / "mine")]))
    assert (found.train, found.val, found.test) == (Path("."), None, tmp_path / "mine")
    with pytest.raises(RecipeError, match="--local FOLDER"):
        command._sources(parser.parse_args(["--local"]))

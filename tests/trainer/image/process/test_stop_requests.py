"""Stops in mid-epoch, checkpoints that are kept, skipped or do not fit on the disk. DDP is tested on Slurm."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from image_folders import make_folder

from gcdesk.engine.modelfile.checkpoint import load_model
from trainer.image.photos.augment import AugmentSettings
from trainer.image.process.reporting import TextReporter
from trainer.image.process.stop_requests import Order, Orders
from trainer.image.settings import ImageSettings
from trainer.image.state import ResumeError, SaveError
from trainer.image.training import Place, Run, Sources

SMALL = ImageSettings(
    size=64, epochs=2, unfreeze_epoch=2, batch=2, depthwise=False, average=0.9, mixup=0.2,
    augment=AugmentSettings(preset="original"),
)  # fmt: skip


class StopAt:
    """Says stop at given looks, as a STOP file that appears does."""

    def __init__(self, *looks: int) -> None:
        self._looks, self._count = looks, 0

    def __call__(self) -> bool:
        self._count += 1
        return self._count in self._looks


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Two threads that wait for one another on a busy machine take many times as long."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def sources(samples: Path, tmp_path: Path) -> Sources:
    return Sources(*(make_folder(samples, tmp_path / "data" / name) for name in ("train", "val")))


@pytest.fixture
def report(tmp_path: Path) -> TextReporter:
    return TextReporter((tmp_path / "log.txt").open("w", encoding="utf-8"))


def place(base: Path, folder: Path, **changes: Any) -> Place:
    usual = Place(torch.device("cpu"), False, folder / "run", folder / "image.gcmodel", base)
    return replace(usual, resume=True, **changes)


def test_stops_in_the_middle_of_epochs_change_nothing(
    starter_image: Path, sources: Sources, tmp_path: Path, report: TextReporter
) -> None:
    """Dropout, mixup, stochastic depth and the moving average go on from where they were."""
    whole = Run(sources, SMALL, place(starter_image, tmp_path / "whole"), report).train()
    assert whole is not None
    looks = 0
    parts = None
    while parts is None:
        looks += 1
        assert looks < 9
        orders = Orders(StopAt(3))  # three steps a call, of four in an epoch
        parts = Run(sources, SMALL, place(starter_image, tmp_path / "parts", orders=orders), report).train()
    assert looks == 3
    log = (tmp_path / "log.txt").read_text()
    assert "Going on after step 3 of epoch 1" in log
    assert "Going on after step 2 of epoch 2" in log
    expected, found = load_model(whole), load_model(parts)
    histories = [model.info.provenance.details["history"] for model in (expected, found)]
    assert histories[0] == histories[1]
    for name, array in expected.weights.items():
        assert np.array_equal(array, found.weights[name]), name


def test_two_checkpoints_are_kept_and_a_truncated_one_is_skipped(
    starter_image: Path, sources: Sources, tmp_path: Path, report: TextReporter
) -> None:
    here = place(starter_image, tmp_path, orders=Orders(StopAt(3), save_seconds=0.0))
    assert Run(sources, SMALL, here, report).train() is None
    names = [file.name for file in sorted((tmp_path / "run").iterdir())]
    assert names == ["checkpoint-0000-000002.safetensors", "checkpoint-0000-000003.safetensors"]
    newest = tmp_path / "run" / names[1]
    newest.write_bytes(newest.read_bytes()[:-1000])
    again = Run(sources, SMALL, place(starter_image, tmp_path, orders=Orders(StopAt(1))), report)
    assert again.train() is None
    log = (tmp_path / "log.txt").read_text()
    assert f"{names[1]} is damaged and is skipped" in log
    assert "Going on after step 2 of epoch 1" in log
    for file in (tmp_path / "run").iterdir():
        file.write_bytes(b"")
    with pytest.raises(ResumeError, match=r"Every checkpoint in .* is damaged"):
        Run(sources, SMALL, place(starter_image, tmp_path), report).train()


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_checkpoint_that_does_not_fit_leaves_the_one_before(
    starter_image: Path, sources: Sources, tmp_path: Path, report: TextReporter,
    monkeypatch: pytest.MonkeyPatch, code: int,
) -> None:  # fmt: skip
    """Both ways in which a system says that there is no room; a real full disk is in tests/cluster."""
    run = Run(sources, SMALL, place(starter_image, tmp_path, orders=Orders(StopAt(1))), report)
    assert run.train() is None

    def full(_handle: int) -> None:
        raise OSError(code, "no")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(
        SaveError, match=r"quota is full: .* MB\. checkpoint-0000-000001\.safetensors is kept"
    ):
        run._save()
    assert [file.name for file in (tmp_path / "run").iterdir()] == ["checkpoint-0000-000001.safetensors"]


def test_orders_say_what_is_due() -> None:
    assert Orders().next() is Order.GO_ON
    assert Orders(lambda: True, 0.0).next() is Order.STOP
    due = Orders(lambda: False, 0.0)
    assert due.next() is Order.SAVE
    later = Orders(lambda: False, 1000.0)
    assert later.next() is Order.GO_ON

"""The job's own files: settings that are checked, a status in one step, metrics without steps taken twice."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from trainer.job.config import Folders, JobConfig, JobError, config_text, parse_config, read_config
from trainer.job.record import Record, Status, read_metrics, read_status, write_status

GOOD = JobConfig("run-1", "line 2", Folders('/data/my "photos"/train', "data/val"))


def test_settings_go_to_toml_and_back() -> None:
    assert parse_config(config_text(GOOD)) == GOOD


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('run = "run-1"', 'run = "../x"', "cannot name a run"),
        ('run = "run-1"', 'run = "a b"', "no spaces"),
        ('model = "line 2"', 'model = "a/b"', "cannot be a model's name"),
        ("gpus = 1", "gpus = 0", "gpus must be 1 to 16"),
        ("gpus = 1", 'gpus = "1"', "gpus is '1', which is no int"),
        ("allow_cpu = false", "allow_cpu = 0", "which is no bool"),
        ("version = 1", "version = 2", "has version 2 and this gcdesk reads 1"),
        ('val = "data/val"', "", "does not say val"),
        ('val = "data/val"', 'val = "C:\\\\photos"', "is a Windows path"),
        ("epochs = 12", "epochs = 0", "epochs must be at least 1"),
        ("epochs = 12", "epoch = 12", "unknown setting 'epoch'"),
        ("[data]", "[data", "is not a TOML file"),
        ("[data]\n", "[data]\nextra = 1\n", "data: unknown setting 'extra'"),
    ],
)
def test_what_is_wrong_is_named(old: str, new: str, message: str) -> None:
    text = config_text(GOOD)
    assert old in text
    with pytest.raises(JobError, match=message):
        parse_config(text.replace(old, new, 1))


def test_settings_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(JobError, match="cannot be read"):
        read_config(tmp_path / "config.toml")


def test_the_status_is_replaced_in_one_step(tmp_path: Path) -> None:
    assert read_status(tmp_path) is None
    write_status(tmp_path, Status("x", state="failed", reason="disk", message='the "quota"'))
    status = read_status(tmp_path)
    assert status is not None
    assert (status.state, status.message) == ("failed", 'the "quota"')
    assert status.updated
    assert [file.name for file in tmp_path.iterdir()] == ["status.json"]
    (tmp_path / "status.json").write_text("{")
    assert read_status(tmp_path) is None


def test_steps_that_are_taken_again_are_recorded_once(tmp_path: Path) -> None:
    first = Record(tmp_path, Status("x"))
    for step in (1, 2, 3):
        first.step(1, 2, step, 4, 1.0 / step, 0.1)
    with (tmp_path / "metrics.jsonl").open("a") as file:
        file.write('{"type": "st')  # the disk was full
    again = Record(tmp_path, Status("x"))
    again.step(1, 2, 2, 4, 0.25, 0.1)
    again.step(1, 2, 3, 4, 0.125, 0.1)
    again.epoch(1, 2, {"epoch": 1.0, "loss": 0.5, "val": 0.75}, True)
    third = Record(tmp_path, Status("x"))  # stopped after the epoch's steps, before its end: judged again
    third.epoch(1, 2, {"epoch": 1.0, "loss": 0.5, "val": 0.75}, True)
    lines = read_metrics(tmp_path / "metrics.jsonl")
    assert [(line["type"], line.get("step")) for line in lines] == [
        ("step", 1), ("step", 2), ("step", 3), ("epoch", None),
    ]  # fmt: skip
    assert lines[1]["loss"] == 0.25
    assert json.loads((tmp_path / "status.json").read_text())["epoch"] == 1

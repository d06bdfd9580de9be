"""Sweeps: combinations, ranking over seeds, and on a real Slurm an array that ends with its table."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from talc_kit import SMALL, call, log, result_of, small_job, unpacked, wait_for, wait_gone

from gcdesk.cli.talc import told
from gcdesk.cluster.job_registry import job_record
from gcdesk.cluster.results.import_record import read_arrival
from gcdesk.cluster.results.importer import take_in
from gcdesk.engine.modelfile.checkpoint import load_info
from trainer.image.settings import settings_from
from trainer.job.config import Folders, JobConfig, JobError, config_text, parse_config
from trainer.job.sweep import TaskResult, combinations, parse_axis, ranked, task_config

AXES = (("rate", ("1e-4", "5e-4")), ("seed", ("0", "1", "2")))


def test_every_combination_has_its_task() -> None:
    assert parse_axis("lr=1e-4, 5e-4") == AXES[0]
    found = combinations(AXES)
    assert len(found) == 6
    assert found[0] == ("rate=1e-4", "seed=0")
    assert found[5] == ("rate=5e-4", "seed=2")
    config = JobConfig("x", "x", Folders("/t", "/v", "/test"), sweep=AXES)
    assert parse_config(config_text(config)) == config
    task = task_config(config, 4)
    assert (task.training.rate, task.training.seed, task.folders.test) == (5e-4, 1, "")


@pytest.mark.parametrize(
    ("words", "message"),
    [(["lr"], "write NAME=VALUE"), (["lr=1,1"], "different values"), (["lr=1", "rate=2"], "swept twice")],
)
def test_axes_that_make_no_sense(words: list[str], message: str) -> None:
    with pytest.raises(JobError, match=message):
        combinations([parse_axis(word) for word in words])
    with pytest.raises(JobError, match="are the most"):
        combinations([("seed", tuple(str(number) for number in range(201)))])


def test_a_setting_that_is_not_there_is_refused_before_anything_is_written(
    photo_set: Path, starter_image: Path
) -> None:
    with pytest.raises(JobError, match="unknown setting 'speed'"):
        small_job("x", photo_set, starter_image, sweep=(("speed", ("1", "2")),))


def test_ranking_is_by_the_mean_over_seeds_with_its_interval() -> None:
    values = {0: 0.80, 1: 0.82, 2: 0.84, 3: 0.90, 4: None, 5: 0.70}
    words = combinations(AXES)
    tasks = [TaskResult(task, words[task], "done", val, "") for task, val in values.items()]
    first, second = ranked(tasks)
    assert first.words == ("rate=1e-4",)
    assert first.mean == pytest.approx(0.82)
    assert first.half == pytest.approx(4.303 * 0.02 / math.sqrt(3))
    assert second.mean == pytest.approx(0.80)
    assert second.tasks == (3, 5)
    assert ranked([TaskResult(0, words[0], "done", 0.5, "")])[0].half is None


@pytest.mark.slow
def test_two_by_two_on_a_real_slurm_ends_with_the_ranked_table(
    slurm: None, photo_set: Path, starter_image: Path, tmp_path: Path
) -> None:
    axes = (("rate", ("1e-3", "1e-5")), ("seed", ("0", "1")))
    training = settings_from({**SMALL, "epochs": 1, "unfreeze_epoch": 0})
    job = small_job("grid", photo_set, starter_image, training=training, sweep=axes, at_once=2)
    bundle = unpacked(job, tmp_path)
    said = call(bundle, "submit.sh")
    assert said.returncode == 0, said.stderr
    assert "ranks them when the last one has ended" in said.stdout
    again = call(bundle, "submit.sh", "--again")
    assert again.returncode == 3
    assert "is in the queue already" in again.stderr
    array = (bundle / "runs" / "grid" / "jobs.txt").read_text().strip()
    wait_gone(array)
    ranking = bundle / "runs" / "grid" / "sweep.json"
    wait_for((bundle / "runs" / "grid" / "status.json").is_file)
    content = json.loads(ranking.read_text())
    assert [task["state"] for task in content["tasks"]] == ["done"] * 4, log(bundle)
    assert content["groups"][0]["mean"] >= content["groups"][1]["mean"]
    assert all(len(group["tasks"]) == 2 for group in content["groups"])
    for task in range(4):
        own = load_info(bundle / "runs" / "grid" / f"task-{task}" / "line2.gcmodel")
        assert "test" not in own.metrics  # looked at once, for the winner
    arrival = take_in(result_of(bundle))
    assert arrival.installed == "line2"
    assert {figure.split for figure in arrival.figures} == {"val", "test"}
    assert [place.count for place in arrival.sweep] == [2, 2]
    assert all(len(place.curve) == 1 for place in arrival.sweep)
    assert any("1. rate=" in line and "±" in line for line in told(arrival))
    kept = job_record("grid")
    assert kept is not None
    assert read_arrival(kept.folder) == arrival

"""Bundles on a real Slurm: interrupted, cancelled, out of room, on two processes, without a GPU."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from talc_kit import (
    assert_same_run,
    call,
    exact_settings,
    local_site,
    log,
    metrics,
    result_of,
    run_folder,
    small_job,
    status,
    submit,
    unpacked,
    wait_gone,
    wait_step,
)

from gcdesk.cluster.job import Resources
from gcdesk.cluster.results.importer import take_in

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("slurm")]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("my cluster")


def test_cancelled_and_with_a_truncated_checkpoint_it_goes_on_from_the_one_before(
    whole_run: Path, place: Path, photo_set: Path, starter_image: Path
) -> None:
    bundle = unpacked(small_job("cancelled", photo_set, starter_image), place)
    job = submit(bundle)
    wait_step(bundle, 2, 3)
    subprocess.run(["scancel", job], check=True)
    wait_gone(job)
    assert status(bundle)["state"] == "stopped"
    back = take_in(result_of(bundle))
    assert back.installed == ""
    assert back.diagnosis is not None
    assert back.diagnosis.reason == "stopped"
    assert any("CANCELLED" in line for line in back.diagnosis.lines)
    kept = sorted(run_folder(bundle).glob("checkpoint-*.safetensors"))
    assert len(kept) == 2
    kept[1].write_bytes(kept[1].read_bytes()[: kept[1].stat().st_size // 2])
    wait_gone(submit(bundle, "--again"))
    assert f"{kept[1].name} is damaged and is skipped" in log(bundle)
    assert status(bundle)["state"] == "done", log(bundle)
    assert_same_run(whole_run, bundle)


def test_a_full_disk_ends_with_a_message_and_a_sound_checkpoint(
    place: Path, photo_set: Path, starter_image: Path
) -> None:
    bundle = unpacked(small_job("full", photo_set, starter_image), place)
    folder = bundle / "runs"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=250m", "tmpfs", str(folder)], check=True)
    try:
        refused = call(bundle, "submit.sh")
        assert refused.returncode == 1
        assert "FAIL  There is no room for checkpoints: 750 MB are needed" in refused.stdout
        handed = subprocess.run(
            ["sbatch", "--parsable", "train.sbatch"], cwd=bundle, capture_output=True, text=True, check=True
        )
        wait_gone(handed.stdout.strip())
        assert status(bundle)["state"] == "failed"
        assert status(bundle)["reason"] == "disk"
        assert "The disk or your quota is full" in status(bundle)["message"]
        left = sorted(run_folder(bundle).glob(".checkpoint-*")) + sorted(
            run_folder(bundle).glob("*.safetensors")
        )
        assert left
        assert f"{left[-1].name} is kept" in status(bundle)["message"]
        for checkpoint in left:
            torch.load(checkpoint, weights_only=True)
        back = take_in(result_of(bundle))
        assert back.diagnosis is not None
        assert back.diagnosis.reason == "disk"
        assert any("quota is full" in line for line in back.diagnosis.lines)
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_two_processes_learn_as_one_with_the_same_batch(
    place: Path, photo_set: Path, starter_image: Path
) -> None:
    one = small_job("one", photo_set, starter_image, training=exact_settings())
    two = replace(one, run="two", resources=replace(one.resources, gpus=2, cpus=2))
    bundles = [unpacked(job, place) for job in (one, two)]
    for job in [submit(bundle) for bundle in bundles]:
        wait_gone(job)
    assert "--nproc-per-node=2" in (bundles[1] / "train.sbatch").read_text()
    assert "2 at once" in log(bundles[1])
    lines = [[line for line in metrics(bundle) if line["type"] == "step"] for bundle in bundles]
    assert len(lines[0]) == len(lines[1]) == 24
    for mine, other in zip(*lines, strict=True):
        assert (mine["epoch"], mine["step"]) == (other["epoch"], other["step"])
        assert abs(mine["loss"] - other["loss"]) < 1e-3


def test_without_a_gpu_the_job_refuses_the_cpu_and_the_import_says_why(
    place: Path, photo_set: Path, starter_image: Path
) -> None:
    asked = Resources.of_site(local_site())
    bundle = unpacked(small_job("no-gpu", photo_set, starter_image, resources=asked), place)
    wait_gone(submit(bundle))
    assert status(bundle)["reason"] == "cuda"
    back = take_in(result_of(bundle))
    assert back.installed == ""
    assert back.diagnosis is not None
    assert back.diagnosis.sentence.startswith("The GPU could not be used")
    assert any("CUDA was asked for" in line for line in back.diagnosis.lines)

"""Every failure that preflight.sh can find, each with its message; Slurm's own parts with a real Slurm."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from talc_kit import call, local_site, small_job
from tiny_photos import tiny_folder

from gcdesk.cluster.job import Resources
from gcdesk.cluster.training_bundle import write_bundle
from trainer.job import preflight as checks
from trainer.job.config import config_text
from trainer.job.preflight import preflight


@pytest.fixture
def bundle(samples: Path, starter_image: Path, tmp_path: Path) -> Path:
    return write_bundle(
        small_job("fly", tiny_folder(samples, tmp_path / "photos"), starter_image), tmp_path / "job"
    )


def lines_of(bundle: Path, deep: bool = False) -> list[str]:
    said: list[str] = []
    code = preflight(bundle, deep, said.append)
    assert code == int(any(line.startswith("FAIL") for line in said))
    return said


def failures(bundle: Path, deep: bool = False) -> str:
    return "\n".join(line for line in lines_of(bundle, deep) if line.startswith("FAIL"))


def rewrite(bundle: Path, samples: Path, starter_image: Path, **changes: object) -> None:
    """Another config.toml in the bundle."""
    config = small_job("fly", bundle.parent / "photos", starter_image).config
    (bundle / "config.toml").write_text(config_text(replace(config, **changes)))  # type: ignore[arg-type]


# --- what Python checks


def test_a_sound_bundle_passes_with_its_counts(bundle: Path) -> None:
    said = "\n".join(lines_of(bundle, deep=True))
    assert "FAIL" not in said
    assert "train: 7 photos (Black 2, Blue 2, Green 2, TTR 1)" in said
    assert "train: all 7 photos can be read" in said
    assert "starts from init/starter-image.gcmodel" in said


def test_settings_that_cannot_be_read(bundle: Path) -> None:
    (bundle / "config.toml").write_text("version = 1\nrun = 'x'\nspeed = 3\n")
    assert "FAIL  config.toml: unknown setting 'speed' (there are run, model, base" in failures(bundle)


def test_photos_that_are_missing_or_laid_out_otherwise(
    bundle: Path, samples: Path, starter_image: Path
) -> None:
    shutil.rmtree(bundle / "data" / "val")
    shutil.rmtree(bundle / "data" / "train" / "TTR")
    (bundle / "data" / "test" / "Green").rename(bundle / "data" / "test" / "Grass")
    said = failures(bundle)
    assert f"val: there is no folder {bundle / 'data/val'} here: correct [data] in config.toml" in said
    assert "has no photos of TTR: it must hold the folders Black, Blue, Green, TTR" in said
    assert "has no photos of Green" in said


def test_photos_that_may_not_be_read(
    bundle: Path, samples: Path, starter_image: Path, open_folder: Path,
    another_user: Callable[[], AbstractContextManager[None]],
) -> None:  # fmt: skip
    """A course's folder that the user was not given the right to."""
    closed = shutil.copytree(bundle / "data", open_folder / "data")
    for folder in [closed, *closed.rglob("*")]:
        folder.chmod(0o755)
    (closed / "train" / "Blue").chmod(0o700)
    with another_user():
        found = checks._split("train", closed / "train")
    assert not found.fine
    assert "Blue may not be read by you: ask its owner" in found.text


def test_an_environment_that_lacks_a_package_or_cuda(
    bundle: Path, samples: Path, starter_image: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rewrite(bundle, samples, starter_image, allow_cpu=False)
    monkeypatch.setattr(torch.version, "cuda", None)
    assert "is a CPU build, and this job may not train on the CPU" in failures(bundle)
    monkeypatch.setattr(checks, "PACKAGES", (*checks.PACKAGES, "torch_of_tomorrow"))
    assert "The environment lacks torch_of_tomorrow: run ./setup_env.sh" in failures(bundle)


def test_a_python_that_is_too_old(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "OLDEST_PYTHON", (9, 0))
    assert "is too old: run ./setup_env.sh" in failures(bundle)


def test_memory_that_the_photos_do_not_fit_in(bundle: Path, samples: Path, starter_image: Path) -> None:
    rewrite(bundle, samples, starter_image, memory_mb=512)
    said = failures(bundle)
    assert (
        "21 photos need about 2 GB of memory and the job asks for 1 GB: raise --mem in train.sbatch" in said
    )


@pytest.fixture
def small_disk(bundle: Path) -> Iterator[None]:
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("a small disk can only be mounted by root on Linux")
    (bundle / "runs").mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", str(bundle / "runs")], check=True)
    yield
    subprocess.run(["umount", str(bundle / "runs")], check=True)


def test_a_disk_without_room_for_checkpoints(bundle: Path, small_disk: None) -> None:
    assert "There is no room for checkpoints: 750 MB are needed in" in failures(bundle)
    assert list((bundle / "runs" / "fly").iterdir()) == []


def test_weights_that_are_missing_or_cannot_be_fetched(
    bundle: Path, samples: Path, starter_image: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(bundle / "init")
    assert "init/starter-image.gcmodel is missing: unpack the bundle again" in failures(bundle)
    rewrite(bundle, samples, starter_image, base="")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "nothing"))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")  # a login node without internet
    said = failures(bundle)
    assert "The pretrained weights are not here and cannot be fetched" in said
    assert "copy efficientnet_b2_rwightman-c35c1473.pth to init/torch/hub/checkpoints/" in said


def test_deep_names_every_photo_that_cannot_be_read(bundle: Path) -> None:
    (bundle / "data" / "train" / "Blue" / "cut off.jpg").write_bytes(b"\xff\xd8\xff\xe0 nothing")
    (bundle / "data" / "val" / "Green" / "empty.jpg").write_bytes(b"")
    assert failures(bundle) == ""
    said = failures(bundle, deep=True)
    assert "train: " in said
    assert "cut off.jpg: " in said
    assert "empty.jpg: " in said


# --- what the script checks


def test_files_that_were_damaged_on_the_way(bundle: Path, slurm: None) -> None:
    (bundle / "labels.json").write_text("[]")
    (bundle / "init" / "starter-image.gcmodel" / "model.json").unlink()
    with (bundle / "config.toml").open("a") as file:
        file.write("# my change\n")
    said = call(bundle, "preflight.sh")
    assert said.returncode == 1
    assert "FAIL  labels.json is damaged or missing: copy the bundle here again" in said.stdout
    assert "FAIL  init/starter-image.gcmodel/model.json is damaged or missing" in said.stdout
    assert "note  config.toml was changed since the bundle was made." in said.stdout
    assert "Something is missing" in said.stderr
    (bundle / "manifest.json").write_text("{}")
    assert "FAIL  manifest.json is missing or damaged" in call(bundle, "preflight.sh").stdout


def test_a_partition_that_is_not_there_and_a_missing_environment(
    samples: Path, starter_image: Path, tmp_path: Path, slurm: None
) -> None:
    site = local_site(environment=replace(local_site().environment, kind="venv", path="/no/such/env"))
    resources = replace(Resources.of_site(site), partition="quantum")
    job = small_job(
        "fly", tiny_folder(samples, tmp_path / "p"), starter_image, site=site, resources=resources
    )
    said = call(write_bundle(job, tmp_path / "job"), "submit.sh")
    assert said.returncode == 1
    assert "FAIL  Slurm refuses the job (invalid partition specified: quantum" in said.stdout.replace(
        "Batch job submission failed: I", "i"
    ).replace("Invalid", "invalid")
    assert "FAIL  There is no environment at /no/such/env: run ./setup_env.sh first." in said.stdout
    assert "The job was not handed in." in said.stderr


@pytest.mark.posix("links want a right on Windows that users do not have")
def test_a_computer_without_slurm_and_one_whose_slurm_is_silent(
    bundle: Path, tmp_path: Path, slurm: None
) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("bash", "dirname", "sed", "sha256sum", "wc", "mkdir", "grep"):
        (programs / name).symlink_to(shutil.which(name) or name)
    said = call(bundle, "preflight.sh", PATH=str(programs))
    assert "FAIL  sbatch is missing: run this on the cluster's login node." in said.stdout
    silent = tmp_path / "slurm.conf"
    silent.write_text(
        "ClusterName=nobody\nSlurmctldHost=none(127.0.0.1)\nSlurmctldPort=9\nMessageTimeout=2\n"
    )
    said = call(bundle, "preflight.sh", SLURM_CONF=str(silent))
    assert "FAIL  Slurm does not answer (sinfo fails)" in said.stdout


def test_a_python_that_does_not_start(bundle: Path, tmp_path: Path, slurm: None) -> None:
    old = tmp_path / "python3.6"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    text = (bundle / "env.sh").read_text()
    (bundle / "env.sh").write_text(text.replace(f"environment={sys.executable}", f"environment={old}"))
    assert f"FAIL  {old} is older than Python 3.11 or does not start" in call(bundle, "preflight.sh").stdout


def test_setup_env_makes_reuses_and_never_deletes(samples: Path, starter_image: Path, tmp_path: Path) -> None:
    """A venv by a lock list that is met without the network: what pip installs is not ours to test."""
    place = tmp_path / "my env"
    site = local_site(environment=replace(local_site().environment, kind="venv", path=str(place)))
    job = small_job("fly", tiny_folder(samples, tmp_path / "p"), starter_image, site=site)
    bundle = write_bundle(job, tmp_path / "job")
    (bundle / "src" / "requirements.lock").write_text("# nothing\n")
    place.write_text("a file of mine")
    refused = call(bundle, "setup_env.sh")
    assert refused.returncode == 1
    assert "exists and is no environment: it is left alone" in refused.stderr
    assert place.read_text() == "a file of mine"
    place.unlink()
    assert f"The environment in {place} is ready." in call(bundle, "setup_env.sh").stdout
    (place / "mine.txt").write_text("kept")
    assert "is ready: nothing to do." in call(bundle, "setup_env.sh").stdout
    assert (place / "mine.txt").read_text() == "kept"
    (bundle / "src" / "requirements.lock").write_text("no-such-package==1.0\n")
    offline = call(bundle, "setup_env.sh", PIP_NO_INDEX="1")
    assert offline.returncode != 0
    assert "Completing the environment" in offline.stdout
    assert (place / "mine.txt").read_text() == "kept"

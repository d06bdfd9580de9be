"""What tests of cluster jobs share: Slurm itself, a small ImageFolder, bundles that take seconds."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gcdesk.cluster.image_folder import list_photos
from gcdesk.cluster.job import Job, Resources
from gcdesk.cluster.script_templates import bundle_name
from gcdesk.cluster.sites import Environment, Site, load_site
from gcdesk.cluster.training_bundle import write_bundle
from gcdesk.engine.modelfile.checkpoint import load_model
from trainer.image.settings import ImageSettings, settings_from

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("GCDESK_SHARED", ROOT.parent / "shared")).resolve()
BINS = ("Black", "Blue", "Green", "TTR")
# Seconds a job: 32 photos of 64 pixels in batches of 4, three epochs; dropout and augmentation stay on.
SMALL: dict[str, Any] = {"size": 64, "epochs": 3, "unfreeze_epoch": 2, "batch": 4, "workers": 1}
EXACT: dict[str, Any] = {**SMALL, "dropout": False, "augment": {"preset": "none"}}


@contextmanager
def running_slurm() -> Iterator[None]:
    """Slurm for as long as the block runs; one that was running before is left as it was."""
    if _answers():
        yield
        return
    tool = SHARED / "tools" / "slurm-local"
    problem = ""
    if sys.platform != "linux" or os.geteuid() != 0:
        problem = "a Slurm can only be started by root on Linux"
    elif not tool.is_file():
        problem = f"there is no {tool}: set GCDESK_SHARED to the shared folder"
    else:
        started = subprocess.run([str(tool), "start"], capture_output=True, text=True, timeout=240)
        if started.returncode or not _answers():
            problem = f"Slurm did not start: {started.stderr[-500:]}"
    if problem:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(problem)
    try:
        yield
    finally:
        subprocess.run([str(tool), "stop"], check=True, timeout=120)


def _answers() -> bool:
    if shutil.which("sinfo") is None:
        return False
    asked = subprocess.run(["sinfo", "--noheader"], capture_output=True, timeout=60)
    return asked.returncode == 0


def small_image_folder(images: Path, folder: Path) -> Path:
    """A few photos of each bin."""
    for split, count in (("train", 8), ("val", 3), ("test", 3)):
        for name in BINS:
            target = folder / split / name
            target.mkdir(parents=True)
            for number, photo in enumerate(sorted((images / split / name).iterdir())[:count]):
                shutil.copyfile(photo, target / (f"a {photo.name}" if number == 0 else photo.name))
    return folder


def local_site(**changes: Any) -> Site:
    """The Slurm of these tests, with this test's own Python as the environment: nothing is installed."""
    usual: dict[str, Any] = {
        "name": "Local",
        "login": "login.example.org",
        "time": "0-00:10:00",
        "memory": "3GB",
        "cpus": 1,
        "environment": Environment("python", sys.executable),
    }
    return replace(load_site("generic"), **{**usual, **changes})


def small_job(run: str, photos: Path, base: Path, **changes: Any) -> Job:
    """A job of seconds that may train on the CPU, with a checkpoint due after every second."""
    site = local_site()
    usual: dict[str, Any] = {
        "run": run,
        "model": "line2",
        "site": site,
        "resources": replace(Resources.of_site(site), allow_cpu=True),
        "training": settings_from(SMALL),
        "packed": list_photos(photos),
        "base": base,
        "save_minutes": 0.01,
    }
    return Job(**{**usual, **changes})


def exact_settings() -> ImageSettings:
    return settings_from(EXACT)


def unpacked(job: Job, folder: Path) -> Path:
    """The bundle as it lies on the cluster: written as an archive, unpacked by tar."""
    archive = write_bundle(job, folder / f"{job.run}.tar.gz")
    with tarfile.open(archive) as opened:
        opened.extractall(folder, filter="tar")
    return folder / bundle_name(job)


def call(bundle: Path, *words: str, **changes: str) -> subprocess.CompletedProcess[str]:
    """Run a script of the bundle as a user on the cluster does: without this test's own paths."""
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "GCDESK_HOME")}
    return subprocess.run(
        [str(bundle / words[0]), *words[1:]],
        capture_output=True, text=True, timeout=300, cwd=bundle.parent, env={**environment, **changes},
    )  # fmt: skip


def submit(bundle: Path, *words: str) -> str:
    """Hand the job in and return its number."""
    said = call(bundle, "submit.sh", *words)
    assert said.returncode == 0, said.stdout + said.stderr
    return run_folder(bundle).joinpath("jobs.txt").read_text().split()[-1]


def run_folder(bundle: Path) -> Path:
    (folder,) = (bundle / "runs").iterdir()
    return folder


def wait_for(happened: Callable[[], bool], seconds: float = 300) -> None:
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.1)


def wait_gone(job: str, seconds: float = 300) -> None:
    """Until Slurm has the job no more."""

    def gone() -> bool:
        asked = subprocess.run(["squeue", "--noheader", "--job", job], capture_output=True, text=True)
        return not asked.stdout.strip() and (asked.returncode == 0 or "Invalid job id" in asked.stderr)

    wait_for(gone, seconds)


def wait_step(bundle: Path, epoch: int, step: int) -> None:
    """Until the run has taken that step."""
    wanted = f'"epoch": {epoch}, "step": {step},'
    file = run_folder(bundle) / "metrics.jsonl"
    wait_for(lambda: file.is_file() and wanted in file.read_text())


def log(bundle: Path) -> str:
    return "\n".join(file.read_text() for file in sorted(run_folder(bundle).glob("slurm-*.out")))


def status(bundle: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((run_folder(bundle) / "status.json").read_text())
    return content


def metrics(bundle: Path) -> list[dict[str, Any]]:
    text = (run_folder(bundle) / "metrics.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


def result_of(bundle: Path) -> Path:
    """Collect the run; the archive that comes home."""
    said = call(bundle, "collect.sh")
    assert said.returncode == 0, said.stderr
    (archive,) = bundle.glob("result-*.tar.gz")
    with tarfile.open(archive) as opened:
        assert opened.getnames()
    return archive


def assert_same_run(whole: Path, other: Path) -> None:
    """The same figures at every step and epoch, and the same weights to the bit."""
    assert metrics(other) == metrics(whole)
    expected, found = (load_model(run_folder(bundle) / "line2.gcmodel") for bundle in (whole, other))
    for name, array in expected.weights.items():
        assert np.array_equal(array, found.weights[name]), name

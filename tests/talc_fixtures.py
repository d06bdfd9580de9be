"""Fixtures of the cluster tests, for more than one room: a real Slurm, a few real photos, a run to compare with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def slurm() -> Iterator[None]:
    """A real single-node Slurm, started for these tests and stopped behind them. CI must have it."""
    from talc_kit import running_slurm

    with running_slurm():
        yield


@pytest.fixture(scope="session")
def photo_set(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """train (8 a bin), val and test (3 a bin) of the shared photos; names with spaces among them."""
    from talc_kit import small_image_folder

    return small_image_folder(shared_data / "images", tmp_path_factory.mktemp("photos") / "small set")


@pytest.fixture(scope="session")
def whole_run(
    photo_set: Path, starter_image: Path, slurm: None, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The bundle of a run on Slurm that nothing interrupted."""
    from talc_kit import log, small_job, status, submit, unpacked, wait_gone

    bundle = unpacked(small_job("whole", photo_set, starter_image), tmp_path_factory.mktemp("my cluster"))
    wait_gone(submit(bundle))
    assert status(bundle)["state"] == "done", log(bundle)
    return bundle

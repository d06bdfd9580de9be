"""Fixtures of the worker's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import leaks
import pytest
from worker_kit import Worker, running


@pytest.fixture(autouse=True)
def nothing_left_behind() -> Iterator[None]:
    with leaks.watch():
        yield


@pytest.fixture
def worker() -> Iterator[Worker]:
    """A worker that was only started."""
    with running() as started:
        yield started


@pytest.fixture(scope="session")
def sample_files(samples: Path) -> list[Path]:
    return sorted(samples.glob("*.jpg"))

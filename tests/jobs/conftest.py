"""Fixtures of the jobs' tests: a client on a real worker, and nothing may stay behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import leaks
import pytest
from client_kit import Listener
from PySide6.QtWidgets import QApplication

from gcdesk.jobs.worker_client import WorkerClient


@pytest.fixture(autouse=True)
def nothing_left_behind(qapp: QApplication) -> Iterator[None]:
    """No thread, child process, timer or window survives a test."""
    with leaks.watch(qt=True):
        yield


@pytest.fixture
def listen(qapp: QApplication, tmp_path: Path) -> Iterator[Callable[..., Listener]]:
    """`listen(**of the client)`: a client that is not started, and what it says; closed at the end."""
    made: list[Listener] = []

    def make(**values: object) -> Listener:
        listener = Listener(WorkerClient(**values), tmp_path / "pictures")  # type: ignore[arg-type]
        made.append(listener)
        return listener

    yield make
    for listener in made:
        listener.client.close()
        listener.client.deleteLater()


@pytest.fixture(scope="session")
def sample_files(samples: Path) -> list[Path]:
    return sorted(samples.glob("*.jpg"))

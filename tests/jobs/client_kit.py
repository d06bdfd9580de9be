"""A client and everything it has said, with a real event loop that turns until something happened."""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QEvent, QEventLoop

from gcdesk.config.thresholds import TEXT_WEIGHT
from gcdesk.jobs.worker_client import WorkerClient
from gcdesk.worker.protocol.messages import Configure, Ready, Result

HERE = Path(__file__).resolve().parent


def configuration(folder: Path, **changed: object) -> Configure:
    """The starters on the CPU, with pictures in `folder`."""
    values: dict[str, object] = {
        "image_model": None,
        "text_model": None,
        "rule": None,
        "device": "cpu",
        "threads": None,
        "review_threshold": 0.8,
        "disagreement_margin": 0.2,
        "weight": TEXT_WEIGHT,
        "pictures_folder": str(folder),
    }
    return Configure(**{**values, **changed})  # type: ignore[arg-type]


class Listener:
    """Keeps what a client says, in order."""

    def __init__(self, client: WorkerClient, pictures: Path) -> None:
        self.client = client
        self.pictures = pictures
        self.ready: list[Ready] = []
        self.results: list[Result] = []
        self.begun: list[int] = []
        self.files: list[tuple[int, str]] = []
        self.failures: list[tuple[int, str]] = []
        self.notices: list[str] = []
        self.fatal: list[str] = []
        self.states: list[str] = []
        client.ready.connect(self.ready.append)
        client.result.connect(self.results.append)
        client.started.connect(self.begun.extend)
        for pictures_signal in (client.preview_ready, client.heatmap_ready):
            pictures_signal.connect(lambda item, file: self.files.append((item, file)))
        client.failed.connect(lambda item, reason: self.failures.append((item, reason)))
        client.notice.connect(self.notices.append)
        client.fatal.connect(self.fatal.append)
        client.state_changed.connect(self.states.append)

    def start(self, **changed: object) -> None:
        self.client.start(configuration(self.pictures, **changed))

    def wait(self, happened: Callable[[], bool], timeout: float = 180) -> None:
        turn_until(
            happened, timeout, lambda: f"{self.states} {self.notices} {self.fatal} {len(self.results)}"
        )

    def start_and_wait(self, **changed: object) -> None:
        self.start(**changed)
        self.wait(lambda: bool(self.ready))

    def times_answered(self) -> Counter[int]:
        return Counter(result.id for result in self.results)


def turn_until(happened: Callable[[], bool], timeout: float = 180, tell: Callable[[], str] = str) -> None:
    """Turn the event loop until something happened."""
    deadline = time.monotonic() + timeout
    while not happened():
        assert time.monotonic() < deadline, f"it did not happen: {tell()}"
        QCoreApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 20)
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        time.sleep(0.002)


def copies(folder: Path, files: Sequence[Path], count: int) -> list[tuple[int, str, str | None]]:
    """So many photos as the client takes them: hard links to the samples, captions from their names."""
    folder.mkdir(exist_ok=True)
    made: list[tuple[int, str, str | None]] = []
    for number in range(count):
        link = folder / f"{number:05d} {files[number % len(files)].name}"
        os.link(files[number % len(files)], link)
        made.append((number, str(link), None))
    return made


def deadly_worker(way: str) -> tuple[str, ...]:
    """A worker that comes to harm (see deadly_worker.py) at a photo with `deadly` in its name."""
    return (sys.executable, str(HERE / "deadly_worker.py"), way)

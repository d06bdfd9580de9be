"""What a fault is, and what several of them need."""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from client_kit import Listener, copies

from gcdesk.config.folders import HOME_VARIABLE
from gcdesk.jobs.worker_client import WorkerClient

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = sorted((ROOT / "resources" / "samples").glob("*.jpg"))


class Skipped(Exception):
    """The fault cannot be made on this computer, and why."""


@dataclass(frozen=True)
class Fault:
    """`make(folder, short)` brings it about in an empty folder, asserts what must hold, and says what came of it."""

    name: str
    make: Callable[[Path, bool], str]


@contextmanager
def profile(folder: Path) -> Iterator[Path]:
    """gcdesk's own folders are below `folder`."""
    before = os.environ.get(HOME_VARIABLE)
    os.environ[HOME_VARIABLE] = str(folder)
    try:
        yield folder
    finally:
        if before is None:
            del os.environ[HOME_VARIABLE]
        else:
            os.environ[HOME_VARIABLE] = before


@contextmanager
def listener(folder: Path, **values: object) -> Iterator[Listener]:
    """A client with a real worker, and what it says; its pictures go below `folder`."""
    made = Listener(WorkerClient(**values), folder / "pictures")
    try:
        yield made
    finally:
        made.client.close()
        made.client.deleteLater()


def photos(folder: Path, count: int) -> list[tuple[int, str, str | None]]:
    return copies(folder / "photos", SAMPLES, count)


def all_answered_once(heard: Listener, count: int) -> None:
    """Nothing lost, nothing doubled."""
    times = heard.times_answered()
    assert set(times) == set(range(count)), f"lost: {set(range(count)) - set(times)}"
    assert set(times.values()) == {1}, f"doubled: {[one for one, n in times.items() if n > 1]}"


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """A file system of so few megabytes. Raises Skipped where it cannot be mounted."""
    place = folder / "disk"
    place.mkdir()
    options = f"size={megabytes}m,mode=755"
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)], capture_output=True
    )
    if mounted.returncode:
        raise Skipped("a small disk can be mounted by root only")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def fill(disk: Path) -> Path:
    """Leave no byte free. Returns the file that takes the space."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (2**16, 2**12, 1):
            try:
                while file.write(random.randbytes(size)):
                    pass
            except OSError:
                continue
    return ballast


def sentence(words: str) -> str:
    """`words`, which an operator must be able to read. Raises AssertionError."""
    assert words, "nothing was said"
    assert words[0].isupper() or words[0] in "/~" or "." in words.split()[0], words  # a file's name
    assert words.rstrip().endswith((".", "!")), words
    assert not any(jargon in words for jargon in ("Errno", "Traceback", "Error(", "sqlite3")), words
    return words

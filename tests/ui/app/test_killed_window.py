"""The window killed in the middle of a batch: its worker goes, the session is as it was, and can be finished."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from killed_window_kit import done_until, start, stored
from leaks import child_processes, is_alive
from processes import kill

from gcdesk.store import Status

ROOT = Path(__file__).resolve().parents[3]
PHOTOS = 120


def done_in_store() -> int:
    return sum(status == Status.DONE for _, status in stored())


def wait_until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


@pytest.mark.skipif(sys.platform == "win32", reason="signals as on POSIX")
def test_a_killed_window_loses_and_doubles_nothing(samples: Path, tmp_path: Path) -> None:
    photos = sorted(samples.glob("*.jpg"))
    for number in range(PHOTOS):
        target = tmp_path / f"{number:03} {photos[number % len(photos)].name}"
        shutil.copy(photos[number % len(photos)], target)
    first = start(tmp_path)
    _, said = done_until(first, 20)
    seen = max(int(line.split()[1]) for line in said if line.startswith("done"))
    (worker,) = child_processes(first.pid)
    # Results are committed at most half a second after they came, and later where the machine is busy.
    wait_until(lambda: done_in_store() >= seen)
    kill(first.pid)
    killed = time.monotonic()
    first.wait(timeout=60)
    while is_alive(worker):
        assert time.monotonic() - killed < 2, "the worker outlived its window"
        time.sleep(0.02)
    first.stdout.close()
    rows = stored()
    assert len(rows) == len({path for path, _ in rows}) == PHOTOS
    kept = done_in_store()
    assert seen <= kept < PHOTOS

    second = start()
    try:
        _, said = done_until(second, PHOTOS)
        assert any(line.startswith("offered") for line in said)
        assert said[0] == f"done {kept} of {PHOTOS}"
    finally:
        second.terminate()
        assert second.wait(timeout=60) == 0
        second.stdout.close()
    rows = stored()
    assert len(rows) == len({path for path, _ in rows}) == PHOTOS
    assert all(status == Status.DONE for _, status in rows)

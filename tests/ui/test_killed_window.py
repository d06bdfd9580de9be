"""The window killed in the middle of a batch: its worker goes, the session is as it was, and can be finished."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from leaks import child_processes, is_alive

from gcdesk.store import Status, store_path

ROOT = Path(__file__).resolve().parents[2]
PHOTOS = 120
# The real application; it says how many rows are done, and takes up every offer to finish a session.
WINDOW = """
import sys
from gcdesk.ui import assembly
from gcdesk.ui.app import run
from gcdesk.ui.rows import Status

def make(settings):
    controller = assembly.make_controller(settings)
    def tell(*_):
        status = controller.rows.status
        print("done", int((status >= Status.DONE).sum()), "of", len(status), flush=True)
    def take(text, offer, act):
        print("offered", text, flush=True)
        act()
    controller.rows_changed.connect(tell)
    controller.rows_reset.connect(tell)
    controller.offered.connect(take)
    return controller

sys.exit(run(sys.argv[1:], make))
"""


def start(*paths: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WINDOW, *map(str, paths)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
    )


def done_until(process: subprocess.Popen[str], enough: int) -> tuple[int, list[str]]:
    """Read what the window says until so many rows are done. Returns how many, and all its lines."""
    said: list[str] = []
    assert process.stdout is not None
    for line in process.stdout:
        said.append(line.strip())
        words = said[-1].split()
        if words[0] == "done" and int(words[1]) >= enough:
            return int(words[1]), said
    pytest.fail(f"ended before {enough} rows were done: {said[-5:]}")


def stored() -> list[tuple[str, int]]:
    connection = sqlite3.connect(store_path())
    try:
        return connection.execute("SELECT path, status FROM items ORDER BY id").fetchall()
    finally:
        connection.close()


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
    os.kill(first.pid, signal.SIGKILL)
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

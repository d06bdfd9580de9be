"""The application as a process: one window a profile, paths handed over, a polite end by signal."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
START = """
import os, sys, time
sys.path.insert(0, {here!r})
from window_kit import QuietWorker
from gcdesk.ui.app.app import run
from gcdesk.ui.session.controller import Controller
from gcdesk.ui.session.store_ledger import StoreLedger

def make(settings):
    controller = Controller(StoreLedger(None), QuietWorker(), settings)
    controller.rows_reset.connect(lambda: print("open", flush=True))
    controller.rows_added.connect(lambda first, count: print("rows", first + count, flush=True))
    return controller

time.sleep(max(0.0, float(os.environ.get("START_AT", "0")) - time.time()))
sys.exit(run(sys.argv[1:], make))
"""


def start(*paths: Path, at: float = 0.0, first: str = "") -> subprocess.Popen[str]:
    """The application as a process, `at` seconds since 1970; `first` is code that runs before it."""
    code = first + START.format(here=str(Path(__file__).parents[1]))
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, paths)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen", "START_AT": str(at)},
    )


def lines_until(process: subprocess.Popen[str], wanted: str) -> list[str]:
    found: list[str] = []
    assert process.stdout is not None
    for line in process.stdout:
        found.append(line.strip())
        if found[-1] == wanted:
            return found
    pytest.fail(f"ended without {wanted!r}: {found}")


def test_a_second_start_hands_its_paths_to_the_first_and_leaves(samples: Path) -> None:
    photos = sorted(samples.glob("*.jpg"))
    first = start(photos[0])
    try:
        lines_until(first, "rows 1")
        second = start(photos[1], photos[2])
        assert second.wait(timeout=60) == 0
        assert second.stdout is not None
        assert second.stdout.read() == ""
        second.stdout.close()
        lines_until(first, "rows 3")
        assert first.poll() is None
    finally:
        first.terminate()
        assert first.wait(timeout=60) == 0
        first.stdout.close()


def test_of_three_that_start_at_once_one_is_the_window(samples: Path) -> None:
    photos = sorted(samples.glob("*.jpg"))[:3]
    moment = time.time() + 4  # all have imported what they need by then
    starts = [start(photo, at=moment) for photo in photos]
    try:
        deadline = time.monotonic() + 120
        while len(open_ := [one for one in starts if one.poll() is None]) > 1:
            assert time.monotonic() < deadline, "more than one window stays"
            time.sleep(0.1)
        (window,) = open_
        lines_until(window, "rows 3")
        assert [one.returncode for one in starts if one is not window] == [0, 0]
    finally:
        for one in starts:
            one.terminate()
            one.wait(timeout=60)
            one.stdout.close()


@pytest.mark.skipif(sys.platform == "win32", reason="signals as on POSIX")
@pytest.mark.posix("Windows sends a process no such signal")
def test_ctrl_c_closes_the_window_and_frees_the_profile(samples: Path) -> None:
    for _ in range(2):
        process = start()
        lines_until(process, "open")
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 0
        process.stdout.close()


def test_a_window_that_was_killed_does_not_block_the_next(samples: Path) -> None:
    first = start()
    lines_until(first, "open")
    first.kill()
    first.wait(timeout=60)
    first.stdout.close()
    second = start(next(samples.glob("*.jpg")))
    try:
        lines_until(second, "rows 1")
    finally:
        second.terminate()
        second.wait(timeout=60)
        second.stdout.close()


def test_a_closed_window_leaves_no_process_that_waits_for_a_drive(samples: Path) -> None:
    """A thread that waits for a drive cannot be ended, and Qt would wait for the thread."""
    silent = """
import threading
from gcdesk.ui.intake import intake

def find_photos(paths, between):
    print("listing", flush=True)
    threading.Event().wait(600)
    yield

intake.find_photos = find_photos
"""
    process = start(samples, first=silent)
    try:
        lines_until(process, "listing")
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.communicate()

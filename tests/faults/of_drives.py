"""Faults of network drives: one that stalls, with a file system of our own (stalling_drive.py)."""

from __future__ import annotations

import json
import os
import queue
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from killed_window_kit import stored
from kit import ROOT, SAMPLES, Fault, Skipped, profile, sentence
from PySide6.QtCore import QObject
from PySide6.QtNetwork import QLocalSocket
from stalling_drive import Stalling, stalling_drive

from gcdesk.config.thresholds import DRIVE_STALLED_SECONDS
from gcdesk.engine.errors import DRIVE_STALLED
from gcdesk.store import Status
from gcdesk.ui.app.single_instance import first_window, server_address

_WINDOW = Path(__file__).with_name("window_on_drive.py")


class Told:
    """What the window's process says, kept as it comes."""

    def __init__(self, folder: Path, *more: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(_WINDOW), str(folder), *more],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, "QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": str(ROOT)},
        )
        self.last: dict[str, object] = {
            "rows": 0,
            "done": 0,
            "faulty": 0,
            "errors": [],
            "said": "",
            "late": 0.0,
        }
        self.said: list[str] = []
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)

    def wait(self, happened: Callable[[dict[str, object]], bool], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not happened(self.last):
            left = deadline - time.monotonic()
            assert left > 0, f"it did not happen: {self.last}, said {self.said}"
            try:
                self.last = json.loads(self._lines.get(timeout=left))
            except queue.Empty:
                continue
            if self.last["said"] and self.last["said"] not in self.said:
                self.said.append(str(self.last["said"]))

    def close(self) -> float:
        """Ask it to close. Returns the seconds that took; kills it after a minute."""
        began = time.monotonic()
        self.process.terminate()
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
        assert self.process.stdout is not None
        self.process.stdout.close()
        return time.monotonic() - began


def _copies(folder: Path, first: int, count: int) -> list[Path]:
    folder.mkdir(exist_ok=True)
    made = []
    for number in range(first, first + count):
        photo = SAMPLES[number % len(SAMPLES)]
        made.append(folder / f"{number:03} {photo.name}")
        shutil.copy(photo, made[-1])
    return made


def _a_window_listens() -> bool:
    """Whether the profile is some window's."""
    socket = QLocalSocket()
    socket.connectToServer(server_address())
    found = socket.waitForConnected(500)
    socket.abort()
    return found


def _stalling(held: ExitStack, place: Path, folder: Path) -> Stalling:
    """The drive, until the stack is left. Raises Skipped where none can be made."""
    try:
        return held.enter_context(stalling_drive(place, folder))
    except OSError as why:
        raise Skipped(f"{why}: only root can, where there is FUSE") from why


def drive_stalls(folder: Path, short: bool) -> str:
    """The watched folder and queued photos are on the drive; others, on the disk, come meanwhile."""
    before, queued, others = (4, 60, 6) if short else (20, 200, 40)
    everything = before + queued + others
    _copies(folder / "server", 0, before)
    drive = folder / "camera"
    with ExitStack() as held:
        held.enter_context(profile(folder / "home"))
        steered = _stalling(held, drive, folder / "server")
        window = Told(drive)
        try:
            window.wait(lambda now: now["done"] == before, 90)
            _copies(folder / "server", before, queued)
            window.wait(lambda now: int(now["rows"]) > before, 90)  # now they are queued
            steered.stall()
            began, known = time.monotonic(), int(window.last["rows"])
            _copies(folder / "disk", before + queued, others)
            assert first_window([str(folder / "disk")], QObject()) is None
            window.wait(lambda now: DRIVE_STALLED in now["errors"], DRIVE_STALLED_SECONDS + 60)
            gave_up = time.monotonic() - began
            window.wait(lambda now: now["done"] == now["rows"] and int(now["rows"]) >= known + others, 120)
            set_aside = int(window.last["faulty"])
            assert 0 < set_aside <= queued, window.last
            window.wait(lambda now: any("does not answer" in one for one in window.said), 60)
            steered.go_on()
            window.wait(lambda now: now["done"] == everything and not now["faulty"], 120)
            late = float(window.last["late"])
        finally:
            steered.go_on()  # a process that waits for a drive cannot end
            window.close()
        rows = stored()
    assert len(rows) == len({path for path, _ in rows}) == everything
    assert {status for _, status in rows} == {Status.DONE}
    assert short or late < 1.0, f"the window stood still for {late:.1f} s"
    (silent,) = {one for one in window.said if "does not answer" in one}
    return (
        f"{set_aside} photos left to their captions after {gave_up:.0f} s, the {others} from the disk done meanwhile,"
        f" all {everything} whole and there once when it was back; the window was late by {1000 * late:.0f} ms at most."
        f" {sentence(silent)}"
        f" {sentence(DRIVE_STALLED)}"
    )


def opened_folder_stalls(folder: Path, short: bool) -> str:
    """A folder on the silent drive is opened, then one on the disk; the first is left out, the window closes."""
    before, others = 2, 6 if short else 40
    _copies(folder / "camera", 0, before)
    _copies(folder / "server", 0, 4)
    with ExitStack() as held:
        held.enter_context(profile(folder / "home"))
        steered = _stalling(held, folder / "drive", folder / "server")
        window = Told(folder / "camera", "--leave-out")
        try:
            window.wait(lambda now: now["done"] == before, 90)
            steered.stall()
            began = time.monotonic()
            _copies(folder / "disk", before, others)
            for place in ("drive", "disk"):
                assert first_window([str(folder / place)], QObject()) is None
            window.wait(lambda now: now["done"] == before + others, DRIVE_STALLED_SECONDS + 90)
            came = time.monotonic() - began
            window.process.terminate()
            while _a_window_listens():
                assert time.monotonic() - began < came + 30, "the window did not close"
                time.sleep(0.1)
            closed = time.monotonic() - began - came
        finally:
            steered.go_on()  # a process that waits for a drive cannot end
            window.close()
        rows = stored()
    assert len(rows) == len({path for path, _ in rows}) == before + others
    (silent,) = {one for one in window.said if "does not answer" in one}
    return (
        f"{sentence(silent)} Left out, and all {others} from the disk were done {came:.0f} s after both were opened;"
        f" the window closed in {closed:.1f} s though the drive was still silent."
    )


FAULTS = (
    Fault("a network drive stalls (FUSE)", drive_stalls),
    Fault("a network drive stalls before its folder is opened (FUSE)", opened_folder_stalls),
)

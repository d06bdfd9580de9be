"""A day at the station: photos through a watched folder for hours' worth of work, and what grows meanwhile.

    python benchmarks/soak.py                      20,000 photos, 20 minutes at most
    python benchmarks/soak.py --photos 1000        a short look

A camera (this process) writes small photos into a folder, as fast as the window keeps up. The window is the real
application with its real worker and the starter models, without a screen; somebody works at it meanwhile
(benchmarks/soak_window.py). Every photo is a file of its own with other bytes; captions repeat. The thumbnails' cache
is filled nearly to its cap with older pictures before the first photo comes, as it is after a month.

A slope is that of the straight line through the samples after the warm-up (the first tenth of the photos, 1,000 at
least where there are more than 3,000). The exit status is 1 where something is lost or doubled, or a goal is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image
from soak_figure import Sample, soak_figure

from gcdesk.config.folders import HOME_VARIABLE
from gcdesk.config.thresholds import THUMBNAIL_CACHE_BYTES
from gcdesk.store import Status

ROOT = Path(__file__).resolve().parent.parent
SAMPLES = ROOT / "resources" / "samples"
INSIDE = Path(__file__).with_name("soak_window.py")
# So many photos may wait: what the window needs to never be idle, from a file's birth to its answer.
_AHEAD = 250
_SIDE = 256
_OLD_PICTURE = 1024 * 1024
_PICTURES = Path("cache") / "pictures" / "thumbnails"
_OLD_SHARE = 0.95  # of the cap: the worker empties it from 0.96 on
# The most that is fine: MB a 1,000 photos, files and threads more at the end than after the warm-up, bytes an item.
GOALS = {
    # A row with its texts, and what the watch remembers of its file, at each look; no figure of a leak.
    "window_mb_per_1000": 2.5,
    "worker_mb_per_1000": 0.5,
    "window_files_more": 8.0,
    "worker_files_more": 8.0,
    "window_threads_more": 4.0,
    "worker_threads_more": 4.0,
    "cache_share": 1.0,
    "lost_or_doubled": 0.0,
}


class Camera(threading.Thread):
    """Writes photo after photo into the folder, never more than so many ahead of what is done."""

    def __init__(self, folder: Path, count: int) -> None:
        super().__init__(name="camera", daemon=True)
        self._folder, self._count = folder, count
        self._photos = [(photo.stem, _small(photo)) for photo in sorted(SAMPLES.glob("*.jpg"))]
        self.done = self.written = 0
        self.stopped = False

    def run(self) -> None:
        while self.written < self._count and not self.stopped:
            if self.written - self.done >= _AHEAD:
                time.sleep(0.01)
                continue
            stem, content = self._photos[self.written % len(self._photos)]
            (self._folder / f"{stem} {self.written:06d}.jpg").write_bytes(_unlike(content, self.written))
            self.written += 1
            time.sleep(0.002)


def _small(photo: Path) -> bytes:
    with Image.open(photo) as image:
        image.thumbnail((_SIDE, _SIDE))
        written = BytesIO()
        image.convert("RGB").save(written, "JPEG", quality=88)
    return written.getvalue()


def _unlike(jpeg: bytes, number: int) -> bytes:
    """The same picture as another file: a comment behind the JPEG's first mark, of a length that varies."""
    comment = f"{number:08d}".encode() * (1 + number * 7919 % 400)
    return jpeg[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + jpeg[2:]


class Window:
    """The window's process and its last word."""

    def __init__(self, home: Path, folder: Path, log: Path) -> None:
        environment = {
            **os.environ,
            HOME_VARIABLE: str(home),
            "QT_QPA_PLATFORM": "offscreen",
            "PYTHONPATH": str(ROOT),
        }
        self._log = log.open("w")
        self._process = subprocess.Popen(
            [sys.executable, str(INSIDE), str(folder)],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        self.pid = self._process.pid
        self.said: dict[str, int] = {}
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.said = json.loads(line)

    @property
    def done(self) -> int:
        return self.said.get("done", 0) + self.said.get("failed", 0)

    def alive(self) -> bool:
        return self._process.poll() is None

    def close(self) -> int:
        """Its exit code after it was asked to close."""
        self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()
        finally:
            self._log.close()


def _of_process(pid: int) -> tuple[float, int, int]:
    """MB of resident memory, open files, threads."""
    place = Path("/proc") / str(pid)
    pages = int((place / "statm").read_text().split()[1])
    return (
        pages * os.sysconf("SC_PAGE_SIZE") / 1e6,
        len(os.listdir(place / "fd")),
        len(os.listdir(place / "task")),
    )


def _size(folder: Path) -> int:
    total = 0
    for here, _folders, files in os.walk(folder):
        for name in files:
            with suppress(OSError):
                total += os.stat(os.path.join(here, name)).st_size
    return total


def _look(window: Window, home: Path, seconds: float) -> Sample:
    in_window, in_worker = _of_process(window.pid), _of_process(window.said["worker"])
    return Sample(
        seconds=round(seconds, 1),
        done=window.done,
        window_mb=round(in_window[0], 2),
        worker_mb=round(in_worker[0], 2),
        window_files=in_window[1],
        worker_files=in_worker[1],
        window_threads=in_window[2],
        worker_threads=in_worker[2],
        database_mb=round(_size(home / "data") / 1e6, 3),
        cache_mb=round(_size(home / _PICTURES) / 1e6, 2),
    )


def _fill_cache(home: Path) -> None:
    """Older thumbnails nearly up to the cap: large ones with nothing in them, so that it is quick."""
    for number in range(int(_OLD_SHARE * THUMBNAIL_CACHE_BYTES) // _OLD_PICTURE):
        name = f"{number:024x}"
        file = home / _PICTURES / name[-2:] / f"{name}.jpg"
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("wb") as old:
            old.truncate(_OLD_PICTURE)
        os.utime(file, (1_600_000_000 + number, 1_600_000_000 + number))


def soak(photos: int, limit: float, every: float, scratch: Path) -> tuple[list[Sample], dict[str, float]]:
    """Let the day pass. Returns the samples, and what is in the store at its end."""
    home, folder = scratch / "home", scratch / "camera"
    folder.mkdir()
    _fill_cache(home)
    window = Window(home, folder, scratch / "window.log")
    camera = Camera(folder, photos)
    try:
        _wait(lambda: window.said.get("worker", 0) > 0, window, 60)
        began = time.monotonic()
        camera.start()
        samples: list[Sample] = []
        while window.done < photos and time.monotonic() - began < limit and window.alive():
            camera.done = window.done
            if window.done and time.monotonic() - began > every * (len(samples) + 1):
                samples.append(_look(window, home, time.monotonic() - began))
            time.sleep(0.1)
        took = time.monotonic() - began
        camera.stopped = True
        camera.join()
        samples.append(_look(window, home, took))
        done, notices = window.done, window.said.get("notices", 0)
    finally:
        code = window.close()
    return samples, _outcome(home, camera.written, done, took, code, notices)


def _wait(happened: object, window: Window, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not happened():  # type: ignore[operator]
        if time.monotonic() > deadline or not window.alive():
            raise RuntimeError("the window did not start")
        time.sleep(0.05)


def _outcome(home: Path, written: int, done: int, took: float, code: int, notices: int) -> dict[str, float]:
    database = home / "data" / "sessions.sqlite"
    connection = sqlite3.connect(database)
    rows = connection.execute("SELECT path, status FROM items").fetchall()
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    answered = [path for path, status in rows if status in (Status.DONE, Status.FAILED)]
    whole = done == written  # else time was up: photos of the last seconds are still to be found
    lost = max(0, (written if whole else done) - len(set(answered)))
    return {
        "photos": done,
        "written": written,
        "seconds": round(took, 1),
        "photos_per_s": round(done / took, 2),
        "photos_in_20_min": round(min(1200 * done / took, 1e9)),
        "failed": sum(status == Status.FAILED for _, status in rows),
        "lost_or_doubled": lost + len(rows) - len({path for path, _ in rows}),
        "database_bytes_per_item": round(database.stat().st_size / max(1, len(rows))),
        "notices": notices,
        "exit_code": code,
    }


def figures(samples: Sequence[Sample], outcome: dict[str, float]) -> dict[str, float]:
    """Slopes and differences after the warm-up, beside the outcome."""
    warm = warm_up(int(outcome["photos"]))
    counted = [one for one in samples if one.done >= warm] or list(samples)
    first, last = counted[0], counted[-1]
    found = dict(outcome)
    for who in ("window", "worker"):
        memory = [getattr(one, f"{who}_mb") for one in counted]
        found[f"{who}_mb"] = memory[-1]
        found[f"{who}_mb_per_1000"] = round(_slope([one.done / 1000 for one in counted], memory), 3)
        for what in ("files", "threads"):
            found[f"{who}_{what}"] = getattr(last, f"{who}_{what}")
            # The least and not the first: somebody's dialog may be open at any single look.
            at_first = min(getattr(one, f"{who}_{what}") for one in counted[:5])
            at_last = min(getattr(one, f"{who}_{what}") for one in counted[-5:])
            found[f"{who}_{what}_more"] = at_last - at_first
    found["warm_up_photos"] = first.done
    found["cache_mb_most"] = max(one.cache_mb for one in samples)
    found["cache_share"] = round(found["cache_mb_most"] * 1e6 / THUMBNAIL_CACHE_BYTES, 4)
    return found


def warm_up(photos: int) -> int:
    """Photos until memory is no longer that of a start."""
    return max(photos // 10, 1000) if photos > 3000 else photos // 3


def _slope(x: Sequence[float], y: Sequence[float]) -> float:
    return float(np.polyfit(x, y, 1)[0]) if len(set(x)) > 1 else 0.0


def missed(found: dict[str, float]) -> list[str]:
    return [name for name, most in GOALS.items() if found[name] > most]


def table(found: dict[str, float]) -> str:
    lines = ["| what | figure | at most |", "|---|---|---|"]
    for name, value in found.items():
        goal = f"{GOALS[name]:g}" if name in GOALS else ""
        lines.append(
            f"| {name} | {value:g} | {goal} |" if abs(value) < 1e5 else f"| {name} | {value:.0f} | {goal} |"
        )
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--photos", type=int, default=20_000)
    parser.add_argument("--seconds", type=float, default=1200, help="the camera stops then (default: 1200)")
    parser.add_argument("--every", type=float, default=5, help="seconds between two looks (default: 5)")
    parser.add_argument("--json", type=Path, help="write figures and samples to this file")
    parser.add_argument("--svg", type=Path, help="draw the graph into this file")
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="gcdesk-soak-") as scratch:
        try:
            samples, outcome = soak(asked.photos, asked.seconds, asked.every, Path(scratch))
        finally:
            said = Path(scratch) / "window.log"
            if said.exists():
                sys.stderr.write(said.read_text()[-3000:])
    found = figures(samples, outcome)
    print(table(found))
    if asked.json:
        told = {"figures": found, "samples": [asdict(one) for one in samples]}
        asked.json.write_text(json.dumps(told, separators=(",", ":")) + "\n")
    if asked.svg:
        asked.svg.write_text(soak_figure(samples, warm_up(int(found["photos"]))))
    for name in missed(found):
        print(f"MISSED: {name} is {found[name]:g}, {GOALS[name]:g} at most", file=sys.stderr)
    return 1 if missed(found) else 0


if __name__ == "__main__":
    sys.exit(main())

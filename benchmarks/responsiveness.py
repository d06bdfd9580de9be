"""How quickly the window starts, answers, and how long it ever holds its operator up.

    python benchmarks/responsiveness.py            a table with the goals
    python benchmarks/responsiveness.py --json     one line

The real application with the real worker and the starter models, without a screen (Qt's offscreen platform). The photos
are hard links of the bundled samples. Starts are warm: the first of them does not count, of the others the median does.

window_s          process start to a painted window with an open session
first_result_s    process start to the first classified photo in the list
stall_max_ms      the longest time the event loop answered late, during model load, a batch of 2,000 photos with an
                  operator who moves and edits captions, 100,000 rows arriving, scrolled, sorted, filtered, searched
stall_p99_ms      99 of 100 beats (one every 5 ms) were late by less
rows_100k_growth_mb  memory of the window's process after all that, against before the 100,000 rows
rescore_ms        caption edited to the new answer painted, in mid-batch; 90 of 100 are quicker

Time in which the whole machine was suspended, and in which the kernel let other programs run although the window was
ready to, is not counted as a stall; the longest such wait is told beside the table as "waited for a processor".
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import cycle
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SAMPLES = ROOT / "resources" / "samples"
INSIDE = Path(__file__).with_name("responsiveness_window.py")
GOALS = {
    "window_s": 1.0,
    "first_result_s": 2.5,
    "stall_max_ms": 50.0,
    "stall_p99_ms": 50.0,
    "rows_100k_growth_mb": 150.0,
    "rescore_ms": 150.0,
}


def run_inside(home: Path, *arguments: str, limit: float = 900, script: Path = INSIDE) -> dict[str, object]:
    """Run the window's part in a process of its own; its last line is the answer.

    Raises RuntimeError with what the process said where it gives none.
    """
    environment = {
        **os.environ,
        "GCDESK_HOME": str(home),
        "QT_QPA_PLATFORM": "offscreen",
        "PYTHONPATH": str(ROOT),
        "GCDESK_BENCH_BEGAN": repr(time.monotonic()),
    }
    done = subprocess.run(
        [sys.executable, str(script), *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=limit,
    )
    lines = done.stdout.strip().splitlines()
    if done.returncode or not lines:
        raise RuntimeError(f"the window ended with {done.returncode}: {done.stderr[-2000:]}")
    return json.loads(lines[-1])


def link_photos(folder: Path, count: int) -> None:
    """`count` hard links of the samples."""
    photos = cycle(sorted(SAMPLES.glob("*.jpg")))
    folder.mkdir()
    for number in range(count):
        photo = next(photos)
        target = folder / f"{photo.stem} {number:06d}.jpg"
        try:
            os.link(photo, target)
        except OSError:  # another file system
            shutil.copy(photo, target)


def measure(photos: int, rows: int, starts: int) -> dict[str, object]:
    with tempfile.TemporaryDirectory(prefix="gcdesk-bench-") as scratch_name:
        scratch = Path(scratch_name)
        photo = scratch / "empty water bottle.jpg"
        shutil.copy(SAMPLES / "empty water bottle.jpg", photo)
        timed = [run_inside(scratch / f"home{number}", "start", str(photo)) for number in range(starts + 1)][
            1:
        ]
        link_photos(scratch / "batch", photos)
        link_photos(scratch / "rows", rows)
        work = run_inside(scratch / "home", "work", str(scratch / "batch"), str(scratch / "rows"), str(rows))
    figures = {
        name: statistics.median(float(run[name]) for run in timed) for name in ("window_s", "first_result_s")
    }
    return {**figures, **work}


def table(figures: dict[str, object]) -> str:
    lines = []
    for name, goal in GOALS.items():
        value = float(figures[name])
        lines.append(f"{name:<22}{value:>10.2f}   goal {goal:>6.1f}   {'met' if value <= goal else 'MISSED'}")
    lines.append(
        "longest stall by phase, ms: " + ", ".join(f"{k} {v:.0f}" for k, v in figures["phases"].items())
    )
    lines.append(f"waited for a processor at most {figures['processor_wait_max_ms']:.0f} ms")
    lines.append(
        f"batch: {figures['photos_per_s']:.1f} photos/s; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    )
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="How quickly the window starts and answers.")
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    parser.add_argument("--photos", type=int, default=2_000, help="photos of the batch")
    parser.add_argument("--rows", type=int, default=100_000, help="rows of the long list")
    parser.add_argument("--starts", type=int, default=3, help="starts that count")
    asked = parser.parse_args(arguments)
    figures = measure(asked.photos, asked.rows, asked.starts)
    if asked.json:
        print(json.dumps({name: round(float(figures[name]), 3) for name in GOALS}))
    else:
        print(table(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())

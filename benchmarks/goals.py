"""What an operator or a supervisor waits for, with its goal, on lists of 100,000 photos.

    python benchmarks/goals.py            a table with the goals
    python benchmarks/goals.py --json     one line

The real application with the real worker, store and starter models, without a screen (Qt's offscreen platform). Every
figure ends when the answer is painted (the export: when the strip says that it is written). 90 of 100 are quicker.

first_result_s   process start to the first classified photo in the list, warm: the median of three
rescore_ms       caption edited to the new answer, while a batch runs: benchmarks/responsiveness.py has more on it
heatmap_ms       heat-map wanted to heat-map over the photo, each of another photo
search_ms        last letter typed to the list of what fits, of 100,000 rows
open_s           a session of 100,000 chosen to its list
export_csv_s     all 100,000 rows as CSV; export_json_s as JSON
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from responsiveness import SAMPLES, link_photos, run_inside

from gcdesk.store import NewPhoto, Store, StoredResult

INSIDE = Path(__file__).with_name("goals_window.py")
GOALS = {
    "first_result_s": 2.5,
    "rescore_ms": 150.0,
    "heatmap_ms": 1000.0,
    "search_ms": 100.0,
    "open_s": 1.0,
    "export_csv_s": 3.0,
    "export_json_s": 3.0,
}


def fill_store(file: Path, rows: int) -> int:
    """A session with answers in every row, as after a long day; returns its id. An empty one was opened after it."""
    names = sorted(SAMPLES.glob("*.jpg"))
    chance = np.random.default_rng(0)
    image, text = (chance.dirichlet((0.6,) * 4, rows).astype("f4") for _ in range(2))
    with Store(file) as store:
        session = store.create_session("a hundred thousand")
        photos = [
            NewPhoto(
                f"/photos/line 2/{names[n % len(names)].stem} {n:06d}.jpg", names[n % len(names)].stem, n, n
            )
            for n in range(rows)
        ]
        added = store.add_items(session, photos)
        store.record_results(
            StoredResult(
                one.item_id,
                image[n],
                text[n],
                label=int((image[n] if image[n].max() > text[n].max() else text[n]).argmax()),
                winner=1 if image[n].max() > text[n].max() else 2,
                confidence=float(max(image[n].max(), text[n].max())),
                margin=float(abs(image[n].max() - text[n].max())),
                review=bool(max(image[n].max(), text[n].max()) < 0.8),
                reason=f"The more confident of the two: {max(image[n].max(), text[n].max()):.2f}",
                width=3024,
                height=4032,
                seconds=0.03,
            )
            for n, one in enumerate(added)
        )
        store.open_session(store.create_session("today"))
    return session


def measure(rows: int = 100_000, starts: int = 3, batch: int = 600) -> dict[str, float]:
    """All figures of GOALS; each part is a start of the application of its own."""
    with tempfile.TemporaryDirectory(prefix="gcdesk-bench-") as scratch_name:
        scratch = Path(scratch_name)
        photo = scratch / "empty water bottle.jpg"
        shutil.copy(SAMPLES / "empty water bottle.jpg", photo)
        timed = [run_inside(scratch / f"home{number}", "start", str(photo)) for number in range(starts + 1)][
            1:
        ]
        first = statistics.median(float(run["first_result_s"]) for run in timed)
        link_photos(scratch / "batch", batch)
        home = scratch / "home"
        session = fill_store(home / "data" / "sessions.sqlite", rows)
        inside = run_inside(home, str(session), str(scratch / "batch"), str(scratch / "out"), script=INSIDE)
    return {"first_result_s": round(first, 3), **{name: round(float(inside[name]), 3) for name in inside}}


def table(figures: dict[str, float]) -> str:
    lines = []
    for name, goal in GOALS.items():
        value = figures[name]
        lines.append(f"{name:<22}{value:>10.2f}   goal {goal:>7.1f}   {'met' if value <= goal else 'MISSED'}")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    parser.add_argument("--rows", type=int, default=100_000, help="rows of the long list")
    asked = parser.parse_args(arguments)
    figures = measure(asked.rows)
    print(json.dumps(figures) if asked.json else table(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())

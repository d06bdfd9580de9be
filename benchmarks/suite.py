"""All speed figures of the pipeline in one table, in one run on the same files, weights and cores.

    python benchmarks/suite.py                     the table, the floor and the goals of the window
    python benchmarks/suite.py --quick             few files, one pass, no goals: half a minute
    python benchmarks/suite.py --json              one line of JSON instead
    python benchmarks/suite.py --keep              also appends the figures to benchmarks/history/suite.jsonl
    python benchmarks/suite.py --before HEAD~9     the same measurement of that commit beside it, before and after
    python benchmarks/suite.py --compare A B       before and after out of the history, nothing is measured

Each way is a process of its own and they take turns, pass by pass, so that other load hits none alone; a row is the
median of its passes. "CPU ms" is processor time an item, which other load hardly changes. "ms" is how long an item was
in work, for the notebook way how long its batch was. Ratio and labels are against the notebook way of the same run.

    folder        both models on a folder of photos, decode included: `gcdesk.engine.classification.classifier`
    worker        the same behind the application's pipe, thumbnails included
    captions      the text model alone, all captions different
    model alone   the image model on decoded photos: batch, runs at a time x threads each
    decode alone  decoding and preprocessing (Pillow's libjpeg-turbo), a thread a core
    floor         model alone and decode alone on as many photos side by side; ends with the slower of the two

Needs the `train` extra (torch) and the shared data ($GCDESK_SHARED, default ../shared).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import suite_history
from suite_rows import Layout, Pass, Row, change_table, row_of, table

ROOT = Path(__file__).resolve().parent.parent
WAYS = Path(__file__).with_name("suite_ways.py")
# How much slower than the floor the folder pipeline may be.
MOST_ABOVE_FLOOR = 0.15
NOTEBOOK_TOKENS = (24, 64)


class Way:
    """A process of suite_ways.py with the gcdesk of a checkout."""

    def __init__(self, name: str, checkout: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(WAYS), name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(checkout)},
        )
        self.about: dict[str, Any] = self._answer()

    def __enter__(self) -> Way:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(60)

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"a measuring process ended with {self._process.wait(30)}")
        return json.loads(line)

    def measure(self, what: str, **arguments: Any) -> Pass:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": what, **arguments}) + "\n")
        self._process.stdin.flush()
        return Pass.from_json(self._answer())


@dataclass(frozen=True)
class Task:
    """One row: what is asked, and the row of the notebook way that it is compared with."""

    name: str
    do: str
    layout: Layout
    arguments: dict[str, Any] = field(default_factory=dict)
    rival: str = ""


@dataclass(frozen=True)
class Size:
    """How much is measured. Few phone photos: ours goes through them so many times a pass."""

    small: int
    photos: int
    repeat: int
    captions: int
    passes: int
    notebook_passes: int
    model_layouts: tuple[tuple[int, int, int], ...]


# (batch, runs at a time, threads of each)
FULL = Size(
    200, 26, 4, 512, 5, 2, ((1, 2, 1), (2, 2, 1), (4, 2, 1), (1, 1, 2), (4, 1, 2), (8, 1, 2), (1, 1, 1))
)
QUICK = Size(8, 2, 1, 16, 1, 1, ((1, 2, 1),))


def our_tasks(size: Size, about: dict[str, Any]) -> list[Task]:
    px, own = str(about["px"]), f"{about['lanes']}x{about['threads']}"
    lanes = Layout(px, about["batch"], own)
    tokens = Layout("own length", 32, own)
    sets = {"small": (size.small, 1), "photos": (size.photos, size.repeat)}
    tasks = []
    for name, (count, repeat) in sets.items():
        chosen = {"photos": name, "count": count, "repeat": repeat}
        tasks += [
            Task(f"folder, {name}", "folder", lanes, chosen, f"notebook folder, {name}"),
            Task(f"floor, {name}", "beside", lanes, chosen),
            Task(f"decode alone, {name}", "decode", lanes, chosen),
            Task(f"worker, {name}", "worker", lanes, chosen, f"notebook folder, {name}"),
        ]
    for padded in NOTEBOOK_TOKENS:
        rival = f"notebook captions, {padded}"
        tasks.append(
            Task(f"captions against {padded} tokens", "captions", tokens, {"count": size.captions}, rival)
        )
    for batch, runs, threads in size.model_layouts:
        layout = Layout(px, batch, f"{runs}x{threads}")
        arguments = {"count": size.small // 2, "batch": batch, "lanes": runs, "threads": threads}
        tasks.append(Task(f"model alone, batch {batch}, {runs}x{threads}", "model", layout, arguments))
    return tasks


def notebook_tasks(size: Size, px: str, threads: int) -> list[Task]:
    tasks = [
        Task(
            f"notebook folder, {name}",
            "folder",
            Layout(px, 32, f"1x{threads}"),
            {"photos": name, "count": count},
        )
        for name, count in (("small", size.small), ("photos", size.photos))
    ]
    for padded in NOTEBOOK_TOKENS:
        layout = Layout(f"{padded} tokens", 32, f"1x{threads}")
        arguments = {"count": size.captions, "tokens": padded}
        tasks.append(Task(f"notebook captions, {padded}", "captions", layout, arguments))
    return tasks


@contextmanager
def checkout_of(commit: str) -> Iterator[Path]:
    """The files of a commit in a temporary folder (`git worktree`)."""
    git = ["git", "-C", str(ROOT), "worktree"]
    with tempfile.TemporaryDirectory(prefix="gcdesk-before-") as scratch:
        folder = Path(scratch) / "checkout"
        subprocess.run([*git, "add", "--quiet", "--detach", str(folder), commit], check=True)
        try:
            yield folder
        finally:
            subprocess.run([*git, "remove", "--force", str(folder)], check=True)


def measure(size: Size, before: str | None) -> tuple[list[Row], list[Row]]:
    """Rows of this checkout with the notebook way, and of the commit `before`, none for None."""
    with ExitStack() as stack:
        ours = stack.enter_context(Way("ours", ROOT))
        notebook = stack.enter_context(Way("notebook", ROOT))
        old = None
        if before:
            old = stack.enter_context(Way("ours", stack.enter_context(checkout_of(before))))
        tasks = our_tasks(size, ours.about)
        rivals = notebook_tasks(size, str(ours.about["px"]), notebook.about["threads"])
        took: dict[str, list[Pass]] = defaultdict(list)
        took_before: dict[str, list[Pass]] = defaultdict(list)
        warm = {"photos": "small", "count": 4}
        for way in (ours, old) if old else (ours,):
            way.measure("folder", **warm)
        for number in range(size.passes):
            tell(f"pass {number + 1} of {size.passes}")
            for task in rivals if number < size.notebook_passes else ():
                took[task.name].append(notebook.measure(task.do, **task.arguments))
            for task in tasks:
                if old is not None and task.do != "model":
                    took_before[task.name].append(old.measure(task.do, **task.arguments))
                took[task.name].append(ours.measure(task.do, **task.arguments))
    rows = [row_of(task.name, task.layout, took[task.name], took.get(task.rival, ())) for task in tasks]
    rows += [row_of(task.name, task.layout, took[task.name]) for task in rivals]
    return rows, [row_of(t.name, t.layout, took_before[t.name]) for t in tasks if t.name in took_before]


def floors(rows: Sequence[Row]) -> dict[str, float]:
    """By set of photos: the folder pipeline's photos/s as a share of the floor's."""
    per_s = {row.name: row.per_s for row in rows}
    return {
        name: round(per_s[f"folder, {name}"] / per_s[f"floor, {name}"], 3) for name in ("small", "photos")
    }


def floor_lines(shares: dict[str, float]) -> str:
    least = 1 - MOST_ABOVE_FLOOR
    return "\n".join(
        f"folder, {name}: {share:.1%} of the floor   goal {least:.0%}   {'met' if share >= least else 'MISSED'}"
        for name, share in shares.items()
    )


def tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="few files, one pass, no goals")
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    parser.add_argument("--keep", action="store_true", help="append the figures to the history")
    parser.add_argument("--no-goals", action="store_true", help="leave the window's goals out")
    parser.add_argument("--passes", type=int, help="of each row (default: 5)")
    parser.add_argument("--before", metavar="COMMIT", help="measure that commit as well")
    parser.add_argument("--compare", nargs=2, metavar="COMMIT", help="two commits out of the history")
    asked = parser.parse_args(arguments)
    if asked.compare:
        print(suite_history.compared(*asked.compare))
        return 0
    size = QUICK if asked.quick else FULL
    if asked.passes:
        size = Size(**{**vars(size), "passes": asked.passes})
    rows, before = measure(size, asked.before)
    shares = floors(rows)
    goals = None
    if not (asked.quick or asked.no_goals):
        import goals as goals_of_window

        goals = goals_of_window.measure()
    report = suite_history.report(rows, shares, goals)
    if before:
        report["before"] = {
            "commit": suite_history.commit(asked.before),
            "rows": [row.to_json() for row in before],
        }
    if asked.keep:
        suite_history.keep(report)
    if asked.json:
        print(json.dumps(report))
        return 0
    print(table(rows), floor_lines(shares), sep="\n\n")
    if before:
        pair = ({row.name: row for row in before}, {row.name: row for row in rows})
        print("\n" + change_table(*pair, ("before", "after")))
    if goals is not None:
        print("\n" + goals_of_window.table(goals))
    return 0


if __name__ == "__main__":
    sys.exit(main())

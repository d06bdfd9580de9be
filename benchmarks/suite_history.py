"""The suite's figures by commit: a line of JSON each in benchmarks/history/suite.jsonl. No names of machines."""

from __future__ import annotations

import datetime
import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from suite_rows import Row, change_table

ROOT = Path(__file__).resolve().parent.parent
FILE = Path(__file__).with_name("history") / "suite.jsonl"
_LIBRARIES = ("onnxruntime", "pillow", "numpy", "tokenizers", "torch")


def commit(other: str = "") -> str:
    """The commit that is measured, with a + where gcdesk or its models differ from it, or an `other` by its own name;
    "" outside git.
    """
    git = ["git", "-C", str(ROOT)]
    try:
        name = subprocess.run(
            [*git, "rev-parse", "--short=12", other or "HEAD"], capture_output=True, text=True, check=True
        )
        changed = subprocess.run(
            [*git, "status", "--porcelain", "--", "gcdesk", "resources"],
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return name.stdout.strip() + ("+" if changed.stdout.strip() and not other else "")


def report(
    rows: Sequence[Row], shares: Mapping[str, float], goals: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Everything that a run found, as JSON."""
    return {
        "commit": commit(),
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "load": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
        "libraries": {name: version(name) for name in _LIBRARIES},
        "rows": [row.to_json() for row in rows],
        "share_of_floor": dict(shares),
        "goals": dict(goals) if goals is not None else None,
    }


def keep(figures: Mapping[str, Any]) -> None:
    """Append a report to the history."""
    FILE.parent.mkdir(exist_ok=True)
    with FILE.open("a", encoding="utf-8") as file:
        file.write(json.dumps(figures) + "\n")


def rows_at(name: str, file: Path = FILE) -> dict[str, Row]:
    """The newest figures of a commit (a beginning of its name will do), measured for itself or beside a later one.

    Raises SystemExit where there are none.
    """
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    reports = [json.loads(line) for line in lines]
    kept = [one for report in reports for one in (report.get("before"), report) if one]
    found = [entry for entry in kept if entry["commit"].startswith(name)]
    if not found:
        known = ", ".join(dict.fromkeys(entry["commit"] for entry in kept)) or "none yet"
        raise SystemExit(f"the history has no figures of {name}; it has: {known}")
    return {row["name"]: Row(**row) for row in found[-1]["rows"]}


def compared(before: str, after: str) -> str:
    """The table of two commits. They were measured at different times: only CPU ms compare well."""
    return change_table(rows_at(before), rows_at(after), (before[:8], after[:8]))

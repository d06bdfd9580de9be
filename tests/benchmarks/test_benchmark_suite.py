"""The suite's quick form on a few real photos, and its history."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SUITE = ROOT / "benchmarks" / "suite.py"
HEADS = [
    "name", "files", "px", "batch", "threads", "precision", "photos/s", "ms p50", "ms p95", "CPU ms", "peak MB",
    "ratio", "same label",
]  # fmt: skip


def suite(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **more}
    return subprocess.run(
        [sys.executable, str(SUITE), *arguments], env=environment, capture_output=True, text=True, timeout=500
    )


@pytest.fixture(scope="module")
def quick(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    home = str(tmp_path_factory.mktemp("home"))
    done = suite("--quick", "--json", GCDESK_HOME=home, GCDESK_SHARED=str(shared_data.parent))
    assert done.returncode == 0, done.stderr
    report: dict[str, object] = json.loads(done.stdout)
    return report


@pytest.mark.slow
def test_the_quick_form_measures_every_row(quick: dict[str, object]) -> None:
    rows = {row["name"]: row for row in quick["rows"]}  # type: ignore[attr-defined]
    assert {"folder, small", "floor, photos", "worker, small", "notebook captions, 64"} <= rows.keys()
    for row in rows.values():
        assert row["files"] > 0
        assert row["per_s"] > 0
        assert row["cpu_ms"] > 0
        assert 0 < row["ms_p50"] <= row["ms_p95"]
        assert row["precision"] == "fp32"
    for name in ("folder, small", "worker, photos", "captions against 64 tokens"):
        assert rows[name]["ratio"] > 0, name
        assert rows[name]["agreement"] == 1, name
    if rows["folder, small"]["rss_mb"]:  # where the system tells
        # What sorts and classifies never loads torch, the notebook way does.
        assert 0 < rows["folder, small"]["rss_mb"] < rows["notebook folder, small"]["rss_mb"]
    assert set(quick["share_of_floor"]) == {"small", "photos"}  # type: ignore[call-overload]


@pytest.mark.slow
def test_its_table_has_every_column(quick: dict[str, object]) -> None:
    sys.path.insert(0, str(SUITE.parent))
    try:
        from suite_rows import Row, table
    finally:
        sys.path.remove(str(SUITE.parent))
    rows = [Row(**row) for row in quick["rows"]]  # type: ignore[attr-defined]
    head, *lines = table(rows).splitlines()
    assert " ".join(head.split()) == " ".join(HEADS)
    assert len(lines) == len(rows)
    folder = lines[0].removeprefix("folder, small").split()
    assert len(folder) == len(HEADS) - 1
    assert folder[-1] == "100.0%"


def test_the_history_compares_commits_and_names_no_machine() -> None:
    lines = (SUITE.parent / "history" / "suite.jsonl").read_text(encoding="utf-8").splitlines()
    kept = [json.loads(line) for line in lines]
    assert kept
    assert all(entry["commit"] and entry["cores"] > 0 and entry["rows"] for entry in kept)
    assert not any({"machine", "host", "node"} & entry.keys() for entry in kept)
    newest = kept[-1]["commit"]
    done = suite("--compare", newest, newest)
    assert done.returncode == 0, done.stderr
    assert "folder, small" in done.stdout
    assert suite("--compare", newest, "no such commit").returncode != 0

"""`gcdesk --smoke FILE` from source: the real window, the real worker, which is killed once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gcdesk.config.crash_reports import reports
from gcdesk.store import Store, store_path

ROOT = Path(__file__).resolve().parents[3]


def smoke(target: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-m", "gcdesk", "--smoke", str(target)],
        env={**os.environ, "PYTHONPATH": str(ROOT), **variables},
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )


@pytest.mark.skipif(sys.platform == "win32", reason="memory and process times as Linux tells them")
def test_six_photos_and_a_killed_worker(gcdesk_home: Path, tmp_path: Path) -> None:
    done = smoke(tmp_path / "report.json")
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["ok"] is True
    assert [one["error"] for one in report["results"]] == [""] * 6
    assert report["killed_worker"] != report["next_worker"]
    assert 0 < report["window_seconds"] < report["first_result_seconds"]
    assert report["worker_memory"] > 50
    # The user's sessions are as before, and the worker's end is on record.
    with Store(store_path()) as store:
        assert "SelfTest test" not in {session.name for session in store.sessions()}
    (death,) = reports()
    assert death.name.endswith("-worker.txt")


def test_a_report_that_cannot_be_written(tmp_path: Path) -> None:
    done = smoke(tmp_path / "no such folder" / "report.json")
    assert done.returncode == 1
    assert "cannot be written" in done.stderr


def test_without_a_display(tmp_path: Path) -> None:
    done = smoke(tmp_path / "report.json", DISPLAY="", WAYLAND_DISPLAY="", QT_QPA_PLATFORM="")
    assert done.returncode == 2
    assert "needs a display" in done.stderr

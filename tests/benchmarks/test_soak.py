"""The day at the station in its short form: the real window, its worker and a watched folder."""

from __future__ import annotations

import json
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# At 44 a second some fifteen looks follow the warm-up: the first five and the last five are others.
_PHOTOS = 1000
# Memory is that of a start still: its slope says nothing in so short a time.
_HELD = (
    "window_files_more",
    "worker_files_more",
    "window_threads_more",
    "worker_threads_more",
    "cache_share",
)


@pytest.mark.slow
@pytest.mark.timeout(500)
@pytest.mark.skipif(sys.platform != "linux", reason="what a process holds is read from /proc")
def test_a_short_day_loses_and_leaks_nothing(tmp_path: Path) -> None:
    written, drawn = tmp_path / "soak.json", tmp_path / "soak.svg"
    command = [
        sys.executable,
        "benchmarks/soak.py",
        "--photos",
        str(_PHOTOS),
        "--every",
        "1",
        "--seconds",
        "350",
    ]
    ran = subprocess.run(
        [*command, "--json", str(written), "--svg", str(drawn)],
        cwd=ROOT, capture_output=True, text=True, timeout=450,
    )  # fmt: skip
    assert written.exists(), ran.stderr[-2000:]
    found = json.loads(written.read_text())["figures"]
    assert found["photos"] == found["written"] == _PHOTOS
    assert found["failed"] == found["lost_or_doubled"] == found["exit_code"] == 0
    sys.path.insert(0, str(ROOT / "benchmarks"))
    from soak import _OLD_PICTURE, _OLD_SHARE, GOALS, THUMBNAIL_CACHE_BYTES

    assert {name: found[name] for name in _HELD if found[name] > GOALS[name]} == {}
    # The window's new thumbnails come on top: the cache is really where the soak filled it and looks.
    filled = int(_OLD_SHARE * THUMBNAIL_CACHE_BYTES) // _OLD_PICTURE * _OLD_PICTURE
    assert found["cache_mb_most"] * 1e6 > filled
    assert 200 < found["database_bytes_per_item"] < 5000
    lines = [one for one in ElementTree.parse(drawn).iter() if one.tag.endswith("polyline")]  # noqa: S314 - ours
    assert len(lines) >= 7

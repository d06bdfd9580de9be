"""The short form of `make fuzz`, and every input that it ever found something with."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from targets import targets

HERE = Path(__file__).resolve().parent
FINDINGS = sorted((HERE.parent / "data" / "findings").iterdir())
SECONDS = 40


@pytest.mark.parametrize("file", FINDINGS, ids=lambda file: file.name)
def test_what_was_found_stays_fixed(file: Path, tmp_path: Path) -> None:
    """The file's name begins with its target's."""
    target = next(one for name, one in targets().items() if file.name.startswith(name))
    try:
        target.run(file.read_bytes(), tmp_path)
    except target.refusals as refusal:
        words = str(refusal)
        assert words.isprintable()
        assert len(words) <= 800


def test_every_reader_takes_every_seed(tmp_path: Path) -> None:
    """What is not read unharmed is no good beginning for damage. The tiny model's weights fit no graph."""
    for number, (name, target) in enumerate(targets().items()):
        for place, seed in enumerate(target.seeds()):
            folder = tmp_path / f"{number}-{place}"
            folder.mkdir()
            if name != "its pickle" or place == 0:
                target.run(seed, folder)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="alarms and limits as on Linux")
def test_damaged_input_harms_no_reader() -> None:
    command = [sys.executable, str(HERE / "fuzz.py"), "--seconds", str(SECONDS), "--json"]
    ran = subprocess.run(command, capture_output=True, text=True)
    reports = json.loads(ran.stdout)
    assert {report["target"]: report["findings"] for report in reports if report["findings"]} == {}
    assert ran.returncode == 0, ran.stderr
    assert [report["target"] for report in reports] == list(targets())
    assert all(report["inputs"] >= 5 and report["peak_mb"] < 1536 for report in reports), reports

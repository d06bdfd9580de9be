"""The table of failing cases is made from what makers print."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
MAKERS = {
    "fine.py": "from gcdesk.engine.labels import BINS\nprint('ok   X1 a: read')\nprint('ok   X2:', len(BINS))\n",
    "fault.py": "print('SEEN X3 b: seen | with a bar')\n",
    "crash.py": "raise ValueError('no such thing')\n",
    "_shared.py": "raise SystemExit('never run')\n",
}


def test_a_row_for_each_check_and_a_fault_for_what_crashes(tmp_path: Path) -> None:
    (tmp_path / "makers").mkdir()
    for name, text in MAKERS.items():
        (tmp_path / "makers" / name).write_text(text)
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "cases_table.py"), str(tmp_path), "--out", str(tmp_path / "t.md")],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    rows = [line for line in (tmp_path / "t.md").read_text().splitlines() if line.startswith("| ")][1:]
    assert rows == [
        "| crash | crash | fault | exit 1: ValueError: no such thing |",
        "| X3 b | fault | fault | seen \\| with a bar |",
        "| X1 a | fine | ok | read |",
        "| X2 | fine | ok | 4 |",
    ]
    assert "2 of 4 checks are as expected." in (tmp_path / "t.md").read_text()

"""`gcdesk fit`, `gcdesk learn` and the report on the command line, with the starter models."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from gcdesk.cli.main import main
from gcdesk.config.settings import load_settings
from gcdesk.engine.library.library import Library
from gcdesk.engine.selection.fitted_rule import selections_folder

Captured = pytest.CaptureFixture[str]
TRUTH = {
    "orange peel": "Green", "empty water bottle": "Blue", "kitchen sponge": "Black", "old black sock": "TTR",
    "used toothbrush": "Black", "grocery store flyer": "Blue", "green glass bottle": "Blue",
    "white paper envelope": "Blue", "rose stem with leaves": "Green",
}  # fmt: skip


def folder_of(samples: Path, folder: Path, times: int) -> Path:
    for caption, bin_name in TRUTH.items():
        (folder / bin_name).mkdir(parents=True, exist_ok=True)
        for number in range(times):
            shutil.copy(samples / f"{caption}.jpg", folder / bin_name / f"{caption}_{number}.jpg")
    return folder


def test_a_fit_is_kept_used_and_refused_where_there_is_too_little(
    samples: Path, tmp_path: Path, capsys: Captured
) -> None:
    small = folder_of(samples, tmp_path / "small", 1)
    assert main(["fit", str(small)]) == 2
    assert "at least 40" in capsys.readouterr().err
    assert main(["classify", str(small), "--rule", "fitted"]) == 2
    assert "gcdesk fit" in capsys.readouterr().err
    assert main(["fit", str(folder_of(samples, tmp_path / "many", 5)), "--use"]) == 0
    assert "Cross-validated on 45 items" in capsys.readouterr().out
    (file,) = selections_folder().glob("*.json")
    assert json.loads(file.read_text())["checked"]["items"] == 45
    assert load_settings().rule == "fitted"
    assert main(["classify", str(small), "--format", "json"]) == 0
    report = tmp_path / "page.html"
    capsys.readouterr()
    assert main(["evaluate", str(small), "--format", "json", "--report", str(report)]) == 0
    out = json.loads(capsys.readouterr().out)
    assert out["rule_in_use"] == "fitted"
    assert out["ceiling"]["both"] <= len(TRUTH)
    assert "Fitted selection" in report.read_text(encoding="utf-8")
    assert main(["evaluate", str(small), "--report", str(tmp_path / "no" / "page.html")]) == 2


def test_corrections_in_a_table_are_learned(tmp_path: Path, capsys: Captured) -> None:
    table = tmp_path / "house.csv"
    kinds = ("milk", "juice", "soy milk", "cream", "oat milk", "orange juice", "soup", "small milk")
    table.write_text("text,bin\n" + "".join(f"{kind} carton,Black\n" for kind in kinds))
    assert main(["learn", "text", "--from", str(table), "--use"]) == 0
    assert "mended" in capsys.readouterr().out
    learned = Library().in_use("text").name
    assert learned.startswith("starter-text learned ")
    assert main(["learn", "text"]) == 2
    assert "nothing to learn from yet" in capsys.readouterr().err

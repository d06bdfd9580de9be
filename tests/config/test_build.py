from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from gcdesk.config.build import Build, build, torch_installed, why_no_torch


def test_a_checkout_has_a_version_and_no_flavour() -> None:
    assert build().version[0].isdigit()
    assert (build().flavour, build().commit) == ("", "")
    assert str(build()) == build().version


def test_a_package_says_its_flavour_and_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "resources").mkdir()
    stamp = {"version": "1.2.3", "commit": "0123456789abcdef", "flavour": "station", "torch": ""}
    (tmp_path / "resources" / "build.json").write_text(json.dumps(stamp))
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "_MEIPASS", str(tmp_path), raising=False)
    assert build() == Build(**stamp)
    assert str(build()) == "1.2.3 (station, commit 0123456789ab)"


@pytest.mark.torch
def test_where_torch_is_to_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    assert torch_installed()
    assert why_no_torch("Training") == ""
    monkeypatch.setitem(sys.modules, "torch", None)
    assert why_no_torch("Training") == "Training needs torch: pip install 'gcdesk[train]'."
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert why_no_torch("Training").startswith(
        "Training is in the package gcdesk-full; this one, gcdesk-station"
    )

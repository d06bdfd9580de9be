"""Bundled data is found from a checkout, from an installed wheel, and in a frozen app."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import gcdesk
from gcdesk.config.resources import resource_path

PACKAGE = Path(gcdesk.__file__).parent


def test_a_checkout_has_it_beside_the_package() -> None:
    assert resource_path("samples").is_dir()
    assert resource_path("samples", "orange peel.jpg").is_file()
    assert resource_path() == PACKAGE.parent / "resources"


def test_a_wheel_has_it_inside_the_package(tmp_path: Path) -> None:
    """Laid out as the wheel's force-include does, and asked by a Python that sees only that."""
    site = tmp_path / "site-packages"
    shutil.copytree(PACKAGE / "config", site / "gcdesk" / "config")
    shutil.copy(PACKAGE / "__init__.py", site / "gcdesk")
    (site / "gcdesk" / "_resources" / "icons").mkdir(parents=True)
    assert ask(site) == site / "gcdesk" / "_resources" / "icons"


@pytest.mark.parametrize("place", ["gcdesk/_resources", "resources"])
def test_a_frozen_app_has_it_where_it_was_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    monkeypatch.setattr(sys, "_MEIPASS", str(tmp_path), raising=False)
    (tmp_path / place / "icons").mkdir(parents=True)
    assert resource_path("icons") == tmp_path / place / "icons"


def ask(site: Path) -> Path:
    code = "from gcdesk.config.resources import resource_path; print(resource_path('icons'))"
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=site, capture_output=True, text=True, check=True, timeout=200
    )
    return Path(run.stdout.strip())

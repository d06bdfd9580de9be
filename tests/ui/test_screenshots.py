"""The pictures of the docs, made anew: light and dark, at one and at two device pixels a pixel."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "make_screenshots.py"


@pytest.mark.parametrize(("theme", "scale"), [("light", 2), ("dark", 1)])
def test_every_state_has_a_picture_in_both_themes_and_sizes(theme: str, scale: int, tmp_path: Path) -> None:
    states = ("empty", "finished", "failed", "station")
    subprocess.run(
        [sys.executable, SCRIPT, "--out", tmp_path, "--theme", theme, "--states", *states],
        check=True,
        capture_output=True,
        timeout=200,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen", "QT_SCALE_FACTOR": str(scale)},
    )
    for state in states:
        with Image.open(tmp_path / f"{state}-{theme}.png") as picture:
            assert picture.size == tuple(
                scale * side for side in ((1280, 720) if state == "station" else (1280, 800))
            )
            grey = np.asarray(picture.convert("L"))
        assert (grey[0, 0] > 128) == (theme == "light")  # the ground at the edge
        assert grey.std() > 5  # something is on it

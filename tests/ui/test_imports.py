"""What importing rooms of the window loads besides them; import-linter sees no external sub-packages."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("torch", "transformers", "torchvision", "onnxruntime", "tokenizers", "pydantic")
IMPORT_ALL = """
import importlib, pkgutil, sys
for room in {rooms!r}:
    package = importlib.import_module(room)
    names = [module.name for module in pkgutil.walk_packages(package.__path__, room + ".")]
    assert names, room
    for name in names:
        importlib.import_module(name)
print([name for name in {unwanted!r} if name in sys.modules])
"""


@pytest.mark.parametrize(
    ("rooms", "unwanted"),
    [
        (("gcdesk.ui", "gcdesk.jobs"), HEAVY),
        (("gcdesk.ui.session",), ("PySide6.QtWidgets",)),
    ],
    ids=["the window loads no model library", "the session loads no widgets"],
)
def test_imports(rooms: tuple[str, ...], unwanted: tuple[str, ...]) -> None:
    code = IMPORT_ALL.format(rooms=rooms, unwanted=unwanted)
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=200)
    assert done.stdout.strip() == "[]", done.stderr

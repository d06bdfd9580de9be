"""Importing the engine is quick, and classifying on the CPU needs neither torch nor Qt."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys

import pytest

HEAVY = ("torch", "torchvision", "transformers", "PySide6", "onnx", "onnxscript", "sklearn")
PROBE = """
import json, sys, time
start = time.perf_counter()
import {module}
seconds = time.perf_counter() - start
print(json.dumps([seconds, sorted({{name.split(".")[0] for name in sys.modules}})]))
"""


def import_of(module: str) -> tuple[float, set[str]]:
    """Seconds that a fresh interpreter takes to import the module, and the packages that it then has."""
    done = subprocess.run(
        [sys.executable, "-c", PROBE.format(module=module)], capture_output=True, text=True, check=True
    )
    seconds, packages = json.loads(done.stdout)
    return seconds, set(packages)


def test_the_engine_imports_in_half_a_second() -> None:
    runs = [import_of("gcdesk.engine") for _ in range(3)]
    assert statistics.median(seconds for seconds, _ in runs) < 0.5
    assert not runs[0][1] & set(HEAVY)


def test_what_classifies_imports_nothing_heavy() -> None:
    _, packages = import_of("gcdesk.engine.classification.classifier, gcdesk.engine.inference.onnx_backend")
    assert not packages & set(HEAVY)


@pytest.mark.parametrize(
    "module",
    [
        "inference.onnx_backend",
        "inference.graph_templates",
        "modelfile.archive",
        "modelfile.tokenizer",
        "modelfile.specs",
        "course.bert_to_distilbert",
    ],
)
def test_the_cpu_path_imports_no_torch_and_no_qt(module: str) -> None:
    _, packages = import_of(f"gcdesk.engine.{module}")
    assert "numpy" in packages or module == "modelfile.specs"
    assert not packages & set(HEAVY)

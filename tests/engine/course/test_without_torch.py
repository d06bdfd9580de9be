"""Every course layout is imported, and every image model answers, by an interpreter that has no torch."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import course_modules as course
import pytest
import torch
from course_layouts import IMAGE, TEXT

# Python's own way to say that a module is not to be had.
STATION = """
import json, sys
for name in ("torch", "torchvision", "transformers", "onnx"):
    sys.modules[name] = None
from pathlib import Path
from gcdesk.engine.modelfile.checkpoint import load_info
from gcdesk.engine.classification.classifier import Classifier, Item
from gcdesk.engine.inference.devices import open_backend
from gcdesk.engine.course.checkpoint import import_legacy, recognise
from gcdesk.engine.selection.rules import Rule

photo, files = Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]]
for file in files:
    found = recognise(file)
    folder = import_legacy(file, file.with_suffix(".gcmodel"), file.stem)
    bins = []
    if found.kind == "image":
        backend = open_backend("image", folder, device="cpu")
        (answer,) = Classifier(backend, None, Rule.MAX_CONFIDENCE).classify([Item(photo, "")])
        bins = [round(float(p), 3) for p in answer.image.probabilities]
    print(json.dumps([found.layout, load_info(folder).kind, bins]))
"""


def saved(module: torch.nn.Module, path: Path) -> Path:
    torch.save(getattr(module, "inner", module).state_dict(), path)
    return path


@pytest.mark.slow
def test_all_layouts_without_torch(tmp_path: Path, samples: Path) -> None:
    torch.manual_seed(5)
    files = [
        saved(make(course.small_config()), tmp_path / f"t{n}.pth") for n, (_, make, *_) in enumerate(TEXT)
    ]
    files += [saved(make().eval(), tmp_path / f"i{n}.pth") for n, (_, make, *_) in enumerate(IMAGE)]
    done = subprocess.run(
        [sys.executable, "-c", STATION, next(samples.glob("*.jpg")), *files],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [layout for layout, _, _ in answers] == [row[0] for row in (*TEXT, *IMAGE)]
    for _, kind, bins in answers:
        assert kind == "text" or sum(bins) == pytest.approx(1, abs=0.01)

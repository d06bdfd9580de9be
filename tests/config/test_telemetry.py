"""No process of gcdesk looks an address up or writes outside of its own folders, whatever its libraries would like."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from gcdesk.config.resources import resource_path
from tests.sealed import ASKED_FOR_THE_NETWORK, files_outside, run_sealed

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="seccomp is Linux's")
PYTHON = sys.executable
SAMPLES = str(resource_path("samples"))
TEXT_MODEL = str(resource_path("models", "starter-text.gcmodel"))


def test_the_seal_sees_a_lookup(tmp_path: Path) -> None:
    lookup = "import socket\ntry: socket.getaddrinfo('example.invalid', 443)\nexcept OSError: pass"
    assert run_sealed([PYTHON, "-c", lookup], tmp_path).returncode == ASKED_FOR_THE_NETWORK


def test_the_command_line_classifies_without_a_word_to_anybody(tmp_path: Path) -> None:
    ran = run_sealed([PYTHON, "-m", "gcdesk", "classify", SAMPLES, "--quiet"], tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert files_outside(tmp_path) == []


def test_the_window_and_its_worker_are_as_silent(tmp_path: Path) -> None:
    ran = run_sealed([PYTHON, "-m", "gcdesk", "--smoke", str(tmp_path / "gcdesk.json")], tmp_path)
    assert ran.returncode == 0, ran.stderr
    report = json.loads((tmp_path / "gcdesk.json").read_text())
    (tmp_path / "gcdesk.json").unlink()
    assert report["results"], "the worker answered, so what it would send had its time"
    assert files_outside(tmp_path) == []


def test_a_task_of_the_worker_is_as_silent(tmp_path: Path) -> None:
    ran = run_sealed([PYTHON, "-m", "gcdesk", "models", "import", TEXT_MODEL, "--name", "mine"], tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert files_outside(tmp_path) == []


@pytest.mark.parametrize(
    "package",
    ["gcdesk.engine.inference.devices", "trainer.text.command", "trainer.job.run", "trainer.shards.work"],
)
def test_every_way_in_forbids_telemetry_before_the_libraries_are_there(package: str, tmp_path: Path) -> None:
    """Also where a cluster's job, the trainer or somebody's own script begins."""
    look = (
        f"import {package}, os, onnxruntime, torch, transformers, huggingface_hub.constants as hub\n"
        "assert os.environ['ORT_DISABLE_TELEMETRY'] == '1' and hub.HF_HUB_DISABLE_TELEMETRY and hub.HF_HUB_OFFLINE\n"
        "from transformers import AutoModel\n"
        "try: AutoModel.from_pretrained('nobody/nothing')\n"
        "except OSError: print('not fetched')"
    )
    ran = run_sealed([PYTHON, "-c", look], tmp_path)
    assert ran.stdout.split("\n")[0] == "not fetched", ran.stderr
    assert files_outside(tmp_path) == []

"""Weights in other formats: what they are and what to do is said; what torch saved is read whatever its ending."""

from __future__ import annotations

import sys
import types
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file
from torchvision.models import mobilenet_v2

from gcdesk.config.resources import resource_path
from gcdesk.engine.errors import GcdeskError
from gcdesk.engine.library.import_sources import inspect_model_file
from gcdesk.engine.library.library import Library

KINDS = ["safetensors", "onnx", "keras", "tflite", "gzip", "pickle"]


def written(kind: str, path: Path) -> Path:
    if kind == "safetensors":
        save_file({"fc.weight": np.zeros((4, 4), np.float32)}, path)
    elif kind == "onnx":
        path.write_bytes(next(resource_path("graphs").glob("*.onnx")).read_bytes())
    else:
        heads = {
            "keras": b"\x89HDF\r\n\x1a\n",
            "tflite": b"\x1c\0\0\0TFL3",
            "gzip": b"\x1f\x8b\x08",
            "pickle": b"\x80\x04\x95",
        }
        path.write_bytes(heads[kind] + bytes(200))
    return path


@pytest.mark.parametrize("ending", ["", ".pth", ".bin", ".zip"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_kind_is_said_whatever_the_ending(tmp_path: Path, kind: str, ending: str) -> None:
    path = written(kind, tmp_path / f"weights{ending or '.' + kind}")
    words = {"keras": "Keras", "tflite": "TensorFlow Lite", "onnx": "ONNX"}.get(kind, kind)
    with pytest.raises(GcdeskError) as refused:
        Library().import_model(path, "x")
    for said in (str(refused.value), inspect_model_file(path).problem):
        assert words in said
        assert said.startswith(path.name)
        assert "damaged" not in said
        assert any(verb in said for verb in ("import", "Save", "unpack"))


@pytest.mark.parametrize("name", ["last.ckpt", "best.pth.tar", "pytorch_model.bin"])
def test_what_torch_saved_is_read_whatever_its_ending(tmp_path: Path, name: str) -> None:
    torch.manual_seed(0)
    state = {f"model.{key}": value for key, value in mobilenet_v2(num_classes=4).state_dict().items()}
    path = tmp_path / name
    torch.save({"epoch": 3, "pytorch-lightning_version": "2.1.0", "state_dict": state}, path)
    source = inspect_model_file(path)
    assert source.kind == "image"
    assert "Lightning checkpoint" in source.sentence
    assert Library().import_model(path, "x", class_order=["Black", "Blue", "Green", "TTR"]).info is not None


def test_a_lightning_checkpoint_with_more_than_weights_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = types.ModuleType("lightning.fabric.utilities.data")
    kind = type("AttributeDict", (dict,), {"__module__": module.__name__})
    module.AttributeDict = kind  # type: ignore[attr-defined]
    for name in ("lightning", "lightning.fabric", "lightning.fabric.utilities", module.__name__):
        monkeypatch.setitem(sys.modules, name, module)
    path = tmp_path / "last.ckpt"
    torch.save({"state_dict": {}, "hyper_parameters": kind(lr=1e-3)}, path)
    problem = inspect_model_file(path).problem
    assert "Lightning checkpoint" in problem
    assert "torch.save(module.state_dict()" in problem

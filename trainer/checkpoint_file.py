"""A run's state as one safetensors file: reading it can run no code, whoever wrote it. The tensors by number, and how
they hang together as JSON in the file's head.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

_TREE = "tree"
# What `unpack` raises for a file that is none, or damaged.
DAMAGE = (OSError, SafetensorError, ValueError, KeyError, TypeError, IndexError, RecursionError)


def pack(content: object) -> bytes:
    """The file's bytes. content: dicts (keys text or whole numbers), lists and tuples of tensors, text, numbers and
    None, within one another. Raises TypeError for anything else.
    """
    tensors: dict[str, Tensor] = {}
    tree = _flat(content, tensors)
    return bytes(save(tensors, metadata={_TREE: json.dumps(tree)}))


def unpack(file: Path, device: str | torch.device) -> Any:
    """What was packed, its tensors on `device`. Raises one of DAMAGE."""
    with safe_open(file, framework="pt", device=str(device)) as opened:
        tree = json.loads((opened.metadata() or {})[_TREE])
        return _whole(tree, {name: opened.get_tensor(name) for name in opened.keys()})  # noqa: SIM118 - no mapping


def _flat(value: object, tensors: dict[str, Tensor]) -> object:
    if isinstance(value, Tensor):
        name = str(len(tensors))
        tensors[name] = value.detach().cpu().contiguous().clone()  # two names of one tensor are refused
        return {"tensor": name}
    if isinstance(value, dict):
        return {"dict": [[_key(key), _flat(item, tensors)] for key, item in value.items()]}
    if isinstance(value, list | tuple):
        return {type(value).__name__: [_flat(item, tensors) for item in value]}
    if value is None or isinstance(value, str | int | float):
        return value
    raise TypeError(f"a checkpoint cannot hold a {type(value).__name__}")


def _key(key: object) -> object:
    if isinstance(key, str | int):
        return key
    raise TypeError(f"a checkpoint's dict cannot have a key that is a {type(key).__name__}")


def _whole(tree: Any, tensors: dict[str, Tensor]) -> Any:
    if not isinstance(tree, dict):
        return tree
    ((kind, inner),) = tree.items()
    if kind == "tensor":
        return tensors[inner]
    if kind == "dict":
        return {key: _whole(item, tensors) for key, item in inner}
    items = [_whole(item, tensors) for item in inner]
    return tuple(items) if kind == "tuple" else items

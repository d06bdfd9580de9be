"""Reading and writing `weights.safetensors`, with a strict look at the header before the library reads it.

The format (huggingface/safetensors): 8 bytes little-endian length, a JSON header of that length that
maps each name to dtype, shape and [begin, end) offsets, then the raw tensors.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
from safetensors import SafetensorError

from gcdesk.config.thresholds import MODEL_HEADER_MAX_BYTES, MODEL_MAX_TENSORS, MODEL_WEIGHTS_MAX_BYTES
from gcdesk.engine.errors import ModelFileError

_MAX_DIMENSIONS = 8
_ITEM_BYTES = {"F16": 2, "F32": 4, "I64": 8}
_WRITTEN = {np.dtype(np.float16), np.dtype(np.float32)}
# BatchNorm's batch counter: the one integer in our state dicts.
COUNTER = "num_batches_tracked"


def write_tensors(path: Path, weights: Mapping[str, np.ndarray], half: bool) -> str:
    """Write the tensors and return the file's sha256. The same weights give the same bytes.

    With `half`, matrices and kernels are stored as fp16 while biases and norms (one dimension) stay fp32:
    they weigh nothing, and a tiny running variance does not survive fp16. Raises ModelFileError for what
    may not be stored.
    """
    ready: dict[str, np.ndarray] = {}
    for name, array in weights.items():
        stored = np.ascontiguousarray(array).reshape(array.shape)  # ascontiguousarray makes a scalar a vector
        if name.endswith(COUNTER):
            stored = stored.astype(np.int64)
        elif stored.dtype == np.float64:
            stored = stored.astype(np.float32)
        elif stored.dtype not in _WRITTEN:
            raise ModelFileError(
                f"the tensor {name} has type {stored.dtype}: weights must be floating point."
            )
        if half and stored.ndim > 1:
            with np.errstate(over="ignore"):
                stored = stored.astype(np.float16)
        ready[name] = stored
    check_finite(ready)
    data = safetensors.numpy.save(ready)
    path.write_bytes(data)
    return hashlib.sha256(data).hexdigest()


def read_tensors(path: Path, sha256: str) -> dict[str, np.ndarray]:
    """Return the tensors of a file that has this sha256. Raises ModelFileError with what is wrong with it."""
    _check_header(path)
    with path.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != sha256:
            raise ModelFileError(
                f"{path.name} is not the file that model.json describes (its sha256 differs):"
                " it was damaged or changed, get the model again."
            )
    try:
        weights: dict[str, np.ndarray] = safetensors.numpy.load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise ModelFileError(f"{path.name} cannot be read: {error}") from error
    check_finite(weights)
    return weights


def check_finite(weights: Mapping[str, np.ndarray]) -> None:
    """Raise ModelFileError when a value is NaN or infinite (for fp16: too large for it)."""
    for name, array in weights.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise ModelFileError(f"the weights are not finite: {name} holds NaN or infinity.")


def _check_header(path: Path) -> None:
    size = path.stat().st_size
    if size > MODEL_WEIGHTS_MAX_BYTES:
        raise ModelFileError(f"{path.name} has {size / 1e9:.1f} GB, more than any model here has.")
    with path.open("rb") as file:
        head = file.read(8)
        length = int.from_bytes(head, "little")
        if len(head) < 8:
            raise ModelFileError(f"{path.name} is cut off: it has {size} bytes.")
        if length > MODEL_HEADER_MAX_BYTES:
            raise ModelFileError(
                f"{path.name} is no weights file: its header claims {length / 1e6:.1f} MB"
                f" ({MODEL_HEADER_MAX_BYTES // 1024**2} MB is the limit)."
            )
        raw = file.read(length)
    if len(raw) < length:
        raise ModelFileError(f"{path.name} is cut off within its header.")
    try:
        header = json.loads(raw, object_pairs_hook=_no_duplicates)
    except (ValueError, RecursionError) as error:
        raise ModelFileError(f"{path.name} has a header that cannot be read: {error}") from error
    if not isinstance(header, dict):
        raise ModelFileError(f"{path.name} has a header that is no object.")
    _check_layout(path.name, header, size - 8 - length)


def _check_layout(file_name: str, header: dict[str, Any], data_bytes: int) -> None:
    header.pop("__metadata__", None)
    if not 0 < len(header) <= MODEL_MAX_TENSORS:
        raise ModelFileError(
            f"{file_name} holds {len(header)} tensors: a model has 1 to {MODEL_MAX_TENSORS}."
        )
    ranges = sorted(_byte_range(file_name, name, entry) for name, entry in header.items())
    position = 0
    for begin, end in ranges:
        if begin != position:
            raise ModelFileError(f"{file_name} has tensors that overlap or leave gaps.")
        position = end
    if position != data_bytes:
        what = "is cut off" if position > data_bytes else "has bytes that belong to no tensor"
        raise ModelFileError(f"{file_name} {what}: its tensors take {position} bytes, it has {data_bytes}.")


def _byte_range(file_name: str, name: str, entry: object) -> tuple[int, int]:
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise ModelFileError(f"{file_name} describes the tensor {name!r} wrongly.")
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if type(dtype) is not str or dtype not in _ITEM_BYTES or (dtype == "I64") != name.endswith(COUNTER):
        raise ModelFileError(f"{file_name} stores {name!r} as {dtype!r}: weights are F32 or F16.")
    if not _whole_numbers(shape) or len(shape) > _MAX_DIMENSIONS:
        raise ModelFileError(f"{file_name} gives {name!r} the shape {shape!r}.")
    if not _whole_numbers(offsets) or len(offsets) != 2:
        raise ModelFileError(f"{file_name} gives {name!r} the place {offsets!r}.")
    begin, end = offsets
    if end - begin != math.prod(shape) * _ITEM_BYTES[dtype]:
        raise ModelFileError(
            f"{file_name} gives {name!r} {end - begin} bytes, its shape {shape} needs others."
        )
    return begin, end


def _whole_numbers(value: object) -> bool:
    return isinstance(value, list) and all(type(item) is int and 0 <= item < 2**40 for item in value)


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        raise ValueError("a name appears twice")
    return table

"""From a loaded model to an ONNX Runtime session: its architecture's graph template, the weights injected.

The check of names and shapes before the session is made is a security check too: for a tensor that is not
handed over, the runtime would look for a file in the working directory.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnxruntime

from gcdesk.config.resources import resource_path
from gcdesk.engine.errors import GraphError, ModelFileError
from gcdesk.engine.inference.parallelism import usable_cores
from gcdesk.engine.modelfile.info import LoadedModel
from gcdesk.engine.modelfile.specs import Architecture
from gcdesk.engine.modelfile.weights import COUNTER

_ERRORS_ONLY = 3


class InjectedSession(onnxruntime.InferenceSession):  # type: ignore[misc]  # it has no types
    """A session that keeps the weights alive that it was given: the runtime reads them where they are."""

    def __init__(
        self, graph: bytes, options: onnxruntime.SessionOptions, weights: dict[str, np.ndarray]
    ) -> None:
        self._weights = weights
        self._values = [onnxruntime.OrtValue.ortvalue_from_numpy(array) for array in weights.values()]
        options.add_external_initializers(list(weights), self._values)
        super().__init__(graph, options, providers=["CPUExecutionProvider"])


def template_path(arch: Architecture) -> Path:
    """Where the graph of this architecture is, whether it exists or not."""
    return resource_path("graphs", arch.template)


def has_template(arch: Architecture) -> bool:
    """Whether ONNX Runtime can run this architecture; torch has to, otherwise."""
    return template_path(arch).is_file()


def make_session(model: LoadedModel, threads: int | None = None) -> InjectedSession:
    """Return a CPU session of the model on `threads` threads, every core for None and never more than cores.

    Raises GraphError where the architecture has no (intact) template, ModelFileError where its tensors are
    not exactly the template's.
    """
    graph, shapes = _read_template(model.info.architecture)
    try:
        weights = fit_weights(model.weights, shapes)
    except ModelFileError as error:
        raise ModelFileError(f"{model.folder.name}: {error}") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = max(1, min(threads or usable_cores(), usable_cores()))
    options.inter_op_num_threads = 1
    # Spinning threads would take the cores from decoding and from the window.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = _ERRORS_ONLY
    return InjectedSession(graph, options, weights)


def fit_weights(
    weights: Mapping[str, np.ndarray], shapes: Mapping[str, tuple[int, ...]]
) -> dict[str, np.ndarray]:
    """Return the tensors as the graph wants them: fp32, exactly the names and shapes of `shapes`.

    BatchNorm's batch counters, which no graph reads, are left out. Raises ModelFileError for any other
    difference.
    """
    useful = {name: array for name, array in weights.items() if not name.endswith(COUNTER)}
    missing, unknown = sorted(shapes.keys() - useful.keys()), sorted(useful.keys() - shapes.keys())
    if missing:
        raise ModelFileError(f"the weights lack {_some(missing)}, which the architecture needs.")
    if unknown:
        raise ModelFileError(f"the weights hold {_some(unknown)}, which the architecture does not have.")
    for name, array in useful.items():
        if array.shape != shapes[name]:
            raise ModelFileError(f"the tensor {name} has the shape {array.shape} instead of {shapes[name]}.")
        if array.dtype not in (np.float16, np.float32):
            raise ModelFileError(
                f"the tensor {name} has the type {array.dtype} instead of float32 or float16."
            )
    # In the template's order, so that a session never depends on the order in the file.
    return {name: np.ascontiguousarray(useful[name], np.float32).reshape(shapes[name]) for name in shapes}


def _read_template(arch: Architecture) -> tuple[bytes, dict[str, tuple[int, ...]]]:
    path = template_path(arch)
    try:
        graph = path.read_bytes()
        sidecar = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        shapes = {name: tuple(shape) for name, shape in sidecar["tensors"].items()}
        digest = sidecar["sha256"]
    except FileNotFoundError:
        raise GraphError(
            f"there is no graph for {arch.id}: this architecture runs with torch only."
        ) from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise GraphError(f"the graph {path.name} cannot be read, install gcdesk again: {error}") from error
    if hashlib.sha256(graph).hexdigest() != digest:
        raise GraphError(f"the graph {path.name} is damaged (its sha256 differs): install gcdesk again.")
    return graph, shapes


def _some(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more tensors"

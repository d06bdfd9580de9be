"""Make the templates of `resources/graphs` (`make graphs`): `python -m gcdesk.engine.inference.graph_export [ID ...]`.

A template is the ONNX graph of one architecture without its weights: the initializers keep the state dict's
names, are marked external and have no data. Beside it, `<id>.json` lists their shapes and the graph's
sha256, so that the runtime can check a model's tensors before it makes a session. Needs torch, onnx and
onnxscript; run it only after an architecture changed. The same versions of those give the same bytes.

Only the exporter of `dynamo=True` is right here: the older one made a DistilBERT that is off by 0.2.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import warnings
from pathlib import Path
from typing import Any, get_args

import onnx
import onnx_ir
import onnxscript
import torch
from onnxscript import optimizer
from torch import nn

from gcdesk.config.resources import resource_path
from gcdesk.engine.inference.backend import IMAGE_OUTPUTS
from gcdesk.engine.inference.torch_networks import build
from gcdesk.engine.modelfile.specs import (
    MLP_WIDTHS,
    Architecture,
    Backbone,
    ImageArchitecture,
    TextArchitecture,
)
from gcdesk.engine.modelfile.weights import COUNTER

TEXT_OUTPUTS = ("logits", "features")
OPSET = 20
# Not part of a state dict, and the same for every model: it stays in the graph.
_POSITIONS = "distilbert.embeddings.position_ids"


def template_architectures() -> list[Architecture]:
    """Every architecture that has a template."""
    results: list[Architecture] = [ImageArchitecture(backbone, "linear") for backbone in get_args(Backbone)]
    results += [
        ImageArchitecture(backbone, "mlp") for backbone in get_args(Backbone) if backbone in MLP_WIDTHS
    ]
    for dim in (384, 768):
        sizes = {"dim": dim, "hidden_dim": 4 * dim}
        results += [
            TextArchitecture(**sizes, head="linear", pooling="cls"),
            TextArchitecture(**sizes, head="linear", pooling="mean"),
            TextArchitecture(**sizes, head="pre_classifier", pooling="cls"),
            TextArchitecture(**sizes, head="net", pooling="mean"),
        ]
    return results


def export_template(arch: Architecture, folder: Path) -> Path:
    """Write `<id>.onnx` and `<id>.json` into `folder` and return the graph's path."""
    module = build(arch).eval()
    state = {
        name: list(tensor.shape) for name, tensor in module.state_dict().items() if not name.endswith(COUNTER)
    }
    program = _traced(arch, module)
    _simplify(program.model, set(state))
    proto = onnx_ir.serde.serialize_model(program.model)
    _strip(proto, arch, state)
    data = proto.SerializeToString(deterministic=True)
    path = folder / arch.template
    path.write_bytes(data)
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(shape)}" for name, shape in sorted(state.items()))
    digest = hashlib.sha256(data).hexdigest()
    sidecar = f'{{"sha256": "{digest}",\n"tensors": {{\n{lines}\n}}}}\n'
    path.with_suffix(".json").write_text(sidecar, encoding="utf-8")
    return path


def _traced(arch: Architecture, module: nn.Module) -> torch.onnx.ONNXProgram:
    if isinstance(arch, ImageArchitecture):
        arguments: tuple[torch.Tensor, ...] = (torch.randn(2, 3, 224, 256),)
        shapes: dict[str, Any] = {"pixels": {0: "batch", 2: "height", 3: "width"}}
        outputs: tuple[str, ...] = IMAGE_OUTPUTS
    else:
        # Two tensors: one tensor given twice would make the graph read both inputs from the mask.
        arguments = (torch.ones(2, 7, dtype=torch.long), torch.ones(2, 7, dtype=torch.long))
        shapes = {name: {0: "batch", 1: "tokens"} for name in ("input_ids", "attention_mask")}
        outputs = TEXT_OUTPUTS
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            module,
            arguments,
            dynamo=True,
            optimize=False,
            opset_version=OPSET,
            dynamic_shapes=shapes,
            input_names=list(shapes),
            output_names=list(outputs),
            verbose=False,
        )
    if program is None:
        raise RuntimeError(f"torch exported nothing for {arch.id}")
    return program


def _simplify(model: onnx_ir.Model, weights: set[str]) -> None:
    """Fold what does not depend on weights (shapes, empty convolution biases).

    The exporter gives a convolution without bias a zero one that is computed at run time, which keeps the
    runtime from merging it with its BatchNorm: an EfficientNet-B2 then takes twice as long. Meanwhile the
    weights are made inputs of the graph, because the optimizer would fold or rename initializers.
    """
    graph = model.graph
    if weights - set(graph.initializers):
        raise RuntimeError(f"the graph lost tensors: {sorted(weights - set(graph.initializers))}")
    values = {name: graph.initializers[name] for name in sorted(weights)}
    tensors = {name: value.const_value for name, value in values.items()}
    for name, value in values.items():
        value.const_value = None
        del graph.initializers[name]
        graph.inputs.append(value)
    optimizer.optimize_ir(model)
    for name, value in values.items():
        graph.inputs.remove(value)
        value.const_value = tensors[name]
        graph.initializers[name] = value


def _strip(proto: onnx.ModelProto, arch: Architecture, state: dict[str, list[int]]) -> None:
    """Take out the weights' data and the trace's remarks (they hold paths); note what made the graph."""
    del proto.graph.value_info[:]
    for node in proto.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    for tensor in proto.graph.initializer:
        if tensor.name in state:
            shape = list(tensor.dims)
            if shape != state[tensor.name] or tensor.data_type != onnx.TensorProto.FLOAT:
                raise RuntimeError(f"{arch.id}: {tensor.name} became {shape}, it is {state[tensor.name]}")
            name = tensor.name
            tensor.Clear()
            tensor.name = name
            tensor.dims.extend(shape)
            tensor.data_type = onnx.TensorProto.FLOAT
            tensor.data_location = onnx.TensorProto.EXTERNAL
            tensor.external_data.add(key="location", value="weights-are-injected")
        elif tensor.ByteSize() > 1024 and tensor.name != _POSITIONS:
            raise RuntimeError(f"{arch.id}: {tensor.name} is no weight and has {tensor.ByteSize()} bytes")
    del proto.metadata_props[:]
    facts = {
        "architecture": arch.id,
        "opset": str(OPSET),
        "torch": torch.__version__.split("+")[0],
        "onnxscript": onnxscript.__version__,
    }
    for key, value in facts.items():
        proto.metadata_props.add(key=key, value=value)
    proto.graph.name = arch.id
    proto.graph.doc_string = proto.doc_string = ""


def main(arguments: list[str]) -> int:
    """Export the named architectures, or all of them."""
    folder = resource_path("graphs")
    folder.mkdir(parents=True, exist_ok=True)
    architectures = {arch.id: arch for arch in template_architectures()}
    unknown = [name for name in arguments if name not in architectures]
    if unknown:
        sys.stderr.write(
            f"no such architecture: {', '.join(unknown)}; there are {', '.join(architectures)}\n"
        )
        return 2
    for name in arguments or architectures:
        path = export_template(architectures[name], folder)
        sys.stderr.write(f"{os.path.relpath(path)}: {path.stat().st_size / 1000:.0f} kB\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

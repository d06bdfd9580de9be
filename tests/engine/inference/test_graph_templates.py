"""Graph templates: each gives torch's answers, and only with exactly the tensors that it needs."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from model_making import (
    CAPTIONS,
    RESNET,
    make_info,
    random_module,
    random_weights,
    sample_pixels,
    save_random,
)
from torch import nn

from gcdesk.engine.errors import GraphError, ModelFileError
from gcdesk.engine.inference import graph_templates as graphs
from gcdesk.engine.inference.graph_export import export_template, template_architectures
from gcdesk.engine.inference.graph_templates import make_session, template_path
from gcdesk.engine.inference.onnx_backend import OnnxTextBackend
from gcdesk.engine.inference.parallelism import usable_cores
from gcdesk.engine.inference.torch_networks import put_weights, weights_of
from gcdesk.engine.modelfile.checkpoint import load_model, save_model
from gcdesk.engine.modelfile.info import LoadedModel
from gcdesk.engine.modelfile.specs import ImageArchitecture, TextArchitecture
from gcdesk.engine.modelfile.tokenizer import load_tokenizer

ARCHITECTURES = template_architectures()
IMAGES = [arch for arch in ARCHITECTURES if isinstance(arch, ImageArchitecture)]
TEXTS = [arch for arch in ARCHITECTURES if isinstance(arch, TextArchitecture)]
TOLERANCE = 1e-4


def probabilities(logits: np.ndarray) -> np.ndarray:
    return torch.from_numpy(logits).softmax(1).numpy()


def saved(folder: Path, module: nn.Module, arch: ImageArchitecture | TextArchitecture) -> LoadedModel:
    """The network as a loaded model file with fp16 weights, which the network is given back."""
    save_model(folder, make_info(arch, max_tokens=64), weights_of(module), half=True)
    model = load_model(folder)
    put_weights(module, model.weights)
    return model


def torch_outputs(module: nn.Module, *arguments: np.ndarray) -> list[np.ndarray]:
    with torch.inference_mode():
        return [output.numpy() for output in module(*map(torch.from_numpy, arguments))]


def assert_alike(given: list[np.ndarray], expected: list[np.ndarray]) -> None:
    """Logits are compared as probabilities, which must tell the items apart; features to their scale."""
    ours, theirs = probabilities(given[0]), probabilities(expected[0])
    assert np.ptp(theirs, axis=0).max() > 0.2, "the weights say the same of every item: nothing is tested"
    assert np.abs(ours - theirs).max() <= TOLERANCE
    for one, other in zip(given[1:], expected[1:], strict=True):
        assert one.shape == other.shape
        assert np.abs(one - other).max() <= TOLERANCE * max(1.0, np.abs(other).max())


@pytest.mark.parametrize("arch", IMAGES, ids=lambda arch: arch.id)
def test_an_image_template_gives_torchs_answers(
    arch: ImageArchitecture, tmp_path: Path, samples: Path
) -> None:
    module = random_module(arch, samples)
    model = saved(tmp_path / "x.gcmodel", module, arch)
    session = make_session(model, threads=2)
    # Another size each, not always square and no multiple of 32; also a batch of one.
    for height, width, count in ((96, 96, 4), (130, 101, 2), (224, 160, 1)):
        pixels = sample_pixels(samples, height, width, count)
        given = session.run(["logits", "features", "feature_map"], {"pixels": pixels})
        expected = torch_outputs(module, pixels)
        if count > 2:
            assert_alike(given, expected)
        else:
            assert np.abs(probabilities(given[0]) - probabilities(expected[0])).max() <= TOLERANCE
        np.testing.assert_allclose(given[1], given[2].mean((2, 3)), atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("arch", TEXTS, ids=lambda arch: arch.id)
def test_a_text_template_gives_torchs_answers(arch: TextArchitecture, tmp_path: Path, samples: Path) -> None:
    module = random_module(arch, samples)
    model = saved(tmp_path / "x.gcmodel", module, arch)
    captions = CAPTIONS + [path.stem for path in sorted(samples.glob("*.jpg"))]
    tokenizer = load_tokenizer(model.folder)
    ids, mask = tokenizer.pad(tokenizer.encode(captions, 64))
    assert len(set(mask.sum(1))) > 4  # several lengths in the batch
    output = OnnxTextBackend(model, threads=2).run(captions)
    assert_alike([output.logits, output.features], torch_outputs(module, ids, mask))


@pytest.fixture(scope="module")
def resnet(tmp_path_factory: pytest.TempPathFactory, samples: Path) -> LoadedModel:
    return load_model(save_random(tmp_path_factory.mktemp("models") / "resnet.gcmodel", RESNET, samples))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda w: w.pop("fc.bias"), r"resnet\.gcmodel: the weights lack fc\.bias"),
        (lambda w: [w.pop("fc.bias"), w.pop("fc.weight")], r"lack fc\.bias and 1 more"),
        (lambda w: w.update(extra=w["fc.bias"]), "hold extra, which"),
        (lambda w: w.update({"fc.bias": np.zeros(5, np.float32)}), r"shape \(5,\) instead of \(4,\)"),
        (lambda w: w.update({"fc.weight": w["fc.weight"].T}), "shape"),
        (lambda w: w.update({"fc.bias": np.zeros(4, np.int64)}), "type int64"),
    ],
)
def test_tensors_that_do_not_fit_are_named(
    resnet: LoadedModel, change: Callable[[dict[str, np.ndarray]], object], reason: str
) -> None:
    weights = dict(resnet.weights)
    change(weights)
    with pytest.raises(ModelFileError, match=reason):
        make_session(replace(resnet, weights=weights))


def test_a_missing_tensor_reads_no_file_of_the_working_directory(
    resnet: LoadedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("fc.bias", "weights-are-injected"):
        (tmp_path / name).write_bytes(np.ones(4, np.float32).tobytes())
    weights = {name: array for name, array in resnet.weights.items() if name != "fc.bias"}
    with pytest.raises(ModelFileError, match=r"lack fc\.bias"):
        make_session(replace(resnet, weights=weights))


def test_half_weights_and_their_order_change_nothing(resnet: LoadedModel, samples: Path) -> None:
    halves = {name: a.astype(np.float16) if a.ndim > 1 else a for name, a in resnet.weights.items()}
    singles = {name: a.astype(np.float32) for name, a in reversed(halves.items()) if a.dtype != np.int64}
    pixels = {"pixels": sample_pixels(samples, 96, 96)}
    one = make_session(replace(resnet, weights=halves), 1).run(["logits"], pixels)[0]
    other = make_session(replace(resnet, weights=singles), 1).run(["logits"], pixels)[0]
    np.testing.assert_array_equal(one, other)


def test_a_session_outlives_the_model_that_it_came_from(samples: Path) -> None:
    pixels = {"pixels": sample_pixels(samples, 96, 96)}

    def session_of(seed: int) -> graphs.InjectedSession:
        return make_session(
            LoadedModel(make_info(RESNET), Path("x"), random_weights(RESNET, samples, seed)), 1
        )

    session = session_of(0)
    first = session.run(["logits"], pixels)[0]
    session_of(1)  # would take the memory, were it free
    np.testing.assert_array_equal(session.run(["logits"], pixels)[0], first)


def test_threads_are_capped_at_the_cores(resnet: LoadedModel) -> None:
    for asked, given in (
        (1, 1),
        (1000, usable_cores()),
        (None, usable_cores()),
        (0, usable_cores()),
    ):
        options = make_session(resnet, asked).get_session_options()
        assert options.intra_op_num_threads == given
        assert options.inter_op_num_threads == 1
        assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"


def test_an_architecture_without_a_template_says_so(tmp_path: Path, samples: Path) -> None:
    arch = TextArchitecture(dim=24, n_layers=1, hidden_dim=48)
    model = load_model(save_random(tmp_path / "x.gcmodel", arch, samples))
    assert not graphs.has_template(arch)
    with pytest.raises(GraphError, match="no graph for distilbert-1x24-linear-cls"):
        make_session(model)


def test_a_damaged_template_is_refused(
    resnet: LoadedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for suffix in (".onnx", ".json"):
        shutil.copy(template_path(RESNET).with_suffix(suffix), tmp_path)
    monkeypatch.setattr(graphs, "template_path", lambda arch: tmp_path / arch.template)
    make_session(resnet)
    with (tmp_path / RESNET.template).open("ab") as file:
        file.write(b"!")
    with pytest.raises(GraphError, match="is damaged"):
        make_session(resnet)
    (tmp_path / RESNET.template).with_suffix(".json").write_text("{}")
    with pytest.raises(GraphError, match="cannot be read"):
        make_session(resnet)


@pytest.mark.parametrize("arch", ARCHITECTURES, ids=lambda arch: arch.id)
def test_a_template_holds_names_and_no_weights(arch: ImageArchitecture | TextArchitecture) -> None:
    path = template_path(arch)
    assert path.stat().st_size < 200_000
    model = onnx.load(str(path), load_external_data=False)
    tensors = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))["tensors"]
    external = [t for t in model.graph.initializer if t.data_location == onnx.TensorProto.EXTERNAL]
    assert {tensor.name: list(tensor.dims) for tensor in external} == tensors
    facts = {item.key: item.value for item in model.metadata_props}
    assert facts["architecture"] == arch.id
    assert {"opset", "torch", "onnxscript"} < set(facts)
    # The trace's remarks name source files of whoever made the template.
    assert b".py" not in path.read_bytes()


def test_making_a_template_again_gives_the_same_bytes(tmp_path: Path) -> None:
    again = export_template(RESNET, tmp_path).read_bytes()
    facts = {item.key: item.value for item in onnx.load_from_string(again).metadata_props}
    shipped = onnx.load(str(template_path(RESNET)), load_external_data=False)
    if facts == {item.key: item.value for item in shipped.metadata_props}:
        assert template_path(RESNET).read_bytes() == again
    else:  # another torch may trace another graph, but always the same one
        assert export_template(RESNET, tmp_path).read_bytes() == again

"""What was tried to make the pipeline faster, each measured against what it would replace: CPU ms, and what it changes.

    python benchmarks/candidates.py

One thread, process time, the median of alternating runs. int8 has a trial of its own (benchmarks/int8_trial.py),
batches and threads are rows of benchmarks/suite.py. Needs the `dev` extra (onnx) and the shared data ($GCDESK_SHARED,
default ../shared).
"""

from __future__ import annotations

import io
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from int8_trial import session_of, whole_graph
from onnx import TensorProto, helper, numpy_helper
from photo_sets import caption_set, photo_set, shared_data
from PIL import Image

from gcdesk.engine.inference.devices import open_backend
from gcdesk.engine.library.library import Library
from gcdesk.engine.modelfile.checkpoint import load_model
from gcdesk.engine.modelfile.info import LoadedModel
from gcdesk.engine.photos.decoding import decode_photo
from gcdesk.engine.photos.preprocessing import Preprocessing, preprocess
from gcdesk.engine.selection.calibration import softmax

_RUNS = 40
# A 12 MP phone photo has 1 to 3 MB.
_END_MARK = b"\xff\xd9"
Tried = tuple[str, float, float, str]


def cpu_ms(now: Callable[[], object], then: Callable[[], object], runs: int = _RUNS) -> tuple[float, float]:
    """CPU ms of two ways that take turns."""
    took: tuple[list[float], list[float]] = ([], [])
    for _ in range(runs):
        for way, times in zip((now, then), took, strict=True):
            started = time.process_time()
            way()
            times.append((time.process_time() - started) * 1000)
    return statistics.median(took[0]), statistics.median(took[1])


def decoded(data: bytes, times: float | None, preprocessing: Preprocessing) -> np.ndarray:
    """An upright JPEG as the model reads it, decoded at the smallest scale that is `times` the target, or in full."""
    with Image.open(io.BytesIO(data)) as image:
        if times is not None:
            image.draft(None, (int(times * preprocessing.resize_to),) * 2)
        return preprocess(image, preprocessing)


def jpeg_scales(model: LoadedModel) -> Iterator[Tried]:
    """Decoding at other scales: CPU ms on phone photos; labels on those and on the field photos."""
    backend, preprocessing = open_backend("image", model.folder, "cpu", 1), model.info.preprocessing
    assert preprocessing is not None
    phone = [path.read_bytes() for path in photo_set("photos", 100)]
    every = phone + [path.read_bytes() for path in sorted((shared_data() / "field").rglob("*.jpg"))]

    def probabilities(times: float | None) -> np.ndarray:
        logits = [
            backend.run(decoded(data, times, preprocessing)[None], ("logits",)).logits for data in every
        ]
        return softmax(np.concatenate(logits), 1.0)

    def all_of(times: float | None) -> Callable[[], object]:
        return lambda: [decoded(data, times, preprocessing) for data in phone]

    full = probabilities(None)
    for name, old, new in (
        ("JPEG at a scale of 2x the target, not in full", None, 2.0),
        ("JPEG at 1.5x the target, not 2x", 2.0, 1.5),
        ("JPEG at 1x the target, not 2x", 2.0, 1.0),
    ):
        before, after = cpu_ms(all_of(old), all_of(new), 3)
        found = probabilities(new)
        same = int((found.argmax(1) == full.argmax(1)).sum())
        words = f"{same} of {len(every)} same label as in full, largest change {abs(found - full).max():.3f}"
        yield name, before / len(phone), after / len(phone), words


def file_steps() -> Iterator[Tried]:
    """Reading a file and looking for its end."""
    path = max(photo_set("photos", 100), key=lambda one: one.stat().st_size)
    data = path.read_bytes()

    def read(most: int) -> bytes:
        with path.open("rb") as file:
            return file.read(most)

    size = f"a photo of {len(data) / 1e6:.1f} MB"
    yield (
        "read a file at its size, not up to the cap",
        *cpu_ms(lambda: read(2**28 + 1), lambda: read(len(data))),
        size,
    )
    found = cpu_ms(lambda: data.find(_END_MARK, 20_000), lambda: data.rfind(_END_MARK, 20_000))
    yield "look for a JPEG's end from the end", *found, size


def resizing(preprocessing: Preprocessing) -> Iterator[Tried]:
    """Two passes (reduce, then resize) in place of one, and other ways to normalise."""
    with Image.open(photo_set("photos", 1)[0]) as image:
        image.draft(None, (2 * preprocessing.resize_to,) * 2)
        image.load()
        side = (preprocessing.size, preprocessing.size)
        bilinear = Image.Resampling.BILINEAR
        found = cpu_ms(lambda: image.reduce(2).resize(side, bilinear), lambda: image.resize(side, bilinear))
        yield "resize in one pass, not by halves first", *found, "two passes give other pixels"


def graphs(model: LoadedModel) -> Iterator[Tried]:
    """Other forms of the same network."""
    preprocessing = model.info.preprocessing
    assert preprocessing is not None
    path = photo_set("small", 1)[0]
    photo = decode_photo(path, preprocessing.resize_to).resize((preprocessing.size,) * 2)
    pixels = preprocess(photo, preprocessing)[None]
    with tempfile.TemporaryDirectory(prefix="gcdesk-graphs-") as scratch_name:
        scratch = Path(scratch_name)
        whole_graph(model, scratch / "plain.onnx")
        plain = session_of(scratch / "plain.onnx")

        def run() -> np.ndarray:
            logits: np.ndarray = plain.run(["logits"], {"pixels": pixels})[0]
            return logits

        def against(other: onnxruntime.InferenceSession, name: str) -> Tried:
            difference = abs(other.run(["logits"], {"pixels": pixels})[0] - run()).max()
            times = cpu_ms(run, lambda: other.run(["logits"], {"pixels": pixels}))
            return name, *times, f"logits differ by {difference:.1e}"

        onnx.save(_pooled(onnx.load(scratch / "plain.onnx")), scratch / "pooled.onnx")
        yield against(session_of(scratch / "pooled.onnx"), "squeeze by GlobalAveragePool, not ReduceMean")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        apart = onnxruntime.InferenceSession(
            str(scratch / "plain.onnx"), options, disabled_optimizers=["QuickGeluFusion"]
        )
        yield against(apart, "SiLU as Sigmoid and Mul, not one operator")
        onnx.save(_eight_bit_input(onnx.load(scratch / "plain.onnx"), preprocessing), scratch / "bytes.onnx")
        eight = session_of(scratch / "bytes.onnx")
        planes = np.ascontiguousarray(np.asarray(photo).transpose(2, 0, 1))[None]
        difference = abs(eight.run(["logits"], {"bytes": planes})[0] - run()).max()
        times = cpu_ms(
            lambda: plain.run(["logits"], {"pixels": preprocess(photo, preprocessing)[None]}),
            lambda: eight.run(
                ["logits"], {"bytes": np.ascontiguousarray(np.asarray(photo).transpose(2, 0, 1))[None]}
            ),
        )
        yield "uint8 input, normalised in the graph", *times, f"logits differ by {difference:.1e}"


def _pooled(proto: onnx.ModelProto) -> onnx.ModelProto:
    for node in proto.graph.node:
        if node.op_type == "ReduceMean" and any(a.name == "keepdims" and a.i == 1 for a in node.attribute):
            node.op_type = "GlobalAveragePool"
            del node.input[1:]
            del node.attribute[:]
    return proto


def _eight_bit_input(proto: onnx.ModelProto, preprocessing: Preprocessing) -> onnx.ModelProto:
    """With the padding of the first convolution normalisation cannot go into its weights exactly: it goes before it."""
    std = np.asarray(preprocessing.std)
    scale = (1 / (255 * std)).astype("f4").reshape(1, 3, 1, 1)
    shift = (np.asarray(preprocessing.mean) / std).astype("f4").reshape(1, 3, 1, 1)
    graph = proto.graph
    graph.initializer.extend(
        [numpy_helper.from_array(scale, "byte_scale"), numpy_helper.from_array(shift, "byte_shift")]
    )
    first = [
        helper.make_node("Cast", ["bytes"], ["byte_floats"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["byte_floats", "byte_scale"], ["byte_scaled"]),
        helper.make_node("Sub", ["byte_scaled", "byte_shift"], ["pixels"]),
    ]
    rest = list(graph.node)
    del graph.node[:]
    graph.node.extend(first + rest)
    del graph.input[:]
    size = preprocessing.size
    graph.input.append(helper.make_tensor_value_info("bytes", TensorProto.UINT8, ["batch", 3, size, size]))
    return proto


def repeated_captions() -> Iterator[Tried]:
    """A folder where each caption stands on sixteen photos, as in data/images."""
    text = open_backend("text", Library().resolve("text"), "cpu", 1)
    distinct = caption_set(text.info.caption_rule, 16)
    every = distinct * 16
    before, after = cpu_ms(lambda: text.run(every), lambda: text.run(distinct), 5)
    yield "captions cached by text", before / len(every), after / len(every), "16 captions on 256 photos"


def main() -> int:
    model = load_model(Library().resolve("image"))
    assert model.info.preprocessing is not None
    print(f"{'candidate':<50}{'before':>10}{'after':>10}{'saves':>10}   what else changes   (CPU ms an item)")
    for part in (
        jpeg_scales(model), file_steps(), resizing(model.info.preprocessing), graphs(model), repeated_captions()
    ):  # fmt: skip
        for name, before, after, words in part:
            print(f"{name:<50}{before:>10.3f}{after:>10.3f}{before - after:>10.3f}   {words}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

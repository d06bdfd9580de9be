"""Whether the starter image model may run in 8-bit integers: speed, accuracy and same labels against fp32.

    python benchmarks/int8_trial.py            a table and a verdict
    python benchmarks/int8_trial.py --json     one line

Static quantisation by ONNX Runtime: symmetric weights with a scale for each channel, activations calibrated on photos
of data/images/train. It would be offered as "fast" only if the accuracy on data/images/test fell by less than half a
point, more than 98 of 100 photos kept their label, and it was faster on this processor. Each way is one that could have
helped: which operators are quantised, and how the range of the activations is found. Needs the `dev` extra (onnx) and
the shared data ($GCDESK_SHARED, default ../shared).
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnxruntime import quantization
from onnxruntime.quantization.shape_inference import quant_pre_process

from gcdesk.engine.inference.graph_templates import fit_weights, template_path
from gcdesk.engine.labels import BINS
from gcdesk.engine.library.library import Library
from gcdesk.engine.modelfile.checkpoint import load_model
from gcdesk.engine.modelfile.info import LoadedModel
from gcdesk.engine.photos.preprocessing import Preprocessing, decode_photo, preprocess

ROOT = Path(__file__).resolve().parent.parent
MOST_POINTS_LOST = 0.5
LEAST_AGREEMENT = 0.98
_TIMED_RUNS = 60


@dataclass(frozen=True)
class Way:
    """What is quantised: operators by their ONNX name (None for all), how ranges are found, and on how many photos."""

    name: str
    operators: tuple[str, ...] | None
    method: quantization.CalibrationMethod
    photos: int


# The percentiles need every activation of every calibration photo in memory: some 100 MB a photo.
WAYS = (
    Way("convolutions, min-max", ("Conv",), quantization.CalibrationMethod.MinMax, 192),
    Way("all operators, min-max", None, quantization.CalibrationMethod.MinMax, 192),
    Way("all operators, percentile", None, quantization.CalibrationMethod.Percentile, 24),
)


@dataclass(frozen=True)
class Figures:
    """Of one way: network alone on one thread, ms a photo and CPU ms; accuracy in points; share with fp32's label."""

    name: str
    ms_p50: float
    cpu_ms: float
    accuracy: float
    agreement: float
    lost: float
    times_faster: float

    @property
    def fine(self) -> bool:
        """Whether the way keeps all three conditions."""
        return self.lost < MOST_POINTS_LOST and self.agreement > LEAST_AGREEMENT and self.times_faster > 1


class Photos(quantization.CalibrationDataReader):
    """The calibration photos, one at a time."""

    def __init__(self, photos: Iterable[np.ndarray]) -> None:
        self._photos = iter(photos)

    def get_next(self) -> dict[str, np.ndarray] | None:
        """The next photo as the graph's input, None behind the last."""
        pixels = next(self._photos, None)
        return None if pixels is None else {"pixels": pixels}


def whole_graph(model: LoadedModel, path: Path) -> None:
    """Write the model's template with its weights in it, logits as its only output."""
    template = template_path(model.info.architecture)
    proto = onnx.load(template, load_external_data=False)
    shapes = json.loads(template.with_suffix(".json").read_text(encoding="utf-8"))["tensors"]
    weights = fit_weights(model.weights, {name: tuple(shape) for name, shape in shapes.items()})
    for tensor in proto.graph.initializer:
        if tensor.name in weights:
            tensor.CopyFrom(onnx.numpy_helper.from_array(weights[tensor.name], tensor.name))
    outputs = [output for output in proto.graph.output if output.name == "logits"]
    del proto.graph.output[:]
    proto.graph.output.extend(outputs)
    onnx.save(proto, path)


def pixels_of(paths: Sequence[Path], preprocessing: Preprocessing) -> Iterator[np.ndarray]:
    """Each photo as the model reads it, (1, 3, size, size) float32."""
    for path in paths:
        yield preprocess(decode_photo(path, preprocessing.resize_to), preprocessing)[None]


def quantised(source: Path, target: Path, way: Way, photos: Iterable[np.ndarray]) -> None:
    """Write the graph at `source` with the way's operators in int8."""
    quantization.quantize_static(
        str(source),
        str(target),
        Photos(photos),
        quant_format=quantization.QuantFormat.QDQ,
        op_types_to_quantize=list(way.operators) if way.operators else None,
        per_channel=True,
        activation_type=quantization.QuantType.QUInt8,
        weight_type=quantization.QuantType.QInt8,
        calibrate_method=way.method,
    )


def session_of(path: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def timed(session: onnxruntime.InferenceSession, pixels: np.ndarray) -> tuple[float, float]:
    """Milliseconds a run: the median by the clock and the median of CPU time."""
    clock, processor = [], []
    for number in range(_TIMED_RUNS + 10):
        started = time.perf_counter(), time.process_time()
        session.run(["logits"], {"pixels": pixels})
        if number >= 10:
            clock.append(time.perf_counter() - started[0])
            processor.append(time.process_time() - started[1])
    return statistics.median(clock) * 1000, statistics.median(processor) * 1000


def labels_of(session: onnxruntime.InferenceSession, photos: Iterable[np.ndarray]) -> np.ndarray:
    """The image model's bin of each photo (n,)."""
    return np.array([session.run(["logits"], {"pixels": pixels})[0].argmax() for pixels in photos])


def spread(paths: Sequence[Path], count: int) -> list[Path]:
    """`count` of the paths at even distances."""
    return [paths[int(place)] for place in np.linspace(0, len(paths) - 1, min(count, len(paths)))]


def trial(data: Path, most_calibration: int, tested: int, ways: Sequence[Way]) -> list[Figures]:
    """fp32 first, then each way."""
    model = load_model(Library().resolve("image"))
    preprocessing = model.info.preprocessing
    assert preprocessing is not None
    train = sorted((data / "images" / "train").rglob("*.jpg"))
    test = spread(sorted((data / "images" / "test").rglob("*.jpg")), tested)
    truth = np.array([BINS.index(path.parent.name) for path in test])
    photos = list(pixels_of(test, preprocessing))
    rows: list[Figures] = []
    with tempfile.TemporaryDirectory(prefix="gcdesk-int8-") as scratch_name:
        scratch = Path(scratch_name)
        whole_graph(model, scratch / "fp32.onnx")
        quant_pre_process(str(scratch / "fp32.onnx"), str(scratch / "merged.onnx"))
        plain = session_of(scratch / "fp32.onnx")
        before = labels_of(plain, photos)
        right = float((before == truth).mean() * 100)
        fp32 = timed(plain, photos[0])
        rows.append(Figures("fp32", *fp32, right, 1.0, 0.0, 1.0))
        for way in ways:
            target = scratch / "int8.onnx"
            chosen = spread(train, min(way.photos, most_calibration))
            quantised(scratch / "merged.onnx", target, way, pixels_of(chosen, preprocessing))
            session = session_of(target)
            after = labels_of(session, photos)
            fp32, int8 = timed(plain, photos[0]), timed(session, photos[0])
            now_right = float((after == truth).mean() * 100)
            agreement = float((after == before).mean())
            rows.append(Figures(way.name, *int8, now_right, agreement, right - now_right, fp32[1] / int8[1]))
            print(rows[-1], file=sys.stderr, flush=True)
    return rows


def table(rows: Sequence[Figures]) -> str:
    heads = f"{'ms p50':>9}{'CPU ms':>9}{'faster':>9}{'accuracy':>10}{'points lost':>13}{'same label':>12}"
    lines = [f"{'arithmetic':<34}{heads}"]
    lines += [
        f"{row.name:<34}{row.ms_p50:>9.1f}{row.cpu_ms:>9.1f}{row.times_faster:>8.2f}x{row.accuracy:>10.2f}"
        f"{row.lost:>13.2f}{row.agreement:>12.1%}"
        for row in rows
    ]
    kept = [row.name for row in rows[1:] if row.fine]
    lines.append(
        f"kept: {', '.join(kept)}" if kept else "kept: none; every way misses one of the three conditions"
    )
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    parser.add_argument(
        "--calibration", type=int, default=10**6, help="at most so many photos for the ranges"
    )
    parser.add_argument("--tested", type=int, default=10**6, help="photos of data/images/test (default: all)")
    parser.add_argument("--ways", type=int, default=len(WAYS), help="only the first so many ways")
    asked = parser.parse_args(arguments)
    logging.getLogger().setLevel(logging.ERROR)
    shared = Path(os.environ.get("GCDESK_SHARED", ROOT.parent / "shared"))
    rows = trial(shared / "data", asked.calibration, asked.tested, WAYS[: asked.ways])
    print(json.dumps([asdict(row) for row in rows]) if asked.json else table(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())

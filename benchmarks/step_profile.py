"""Where the time of a photo goes: CPU ms of each step, and of each kind of operator of the network.

    python benchmarks/step_profile.py

One thread, process time, mean over the photos. "between" is what the engine itself adds to its parts: queues, the rule
and the results. "pipe and thumbnails" is what the application's worker adds to the engine. Needs the shared data
($GCDESK_SHARED, default ../shared).
"""

from __future__ import annotations

import io
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
import onnxruntime
from photo_sets import FOLDERS, photo_set
from PIL import Image
from suite_ways import Ours

from gcdesk.engine.classification.classifier import Classifier
from gcdesk.engine.classification.results import Item
from gcdesk.engine.classification.scoring import CaptionScorer, OpenedPhoto, score_photos
from gcdesk.engine.inference.devices import open_backend
from gcdesk.engine.inference.graph_templates import InjectedSession, fit_weights, template_path
from gcdesk.engine.library.library import Library
from gcdesk.engine.modelfile.checkpoint import load_model
from gcdesk.engine.modelfile.info import LoadedModel
from gcdesk.engine.photos import formats as photo_formats
from gcdesk.engine.photos.decoding import decode_photo
from gcdesk.engine.photos.preprocessing import preprocess

_COUNTS = {"small": 100, "photos": 26}
_RUNS = 40
T = TypeVar("T")


class Steps:
    """CPU seconds by step."""

    def __init__(self) -> None:
        self.took: Counter[str] = Counter()

    def time(self, name: str, work: Callable[[], T]) -> T:
        started = time.process_time()
        found = work()
        self.took[name] += time.process_time() - started
        return found


def photo_steps(paths: Sequence[Path], model: LoadedModel) -> dict[str, float]:
    """CPU ms a photo, step by step and of the engine as a whole."""
    preprocessing = model.info.preprocessing
    assert preprocessing is not None
    library = Library()
    image, text = (
        open_backend("image", model.folder, "cpu", 1),
        open_backend("text", library.resolve("text"), "cpu", 1),
    )
    both = Classifier(image, text)
    steps = Steps()

    def checked(data: bytes) -> None:
        kind = photo_formats.sniff(data)
        photo_formats.is_cut_off(data, kind)
        photo_formats.refuse_deep_jpeg(data)

    def opened(data: bytes) -> Image.Image:
        picture = Image.open(io.BytesIO(data))
        picture.draft(None, (2 * preprocessing.resize_to,) * 2)
        picture.load()
        return picture

    captions = [both.caption_of(Item(path)) for path in paths]
    list(both.classify(map(Item, paths[:4])))
    for path in paths:
        data = steps.time("read", path.read_bytes)
        steps.time("check", lambda data=data: checked(data))  # type: ignore[misc]
        picture = steps.time("JPEG decode", lambda data=data: opened(data))  # type: ignore[misc]
        whole = steps.time("decode, all of it", lambda path=path: decode_photo(path, preprocessing.resize_to))  # type: ignore[misc]
        pixels = steps.time("resize and normalise", lambda whole=whole: preprocess(whole, preprocessing))  # type: ignore[misc]
        steps.time("image model", lambda pixels=pixels: score_photos(image, [OpenedPhoto(pixels)]))  # type: ignore[misc]
        del picture
    steps.time("text model", lambda: CaptionScorer(text).score(list(dict.fromkeys(captions))))
    steps.time("engine, all of it", lambda: list(both.classify(map(Item, paths))))
    ms = {name: seconds / len(paths) * 1000 for name, seconds in steps.took.items()}
    parts = ("decode, all of it", "resize and normalise", "image model", "text model")
    ms["between"] = ms["engine, all of it"] - sum(ms[name] for name in parts)
    return ms


def operators(model: LoadedModel) -> dict[str, float]:
    """Ms of each kind of operator in a run of the image network, by ONNX Runtime's own profile."""
    template = template_path(model.info.architecture)
    shapes = json.loads(template.with_suffix(".json").read_text(encoding="utf-8"))["tensors"]
    weights = fit_weights(model.weights, {name: tuple(shape) for name, shape in shapes.items()})
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.enable_profiling = True
    assert model.info.preprocessing is not None
    size = model.info.preprocessing.size
    pixels = np.random.default_rng(0).standard_normal((1, 3, size, size)).astype("f4")
    took: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="gcdesk-profile-") as scratch:
        options.profile_file_prefix = str(Path(scratch) / "run")
        session = InjectedSession(template.read_bytes(), options, weights)
        for _ in range(_RUNS):
            session.run(["logits"], {"pixels": pixels})
        for event in json.loads(Path(session.end_profiling()).read_text(encoding="utf-8")):
            if event.get("cat") == "Node" and event["name"].endswith("kernel_time"):
                took[event["args"]["op_name"]] += event["dur"] / _RUNS / 1000
    return dict(took.most_common())


def main() -> int:
    model = load_model(Library().resolve("image"))
    ours = Ours()
    for name in FOLDERS:
        paths = photo_set(name, _COUNTS[name])
        ms = photo_steps(paths, model)
        worker = ours.worker(name, _COUNTS[name])
        ms["pipe and thumbnails"] = worker.cpu_seconds / len(paths) * 1000 - ms["engine, all of it"]
        print(f"{name}, {len(paths)} photos: CPU ms a photo")
        print("\n".join(f"    {step:<26}{value:>8.2f}" for step, value in ms.items()))
    print("image network by operator, ms")
    print("\n".join(f"    {operator:<26}{value:>8.2f}" for operator, value in operators(model).items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())

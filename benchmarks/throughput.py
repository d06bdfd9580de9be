"""Photos/s and captions/s: the notebook way against ours, in one run, on the same files and the same weights.

    python benchmarks/throughput.py            a table
    python benchmarks/throughput.py --json     one line

The notebook way is what the course's notebooks do: torch eager in fp32, batches of 32, each photo opened,
decoded in full and transformed by torchvision one after the other, captions padded to a fixed length.
Ours is `gcdesk.engine.classification.classifier` as the application uses it. Both take the CPU with all its cores, and
neither counts loading. Passes of the two ways alternate, and each way counts its median pass, so that a
disturbance hits neither alone. Needs the `train` extra (torch) and the shared data ($GCDESK_SHARED,
default ../shared).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from photo_sets import distinct_captions, photos_under, spread_evenly
from PIL import Image
from torchvision import transforms

from gcdesk.config.thresholds import Thresholds
from gcdesk.engine.captions.rules import caption_from_path
from gcdesk.engine.classification.classifier import Classifier
from gcdesk.engine.classification.results import Item
from gcdesk.engine.inference.devices import open_backend
from gcdesk.engine.inference.parallelism import ParallelismConfig, usable_cores
from gcdesk.engine.inference.torch_networks import build_image, build_text, put_weights
from gcdesk.engine.labels import BINS
from gcdesk.engine.library.library import Library
from gcdesk.engine.modelfile.checkpoint import load_model
from gcdesk.engine.modelfile.specs import ImageArchitecture, TextArchitecture
from gcdesk.engine.modelfile.tokenizer import load_tokenizer
from gcdesk.engine.selection.calibration import softmax
from gcdesk.engine.selection.rules import Rule, select

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOK_RULE = Rule.MAX_CONFIDENCE  # asks of a caption nothing that the notebook cannot say
NOTEBOOK_BATCH = 32
NOTEBOOK_TOKENS = 24
SMALL_FILES = 200
CAPTIONS = 512
Labels = list[str | None]


class Notebook:
    """The notebook way."""

    def __init__(self, image_folder: Path, text_folder: Path) -> None:
        image, text = load_model(image_folder), load_model(text_folder)
        assert isinstance(image.info.architecture, ImageArchitecture)
        assert isinstance(text.info.architecture, TextArchitecture)
        self.image_info, self.text_info = image.info, text.info
        self.image = build_image(image.info.architecture)
        put_weights(self.image, image.weights)
        self.text = build_text(text.info.architecture)
        put_weights(self.text, text.weights)
        self.image.eval()
        self.text.eval()
        self.tokenizer = load_tokenizer(text_folder)
        self.transform = self._transform()

    def _transform(self) -> transforms.Compose:
        pp = self.image_info.preprocessing
        assert pp is not None
        mode = transforms.InterpolationMode(pp.interpolation)
        resize = {
            "squash": [transforms.Resize((pp.size, pp.size), mode)],
            "shortest_crop": [transforms.Resize(pp.resize_to, mode), transforms.CenterCrop(pp.size)],
        }[pp.resize]
        return transforms.Compose([*resize, transforms.ToTensor(), transforms.Normalize(pp.mean, pp.std)])

    def photos(self, paths: Sequence[Path]) -> Labels:
        """Both models on each photo and its file name, batch after batch."""
        labels: Labels = []
        for start in range(0, len(paths), NOTEBOOK_BATCH):
            batch = paths[start : start + NOTEBOOK_BATCH]
            pixels = torch.stack([self.transform(Image.open(path).convert("RGB")) for path in batch])
            with torch.inference_mode():
                image_logits = self.image(pixels)[0].numpy()
            captions = [caption_from_path(path, self.text_info.caption_rule) for path in batch]
            labels += self._select(image_logits, self._text(captions, NOTEBOOK_TOKENS), captions)
        return labels

    def captions(self, captions: Sequence[str], tokens: int) -> Labels:
        """The text model alone, every caption padded to `tokens`."""
        labels: Labels = []
        for start in range(0, len(captions), NOTEBOOK_BATCH):
            logits = self._text(captions[start : start + NOTEBOOK_BATCH], tokens)
            labels += [BINS[best] for best in logits.argmax(1)]
        return labels

    def _text(self, captions: Sequence[str], tokens: int) -> np.ndarray:
        ids = torch.full((len(captions), tokens), self.tokenizer.pad_id)
        mask = torch.zeros((len(captions), tokens), dtype=torch.int64)
        for row, encoded in enumerate(self.tokenizer.encode(captions, tokens)):
            ids[row, : len(encoded)] = torch.tensor(encoded)
            mask[row, : len(encoded)] = 1
        with torch.inference_mode():
            logits: np.ndarray = self.text(ids, mask)[0].numpy()
        return logits

    def _select(self, image_logits: np.ndarray, text_logits: np.ndarray, captions: Sequence[str]) -> Labels:
        chosen = select(
            NOTEBOOK_RULE,
            softmax(image_logits),
            softmax(text_logits),
            np.ones(len(captions), dtype=bool),
            np.array([bool(caption) for caption in captions]),
            Thresholds(),
        )
        return [BINS[label] if label >= 0 else None for label in chosen.label]


@dataclass(frozen=True)
class Comparison:
    """Items a second of both ways, their ratio, and the share of items with the same label."""

    items: int
    notebook: float
    ours: float
    agreement: float

    def to_json(self) -> dict[str, float]:
        return {
            "items": self.items,
            "notebook_per_s": round(self.notebook, 2),
            "ours_per_s": round(self.ours, 2),
            "ratio": round(self.ours / self.notebook, 2),
            "agreement": round(self.agreement, 4),
        }


def compare(
    items: int, notebook: Callable[[], Labels], ours: Callable[[], Labels], passes: int, ours_each: int
) -> Comparison:
    """Alternate passes: one of the notebook way, `ours_each` shorter ones of ours."""
    times: dict[str, list[float]] = {"notebook": [], "ours": []}
    answers: dict[str, Labels] = {}
    ours()  # both ways warm: files in the page cache, first allocations made
    for _ in range(passes):
        for name, way in [("notebook", notebook), *[("ours", ours)] * ours_each]:
            started = time.perf_counter()
            answers[name] = way()
            times[name].append(time.perf_counter() - started)
    same = sum(a == b for a, b in zip(answers["notebook"], answers["ours"], strict=True))
    return Comparison(
        items,
        items / statistics.median(times["notebook"]),
        items / statistics.median(times["ours"]),
        same / items,
    )


def measure(data: Path, passes: int) -> dict[str, object]:
    """Run every comparison."""
    library = Library()
    image_folder, text_folder = library.resolve("image"), library.resolve("text")
    notebook = Notebook(image_folder, text_folder)
    image = open_backend("image", image_folder, device="cpu")
    text = open_backend("text", text_folder, device="cpu")
    both = Classifier(image, text, rule=NOTEBOOK_RULE)
    words = Classifier(None, text)

    def classified(classifier: Classifier, items: Sequence[Item]) -> Labels:
        return [result.label for result in classifier.classify(items)]

    report: dict[str, object] = {}
    small = spread_evenly(photos_under(data / "images" / "test"), SMALL_FILES)
    for name, paths in (("small", small), ("photos", photos_under(data / "photos"))):
        items = [Item(path) for path in paths]
        tell(f"{name}: {len(paths)} files, {passes} passes")
        report[name] = compare(
            len(paths),
            lambda paths=paths: notebook.photos(paths),  # type: ignore[misc]
            lambda items=items: classified(both, items),  # type: ignore[misc]
            passes,
            3,
        ).to_json()
    captions = distinct_captions(
        data / "captions" / "course_dev.csv", notebook.text_info.caption_rule, CAPTIONS
    )
    items = [Item(None, caption) for caption in captions]
    for tokens in (24, 64):
        tell(f"{len(captions)} captions padded to {tokens}, {passes} passes")
        report[f"captions_{tokens}"] = compare(
            len(captions),
            lambda tokens=tokens: notebook.captions(captions, tokens),  # type: ignore[misc]
            lambda: classified(words, items),
            passes,
            3,
        ).to_json()
    return report | {"machine": machine(), "models": [image.info.name, text.info.name]}


# (lanes, photos a run, threads a run): one run at a time with and without overlapping decode, then a run
# a core.
ARRANGEMENTS = [
    (1, 1, 2),
    (1, 8, 2),
    (2, 4, 2),
    (3, 8, 2),
    (3, 1, 2),
    (2, 1, 1),
    (2, 4, 1),
    (2, 8, 1),
    (3, 1, 1),
]


def measure_arrangements(data: Path, passes: int) -> list[dict[str, float]]:
    """Photos/s of ours, both models, for other ways to lay the work over two cores."""
    library = Library()
    rows = []
    small = spread_evenly(photos_under(data / "images" / "test"), SMALL_FILES)
    sets = {"small": small, "photos": photos_under(data / "photos")}
    for lanes, batch, threads in ARRANGEMENTS:
        image = open_backend("image", library.resolve("image"), "cpu", threads)
        text = open_backend("text", library.resolve("text"), "cpu", threads)
        classifier = Classifier(image, text, parallelism=ParallelismConfig(lanes, batch, threads))
        row: dict[str, float] = {"lanes": lanes, "batch": batch, "threads": threads}
        for name, paths in sets.items():
            times = []
            for _ in range(passes):
                started = time.perf_counter()
                list(classifier.classify(map(Item, paths)))
                times.append(time.perf_counter() - started)
            row[f"{name}_per_s"] = round(len(paths) / statistics.median(times), 1)
        rows.append(row)
        tell(str(row))
    return rows


def machine() -> dict[str, object]:
    names = ("torch", "onnxruntime", "pillow", "tokenizers")
    return {
        "cores": usable_cores(),
        "torch_threads": torch.get_num_threads(),
        "processor": platform.processor() or platform.machine(),
        "python": platform.python_version(),
        **{name: version(name) for name in names},
    }


def tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one line of JSON")
    parser.add_argument("--passes", type=int, default=2, help="of the notebook way (default: 2)")
    parser.add_argument(
        "--arrangements", action="store_true", help="compare lanes, batches and threads instead"
    )
    args = parser.parse_args()
    shared = Path(os.environ.get("GCDESK_SHARED", ROOT.parent / "shared"))
    if args.arrangements:
        print(json.dumps(measure_arrangements(shared / "data", args.passes)))
        return 0
    report = measure(shared / "data", args.passes)
    if args.json:
        print(json.dumps(report))
        return 0
    print(f"{'':<14}{'items':>7}{'notebook/s':>12}{'ours/s':>10}{'ratio':>8}{'same label':>12}")
    for name, row in report.items():
        if isinstance(row, dict) and "ratio" in row:
            print(
                f"{name:<14}{row['items']:>7}{row['notebook_per_s']:>12}{row['ours_per_s']:>10}"
                f"{row['ratio']:>8}{row['agreement']:>12.1%}"
            )
    print(json.dumps(report["machine"]))
    return 0


if __name__ == "__main__":
    sys.exit(main())

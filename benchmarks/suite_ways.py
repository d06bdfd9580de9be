"""One way of classifying, in a process of its own, so that its memory is its own. benchmarks/suite.py asks it.

    python benchmarks/suite_ways.py ours        or: notebook

Each line of stdin is a JSON object {"do": what, ...its arguments}; each line of stdout is a `suite_rows.Pass`. Our way
never imports torch here, as in the application. With another checkout's gcdesk on PYTHONPATH it measures that one.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from photo_sets import caption_set, photo_set
from suite_rows import Labels, Pass

from gcdesk.config.settings import Settings
from gcdesk.engine.classification.classifier import Classifier
from gcdesk.engine.classification.results import Item
from gcdesk.engine.classification.scoring import OpenedPhoto, score_photos
from gcdesk.engine.inference.devices import open_backend
from gcdesk.engine.inference.parallelism import parallelism_for, usable_cores
from gcdesk.engine.library.library import Library
from gcdesk.engine.photos.decoding import decode_photo
from gcdesk.engine.photos.preprocessing import preprocess
from gcdesk.engine.selection.rules import Rule
from gcdesk.worker.protocol import messages
from gcdesk.worker.protocol.codec import to_line

_MODEL_PHOTOS = 16  # different ones, decoded beforehand, that the model alone runs on


def peak_mb(process: int | str = "self") -> float:
    """Largest memory of a process since `forget_peak`, in MB; 0 where the system does not tell."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:")), 0.0)


def forget_peak() -> None:
    """Count the peak from now on, where the system can."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return


class Clock:
    """Around one pass: the clock, CPU time and peak memory."""

    def __init__(self) -> None:
        forget_peak()
        self._clock, self._cpu = time.perf_counter(), time.process_time()

    def stop(self, items: int, seconds_each: Iterable[float], labels: Labels | None = None) -> Pass:
        seconds, cpu = time.perf_counter() - self._clock, time.process_time() - self._cpu
        ms = np.array(list(seconds_each)) * 1000
        p50, p95 = np.percentile(ms, [50, 95])
        return Pass(items, seconds, cpu, float(p50), float(p95), peak_mb(), labels or [])


class Ours:
    """`gcdesk.engine` as the application uses it, and its parts alone."""

    def __init__(self) -> None:
        library = Library()
        self._image_folder = library.resolve("image")
        image = open_backend("image", self._image_folder, device="cpu")
        text = open_backend("text", library.resolve("text"), device="cpu")
        self._text_rule = text.info.caption_rule
        # The notebook's rule, so that the labels can be compared.
        self._both = Classifier(image, text, rule=Rule.MAX_CONFIDENCE)
        self._words = Classifier(None, text)
        preprocessing = image.info.preprocessing
        assert preprocessing is not None
        self._preprocessing = preprocessing

    def about(self) -> dict[str, Any]:
        parallelism = parallelism_for("cpu")
        return {
            "px": self._preprocessing.size,
            "batch": parallelism.image_batch,
            "lanes": parallelism.lanes,
            "threads": parallelism.backend_threads,
            "cores": usable_cores(),
        }

    def folder(self, photos: str, count: int, repeat: int = 1) -> Pass:
        """Both models on a folder of photos, decode included."""
        items = [Item(path) for path in photo_set(photos, count)] * repeat
        clock = Clock()
        results = list(self._both.classify(items))
        each = [result.times.decode + result.times.image for result in results]
        return clock.stop(len(items), each, [result.label for result in results])

    def captions(self, count: int) -> Pass:
        """The text model alone."""
        items = [Item(None, caption) for caption in caption_set(self._text_rule, count)]
        clock = Clock()
        results = list(self._words.classify(items))
        return clock.stop(len(items), [r.times.text for r in results], [r.label for r in results])

    def _decoded(self, path: Path) -> np.ndarray:
        return preprocess(decode_photo(path, self._preprocessing.resize_to), self._preprocessing)

    def model(self, count: int, batch: int, lanes: int, threads: int) -> Pass:
        """The image model alone on decoded photos."""
        image = open_backend("image", self._image_folder, "cpu", threads)
        runs, run = self._model_runs(count, batch, image)
        run(runs[0])
        clock = Clock()
        with ThreadPoolExecutor(lanes) as pool:
            each = list(pool.map(run, runs))
        return clock.stop(len(runs) * batch, each)

    def _model_runs(
        self, count: int, batch: int, image: Any
    ) -> tuple[list[np.ndarray], Callable[[np.ndarray], float]]:
        decoded = [self._decoded(path) for path in photo_set("small", _MODEL_PHOTOS)]
        stacks = [
            np.stack([decoded[(n + i) % len(decoded)] for i in range(batch)]) for n in range(len(decoded))
        ]

        def run(pixels: np.ndarray) -> float:
            started = time.perf_counter()
            score_photos(image, [OpenedPhoto(each) for each in pixels])
            return time.perf_counter() - started

        return [stacks[n % len(stacks)] for n in range(max(1, count // batch))], run

    def decode(self, photos: str, count: int, repeat: int = 1) -> Pass:
        """Decoding and preprocessing alone, a thread a core."""
        paths = photo_set(photos, count) * repeat
        clock = Clock()
        with ThreadPoolExecutor(usable_cores()) as pool:
            each = list(pool.map(self._decode_time, paths))
        return clock.stop(len(paths), each)

    def _decode_time(self, path: Path) -> float:
        started = time.perf_counter()
        self._decoded(path)
        return time.perf_counter() - started

    def beside(self, photos: str, count: int, repeat: int = 1) -> Pass:
        """The floor: the model alone and decoding alone, each on as many photos, side by side on the same cores.

        The pass has ended when the slower of the two has. Nothing is handed from one to the other.
        """
        paths = photo_set(photos, count) * repeat
        assert self._both.image is not None
        runs, run = self._model_runs(len(paths), 1, self._both.image)
        cores = usable_cores()
        clock = Clock()
        with ThreadPoolExecutor(cores) as decoders, ThreadPoolExecutor(cores) as models:
            opened, scored = decoders.map(self._decode_time, paths), models.map(run, runs)
            each = [a + b for a, b in zip(opened, scored, strict=True)]
        return clock.stop(len(paths), each)

    def worker(self, photos: str, count: int, repeat: int = 1) -> Pass:
        """The application's worker behind its pipe, which also writes thumbnails. Starting is not counted."""
        paths = photo_set(photos, count) * repeat
        with (
            tempfile.TemporaryDirectory(prefix="gcdesk-bench-") as pictures,
            Worker(Path(pictures)) as worker,
        ):
            return worker.classify(paths)


class Worker:
    """A `gcdesk.worker` that is asked as the window asks it."""

    def __init__(self, pictures: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "gcdesk.worker"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        usual = Settings()
        self._send(
            messages.Configure(
                None,
                None,
                None,
                "cpu",
                None,
                usual.review_threshold,
                usual.disagreement_margin,
                usual.text_weight,
                str(pictures),
            )
        )

    def __enter__(self) -> Worker:
        self._until("ready")
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(30)

    def _send(self, message: messages.Message) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(to_line(message))
        self._process.stdin.flush()

    def _until(self, kind: str) -> dict[str, Any]:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            event: dict[str, Any] = json.loads(line)
            if event["type"] == kind:
                return event
            if event["type"] == "fatal":
                raise RuntimeError(event)
        raise RuntimeError(f"the worker ended before it said {kind}")

    def _cpu(self) -> float:
        """Seconds of CPU time so far; 0 where the system does not tell."""
        try:
            fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return 0.0
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def classify(self, paths: Sequence[Path]) -> Pass:
        items = [
            messages.Item(n, n, str(path), None, messages.Priority.REST) for n, path in enumerate(paths, 1)
        ]
        started, cpu = time.perf_counter(), self._cpu()
        sender = threading.Thread(target=self._send_all, args=(items,))
        sender.start()
        answers = {event["id"]: event for event in (self._until("result") for _ in items)}
        sender.join()
        seconds, cpu = time.perf_counter() - started, self._cpu() - cpu
        p50, p95 = np.percentile([event["seconds"] * 1000 for event in answers.values()], [50, 95])
        labels = [answers[item.id]["label"] for item in items]
        return Pass(len(items), seconds, cpu, float(p50), float(p95), peak_mb(str(self._process.pid)), labels)

    def _send_all(self, items: Sequence[messages.Item]) -> None:
        for start in range(0, len(items), 64):
            self._send(messages.Classify(tuple(items[start : start + 64])))


class Notebooks:
    """The notebook way (see benchmarks/throughput.py)."""

    def __init__(self) -> None:
        from throughput import Notebook

        library = Library()
        self._notebook = Notebook(library.resolve("image"), library.resolve("text"))

    def about(self) -> dict[str, Any]:
        import torch

        return {"threads": torch.get_num_threads(), "torch": torch.__version__.split("+")[0]}

    def folder(self, photos: str, count: int) -> Pass:
        """Both models, batch after batch; an item is in work as long as its batch."""
        return self._batches(photo_set(photos, count), self._notebook.photos)

    def captions(self, count: int, tokens: int) -> Pass:
        """The text model alone, padded."""
        captions = caption_set(self._notebook.text_info.caption_rule, count)
        return self._batches(captions, lambda batch: self._notebook.captions(batch, tokens))

    def _batches(self, items: Sequence[Any], run: Callable[[Sequence[Any]], Labels]) -> Pass:
        from throughput import NOTEBOOK_BATCH

        labels: Labels = []
        each: list[float] = []
        clock = Clock()
        for start in range(0, len(items), NOTEBOOK_BATCH):
            batch = items[start : start + NOTEBOOK_BATCH]
            began = time.perf_counter()
            labels += run(batch)
            each += [time.perf_counter() - began] * len(batch)
        return clock.stop(len(items), each, labels)


def main() -> int:
    way = {"ours": Ours, "notebook": Notebooks}[sys.argv[1]]()
    print(json.dumps(way.about()), flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        done: Pass = getattr(way, asked.pop("do"))(**asked)
        print(json.dumps(asdict(done)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

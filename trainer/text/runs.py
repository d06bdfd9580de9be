"""The trainings on this computer: each has a folder with its captions, its checkpoint and its curves, so that a run
that was cut short goes on where it was. No torch.

`run.json` says how it was begun; `train.csv`, `val.csv` and `test.csv` are its captions; `checkpoint.safetensors` is
the trainer's, after the last whole epoch; `figures.jsonl` are the curves; `<name>.gcmodel` is what came out, and
`comparison.json` how that does beside the model that was in use.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from gcdesk.config.files import write_atomically
from gcdesk.config.folders import user_folders
from gcdesk.config.resources import resource_path
from gcdesk.engine.errors import ModelFileError
from gcdesk.engine.modelfile.checkpoint import load_info
from gcdesk.engine.modelfile.info import MODEL_SUFFIX, check_name
from gcdesk.engine.modelfile.specs import TextArchitecture
from trainer.text.preview import HELD_OUT_RULE, SPLITS, Prepared, write_splits
from trainer.text.settings import TextDataError

_RECORD, _CHECKPOINT, _FIGURES, _COMPARISON = (
    "run.json",
    "checkpoint.safetensors",
    "figures.jsonl",
    "comparison.json",
)
# A checkpoint holds the weights five times (now, best, averaged, two moments of AdamW) in fp32, and the last one
# stays until the next one stands; the model holds them once in fp16.
_BYTES_PER_WEIGHT = 2 * 5 * 4 + 2
_ROOM = 200 * 1024 * 1024


@dataclass(frozen=True)
class RunRecord:
    """How a training was begun. name: of its model. settings: the trainer's, as text. created: seconds since 1970.

    sources: in words. captions: rows by split.
    """

    name: str
    base: str
    settings: Mapping[str, str]
    sources: tuple[str, ...]
    captions: Mapping[str, int]
    created: float


@dataclass(frozen=True)
class Point:
    """Figures at an epoch (2.5: in the middle of the third)."""

    step: float
    values: Mapping[str, float]


@dataclass(frozen=True)
class Run:
    """A training's folder."""

    folder: Path
    record: RunRecord

    @property
    def model(self) -> Path:
        """Where the run's model will be, or is."""
        return self.folder / f"{self.record.name}{MODEL_SUFFIX}"

    @property
    def comparison(self) -> Path:
        """The comparison of its model with the one in use, kept at the end."""
        return self.folder / _COMPARISON

    @property
    def finished(self) -> bool:
        """Whether a model came out."""
        return self.model.is_dir()

    @property
    def begun(self) -> bool:
        """Whether an epoch was finished, so that there is something to go on from."""
        return (self.folder / _CHECKPOINT).is_file()

    def split(self, name: str) -> Path | None:
        """The table of a split, None where it holds nothing."""
        path = self.folder / f"{name}.csv"
        return path if path.is_file() else None

    def arguments(self, *, finish: bool = False) -> tuple[str, ...]:
        """The options of `trainer text` that begin this run, or go on with it; finish: write its best so far."""
        words = ["--base", self.record.base, "--out", str(self.model), "--run-folder", str(self.folder)]
        for name in SPLITS:
            path = self.split(name)
            if path is not None:
                words += [f"--{name}", str(path)]
        for name, value in self.record.settings.items():
            words += ["--set", f"{name}={value}"]
        words += ["--precision", "auto", "--resume", "--held-out", HELD_OUT_RULE]
        return (*words, "--finish") if finish else tuple(words)

    def points(self) -> list[Point]:
        """The curves so far. Where a run went on from an earlier epoch, what came after that is passed over."""
        results: list[Point] = []
        try:
            lines = (self.folder / _FIGURES).read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return results
        for line in lines:
            try:
                content = json.loads(line)
                values = {str(name): float(value) for name, value in content["values"].items()}
                point = Point(float(content["step"]), values)
            except (ValueError, KeyError, TypeError, AttributeError):
                continue  # the last line of a process that was killed
            while results and results[-1].step > point.step:
                results.pop()
            results.append(point)
        return results


def add_point(folder: Path, step: float, values: Mapping[str, float]) -> None:
    """Keep a point of a run's curves."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / _FIGURES).open("a", encoding="utf-8") as file:
        file.write(json.dumps({"step": step, "values": dict(values)}) + "\n")


def runs_folder() -> Path:
    """Where the user's trainings are, a folder each."""
    return user_folders().data / "training"


def begin_run(
    prepared: Prepared, name: str, base: str, settings: Mapping[str, str], sources: tuple[str, ...]
) -> Run:
    """Make the folder of a new training. Raises TextDataError, ModelFileError for a bad name, or OSError."""
    check_name(name)
    if prepared.problem:
        raise TextDataError(prepared.problem)
    folder = _new_folder(runs_folder())
    counts = {split: len(getattr(prepared, split)) for split in SPLITS}
    record = RunRecord(name, base, dict(settings), sources, counts, time.time())
    try:
        write_splits(prepared, folder)
        write_atomically(folder / _RECORD, json.dumps(asdict(record), indent=2) + "\n")
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return Run(folder, record)


def find_runs(parent: Path | None = None) -> list[Run]:
    """All trainings, the latest first. A folder without a readable `run.json` is none."""
    parent = parent or runs_folder()
    results = []
    for path in parent.glob(f"*/{_RECORD}") if parent.is_dir() else ():
        run = read_run(path.parent)
        if run is not None:
            results.append(run)
    return sorted(results, key=lambda run: run.record.created, reverse=True)


def cut_short(since: float, parent: Path | None = None) -> Run | None:
    """The latest training that began and has no model, if it did something after `since` (seconds since 1970)."""
    unfinished = (run for run in find_runs(parent) if run.begun and not run.finished)
    lively = (
        run for run in unfinished if max(file.stat().st_mtime for file in run.folder.iterdir()) >= since
    )
    return next(lively, None)


def read_run(folder: Path) -> Run | None:
    """The training of a folder, None where that is none."""
    try:
        content = json.loads((folder / _RECORD).read_text(encoding="utf-8"))
        record = RunRecord(
            check_name(content["name"]),
            str(content["base"]),
            {str(name): str(value) for name, value in content["settings"].items()},
            tuple(str(words) for words in content["sources"]),
            {str(name): int(count) for name, count in content["captions"].items()},
            float(content["created"]),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ModelFileError):
        return None
    return Run(folder, record)


def remove_run(run: Run) -> None:
    """Delete a training's folder; a model that was installed from it stays."""
    shutil.rmtree(run.folder)


def space_needed(architecture: TextArchitecture) -> int:
    """Bytes that a training of a network of this size writes at most."""
    arch = architecture
    embeddings = (arch.vocab_size + arch.max_positions) * arch.dim
    layer = 4 * arch.dim * arch.dim + 2 * arch.dim * arch.hidden_dim
    return (embeddings + arch.n_layers * layer) * _BYTES_PER_WEIGHT + _ROOM


def architecture_of(base: str) -> TextArchitecture:
    """The sizes of the network that a base gives; those of distilbert-base for a name that must be fetched.

    Raises ModelFileError for a model folder that is damaged, TextDataError for one of an image model.
    """
    folder = resource_path("models", "starter-text.gcmodel") if base == "starter" else Path(base)
    if folder.suffix != MODEL_SUFFIX:
        return TextArchitecture()
    architecture = load_info(folder).architecture
    if not isinstance(architecture, TextArchitecture):
        raise TextDataError(f"{folder.name} is an image model: a text model starts from a text model.")
    return architecture


def check_space(base: str) -> None:
    """Raises TextDataError where the disk has too little room for a training that starts from `base`."""
    architecture = architecture_of(base)
    place = runs_folder()
    while not place.exists():
        place = place.parent
    needed, free = space_needed(architecture), shutil.disk_usage(place).free
    if free < needed:
        raise TextDataError(
            f"The disk has {free / 1e9:.1f} GB left and a training of this size writes up to {needed / 1e9:.1f} GB:"
            " make room first."
        )


def _new_folder(parent: Path) -> Path:
    stem = time.strftime("%Y-%m-%d %H%M")
    number = 1
    while True:
        folder = parent / (stem if number == 1 else f"{stem} ({number})")
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            number += 1
            continue
        return folder

"""The models on this computer: the starters that ship with the app, those installed by the user, which
are in use.

An installed model is a `.gcmodel` folder in the user's data folder; its name is the folder's name and
unique, starters included. An import is prepared in a hidden folder beside, scored once, and only then
renamed into place, so a failed one leaves nothing behind.
"""

from __future__ import annotations

import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from gcdesk.config.files import replace_folder
from gcdesk.config.folders import user_folders
from gcdesk.config.resources import resource_path
from gcdesk.config.settings import load_settings, save_settings
from gcdesk.config.thresholds import MODEL_EXTRA_MAX_BYTES
from gcdesk.engine.captions.rules import CaptionRule, caption_from_path
from gcdesk.engine.course.checkpoint import import_legacy
from gcdesk.engine.course.export import export_legacy
from gcdesk.engine.course.other_formats import HEAD_BYTES, is_torch_archive, other_format
from gcdesk.engine.errors import GcdeskError, LibraryError, ModelFileError
from gcdesk.engine.labels import BINS
from gcdesk.engine.modelfile.archive import EXTRA_FILES, unzip_model, zip_model
from gcdesk.engine.modelfile.checkpoint import TOKENIZER_FILE, load_info, load_model, save_model
from gcdesk.engine.modelfile.info import MODEL_SUFFIX, ModelInfo, check_name
from gcdesk.engine.os_errors import os_reason, writing
from gcdesk.engine.photos.decoding import decode_photo
from gcdesk.engine.photos.preprocessing import preprocess
from gcdesk.engine.selection.calibration import softmax

Kind = Literal["image", "text"]
KINDS: tuple[Kind, Kind] = ("image", "text")
COURSE_SUFFIXES = (".pth", ".pt")
_TIMED_RUNS = 5
# In place of a model's name: classify without a model of that kind.
NO_MODEL = "none"
_STAGE = ".import-"
_STAGE_SECONDS = 24 * 3600  # no import takes so long: its process was killed


@dataclass(frozen=True)
class Installed:
    """A model of the library. `info` is None when its folder is damaged, and `problem` says how."""

    name: str
    folder: Path
    starter: bool
    in_use: bool
    info: ModelInfo | None
    problem: str | None = None


@dataclass(frozen=True)
class Verified:
    """What a check of a model found: the sample it scored and its answer.

    load_seconds: until the first answer.  run_seconds: of one sample after that (median).
    """

    info: ModelInfo
    device: str
    sample: str
    label: str
    confidence: float
    load_seconds: float
    run_seconds: float


class Library:
    """The models under `folder` (default: the user's) and the starters under `starters` (default: the
    app's).
    """

    def __init__(self, folder: Path | None = None, starters: Path | None = None) -> None:
        self.folder = folder or user_folders().models
        self.starters = starters or resource_path("models")

    def models(self) -> list[Installed]:
        """Every model, starters first, then by name. Weights are not read."""
        chosen = self._chosen()
        results = [self._look_at(path, True) for path in _model_folders(self.starters)]
        results += [self._look_at(path, False) for path in _model_folders(self.folder)]
        in_use = {kind: _used(results, kind, chosen[kind]) for kind in KINDS}
        return [replace(m, in_use=m.info is not None and in_use[m.info.kind] == m.name) for m in results]

    def find(self, name: str) -> Installed:
        """The model of that name, whatever its case. Raises LibraryError naming those there are."""
        models = self.models()
        for model in models:
            if model.name.casefold() == name.casefold():
                return model
        known = ", ".join(m.name for m in models) or "none"
        raise LibraryError(f"There is no model called {name!r}. Installed: {known}.")

    def in_use(self, kind: Kind) -> Installed:
        """The model of a kind that classifies now: the chosen one, or the starter. Raises LibraryError."""
        for model in self.models():
            if model.in_use and model.info is not None and model.info.kind == kind:
                return model
        raise LibraryError(f"There is no {kind} model: import one with `gcdesk models import`.")

    def resolve(self, kind: Kind, wanted: str | None = None) -> Path:
        """The folder of the model to use: the one in use, or the one `wanted` by its name or its path."""
        if wanted is None:
            return self.in_use(kind).folder
        if Path(wanted).suffix == MODEL_SUFFIX and Path(wanted).is_dir():
            return Path(wanted)
        model = self.find(wanted)
        if model.info is None:
            raise LibraryError(f"{model.name} cannot be used: {model.problem}")
        if model.info.kind != kind:
            raise LibraryError(
                f"{model.name} is of the {model.info.kind} kind; a model of the {kind} kind is needed."
            )
        return model.folder

    def choose(self, kind: Kind, wanted: str | None) -> Path | None:
        """As `resolve`; None where `wanted` is NO_MODEL."""
        return None if wanted == NO_MODEL else self.resolve(kind, wanted)

    def use(self, name: str) -> Installed:
        """Make the model the one in use for its kind. Raises LibraryError for one that is damaged."""
        model = self.find(name)
        if model.info is None:
            raise LibraryError(f"{model.name} cannot be used: {model.problem}")
        self._choose(model.info.kind, None if model.starter else model.name)
        return replace(model, in_use=True)

    def import_model(
        self,
        source: Path,
        name: str | None = None,
        class_order: Sequence[str] | None = None,
        pooling: str | None = None,
    ) -> Installed:
        """Install a `.gcmodel` folder, its zip, or a course `.pth`; it must score a sample before it counts.

        name: default, the file's own. class_order, pooling: for a `.pth` that cannot tell. Raises
        LibraryError, ModelFileError or LegacyError, and leaves nothing behind.
        """
        source = Path(source)
        if not source.exists():
            raise LibraryError(f"{source}: there is no such file or folder.")
        name = check_name(
            name if name is not None else source.name.partition(MODEL_SUFFIX)[0].removesuffix(source.suffix)
        )
        self._refuse_taken(name)
        with writing(self.folder / f"{name}{MODEL_SUFFIX}", LibraryError):
            self.folder.mkdir(parents=True, exist_ok=True)
            _sweep(self.folder)
            with tempfile.TemporaryDirectory(dir=self.folder, prefix=_STAGE) as stage:
                prepared = self._prepare(source, Path(stage), name, class_order, pooling)
                verify_model(prepared)
                replace_folder(prepared, self.folder / prepared.name)
        return self.find(name)

    def _prepare(
        self,
        source: Path,
        stage: Path,
        name: str,
        class_order: Sequence[str] | None,
        pooling: str | None,
    ) -> Path:
        """Make `<stage>/<name>.gcmodel` of whatever `source` is."""
        target = stage / f"{name}{MODEL_SUFFIX}"
        if is_course_file(source):
            return import_legacy(source, target, name, class_order=class_order, pooling=pooling)
        if class_order is not None or pooling is not None:
            raise LibraryError(
                "Class order and pooling are for course .pth files; a gcdesk model says its own."
            )
        if source.is_file():
            refuse_other_formats(source)
            source = unzip_model(source, stage / f"unzipped{MODEL_SUFFIX}")
        model = load_model(source)
        tokenizer = model.folder / TOKENIZER_FILE if model.info.kind == "text" else None
        prepared = save_model(target, replace(model.info, name=name), model.weights, tokenizer)
        for extra in EXTRA_FILES:
            if _is_plain(model.folder / extra):
                shutil.copyfile(model.folder / extra, prepared / extra)
        return prepared

    def export(self, name: str, target: Path) -> Path:
        """Write a model to `target`: `.gcmodel` a folder, `.zip` one file, `.pth` the course's own format.

        Raises LibraryError when there is something at `target`, or its ending says nothing.
        """
        model = self.find(name)
        target = Path(target)
        if target.exists():
            raise LibraryError(f"{target} exists and is left alone: choose another name.")
        if not target.parent.is_dir():
            raise LibraryError(f"{target.parent} is not a folder.")
        suffix = target.suffix.lower()
        if suffix in COURSE_SUFFIXES:
            export_legacy(model.folder, target)
        elif suffix == ".zip":
            zip_model(model.folder, target)
        elif suffix == MODEL_SUFFIX:
            load_model(model.folder)
            _copy_folder(model.folder, target)
        else:
            raise LibraryError(f"{target.name}: the ending must be {MODEL_SUFFIX}, .zip or .pth.")
        return target

    def verify(self, name: str) -> Verified:
        """Recompute the hash of a model's weights and score a sample with it. Raises GcdeskError."""
        return verify_model(self.find(name).folder)

    def remove(self, name: str) -> Installed:
        """Delete an installed model; if it was in use, the starter is again. Raises LibraryError for a
        starter.
        """
        model = self.find(name)
        if model.starter:
            raise LibraryError(f"{model.name} ships with gcdesk and cannot be removed.")
        for kind, chosen in self._chosen().items():
            if chosen == model.name:
                self._choose(kind, None)
        # Out of sight in one step first: a removal that is cut short never leaves half a model in the list.
        gone = Path(tempfile.mkdtemp(dir=self.folder, prefix=".removed-"))
        model.folder.rename(gone / model.folder.name)
        shutil.rmtree(gone)
        return model

    def discard(self, name: str, throw_away: Callable[[Path], object]) -> Installed:
        """Take an installed model out of the library by `throw_away(folder)`, which must move or delete it.

        The settings are left alone: whoever holds them chooses another model first. Raises LibraryError for a starter.
        """
        model = self.find(name)
        if model.starter:
            raise LibraryError(f"{model.name} ships with gcdesk and cannot be removed.")
        throw_away(model.folder)
        return model

    def free_name(self, wanted: str) -> str:
        """`wanted`, or with a number behind it where a model has that name already."""
        taken = {model.name.casefold() for model in self.models()}
        name, number = wanted, 1
        while name.casefold() in taken:
            number += 1
            name = f"{wanted[:58]} {number}"
        return name

    def _refuse_taken(self, name: str) -> None:
        for model in self.models():
            if model.name.casefold() == name.casefold():
                raise LibraryError(
                    f"There is a model called {model.name} already: give this one another name."
                )

    def _look_at(self, folder: Path, starter: bool) -> Installed:
        name = folder.name.removesuffix(MODEL_SUFFIX)
        try:
            return Installed(name, folder, starter, False, load_info(folder))
        except ModelFileError as error:
            return Installed(name, folder, starter, False, None, str(error))

    def _chosen(self) -> dict[Kind, str | None]:
        settings = load_settings()
        return {"image": settings.image_model, "text": settings.text_model}

    def _choose(self, kind: Kind, name: str | None) -> None:
        settings = load_settings()
        chosen = (
            replace(settings, image_model=name) if kind == "image" else replace(settings, text_model=name)
        )
        try:
            save_settings(chosen)
        except OSError as error:
            raise LibraryError(f"The choice cannot be saved in the settings: {os_reason(error)}.") from error


def is_course_file(path: Path) -> bool:
    """Whether a file is to be read as a course checkpoint: by its ending, or because torch saved it."""
    return path.suffix.lower() in COURSE_SUFFIXES or (path.is_file() and is_torch_archive(path))


def refuse_other_formats(path: Path) -> None:
    """Raise LibraryError for weights in a format that is not read: what it is, and what to do."""
    with path.open("rb") as file:
        what = other_format(file.read(HEAD_BYTES), path.stat().st_size, path.name)
    if what:
        raise LibraryError(f"{path.name}: {what}")


def _is_plain(file: Path) -> bool:
    """Whether a model's card or the like is a file of its own: a link could bring any file of this computer along."""
    return file.is_file() and not file.is_symlink() and file.stat().st_size <= MODEL_EXTRA_MAX_BYTES


def _copy_folder(folder: Path, target: Path) -> None:
    """All files of a model or none."""
    with writing(target, LibraryError):
        target.mkdir()
        try:
            for file in folder.iterdir():
                shutil.copyfile(file, target / file.name)
        except BaseException:
            shutil.rmtree(target, ignore_errors=True)
            raise


def verify_model(folder: Path) -> Verified:
    """Load a model folder with every check, hash included, and score a bundled sample. Raises GcdeskError."""
    # Only here, so that the window can list models without ONNX Runtime.
    from gcdesk.engine.inference.devices import open_backend

    started = time.perf_counter()
    info = load_info(folder)
    sample = _sample()
    run: Callable[[], np.ndarray]
    if info.kind == "image":
        image = open_backend("image", folder, device="cpu")
        preprocessing = image.info.preprocessing
        if preprocessing is None:
            raise ModelFileError(f"{folder.name} does not say how its photos are prepared.")
        pixels = preprocess(decode_photo(sample, preprocessing.resize_to), preprocessing)[None]
        device, shown, run = image.device, sample.name, lambda: image.run(pixels, ("logits",)).logits
    else:
        text = open_backend("text", folder, device="cpu")
        shown = caption_from_path(sample, text.info.caption_rule or CaptionRule.COURSE_V1)
        device, run = text.device, lambda: text.run([shown]).logits
    logits = run()
    loaded = time.perf_counter()
    if logits.shape != (1, len(BINS)) or not np.isfinite(logits).all():
        raise ModelFileError(
            f"{folder.name} gives no usable answer for a sample: its weights must be damaged."
        )
    probabilities = softmax(logits, info.temperature)[0]
    best = int(probabilities.argmax())
    return Verified(
        info, device, shown, BINS[best], float(probabilities[best]), loaded - started, _median_seconds(run)
    )


def _median_seconds(run: Callable[[], object]) -> float:
    """Of a few runs: the first one after loading is not a typical one."""
    times = []
    for _ in range(_TIMED_RUNS):
        started = time.perf_counter()
        run()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def _sample() -> Path:
    samples = sorted(resource_path("samples").glob("*.jpg"))
    if not samples:
        raise GcdeskError("The bundled sample photos are missing: gcdesk is not installed completely.")
    return samples[0]


def _model_folders(parent: Path) -> list[Path]:
    if not parent.is_dir():
        return []
    return sorted(p for p in parent.glob(f"*{MODEL_SUFFIX}") if p.is_dir() and not p.name.startswith("."))


def _used(models: list[Installed], kind: Kind, chosen: str | None) -> str | None:
    """The chosen model of a kind if it is there and sound, else the starter."""
    sound = [m for m in models if m.info is not None and m.info.kind == kind]
    for model in sound:
        if model.name == chosen:
            return model.name
    return next((m.name for m in sound if m.starter), None)


def _sweep(folder: Path) -> None:
    """Delete what imports that were killed left."""
    for stage in folder.glob(f"{_STAGE}*"):
        with suppress(FileNotFoundError):  # an import beside this one has just ended
            if time.time() - stage.stat().st_mtime > _STAGE_SECONDS:
                shutil.rmtree(stage, ignore_errors=True)

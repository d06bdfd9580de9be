"""`config.toml` of a job bundle: what is trained on what, and what the job may use. Written by gcdesk, read by
the job.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path, PurePosixPath
from typing import Any

from gcdesk.config.file_names import is_portable
from gcdesk.engine.errors import GcdeskError, ModelFileError
from gcdesk.engine.modelfile.info import check_name
from trainer.image.settings import ImageSettings, RecipeError, settings_from

CONFIG_VERSION = 1
CONFIG_FILE = "config.toml"
RUNS_FOLDER = "runs"
# Also the job's name in Slurm and a folder's name: no spaces, nothing that a shell reads.
RUN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_DRIVE = re.compile(r"^[A-Za-z]:")
IMAGENET = ""  # `base` of a run that starts from torchvision's ImageNet weights


class JobError(GcdeskError):
    """A job whose settings cannot be used."""


@dataclass(frozen=True)
class Folders:
    """The splits' folders: paths on the cluster, or relative to the bundle when they are packed into it."""

    train: str
    val: str
    test: str = ""  # "" = none

    def named(self) -> dict[str, str]:
        """The folders there are, by split."""
        return {name: path for name, path in asdict(self).items() if path}


@dataclass(frozen=True)
class JobConfig:
    """One training on a cluster. base: weights to start from, relative to the bundle, or IMAGENET."""

    run: str
    model: str
    folders: Folders
    base: str = IMAGENET
    gpus: int = 1
    cpus: int = 2
    memory_mb: int = 16_000
    allow_cpu: bool = False
    save_minutes: float = 10.0
    requeues: int = 3
    training: ImageSettings = field(default_factory=ImageSettings)
    sweep: tuple[tuple[str, tuple[str, ...]], ...] = ()  # settings and the values that are tried, as words
    at_once: int = 4  # tasks of a sweep that may run at the same time

    def __post_init__(self) -> None:
        check_run_name(self.run)
        try:
            check_name(self.model)
        except ModelFileError as error:
            raise JobError(str(error)) from error
        _check(1 <= self.gpus <= 16, "gpus must be 1 to 16")
        _check(1 <= self.cpus <= 256, "cpus must be 1 to 256")
        _check(256 <= self.memory_mb <= 4_000_000, "memory_mb must be 256 to 4000000")
        _check(0 <= self.save_minutes <= 1440, "save_minutes must be 0 to 1440")
        _check(0 <= self.requeues <= 100, "requeues must be 0 to 100")
        _check(1 <= self.at_once <= 200, "at_once must be 1 to 200")
        for split, path in self.folders.named().items():
            _check("\n" not in path and "\0" not in path, f"the {split} folder's name has a line break")
            _check(not _DRIVE.match(path), f"the {split} folder {path} is a Windows path, not the cluster's")

    @property
    def run_folder(self) -> PurePosixPath:
        """Relative to the bundle."""
        return PurePosixPath(RUNS_FOLDER) / self.run


def check_run_name(run: str) -> None:
    """Raise JobError unless a run may have this name: Slurm takes it, and so does every file system."""
    if not RUN_NAME.fullmatch(run) or not is_portable(run):
        raise JobError(
            f"{run!r} cannot name a run: use up to 63 letters, digits or any of . _ - (no spaces, no full stop at"
            " the end, no name that Windows keeps for a device)."
        )


def _check(fine: bool, message: str) -> None:
    if not fine:
        raise JobError(f"This job cannot be run: {message}.")


def read_config(path: Path) -> JobConfig:
    """Read and check a config.toml. Raises JobError with what is wrong."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise JobError(f"{path.name} cannot be read: {error}.") from error
    return parse_config(text, path.name)


def parse_config(text: str, name: str = CONFIG_FILE) -> JobConfig:
    """The same for its text."""
    try:
        values = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # no TOML, or a number too long
        raise JobError(f"{name} is not a TOML file: {error}.") from error
    version = values.pop("version", None)
    if version != CONFIG_VERSION:
        raise JobError(f"{name} has version {version!r} and this gcdesk reads {CONFIG_VERSION}.")
    try:
        return _config_of(values)
    except RecipeError as error:
        raise JobError(f"{name}: {error}") from error


def _config_of(values: dict[str, Any]) -> JobConfig:
    training = settings_from(values.pop("training", {}))
    data = values.pop("data", {})
    if not isinstance(data, Mapping):
        raise JobError("data must be a table.")
    _known(data, Folders, "data")
    sweep = _sweep_of(values.pop("sweep", {}))
    _known(values, JobConfig, "config.toml", without=("folders", "training", "sweep"))
    for missing in [n for n in ("train", "val") if n not in data] + [
        n for n in ("run", "model") if n not in values
    ]:
        raise JobError(f"{CONFIG_FILE} does not say {missing}.")
    return JobConfig(folders=Folders(**data), training=training, sweep=sweep, **values)


def _sweep_of(values: object) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The table [sweep]: each setting's values as words."""
    if not isinstance(values, Mapping):
        raise JobError("sweep must be a table.")
    for name, words in values.items():
        if not isinstance(words, list) or not words or not all(isinstance(word, str) for word in words):
            raise JobError(f'sweep: {name} must be a list of words, such as ["0.001", "0.01"].')
    return tuple((name, tuple(words)) for name, words in values.items())


def _known(values: Mapping[str, Any], cls: type[Any], where: str, without: tuple[str, ...] = ()) -> None:
    kinds = {f.name: str(f.type) for f in fields(cls) if f.name not in without}
    for name, value in values.items():
        if name not in kinds:
            raise JobError(f"{where}: unknown setting {name!r} (there are {', '.join(kinds)}).")
        right = {"str": str, "int": int, "float": int | float, "bool": bool}[kinds[name]]
        if not isinstance(value, right) or (isinstance(value, bool) and kinds[name] != "bool"):
            raise JobError(f"{where}: {name} is {value!r}, which is no {kinds[name]}.")


def config_text(config: JobConfig) -> str:
    """The content of config.toml."""
    lines = ["# What this job trains, written by gcdesk.", f"version = {CONFIG_VERSION}"]
    lines += [
        f"{f.name} = {_toml(getattr(config, f.name))}"
        for f in fields(JobConfig)
        if f.name not in ("folders", "training", "sweep")
    ]
    lines += ["", "[data]", *(f"{name} = {_toml(path)}" for name, path in config.folders.named().items())]
    training = config.training.to_json()
    augment = training.pop("augment")
    lines += ["", "[training]", *(f"{name} = {_toml(value)}" for name, value in training.items())]
    lines += ["", "[training.augment]", *(f"{name} = {_toml(value)}" for name, value in augment.items())]
    if config.sweep:
        lines += ["", "[sweep]"]
        lines += [f"{_toml(name)} = [{', '.join(map(_toml, words))}]" for name, words in config.sweep]
    return "\n".join(lines) + "\n"


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return repr(value)

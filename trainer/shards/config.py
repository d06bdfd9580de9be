"""`classify.toml` of a bundle that classifies: which folder, with which models, cut into how many pieces."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from gcdesk.config.thresholds import TEXT_WEIGHT
from gcdesk.engine.selection.rules import DEFAULT_RULE, Rule
from trainer.job.config import JobError, check_run_name

CONFIG_FILE = "classify.toml"
CONFIG_VERSION = 1
MODELS_FOLDER = "models"
MOST_TASKS = 1000
TABLES = ("csv", "parquet")


@dataclass(frozen=True)
class ShardsConfig:
    """folder: on the cluster. tasks: of the array, each works on every tasks-th shard. image_model, text_model:
    names of `.gcmodel` folders in the bundle, "" = none. retries: of a task that failed. photo_seconds: without a
    new row, after which the process is taken for hanging. table: "parquet" = besides the CSV. The rest as in the
    settings of gcdesk.
    """

    run: str
    folder: str
    tasks: int = 8
    shard_size: int = 1000
    image_model: str = ""
    text_model: str = ""
    rule: str = DEFAULT_RULE.value
    text_weight: float = TEXT_WEIGHT
    review_threshold: float = 0.8
    disagreement_margin: float = 0.2
    sure_threshold: float = 0.9
    cpus: int = 4
    requeues: int = 3
    retries: int = 2
    photo_seconds: int = 600
    table: str = "csv"

    def __post_init__(self) -> None:
        check_run_name(self.run)
        _check(1 <= self.tasks <= MOST_TASKS, f"tasks must be 1 to {MOST_TASKS}")
        _check(1 <= self.shard_size <= 1_000_000, "shard_size must be 1 to 1000000")
        _check(self.photo_seconds >= 1, "photo_seconds must be 1 or more")
        _check(bool(self.image_model or self.text_model), "it needs an image model, a text model or both")
        _check(self.rule in {rule.value for rule in Rule}, f"{self.rule!r} is no rule")
        _check(self.folder.startswith("/"), "the folder must be a path on the cluster that begins with /")
        _check(self.table in TABLES, f"{self.table!r} is no table: csv or parquet")
        _check("\n" not in self.folder, "the folder's name has a line break")
        for name in ("text_weight", "review_threshold", "disagreement_margin", "sure_threshold"):
            _check(0.0 <= getattr(self, name) <= 1.0, f"{name} must be 0 to 1")
        for name, most in (("cpus", 4096), ("requeues", 1000), ("retries", 1000)):
            _check(0 <= getattr(self, name) <= most, f"{name} must be 0 to {most}")

    def place(self, bundle: Path) -> Path:
        """The run's folder."""
        return bundle / "runs" / self.run


def _check(fine: bool, message: str) -> None:
    if not fine:
        raise JobError(f"This folder cannot be classified: {message}.")


def shards_text(config: ShardsConfig) -> str:
    """The content of classify.toml."""
    values = {"version": CONFIG_VERSION, **asdict(config)}
    written = (f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in values.items())
    return "# What this job classifies, written by gcdesk.\n" + "\n".join(written) + "\n"


def read_shards(bundle: Path) -> ShardsConfig:
    """Read and check it. Raises JobError."""
    try:
        values = tomllib.loads((bundle / CONFIG_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:  # ValueError: no TOML, no UTF-8, a number too long
        raise JobError(f"{CONFIG_FILE} cannot be read: {error}.") from error
    if values.pop("version", None) != CONFIG_VERSION:
        raise JobError(f"{CONFIG_FILE} is of another version than {CONFIG_VERSION}.")
    return _checked(values)


def _checked(values: Mapping[str, Any]) -> ShardsConfig:
    kinds = {f.name: str(f.type) for f in fields(ShardsConfig)}
    for missing in [name for name in ("run", "folder") if name not in values]:
        raise JobError(f"{CONFIG_FILE} does not say {missing}.")
    for name, value in values.items():
        if name not in kinds:
            raise JobError(f"{CONFIG_FILE}: unknown setting {name!r} (there are {', '.join(kinds)}).")
        right = {"str": str, "int": int, "float": int | float}[kinds[name]]
        if not isinstance(value, right) or isinstance(value, bool):
            raise JobError(f"{CONFIG_FILE}: {name} is {value!r}, which is no {kinds[name]}.")
    return ShardsConfig(**values)

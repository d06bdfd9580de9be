"""The evaluations that are kept in the data folder: each a folder with its scored set, by date."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gcdesk.config.files import write_atomically
from gcdesk.config.folders import user_folders
from gcdesk.engine.errors import EvaluationError
from gcdesk.engine.evaluation.scored_set import SCORED_FILE, ScoredSet, write_scored

_SUMMARY = "summary.json"


@dataclass(frozen=True)
class StoredEvaluation:
    """An evaluation on the disk: what the list shows of it without reading it whole."""

    folder: Path
    name: str
    data: str
    created: float
    items: int
    models: tuple[str, ...]

    @property
    def file(self) -> Path:
        """The scored set."""
        return self.folder / SCORED_FILE


def evaluations_folder() -> Path:
    """Where the user's evaluations are, a folder each."""
    return user_folders().data / "evaluations"


def save_evaluation(scored: ScoredSet, parent: Path | None = None) -> StoredEvaluation:
    """Write a scored set into a new folder. Raises EvaluationError where it cannot be written."""
    parent = parent or evaluations_folder()
    stem = time.strftime("%Y%m%d-%H%M%S", time.localtime(scored.created))
    models = tuple(model.name for model in (scored.image, scored.text) if model is not None)
    try:
        parent.mkdir(parents=True, exist_ok=True)
        folder = _new_folder(parent, stem)
        write_scored(scored, folder / SCORED_FILE)
        summary = {
            "name": scored.name,
            "data": scored.data,
            "created": scored.created,
            "items": len(scored),
            "models": models,
        }
        write_atomically(folder / _SUMMARY, json.dumps(summary))
    except OSError as error:
        raise EvaluationError(f"The evaluation cannot be kept in {parent}: {error.strerror}.") from error
    return StoredEvaluation(folder, scored.name, scored.data, scored.created, len(scored), models)


def kept_evaluations(parent: Path | None = None) -> list[StoredEvaluation]:
    """Those that there are, the latest first; a folder that is damaged is passed over."""
    parent = parent or evaluations_folder()
    results = [
        one for folder in sorted(parent.glob("*/"), reverse=True) if (one := _look_at(folder)) is not None
    ]
    return sorted(results, key=lambda one: -one.created)


def delete_evaluation(kept: StoredEvaluation) -> None:
    """Delete a kept evaluation. Raises EvaluationError."""
    try:
        shutil.rmtree(kept.folder)
    except OSError as error:
        raise EvaluationError(f"{kept.folder} cannot be deleted: {error.strerror}.") from error


def _look_at(folder: Path) -> StoredEvaluation | None:
    try:
        data = json.loads((folder / _SUMMARY).read_bytes())
        models: Sequence[str] = data["models"]
        return StoredEvaluation(
            folder, str(data["name"]), str(data["data"]), float(data["created"]), int(data["items"]),
            tuple(map(str, models)),
        )  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _new_folder(parent: Path, stem: str) -> Path:
    number = 1
    while True:
        folder = parent / (stem if number == 1 else f"{stem}-{number}")
        try:
            folder.mkdir()
        except FileExistsError:
            number += 1
            continue
        return folder

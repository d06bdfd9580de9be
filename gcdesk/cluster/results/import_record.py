"""What became of a result, as it is shown and kept: beside the job's record, to be looked at again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from gcdesk.cluster.diagnosis import Diagnosis
from gcdesk.cluster.errors import ResultError
from gcdesk.cluster.ranking import Ranked, read_ranking
from gcdesk.cluster.results.metrics import drawable_metrics
from gcdesk.config.files import write_atomically
from trainer.job.record import METRICS_FILE

ARRIVAL_FILE = "arrival.json"
RESULT_FOLDER = "result"


@dataclass(frozen=True)
class Figure:
    """One split's accuracy: of the new model and of the one in use (None: not measured), with photo counts."""

    split: str
    new: float
    new_items: int
    used: float | None
    used_items: int


@dataclass(frozen=True)
class Arrival:
    """installed: the model's name in the library, "" when there was none to add. compared_with: the model in use
    then. epochs: the lines of metrics.jsonl that end an epoch. differences: a sentence on each other version.
    sweep: its places, the best first.
    """

    run: str
    installed: str
    compared_with: str
    figures: tuple[Figure, ...]
    epochs: tuple[Mapping[str, Any], ...]
    diagnosis: Diagnosis | None
    differences: tuple[str, ...]
    sweep: tuple[Ranked, ...] = ()


def write_arrival(folder: Path, arrival: Arrival) -> None:
    """Keep it in the job's folder; the epochs lie there already."""
    content = asdict(replace(arrival, epochs=(), sweep=()))
    write_atomically(folder / ARRIVAL_FILE, json.dumps(content, indent=1) + "\n")


def read_arrival(folder: Path) -> Arrival | None:
    """What is kept of a job's result; None for a job that was not imported yet."""
    try:
        content = json.loads((folder / ARRIVAL_FILE).read_text(encoding="utf-8"))
        found = content["diagnosis"]
        epochs = drawable_metrics(folder / RESULT_FOLDER / METRICS_FILE)
        return Arrival(
            run=content["run"],
            installed=content["installed"],
            compared_with=content["compared_with"],
            figures=tuple(Figure(**figure) for figure in content["figures"]),
            epochs=tuple(line for line in epochs if line.get("type") == "epoch"),
            diagnosis=Diagnosis(found["reason"], found["sentence"], tuple(found["lines"])) if found else None,
            differences=tuple(content["differences"]),
            sweep=read_ranking(folder / RESULT_FOLDER),
        )
    except (OSError, ValueError, TypeError, KeyError, ResultError):
        return None

"""A result comes home: checked, scored here, added to the library, and remembered with its log and curves."""

from __future__ import annotations

import shutil
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from gcdesk.cluster.diagnosis import diagnose
from gcdesk.cluster.errors import ResultError
from gcdesk.cluster.job_registry import JobRecord, job_record, save_record
from gcdesk.cluster.results.archive import Result, has_parity, read_result
from gcdesk.cluster.results.import_record import RESULT_FOLDER, Arrival, Figure, write_arrival
from gcdesk.engine.library.library import Library
from gcdesk.engine.modelfile.checkpoint import load_model
from gcdesk.engine.modelfile.info import ModelInfo
from trainer.job.parity import PARITY_FILE, parity_pixels, read_parity

# Of logits: torch on the cluster and ONNX Runtime here round differently in the last digits.
PARITY = 2e-3


def take_in(archive: Path, name: str | None = None, library: Library | None = None) -> Arrival:
    """Import a result archive. A run without a model brings its log only. Raises GcdeskError."""
    library = library or Library()
    with tempfile.TemporaryDirectory(prefix="gcdesk-result-") as stage:
        result = read_result(Path(archive), Path(stage))
        installed, used = "", ""
        figures: tuple[Figure, ...] = ()
        if result.model is not None:
            info = _checked_model(result)
            in_use = library.in_use("image")
            used, figures = in_use.name, _figures(info, in_use.info)
            installed = library.import_model(
                result.model, name or _free_name(library, result.config.model)
            ).name
        arrival = Arrival(
            run=result.run,
            installed=installed,
            compared_with=used,
            figures=figures,
            epochs=tuple(line for line in result.metrics if line["type"] == "epoch"),
            diagnosis=diagnose(result.status, result.log),
            differences=result.differences,
            sweep=result.sweep,
        )
        _save_record(result, arrival)
    return arrival


def _checked_model(result: Result) -> ModelInfo:
    """Labels, checksum, finite weights (the model's own checks), then the same answers as on the cluster."""
    from gcdesk.engine.inference.devices import open_backend

    if result.model is None:
        raise ResultError("The result holds no model.")
    info = load_model(result.model).info
    if info.kind != "image":
        raise ResultError(f"The result's model is of the {info.kind} kind; an image model was asked for.")
    if not has_parity(result):
        raise ResultError(
            "The result does not say what its model answers: collect it again with ./collect.sh."
        )
    try:
        size, expected = read_parity(result.folder / PARITY_FILE)
    except (ValueError, TypeError) as error:
        raise ResultError(f"The result's {PARITY_FILE} is damaged.") from error
    pixels = parity_pixels(size)
    found = open_backend("image", result.model, device="cpu").run(pixels, ("logits",)).logits
    if found.shape != expected.shape or not np.isfinite(expected).all():
        raise ResultError(f"The result's {PARITY_FILE} is damaged.")
    off = float(np.abs(found - expected).max() / max(1.0, float(np.abs(expected).max())))
    if off > PARITY:
        raise ResultError(
            f"The model answers otherwise here than on the cluster (by {off:.3g}): it is not taken."
        )
    return info


def _free_name(library: Library, wanted: str) -> str:
    """`wanted`, or with a number behind it when there is such a model."""
    taken = {model.name.casefold() for model in library.models()}
    names = [wanted, *(f"{wanted[:58]}-{number}" for number in range(2, 1000))]
    return next(name for name in names if name.casefold() not in taken)


def _figures(new: ModelInfo, used: ModelInfo | None) -> tuple[Figure, ...]:
    found = []
    for split, figures in new.metrics.items():
        other = used.metrics.get(split, {}) if used is not None else {}
        accuracy = figures.get("accuracy")
        if isinstance(accuracy, int | float):
            before = other.get("accuracy")
            found.append(
                Figure(
                    split,
                    float(accuracy),
                    int(figures.get("items", 0)),
                    float(before) if isinstance(before, int | float) else None,
                    int(other.get("items", 0)),
                )
            )
    return tuple(found)


def _save_record(result: Result, arrival: Arrival) -> None:
    """The record, and beside it what can be looked at again: everything but the model."""
    before = job_record(result.run) or JobRecord(result.run, result.config.model)
    job = save_record(
        replace(
            before,
            state=result.status.state if result.status else "unknown",
            message=arrival.diagnosis.sentence if arrival.diagnosis else "",
            imported=time.time(),
            installed=arrival.installed,
        )
    )
    target = job.folder / RESULT_FOLDER
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(result.folder, target, ignore=shutil.ignore_patterns("model"))
    write_arrival(job.folder, arrival)

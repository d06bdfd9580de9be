"""After the run: one archive with model, figures, curves, log and checksums, to be brought home."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import tarfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from gcdesk.config.files import replace_atomically
from trainer.job.config import CONFIG_FILE, JobConfig, JobError, read_config
from trainer.job.parity import PARITY_FILE
from trainer.job.record import METRICS_FILE, STATUS_FILE, read_metrics, read_status
from trainer.job.sweep import SWEEP_FILE

RESULT_VERSION = 1
RESULT_KIND = "gcdesk-result"
MANIFEST_FILE = "manifest.json"
CURVES_FILE = "curves.csv"
LOG_FOLDER = "logs"
MODEL_FOLDER = "model"
TASKS_FOLDER = "tasks"
_LOG_BYTES = 2_000_000  # of each log: the last part tells


def collect(bundle: Path) -> Path:
    """Write `result-<run>.tar.gz` in the bundle, of whatever there is: a failed run brings its log home.

    Raises JobError when the run never began.
    """
    config = read_config(bundle / CONFIG_FILE)
    folder = bundle / config.run_folder
    if not folder.is_dir():
        raise JobError(f"There is no run {config.run} yet: ./submit.sh starts it.")
    files = dict(_contents(bundle, folder, config))
    status = read_status(folder)
    manifest: dict[str, Any] = {
        "v": RESULT_VERSION,
        "kind": RESULT_KIND,
        "run": config.run,
        "model": config.model,
        "state": status.state if status else "unknown",
        "made_by": _made_by(bundle),
        "files": {
            name: {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
            for name, data in files.items()
        },
    }
    files = {MANIFEST_FILE: (json.dumps(manifest, indent=1) + "\n").encode(), **files}
    target = bundle / f"result-{config.run}.tar.gz"
    with replace_atomically(target) as stream, tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(f"result-{config.run}/{name}")
            entry.size, entry.mode = len(data), 0o644
            archive.addfile(entry, io.BytesIO(data))
    return target


def _contents(bundle: Path, folder: Path, config: JobConfig) -> Iterator[tuple[str, bytes]]:
    yield CONFIG_FILE, (bundle / CONFIG_FILE).read_bytes()
    status = read_status(folder)
    if status is not None:
        yield STATUS_FILE, (json.dumps(asdict(status), indent=1) + "\n").encode()
    metrics = read_metrics(folder / METRICS_FILE)
    yield METRICS_FILE, "".join(json.dumps(line) + "\n" for line in metrics).encode()
    yield CURVES_FILE, _curves(metrics).encode()
    for log in sorted(folder.glob("slurm-*.out")):
        yield f"{LOG_FOLDER}/{log.name}", log.read_bytes()[-_LOG_BYTES:]
    if config.sweep:
        yield from _sweep(folder)
    model = folder / f"{config.model}.gcmodel"
    if status is not None and status.state == "done" and model.is_dir():
        yield PARITY_FILE, (folder / PARITY_FILE).read_bytes()
        for file in sorted(model.iterdir()):
            yield f"{MODEL_FOLDER}/{model.name}/{file.name}", file.read_bytes()


def _sweep(folder: Path) -> Iterator[tuple[str, bytes]]:
    """The ranking, and every task's epochs and log."""
    if (folder / SWEEP_FILE).is_file():
        yield SWEEP_FILE, (folder / SWEEP_FILE).read_bytes()
    for task in sorted(folder.glob("task-*")):
        lines = [line for line in read_metrics(task / METRICS_FILE) if line.get("type") == "epoch"]
        yield f"{TASKS_FOLDER}/{task.name}.jsonl", "".join(json.dumps(line) + "\n" for line in lines).encode()


def _curves(metrics: list[dict[str, Any]]) -> str:
    """A row an epoch: what a spreadsheet draws."""
    rows = [line for line in metrics if line.get("type") == "epoch"]
    names = sorted({name for row in rows for name in row} - {"type", "epoch", "best"})
    text = io.StringIO()
    writer = csv.DictWriter(text, ["epoch", *names, "best"], extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _made_by(bundle: Path) -> dict[str, str]:
    """The versions that the bundle's own manifest names, and those that ran."""
    import platform
    from importlib.metadata import PackageNotFoundError, version

    try:
        exported = json.loads((bundle / MANIFEST_FILE).read_text(encoding="utf-8")).get("versions", {})
    except (OSError, ValueError):
        exported = {}
    ran = {"python": platform.python_version()}
    for name in ("torch", "torchvision", "numpy"):
        try:
            ran[name] = version(name)
        except PackageNotFoundError:
            ran[name] = "missing"
    return {**{str(k): str(v) for k, v in exported.items()}, **ran}

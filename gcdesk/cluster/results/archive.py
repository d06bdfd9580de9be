"""Reads a result archive from a cluster. Nothing in it is believed: names, kinds and sizes are checked before a
byte is written, checksums after.
"""

from __future__ import annotations

import hashlib
import json
import re
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gcdesk.cluster.errors import ResultError
from gcdesk.cluster.ranking import Ranked, read_ranking
from gcdesk.cluster.results.metrics import drawable_metrics
from gcdesk.cluster.results.tar_reader import opened_result
from gcdesk.cluster.wheel import own_version
from gcdesk.config.thresholds import MODEL_INFO_MAX_BYTES
from gcdesk.engine.modelfile.info import MODEL_SUFFIX
from trainer.job.collect import LOG_FOLDER, MANIFEST_FILE, MODEL_FOLDER, RESULT_KIND, RESULT_VERSION
from trainer.job.config import JobConfig, JobError, read_config
from trainer.job.parity import PARITY_FILE
from trainer.job.record import METRICS_FILE, REASONS, STATES, Status, read_status

MOST_FILES = 1000  # a sweep brings two a training
MOST_BYTES = 1_500_000_000  # of all files: a model is 35 MB, its log a few
MANIFEST_BYTES = 1_000_000
_RUN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
# All that `trainer.job.collect` writes, below the archive's one folder.
_MODEL = r"model/[^/\\]{1,80}\.gcmodel/"
# All that `trainer.job.collect` writes, below the archive's one folder, and the most bytes of each.
_EXPECTED = {
    re.compile(r"manifest\.json|config\.toml|status\.json|parity\.json|sweep\.json"): MANIFEST_BYTES,
    re.compile(r"metrics\.jsonl|curves\.csv"): 100_000_000,
    re.compile(r"tasks/task-\d{1,3}\.jsonl|logs/slurm-[\w-]{1,40}\.out"): 10_000_000,
    re.compile(rf"{_MODEL}(?:model\.json|MODEL_CARD\.md)"): MODEL_INFO_MAX_BYTES,
    re.compile(rf"{_MODEL}(?:weights|novelty|kinds)\.safetensors"): MOST_BYTES,
}


@dataclass(frozen=True)
class Result:
    """A checked result, its files in `folder`. model: its `.gcmodel` folder, None when the run made none.

    differences: a sentence on each version that is not this computer's.
    """

    folder: Path
    run: str
    config: JobConfig
    status: Status | None
    metrics: tuple[Mapping[str, Any], ...]
    model: Path | None
    log: str
    made_by: Mapping[str, str]
    differences: tuple[str, ...]
    sweep: tuple[Ranked, ...] = ()


def read_result(archive: Path, into: Path) -> Result:
    """Unpack and check a result archive into the empty folder `into`. Raises ResultError."""
    names = unpack(archive, into, _EXPECTED, MOST_BYTES)
    manifest = _manifest(into, archive.name)
    check_files(manifest, names, into)
    run = manifest.get("run")
    if not isinstance(run, str) or not _RUN.fullmatch(run):
        raise ResultError("The result does not name its run.")
    try:
        config = read_config(into / "config.toml")
    except JobError as error:
        raise ResultError(f"The result's settings cannot be read: {error}") from error
    if config.run != run:
        raise ResultError(f"The result calls its run {run}, and its settings {config.run}.")
    made_by = manifest.get("made_by")
    made_by = made_by if isinstance(made_by, dict) else {}
    models = sorted((into / MODEL_FOLDER).glob(f"*{MODEL_SUFFIX}"))
    if len(models) > 1:
        raise ResultError("The result holds more than one model.")
    logs = sorted((into / LOG_FOLDER).glob("*.out"))
    return Result(
        folder=into,
        run=run,
        config=config,
        status=_status(into),
        metrics=drawable_metrics(into / METRICS_FILE),
        model=models[0] if models else None,
        log="\n".join(file.read_text(encoding="utf-8", errors="replace") for file in logs),
        made_by={str(name): str(value)[:80] for name, value in made_by.items()},
        differences=_differences(made_by),
        sweep=read_ranking(into),
    )


def unpack(archive: Path, into: Path, expected: Mapping[re.Pattern[str], int], most_bytes: int) -> set[str]:
    """Write the archive's files below `into` without its top folder; returns their names.

    expected: what names there may be, and the most bytes of a file that is called so. Raises ResultError for anything
    unsafe, damaged or too large.
    """
    names: set[str] = set()
    total, top = 0, ""
    with opened_result(archive, most_bytes) as opened:
        for item in opened.entries():
            name = _safe_name(item)
            if item.isdir():
                continue
            first, _, rest = name.partition("/")
            top = top or first
            cap = next((most for known, most in expected.items() if known.fullmatch(rest)), None)
            if first != top or not rest or cap is None:
                raise ResultError(f"The result holds {name[:80]!r}, which no result has: it is not taken.")
            if rest in names:
                raise ResultError(f"The result holds {rest} twice: it is not taken.")
            names.add(rest)
            total += item.size
            if item.size > cap or len(names) > MOST_FILES or total > most_bytes:
                raise ResultError(
                    f"The result's {rest} is larger than any can be ({cap // 10**6 or 1} MB; all files together"
                    f" {most_bytes // 10**6} MB and {MOST_FILES} files)."
                )
            file = into / rest
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("xb") as out:
                for block in opened.content(item):
                    out.write(block)
    return names


def _safe_name(item: tarfile.TarInfo) -> str:
    """The name of a plain file or folder inside the archive. Raises ResultError for anything else."""
    name = item.name
    parts = name.split("/")
    if name.startswith(("/", "~")) or ".." in parts or "\\" in name or ":" in name or "\0" in name:
        raise ResultError(
            f"The result names a place outside of itself ({name[:80]!r}): it is unsafe and not taken."
        )
    plain = item.type in (tarfile.REGTYPE, tarfile.AREGTYPE) and not item.issparse()
    if not plain and not item.isdir():
        raise ResultError(f"The result holds a link or device ({name[:80]!r}): it is unsafe and not taken.")
    return name


def _manifest(folder: Path, archive: str) -> dict[str, Any]:
    try:
        raw = (folder / MANIFEST_FILE).read_bytes()
        manifest = json.loads(raw) if len(raw) <= MANIFEST_BYTES else None
    except FileNotFoundError:
        raise ResultError(f"{archive} is no result of gcdesk: it has no {MANIFEST_FILE}.") from None
    except (OSError, ValueError, RecursionError) as error:
        raise ResultError(f"The result's {MANIFEST_FILE} is damaged.") from error
    if not isinstance(manifest, dict) or manifest.get("kind") != RESULT_KIND:
        kind = manifest.get("kind") if isinstance(manifest, dict) else None
        what = "a job that is still to be run" if kind == "gcdesk-job" else "no result of gcdesk"
        raise ResultError(f"{archive} is {what}: bring home what ./collect.sh writes.")
    if manifest.get("v") != RESULT_VERSION:
        raise ResultError(
            f"The result has version {manifest.get('v')!r} and this gcdesk reads {RESULT_VERSION}:"
            " a newer gcdesk may have made it."
        )
    return manifest


def check_files(manifest: Mapping[str, Any], names: set[str], folder: Path) -> None:
    """Compare the files with the manifest's list and checksums. Raises ResultError."""
    files = manifest.get("files")
    if not isinstance(files, dict) or not all(isinstance(entry, dict) for entry in files.values()):
        raise ResultError("The result's list of files is damaged.")
    odd = (names - {MANIFEST_FILE}).symmetric_difference(files)
    if odd:
        raise ResultError(f"The result and its list of files differ: {sorted(odd)[0]!r}.")
    for name, entry in files.items():
        with (folder / name).open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != entry.get("sha256"):
            raise ResultError(f"The result's {name} was damaged on the way: copy the archive again.")


def _status(folder: Path) -> Status | None:
    """The status, if its words are known ones and its numbers are numbers."""
    status = read_status(folder)
    if status is None:
        return None
    words = status.state in STATES and status.reason in REASONS and isinstance(status.message, str)
    numbers = (status.epoch, status.epochs, status.step, status.steps, status.restarts)
    if not words or not all(type(number) is int for number in numbers):
        raise ResultError("The result's status.json holds what no run says.")
    return status


def _differences(made_by: Mapping[str, Any]) -> tuple[str, ...]:
    """What was made by another version than this computer has."""
    own = {"gcdesk": own_version()}
    found = []
    for name, mine in own.items():
        theirs = made_by.get(name)
        if theirs is None:
            found.append(f"The result does not say which {name} made it.")
        elif str(theirs) != mine:
            found.append(f"Made by {name} {str(theirs)[:40]}; this is {name} {mine}.")
    return tuple(found)


def has_parity(result: Result) -> bool:
    """Whether the cluster measured the model's answers for a comparison with ours."""
    return (result.folder / PARITY_FILE).is_file()

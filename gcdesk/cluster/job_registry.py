"""What this computer remembers of its cluster jobs: one folder a run in the user's data folder."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

from gcdesk.config.files import write_atomically
from gcdesk.config.folders import user_folders

JOB_FILE = "job.json"
EXPORTED = "exported"
DONE = "done"
QUEUE_SECONDS = 5
# A training is one job, a sweep is ranked behind it; a folder is listed, classified and merged (slurm/templates).
_JOB_NAMES = ("gcdesk", "rank", "list", "merge")


@dataclass(frozen=True)
class JobRecord:
    """A run that was exported or imported. state: "exported", then the result's. Times: seconds since 1970.

    model: what a training makes, "" where a folder is classified. message: what became of it, in a sentence.
    """

    run: str
    model: str
    site: str = ""
    bundle: str = ""
    exported: float = 0.0
    state: str = EXPORTED
    message: str = ""
    imported: float = 0.0
    installed: str = ""

    @property
    def folder(self) -> Path:
        """Where this job's record and result are."""
        return _folder_of(self.run, rows=not self.model)


def jobs_folder() -> Path:
    """Where the records of all jobs are."""
    return user_folders().data / "talc"


def job_records() -> list[JobRecord]:
    """All of them, the latest first. A record that cannot be read is left out."""
    results = [job for path in jobs_folder().glob(f"*/{JOB_FILE}") if (job := _read(path)) is not None]
    return sorted(results, key=lambda job: max(job.exported, job.imported), reverse=True)


def job_record(run: str, rows: bool = False) -> JobRecord | None:
    """The training of this name, or with `rows` the folder that is classified."""
    return _read(_folder_of(run, rows) / JOB_FILE)


def _folder_of(run: str, rows: bool) -> Path:
    return jobs_folder() / (f"rows of {run}" if rows else run)  # no run has a blank in its name


def save_record(job: JobRecord) -> JobRecord:
    """Write a record in one step."""
    job.folder.mkdir(parents=True, exist_ok=True)
    write_atomically(job.folder / JOB_FILE, json.dumps(asdict(job), indent=1) + "\n")
    return job


def record_export(run: str, model: str, site: str, bundle: Path) -> JobRecord:
    """Remember that a bundle was written for a site."""
    return save_record(
        replace(
            job_record(run, rows=not model) or JobRecord(run, model),
            model=model,
            site=site,
            bundle=str(bundle),
            exported=time.time(),
            state=EXPORTED,
            message="",
        )
    )


def record_rows(run: str, message: str) -> JobRecord:
    """Remember that a folder came back classified."""
    before = job_record(run, rows=True) or JobRecord(run, "")
    return save_record(replace(before, state=DONE, message=message, imported=time.time()))


def delete_record(run: str, rows: bool = False) -> None:
    """Take a job off the list, with its log and curves; bundles, models and sessions stay."""
    shutil.rmtree(_folder_of(run, rows), ignore_errors=True)


def _read(path: Path) -> JobRecord | None:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        known = {f.name for f in fields(JobRecord)}
        job = JobRecord(**{name: value for name, value in values.items() if name in known})
    except (OSError, ValueError, TypeError, AttributeError):
        return None
    return job if job.folder == path.parent else None


def queue_states(runs: Sequence[str]) -> dict[str, str]:
    """What Slurm says of these runs now, as `read_queue` has it; empty where no Slurm answers on this computer."""
    command = queue_command(runs)
    if command is None:
        return {}
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=QUEUE_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return {}
    return read_queue(answer.stdout, runs)


def queue_command(runs: Sequence[str]) -> list[str] | None:
    """What to call to ask for these runs; None where there is no squeue on this computer, or nothing to ask."""
    program = shutil.which("squeue")
    if program is None or not runs:
        return None
    return [program, "--noheader", "--array", "--format=%j|%F|%T|%M", f"--name={','.join(_runs_of(runs))}"]


def read_queue(answer: str, runs: Sequence[str]) -> dict[str, str]:
    """By run what the command printed: `running 1:05 (job 12)`, or `2 running, 6 pending (jobs 12, 13)` where a run is
    several tasks or jobs.
    """
    names = _runs_of(runs)
    result: dict[str, list[list[str]]] = {}
    for line in answer.splitlines():
        name, *rest = line.strip().split("|")
        if name in names and len(rest) == 3:
            result.setdefault(names[name], []).append(rest)
    return {run: _state_words(tasks) for run, tasks in result.items()}


def _runs_of(runs: Sequence[str]) -> dict[str, str]:
    """By the name of a Slurm job its run."""
    return {f"{job}-{run}": run for run in runs for job in _JOB_NAMES}


def _state_words(tasks: Sequence[Sequence[str]]) -> str:
    """Of tasks as (job, state, time in it)."""
    if len(tasks) == 1:
        job, state, took = tasks[0]
        return f"{state.lower()} {took} (job {job})"
    jobs = list(dict.fromkeys(job for job, _, _ in tasks))
    states = Counter(state.lower() for _, state, _ in tasks)
    words = ", ".join(f"{count} {state}" for state, count in sorted(states.items(), reverse=True))
    return f"{words} (job{'s' if len(jobs) > 1 else ''} {', '.join(jobs)})"

"""Why a run did not end well, in one sentence, with the lines of its log that prove it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from trainer.job.record import Status

_MOST_LINES = 4
_LONGEST = 300


@dataclass(frozen=True)
class Diagnosis:
    """reason: a word of `trainer.job.record.REASONS`, or "stopped". lines: of the log, as they are."""

    reason: str
    sentence: str
    lines: tuple[str, ...]


# In this order: the first that matches is the cause of those after it.
_SIGNS = (
    ("gpu_memory", r"CUDA out of memory|OutOfMemoryError|too little memory for batches"),
    ("memory", r"oom[-_ ]?kill|Out Of Memory|\bMemoryError\b|Exceeded (?:job|step) memory limit"),
    ("package", r"ModuleNotFoundError|No module named|ImportError|environment lacks"),
    ("disk", r"No space left on device|Disk quota exceeded|disk or your quota is full"),
    ("cuda", r"driver.{0,40}too old|driver version is insufficient|CUDA was asked for|no kernel image|CUDA error"
             r"|CUDA failed"),
    ("data", r"There is no folder|No photo of .* can be read|fewer than two bins|There are no photos"),
    ("time", r"DUE TO TIME LIMIT|requeued \d+ times already"),
)  # fmt: skip
_SENTENCES = {
    "gpu_memory": "The GPU ran out of memory: export it again with a smaller batch or smaller pictures.",
    "memory": "The job ran out of memory: ask for more memory, and check the figure that preflight.sh gives.",
    "package": "A package is missing in the cluster's environment: run ./setup_env.sh there, then ./submit.sh --again.",
    "disk": "The disk or the quota was full: make room there, then ./submit.sh --again goes on.",
    "cuda": "The GPU could not be used: torch and the cluster's driver do not fit, or the job got no GPU.",
    "data": "The photos were not found on the cluster: correct [data] in config.toml there, then ./submit.sh --again.",
    "time": "The time limit ended the job before it was finished: ./submit.sh --again goes on from its checkpoint.",
}
_STOPPED = r"CANCELLED|Stopped as told|Stopped and saved"


def diagnose(status: Status | None, log: str) -> Diagnosis | None:
    """None for a run that is done."""
    if status is not None and status.state == "done":
        return None
    lines = log.splitlines()
    for reason, pattern in _ordered(status):
        proof = _matching(lines, pattern)
        if proof:
            return Diagnosis(reason, _SENTENCES[reason], proof)
    how_far = (
        f" after epoch {status.epoch} of {status.epochs}" if status is not None and status.epochs else ""
    )
    if status is not None and status.state == "failed":
        proof = tuple(line for line in lines if status.message and status.message in line)[-1:]
        return Diagnosis(status.reason or "other", f"The run failed{how_far}: {status.message}", proof)
    proof = _matching(lines, _STOPPED)
    if proof or (status is not None and status.state == "stopped"):
        return Diagnosis("stopped", f"The run was stopped{how_far}: ./submit.sh --again goes on.", proof)
    return Diagnosis(
        "other",
        f"The run is not finished{how_far}: it may still be running, or was killed without a word.",
        tuple(line[:_LONGEST] for line in lines[-_MOST_LINES:]),
    )


def _ordered(status: Status | None) -> list[tuple[str, str]]:
    """The trainer's own reason first: it knows best; a log may hold lines of earlier starts too."""
    signs = list(_SIGNS)
    if status is None or status.state == "stopped":
        return [sign for sign in signs if status is None or sign[0] == "time"]
    return sorted(signs, key=lambda sign: sign[0] != status.reason)


def _matching(lines: list[str], pattern: str) -> tuple[str, ...]:
    results = [line.strip()[:_LONGEST] for line in lines if re.search(pattern, line)]
    return tuple(dict.fromkeys(results))[-_MOST_LINES:]

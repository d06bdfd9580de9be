"""Why runs end: one sentence each, with lines as Slurm, torch and the trainer write them."""

from __future__ import annotations

import pytest

from gcdesk.cluster.diagnosis import diagnose
from trainer.job.record import Status

TIME = "slurmstepd: error: *** JOB 12 ON node7 CANCELLED AT 2026-11-24T03:00:12 DUE TO TIME LIMIT ***"
OOM = "slurmstepd: error: Detected 1 oom_kill event in StepId=12.0. Some of the step tasks have been OOM Killed."
CUDA_OOM = "torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate 1.50 GiB. GPU 0 has a total capacity of"
DRIVER = "RuntimeError: The NVIDIA driver on your system is too old (found version 11040)."
PACKAGE = "ModuleNotFoundError: No module named 'torchvision'"
PATH = "gcdesk: There is no folder /work/TALC/x/train: the photos must lie in train/<bin>/."
DISK = "OSError: [Errno 122] Disk quota exceeded"


@pytest.mark.parametrize(
    ("line", "state", "reason", "sentence"),
    [
        (OOM, "running", "memory", "ran out of memory"),
        (TIME, "running", "time", "time limit"),
        (PATH, "failed", "data", "photos were not found"),
        (DRIVER, "failed", "cuda", "do not fit"),
        (PACKAGE, "failed", "package", "package is missing"),
        (CUDA_OOM, "failed", "gpu_memory", "smaller batch"),
        (DISK, "failed", "disk", "quota was full"),
    ],
)
def test_each_cause_has_a_sentence_and_its_proof(line: str, state: str, reason: str, sentence: str) -> None:
    log = f"Job 12, start 1\nTraining on Tesla V100, CUDA 12.1\n{line}\nsrun: error: node7: task 0: Exited\n"
    found = diagnose(Status("x", state=state, reason=reason if state == "failed" else "", epochs=9), log)
    assert found is not None
    assert found.reason == reason
    assert sentence in found.sentence
    assert found.lines == (line,)


def test_the_trainers_own_reason_counts_more_than_an_earlier_starts_lines() -> None:
    """The log is one file over all starts."""
    found = diagnose(Status("x", state="failed", reason="disk", message="…", epochs=9), f"{PATH}\n{DISK}\n")
    assert found is not None
    assert (found.reason, found.lines) == ("disk", (DISK,))


def test_a_run_that_is_done_has_no_diagnosis_whatever_its_log_says() -> None:
    assert diagnose(Status("x", state="done"), f"{OOM}\n{TIME}\n") is None


def test_a_stopped_one_says_how_far_it_came() -> None:
    line = "slurmstepd: error: *** JOB 12 ON node7 CANCELLED AT 2026-11-24T03:00:12 ***"
    found = diagnose(Status("x", state="stopped", epoch=4, epochs=9), f"{line}\n")
    assert found is not None
    assert found.reason == "stopped"
    assert "after epoch 4 of 9" in found.sentence
    assert found.lines == (line,)


def test_without_a_sign_the_message_or_the_last_lines_are_told() -> None:
    found = diagnose(
        Status("x", state="failed", reason="other", message="ValueError: odd", epochs=9),
        "a\nValueError: odd\n",
    )
    assert found is not None
    assert "ValueError: odd" in found.sentence
    assert found.lines == ("ValueError: odd",)
    silent = diagnose(None, "one\ntwo\nthree\nfour\nfive\n")
    assert silent is not None
    assert silent.lines == ("two", "three", "four", "five")

"""The job itself: the device is checked before hours depend on it, then it trains, saves, stops when told."""

from __future__ import annotations

import errno
import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from gcdesk.engine.errors import DeviceError, GcdeskError
from trainer.job.config import CONFIG_FILE, JobConfig, JobError, read_config
from trainer.job.record import Record, Status, write_status

if TYPE_CHECKING:
    import torch

    from trainer.image.process.distributed import Team
    from trainer.image.process.reporting import Reporter

STOP_FILE = "STOP"


def run_job(bundle: Path, task: int | None = None) -> int:
    """Train what `bundle` says, from the latest checkpoint on. Returns 0 when it ended or was told to stop.

    task: of a sweep, which has a folder of its own for each. How it stands is in status.json, which the batch
    script goes by.
    """
    config = read_config(bundle / CONFIG_FILE)
    folder = bundle / config.run_folder
    if config.sweep:
        from trainer.job.sweep import task_config, task_folder

        if task is None:
            raise JobError("This job is a sweep: say which of its tasks is to be run.")
        config, folder = task_config(config, task), task_folder(folder, task)
    status = Status(
        run=config.run,
        epochs=config.training.epochs,
        job=os.environ.get("SLURM_JOB_ID", ""),
        restarts=int(os.environ.get("SLURM_RESTART_COUNT", "0") or 0),
    )
    leads = os.environ.get("RANK", "0") == "0"
    if leads:
        write_status(folder, status)
    try:
        return _train(bundle, config, folder, status)
    except Exception as error:
        traceback.print_exc()
        reason, message = why(error, config)
        print(f"gcdesk: {message}", file=sys.stderr)
        if leads or isinstance(error, ImportError):
            write_status(folder, Status(**{**vars(status), "state": "failed", "reason": reason,
                                           "message": message}))  # fmt: skip
        return 1


def _train(bundle: Path, config: JobConfig, folder: Path, status: Status) -> int:
    from trainer.image.process.distributed import join_team, leave_team

    team = join_team()
    try:
        record = Record(folder, status) if team.leads else None
        result = _run_in(team, bundle, config, folder, record)
        if record is not None and result is not None:
            from trainer.job.parity import PARITY_FILE, write_parity

            write_parity(result, folder / PARITY_FILE)
            record.write(force=True, state="done")
        elif record is not None:
            record.note("Stopped as told: the run goes on from here when it is started again.")
            record.write(force=True, state="stopped")
        return 0
    finally:
        leave_team(team)


def _run_in(team: Team, bundle: Path, config: JobConfig, folder: Path, record: Record | None) -> Path | None:
    import torch

    from trainer.image.process.devices import choose_device, low_precision_of
    from trainer.image.process.stop_requests import Orders
    from trainer.image.training import Place, Run, Sources

    report: Reporter = record if record is not None else _silent()
    device = _device(choose_device, config)
    report.note(f"Training on {_described(device)}, {team.size} at once, torch {torch.__version__}")
    if device.type == "cpu":
        torch.set_num_threads(max(1, config.cpus // team.size))
    place = Place(
        device=device,
        low_precision=low_precision_of("auto", device) and device.type == "cuda",
        run_folder=folder,
        result=folder / f"{config.model}.gcmodel",
        base=bundle / config.base if config.base else None,
        resume=True,
        team=team,
        orders=Orders(_stop_asked(folder / STOP_FILE), 60 * config.save_minutes, team),
    )
    named = {name: bundle / path for name, path in config.folders.named().items()}
    sources = Sources(named["train"], named["val"], named.get("test"))
    return Run(sources, config.training, place, report).train()


def _device(choose: Callable[[str], torch.device], config: JobConfig) -> torch.device:
    """CUDA, or the CPU where the job says that it may: hours on an idle GPU node help nobody."""
    if config.allow_cpu:
        return choose("auto")
    try:
        return choose("cuda")
    except DeviceError as error:
        raise DeviceError(
            f"{error} This job may not train on the CPU instead (allow_cpu in {CONFIG_FILE} is false)."
        ) from error


def _described(device: torch.device) -> str:
    import torch

    if device.type == "cpu":
        return f"the CPU, {torch.get_num_threads()} threads"
    return f"{torch.cuda.get_device_name()}, CUDA {torch.version.cuda}"


def _stop_asked(file: Path) -> Callable[[], bool]:
    """Whether the STOP file is there, or Slurm asked this process to end (it kills half a minute later)."""
    asked: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: asked.append(number))
    return lambda: bool(asked) or file.exists()


def _silent() -> Reporter:
    from trainer.image.process.reporting import TextReporter

    return TextReporter(open(os.devnull, "w", encoding="utf-8"))


def why(error: Exception, config: JobConfig) -> tuple[str, str]:
    """The reason (of `record.REASONS`) and a sentence on what to do."""
    if isinstance(error, ImportError):
        name = error.name or "a package"
        return "package", f"The environment lacks {name}: run ./setup_env.sh on the login node ({error})."
    if type(error).__name__ == "OutOfMemoryError":
        return "gpu_memory", (
            f"The GPU has too little memory for batches of {config.training.batch}: choose a smaller batch."
        )
    if isinstance(error, MemoryError):
        return "memory", "The job ran out of memory: ask for more (--mem)."
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "disk", f"The disk or your quota is full: {error}."
    if isinstance(error, GcdeskError):
        named = {"DataError": "data", "DeviceError": "cuda", "SaveError": "disk"}
        return named.get(type(error).__name__, "settings"), str(error)
    if isinstance(error, RuntimeError) and "CUDA" in str(error):
        return "cuda", f"CUDA failed: {str(error).splitlines()[0]}"
    return (
        "other",
        f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no reason given'}",
    )

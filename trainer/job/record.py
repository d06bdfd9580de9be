"""What a run leaves for others to read: `status.json` (how it stands) and `metrics.jsonl` (every step and
epoch).
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from gcdesk.config.files import write_atomically
from trainer.image.process.reporting import TextReporter

STATUS_FILE = "status.json"
METRICS_FILE = "metrics.jsonl"
STATES = ("running", "stopped", "done", "failed")
REASONS = ("", "memory", "gpu_memory", "time", "data", "cuda", "package", "disk", "settings", "other")
_EVERY = 2.0  # seconds between two status files while steps are taken


@dataclass(frozen=True)
class Status:
    """How a run stands. state: one of STATES; reason and message: why it failed, one of REASONS and a
    sentence.
    """

    run: str
    state: str = "running"
    reason: str = ""
    message: str = ""
    epoch: int = 0
    epochs: int = 0
    step: int = 0
    steps: int = 0
    job: str = ""
    restarts: int = 0
    updated: str = ""
    v: int = 1


def write_status(folder: Path, status: Status) -> None:
    """Replace `status.json` in one step. A disk that is full is told on stderr: the run says more."""
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    text = json.dumps(asdict(replace(status, updated=now)), indent=1, ensure_ascii=False) + "\n"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(folder / STATUS_FILE, text)
    except OSError as error:
        print(f"{STATUS_FILE} cannot be written: {error}", file=sys.stderr)


def read_status(folder: Path) -> Status | None:
    """The status of a run folder; None when there is none that can be read."""
    try:
        values = json.loads((folder / STATUS_FILE).read_text(encoding="utf-8"))
        return Status(**values)
    except (OSError, ValueError, TypeError, RecursionError):
        return None


def read_metrics(file: Path) -> list[dict[str, Any]]:
    """The lines of a `metrics.jsonl`; a last line that was cut off by a full disk is left out."""
    lines = []
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    for line in text.splitlines():
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict):
            lines.append(value)
    return lines


class Record(TextReporter):
    """Tells the log what a TextReporter tells, and keeps both files. Steps that are taken again after a
    resume replace those that were recorded before.
    """

    def __init__(self, folder: Path, status: Status) -> None:
        super().__init__(sys.stderr)
        self._folder, self.status = folder, status
        self._metrics = folder / METRICS_FILE
        self._rewound = False
        self._written = 0.0
        self.write(force=True)

    def write(self, force: bool = False, **changes: Any) -> None:
        """Change the status; the file follows at once with `force`, else now and then."""
        self.status = replace(self.status, **changes)
        now = time.monotonic()
        if force or now - self._written >= _EVERY:
            self._written = now
            write_status(self._folder, self.status)

    def step(self, epoch: int, epochs: int, step: int, steps: int, loss: float, rate: float) -> None:
        super().step(epoch, epochs, step, steps, loss, rate)
        self._add({"type": "step", "epoch": epoch, "step": step, "loss": loss, "rate": rate})
        self.write(epoch=epoch, epochs=epochs, step=step, steps=steps)

    def epoch(self, epoch: int, epochs: int, scores: Mapping[str, float], better: bool) -> None:
        super().epoch(epoch, epochs, scores, better)
        self._add({"type": "epoch", **scores, "epoch": epoch, "best": better})
        self.write(force=True, epoch=epoch, epochs=epochs)

    def done(self, result: Path, accuracies: Mapping[str, float]) -> None:
        super().done(result, accuracies)
        self._add({"type": "done", "accuracies": dict(accuracies)})

    def _add(self, line: dict[str, Any]) -> None:
        if not self._rewound:
            self._rewound = True
            self._rewind(line)
        with self._metrics.open("a", encoding="utf-8", newline="\n") as file:
            file.write(json.dumps(line) + "\n")

    def _rewind(self, first: dict[str, Any]) -> None:
        """Drop recorded lines from `first`'s place on: this run takes those steps again."""
        kept = [line for line in read_metrics(self._metrics) if _place(line) < _place(first)]
        write_atomically(self._metrics, "".join(json.dumps(line) + "\n" for line in kept))


def _place(line: Mapping[str, Any]) -> tuple[float, float]:
    """Where a line belongs: steps by number, an epoch's scores after its steps, the end after all."""
    if line.get("type") == "step":
        return float(line["epoch"]), float(line["step"])
    if line.get("type") == "epoch":
        return float(line["epoch"]), float("inf")
    return float("inf"), float("inf")

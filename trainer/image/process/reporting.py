"""What a training tells while it runs: lines and a bar for a terminal, or one JSON object a line."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, TextIO

_EVERY = 1.0  # seconds between two tellings of steps


class Reporter(Protocol):
    """The events of a training, in the order in which they come."""

    def note(self, text: str) -> None:
        """Something the user should know, e.g. a photo that was left out."""

    def caching(self, done: int, total: int) -> None:
        """Views cached so far."""

    def step(self, epoch: int, epochs: int, step: int, steps: int, loss: float, rate: float) -> None:
        """A step of an epoch (both from 1) was taken at learning rate `rate`."""

    def epoch(self, epoch: int, epochs: int, scores: Mapping[str, float], better: bool) -> None:
        """An epoch ended with these scores; `better` when it is the best so far."""

    def done(self, result: Path, accuracies: Mapping[str, float]) -> None:
        """The model was written."""


class _Pace:
    """Lets one event a second through, and estimates the seconds that are left."""

    def __init__(self) -> None:
        self._start = self._last = time.monotonic()
        self._from = 0.0

    def due(self, final: bool) -> bool:
        now = time.monotonic()
        if not final and now - self._last < _EVERY:
            return False
        self._last = now
        return True

    def left(self, share: float) -> float | None:
        """Seconds to the end when `share` (0 to 1) is done; a falling share starts the estimate anew."""
        now = time.monotonic()
        if share < self._from or self._from == 0.0:
            self._start, self._from = now, max(share, 1e-9)
            return None
        gone = share - self._from
        return None if gone <= 0 else round((now - self._start) * (1 - share) / gone, 1)


class JsonReporter:
    """One JSON object a line on `out`, each with a `type` and the schema version `v`."""

    def __init__(self, kind: str, out: TextIO) -> None:
        self._kind, self._out, self._pace, self._cache_pace = kind, out, _Pace(), _Pace()

    def _say(self, kind: str, **fields: Any) -> None:
        line = {"v": 1, "type": kind, "kind": self._kind, **fields}
        self._out.write(json.dumps(line, ensure_ascii=False) + "\n")
        self._out.flush()

    def note(self, text: str) -> None:
        self._say("note", text=text)

    def caching(self, done: int, total: int) -> None:
        eta = self._cache_pace.left(done / total)
        if self._cache_pace.due(done == total):
            self._say("caching", done=done, total=total, eta=eta)

    def step(self, epoch: int, epochs: int, step: int, steps: int, loss: float, rate: float) -> None:
        eta = self._pace.left((epoch - 1 + step / steps) / epochs)
        if self._pace.due(step == steps):
            self._say(
                "step", epoch=epoch, epochs=epochs, step=step, steps=steps, loss=loss, rate=rate, eta=eta
            )

    def epoch(self, epoch: int, epochs: int, scores: Mapping[str, float], better: bool) -> None:
        self._say("epoch", epoch=epoch, epochs=epochs, scores=dict(scores), best=better)

    def done(self, result: Path, accuracies: Mapping[str, float]) -> None:
        self._say("done", result=str(result), accuracies=dict(accuracies))


class TextReporter:
    """Lines for people on `out`; steps overwrite one another when it is a terminal."""

    def __init__(self, out: TextIO) -> None:
        self._out, self._pace, self._cache_pace = out, _Pace(), _Pace()
        self._bar = out.isatty()

    def _line(self, text: str) -> None:
        self._out.write(f"\r\x1b[K{text}\n" if self._bar else f"{text}\n")
        self._out.flush()

    def _passing(self, text: str) -> None:
        if self._bar:
            self._out.write(f"\r\x1b[K{text}")
            self._out.flush()

    def note(self, text: str) -> None:
        self._line(text)

    def caching(self, done: int, total: int) -> None:
        eta = self._cache_pace.left(done / total)
        if self._cache_pace.due(done == total):
            self._passing(f"Preparing views {_bar(done / total)} {done} of {total}{_left(eta)}")

    def step(self, epoch: int, epochs: int, step: int, steps: int, loss: float, rate: float) -> None:
        eta = self._pace.left((epoch - 1 + step / steps) / epochs)
        if self._pace.due(step == steps):
            bar = _bar(step / steps)
            self._passing(f"Epoch {epoch} of {epochs} {bar} loss {loss:.3f} rate {rate:.1e}{_left(eta)}")

    def epoch(self, epoch: int, epochs: int, scores: Mapping[str, float], better: bool) -> None:
        shown = "  ".join(
            f"{name} {value:.3f}" for name, value in scores.items() if name not in ("epoch", "score")
        )
        self._line(f"Epoch {epoch} of {epochs}  {shown}{'  (best so far)' if better else ''}")

    def done(self, result: Path, accuracies: Mapping[str, float]) -> None:
        self._line("  ".join(f"{name} {value:.1%}" for name, value in accuracies.items()))
        self._line(f"Written: {result}")


def _bar(share: float, width: int = 24) -> str:
    full = int(share * width)
    return f"[{'#' * full}{'.' * (width - full)}]"


def _left(eta: float | None) -> str:
    return "" if eta is None else f"  {eta / 60:.0f} min left" if eta >= 90 else f"  {eta:.0f} s left"


def reporter(kind: str, json_events: bool) -> Reporter:
    """The reporter that the options ask for: JSON lines on stdout, or text on stderr."""
    return JsonReporter(kind, sys.stdout) if json_events else TextReporter(sys.stderr)

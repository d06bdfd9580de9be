"""The figures of a training as a cluster brought them home: what of them can be drawn."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trainer.job.record import read_metrics

_LARGEST_FIGURE = 1e15


def drawable_metrics(file: Path) -> tuple[Mapping[str, Any], ...]:
    """The steps and epochs of a metrics.jsonl that hold nothing but numbers, beside their type."""
    return tuple(
        line
        for line in read_metrics(file)
        if line.get("type") in ("step", "epoch")
        and all(_can_be_drawn(value) for name, value in line.items() if name != "type")
    )


def _can_be_drawn(value: object) -> bool:
    """A number that an axis can hold: JSON has NaN, infinity and integers of any length besides."""
    return isinstance(value, int | float) and -_LARGEST_FIGURE <= value <= _LARGEST_FIGURE

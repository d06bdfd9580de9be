"""What is measured and written at the end of a training: figures of each split, the temperature, the model
file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gcdesk.config.thresholds import Thresholds
from gcdesk.engine.labels import BINS
from gcdesk.engine.selection.calibration import (
    expected_calibration_error,
    fit_temperature,
    negative_log_likelihood,
    softmax,
)
from trainer.image.photos.data import Sample

SURE_RIGHT = 0.95  # share of the answers called sure that must be right
_WARMEST = 8.0


@dataclass(frozen=True)
class SplitLogits:
    """A split's photos as the finished network sees them: logits (n, 4) and labels (n,)."""

    name: str
    logits: NDArray[np.float32]
    labels: NDArray[np.int64]

    def part(self, chosen: NDArray[np.bool_], name: str) -> SplitLogits:
        return SplitLogits(name, self.logits[chosen], self.labels[chosen])


def accuracy(logits: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    """Share of rows whose largest logit is the label's."""
    return float((logits.argmax(axis=1) == labels).mean())


def first_half(samples: Sequence[Sample]) -> NDArray[np.bool_]:
    """The fixed half (n,) of station photos that choices are made on: every other photo of each bin by path.

    The rest only measures. Bins are halved one by one so that both halves have the same mix.
    """
    chosen = np.zeros(len(samples), bool)
    for label in range(len(BINS)):
        members = [i for i, sample in enumerate(samples) if sample.label == label]
        chosen[members[::2]] = True
    return chosen


def figures(split: SplitLogits, temperature: float) -> dict[str, Any]:
    """Accuracy, confusion (rows are true bins), and calibration before and after the temperature."""
    confusion = np.zeros((len(BINS), len(BINS)), np.int64)
    np.add.at(confusion, (split.labels, split.logits.argmax(axis=1)), 1)
    scaled = softmax(split.logits, temperature)
    return {
        "items": len(split.labels),
        "accuracy": round(accuracy(split.logits, split.labels), 4),
        "confusion": confusion.tolist(),
        "mean_confidence": round(float(scaled.max(axis=1).mean()), 4),
        "ece": round(float(expected_calibration_error(scaled, split.labels)), 4),
        "ece_before": round(float(expected_calibration_error(softmax(split.logits), split.labels)), 4),
        "nll": round(float(negative_log_likelihood(scaled, split.labels)), 4),
    }


def shared_temperature(splits: Sequence[SplitLogits]) -> float:
    """The temperature of several splits, each of which counts as much as the others however many photos it has.

    Fitted on the station's photos alone, few as they are, it would be off for the rest; on the web's photos alone it
    would be too sure of the station's.
    """
    return float(
        fit_temperature(
            np.concatenate([split.logits for split in splits]),
            np.concatenate([split.labels for split in splits]),
            np.concatenate([np.full(len(split.labels), 1 / len(split.labels)) for split in splits]),
        )
    )


def careful_temperature(splits: Sequence[SplitLogits], least: float) -> float:
    """At least `least`, and enough that of the photos that get told "sure", SURE_RIGHT are right.

    A network is surest of what it misses on photos unlike its own; the word must hold on the station's, alone.
    """
    logits = np.concatenate([split.logits for split in splits])
    labels = np.concatenate([split.labels for split in splits])
    right = logits.argmax(axis=1) == labels
    for temperature in np.geomspace(least, max(_WARMEST, least), 60).tolist():
        sure = softmax(logits, temperature).max(axis=1) >= Thresholds().sure
        if not sure.any() or right[sure].sum() >= SURE_RIGHT * sure.sum():
            return float(temperature)
    return float(max(_WARMEST, least))


def all_figures(splits: Sequence[SplitLogits], temperature: float) -> Mapping[str, Mapping[str, Any]]:
    """`figures` of every split by name."""
    return {split.name: figures(split, temperature) for split in splits}

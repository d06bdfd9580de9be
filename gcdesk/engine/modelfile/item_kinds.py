"""What kind of thing a photo shows: a second, optional head of an image model, over the same pooled features.

The file beside the weights holds a linear layer and the kinds' names in plain words ("drink can"). It is no part of the
graph, so a model may have any number of kinds, and one without the file just has no opinion.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from gcdesk.config.files import write_atomically
from gcdesk.config.thresholds import MODEL_EXTRA_MAX_BYTES
from gcdesk.engine.errors import ModelFileError
from gcdesk.engine.modelfile.info import ModelInfo
from gcdesk.engine.selection.calibration import softmax

_log = logging.getLogger(__name__)
KINDS_FILE = "kinds.safetensors"
MOST_KINDS = 2000
LONGEST_NAME = 60
_TENSORS = ("weight", "bias")

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Guess:
    """A kind of thing and its probability."""

    name: str
    probability: float


@dataclass(frozen=True)
class ItemKinds:
    """names of k kinds; weight (k, c) and bias (k,) of the layer; temperature divides its logits."""

    names: tuple[str, ...]
    weight: Floats
    bias: Floats
    temperature: float = 1.0

    def probabilities(self, features: np.ndarray) -> Floats:
        """(n, k) of pooled features (n, c)."""
        logits = np.asarray(features, np.float32) @ self.weight.T + self.bias
        return np.asarray(softmax(logits, self.temperature), np.float32)

    def guesses(self, features: np.ndarray, most: int) -> list[tuple[Guess, ...]]:
        """For each of the features (n, c) its likeliest kinds, the likeliest first, at most `most`."""
        found = self.probabilities(features)
        best = np.argsort(-found, axis=1, kind="stable")[:, :most]
        return [
            tuple(Guess(self.names[kind], float(row[kind])) for kind in kinds)
            for row, kinds in zip(found, best.tolist(), strict=True)
        ]


def save_item_kinds(kinds: ItemKinds, folder: Path, weights_sha256: str) -> Path:
    """Put the file into a model folder; it holds for these weights only. Raises ModelFileError for odd names."""
    _check_names(kinds.names, Path(folder).name)
    file = Path(folder) / KINDS_FILE
    stored: dict[str, np.ndarray] = {
        "weight": np.ascontiguousarray(kinds.weight, np.float16),
        "bias": np.ascontiguousarray(kinds.bias, np.float32),
    }
    facts = {
        "weights_sha256": weights_sha256,
        "names": json.dumps(kinds.names),
        "temperature": repr(float(kinds.temperature)),
    }
    write_atomically(file, save(stored, facts))
    return file


def load_item_kinds(folder: Path, info: ModelInfo) -> ItemKinds | None:
    """What a model folder says, None where it has no such file, or one of other weights. Raises ModelFileError."""
    file = Path(folder) / KINDS_FILE
    if not file.is_file():
        return None
    if file.stat().st_size > MODEL_EXTRA_MAX_BYTES:
        raise ModelFileError(f"{folder.name}: {KINDS_FILE} is too large.")
    try:
        with safe_open(file, framework="numpy") as stored:
            facts = stored.metadata() or {}
            weight, bias = (stored.get_tensor(name).astype(np.float32) for name in _TENSORS)
        names = json.loads(facts["names"])
        temperature = float(facts["temperature"])
    except (SafetensorError, OSError, ValueError, KeyError, RecursionError) as error:
        raise ModelFileError(f"{folder.name}: {KINDS_FILE} cannot be read: {error}") from error
    if facts.get("weights_sha256") != info.weights_sha256:
        # It says nothing of these weights; the model is as good without it.
        _log.warning("%s: %s belongs to other weights and is passed over.", folder.name, KINDS_FILE)
        return None
    _check_names(names, folder.name)
    fits = (
        weight.shape == (len(names), info.architecture.features)
        and bias.shape == (len(names),)
        and np.isfinite(weight).all()
        and np.isfinite(bias).all()
        and 0.01 <= temperature <= 100.0
    )
    if not fits:
        raise ModelFileError(f"{folder.name}: {KINDS_FILE} does not fit the model: delete it.")
    return ItemKinds(tuple(names), weight, bias, temperature)


def _check_names(names: object, folder: str) -> None:
    fine = (
        isinstance(names, list | tuple)
        and 1 <= len(names) <= MOST_KINDS
        and all(isinstance(n, str) and 0 < len(n) <= LONGEST_NAME and n.isprintable() for n in names)
        and len(set(names)) == len(names)
    )
    if not fine:
        raise ModelFileError(f"{folder}: {KINDS_FILE} names no kinds, or odd ones: delete it.")

"""Is a photo unlike all that an image model learned? A distance in the space of its own features.

The file beside the weights holds a sample of the training photos' features, projected on their main directions and
brought to length 1. A photo's distance is one less its cosine to the third nearest of them (as in Sun, Ming, Zhu, Li:
Out-of-Distribution Detection with Deep Nearest Neighbors, ICML 2022), in units of the distance that one training photo
in a hundred exceeds. A model without the file has no opinion, and nothing is doubted.
"""

from __future__ import annotations

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

_log = logging.getLogger(__name__)
NOVELTY_FILE = "novelty.safetensors"
FEWEST = 200  # training photos
DIRECTIONS = 32
MEMORY = 1200
NEIGHBOURS = 3
EXAMPLES = 200
_FARTHEST = 0.99
_TENSORS = ("projection", "memory", "limit", "examples")

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Novelty:
    """projection (d, c) of features; memory (m, d), rows of length 1; limit: the distance that counts as 1.

    examples (e, c): features of some training photos as they were, for quick learn to hold on to.
    """

    projection: Floats
    memory: Floats
    limit: float
    examples: Floats

    def distances(self, features: np.ndarray) -> Floats:
        """Of features (n, c): (n,) float32, above 1 for photos that are unlike the training photos."""
        if not len(features):
            return np.zeros(0, dtype=np.float32)
        near = _unit(_unit(features) @ self.projection.T) @ self.memory.T
        third = np.partition(near, -NEIGHBOURS, axis=1)[:, -NEIGHBOURS]
        return np.asarray((1 - third) / self.limit, dtype=np.float32)


def fit_novelty(features: np.ndarray, seed: int = 0) -> Novelty:
    """From the features (n, c) of training photos. Raises ModelFileError for fewer than FEWEST of them."""
    if features.ndim != 2 or len(features) < FEWEST:
        raise ModelFileError(
            f"{len(features)} photos are too few to say what is unusual: {FEWEST} are needed."
        )
    unit = _unit(features)
    _, directions = np.linalg.eigh(np.cov(unit.T.astype(np.float64)))
    projection = directions[:, -min(DIRECTIONS, unit.shape[1]) :].T.astype(np.float32)
    projected = _unit(unit @ projection.T)
    kept = np.random.default_rng(seed).permutation(len(unit))[:MEMORY]
    # As it will be read back.
    memory = projected[kept].astype(np.float16).astype(np.float32)
    near = projected @ memory.T
    near[kept, np.arange(len(kept))] = -2.0  # no photo is its own neighbour
    third = np.partition(near, -NEIGHBOURS, axis=1)[:, -NEIGHBOURS]
    limit = float(np.quantile(1 - third, _FARTHEST))
    examples = np.asarray(features, dtype=np.float16).astype(np.float32)[kept[:EXAMPLES]]
    return Novelty(projection.astype(np.float16).astype(np.float32), memory, max(limit, 1e-6), examples)


def save_novelty(novelty: Novelty, folder: Path, weights_sha256: str) -> Path:
    """Put the file into a model folder; it holds for these weights only."""
    file = Path(folder) / NOVELTY_FILE
    tensors = {
        "projection": novelty.projection,
        "memory": novelty.memory,
        "examples": novelty.examples,
    }
    # Contiguous: the format writes memory as it lies.
    stored = {name: np.ascontiguousarray(value, dtype=np.float16) for name, value in tensors.items()}
    stored["limit"] = np.array([novelty.limit], dtype=np.float32)
    write_atomically(file, save(stored, {"weights_sha256": weights_sha256}))
    return file


def load_novelty(folder: Path, info: ModelInfo) -> Novelty | None:
    """What a model folder says, None where it has no such file, or one of other
    weights. Raises ModelFileError for one that does not fit.
    """
    file = Path(folder) / NOVELTY_FILE
    if not file.is_file():
        return None
    if file.stat().st_size > MODEL_EXTRA_MAX_BYTES:
        raise ModelFileError(f"{folder.name}: {NOVELTY_FILE} is too large.")
    try:
        with safe_open(file, framework="numpy") as stored:
            made_for = (stored.metadata() or {}).get("weights_sha256")
            tensors = {name: stored.get_tensor(name) for name in _TENSORS}
    except (SafetensorError, OSError, ValueError) as error:
        raise ModelFileError(f"{folder.name}: {NOVELTY_FILE} cannot be read: {error}") from error
    if made_for != info.weights_sha256:
        # It says nothing of these weights; the model is as good without it.
        _log.warning("%s: %s belongs to other weights and is passed over.", folder.name, NOVELTY_FILE)
        return None
    projection, memory, limit, examples = (tensors[name].astype(np.float32) for name in _TENSORS)
    fits = (
        projection.ndim == memory.ndim == 2
        and projection.shape[1] == info.architecture.features
        and memory.shape[1] == projection.shape[0]
        and len(memory) >= NEIGHBOURS
        and limit.shape == (1,)
        and examples.shape[1:] == projection.shape[1:]
    )
    if (
        not fits
        or not all(np.isfinite(one).all() for one in (projection, memory, limit, examples))
        or limit[0] <= 0
    ):
        raise ModelFileError(f"{folder.name}: {NOVELTY_FILE} does not fit the model: delete it.")
    return Novelty(projection, memory, float(limit[0]), examples)


def _unit(rows: np.ndarray) -> Floats:
    values = np.asarray(rows, dtype=np.float32)
    return np.asarray(values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-12))

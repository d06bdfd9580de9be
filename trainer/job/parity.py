"""A fixed picture and what the finished model says of it: so the other end can tell that it got the same model."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gcdesk.config.files import write_atomically

PARITY_FILE = "parity.json"
_PICTURES = 2


def parity_pixels(size: int) -> NDArray[np.float32]:
    """Normalised pixels (2, 3, size, size), the same on every computer: plain waves, no random numbers."""
    place = np.arange(_PICTURES * 3 * size * size, dtype=np.float64)
    waves = np.sin(place * 0.013) + np.cos(place * 0.00071)
    return waves.reshape(_PICTURES, 3, size, size).astype(np.float32)


def write_parity(model: Path, file: Path) -> None:
    """Score the pixels with the saved model (torch, float32, CPU) and write the logits."""
    import torch

    from trainer.job.saved_network import saved_network

    _, preprocessing, network = saved_network(model)
    with torch.no_grad():
        logits = network(torch.from_numpy(parity_pixels(preprocessing.size)))[0]
    content = {"v": 1, "size": preprocessing.size, "logits": logits.tolist()}
    write_atomically(file, json.dumps(content) + "\n")


def read_parity(file: Path) -> tuple[int, NDArray[np.float64]]:
    """The picture's side and the logits (2, 4). Raises ValueError for what is no such file."""
    content = json.loads(file.read_text(encoding="utf-8"))
    if not isinstance(content, dict):
        raise ValueError("no object")
    logits = np.array(content.get("logits"), np.float64)
    size = content.get("size")
    if type(size) is not int or not 32 <= size <= 1024 or logits.ndim != 2 or len(logits) != _PICTURES:
        raise ValueError("a size or logits that cannot be")
    return size, logits

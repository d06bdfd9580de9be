"""The one look at the test photos: a finished model's figures on them, added to its file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from gcdesk.engine.modelfile.checkpoint import save_model
from trainer.image.finalize import SplitLogits, figures
from trainer.image.photos.data import list_split, load_photos
from trainer.image.photos.features import plain_views
from trainer.job.saved_network import saved_network

_BATCH = 32


def add_test_figures(model: Path, folder: Path, workers: int) -> None:
    """Measure on the photos of `folder` (torch, CPU) and save the model with the figures as `test`."""
    loaded, preprocessing, network = saved_network(model)
    photos = load_photos(list_split(folder), preprocessing.size, workers)
    views = plain_views(photos, preprocessing)
    parts = []
    with torch.no_grad():
        for start in range(0, len(photos), _BATCH):
            indices = np.arange(start, min(start + _BATCH, len(photos)))
            parts.append(network(views(0, indices))[0].numpy())
    split = SplitLogits("test", np.concatenate(parts), photos.labels)
    metrics = {**loaded.info.metrics, "test": figures(split, loaded.info.temperature)}
    weights = {name: np.array(array) for name, array in loaded.weights.items()}
    save_model(model, replace(loaded.info, metrics=metrics), weights, half=True)

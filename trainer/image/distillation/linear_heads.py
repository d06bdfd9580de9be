"""The last layers anew: strongly regularised softmax regressions on the finished network's features.

On photos unlike the training's these beat what many epochs give: a layer that may grow fits the training's look.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

Floats = NDArray[np.float32]
_ITERATIONS = 200
_LEAST_SPREAD = 1e-2  # features that differ by less tell nothing, and their weights would not fit into fp16


@dataclass(frozen=True)
class Head:
    """logits = features @ weight.T + bias: weight (k, c), bias (k,)."""

    weight: Floats
    bias: Floats

    def logits(self, features: Floats) -> Floats:
        """(n, k) of features (n, c)."""
        return np.asarray(features @ self.weight.T + self.bias, np.float32)


def fit_head(features: Floats, targets: Floats, weights: NDArray[np.float64], strength: float) -> Head:
    """Least cross-entropy to targets (n, k) (rows sum to 1), samples weighted (n,), plus strength / 2 * |weight|^2.

    Features (n, c) are standardised by one common scale first, so that a strength means the same for any network.
    """
    middle = np.average(features, axis=0, weights=weights).astype(np.float32)
    spread = float(np.sqrt(np.average(np.square(features - middle).sum(axis=1), weights=weights)))
    scale = max(spread, _LEAST_SPREAD)
    inputs = torch.from_numpy((features - middle) / scale)
    wanted, share = torch.from_numpy(targets), torch.from_numpy((weights / weights.sum()).astype(np.float32))
    weight = torch.zeros((targets.shape[1], features.shape[1]), requires_grad=True)
    bias = torch.zeros(targets.shape[1], requires_grad=True)
    search = torch.optim.LBFGS(
        [weight, bias],
        max_iter=_ITERATIONS,
        history_size=20,
        line_search_fn="strong_wolfe",
        tolerance_grad=1e-6,
    )

    def loss() -> torch.Tensor:
        search.zero_grad()
        logits = inputs @ weight.T + bias
        total = (
            -(share[:, None] * wanted * logits.log_softmax(1)).sum() + strength / 2 * weight.square().sum()
        )
        total.backward()
        return total

    search.step(loss)
    found = weight.detach().numpy() / scale
    return Head(found.astype(np.float32), (bias.detach().numpy() - found @ middle).astype(np.float32))


def one_hot(labels: NDArray[np.int64], count: int) -> Floats:
    """(n, count) of labels (n,)."""
    return np.eye(count, dtype=np.float32)[labels]


def mixed(heads: list[Head]) -> Head:
    """The head whose logits are the mean of several heads'."""
    return Head(
        np.mean([head.weight for head in heads], axis=0, dtype=np.float32),
        np.mean([head.bias for head in heads], axis=0, dtype=np.float32),
    )

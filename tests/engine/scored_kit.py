"""Scored sets of a known make, for the tests of evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from gcdesk.engine.evaluation.scored_set import ScoredItem, ScoredModel, ScoredSet
from gcdesk.engine.labels import BINS

IMAGE_SHA, TEXT_SHA = "a" * 64, "b" * 64


def scored_set(
    n: int = 200,
    image: float = 0.6,
    text: float = 0.85,
    image_sure: float = 4.0,
    text_sure: float = 2.0,
    seed: int = 0,
    paths: Sequence[Path] = (),
    captions: Sequence[str] = (),
    shared_errors: bool = False,
    wrong_sure: float = 1.0,
) -> ScoredSet:
    """n items; each model is right on about that share. wrong_sure: how sure it is of a wrong answer, of a right one 1.

    shared_errors: the image model is right only where the text model is, as on real photos.
    """
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, len(BINS), n)

    def logits(share: float, sure: float, may: np.ndarray) -> np.ndarray:
        right = (rng.random(n) < share) & may
        other = (labels + rng.integers(1, len(BINS), n)) % len(BINS)
        found = rng.normal(0, 0.3, (n, len(BINS)))
        found[np.arange(n), np.where(right, labels, other)] += np.where(
            right, sure, wrong_sure * sure
        ) + rng.normal(0, 0.4, n)
        return found

    everywhere = np.ones(n, dtype=bool)
    text_logits = logits(text, text_sure, everywhere)
    may = text_logits.argmax(axis=1) == labels if shared_errors else everywhere
    image_logits = logits(image, image_sure, may)
    items = tuple(
        ScoredItem(
            path=str(paths[place % len(paths)]) if paths else f"/photos/{place}.jpg",
            caption=captions[place % len(captions)] if captions else f"thing {place}",
            label=int(labels[place]),
        )
        for place in range(n)
    )
    return ScoredSet(
        "a test", "made up", 1.8e9, items, ScoredModel("eye", IMAGE_SHA, 1.5), ScoredModel("pen", TEXT_SHA, 1.2),
        image_logits, text_logits, everywhere, everywhere,
    )  # fmt: skip


def with_items(scored: ScoredSet, items: Sequence[ScoredItem]) -> ScoredSet:
    """The same scores for other items."""
    return ScoredSet(
        scored.name, scored.data, scored.created, tuple(items), scored.image, scored.text,
        scored.image_logits, scored.text_logits, scored.image_there, scored.text_there,
    )  # fmt: skip

"""What a model's file says of itself, in words for a list: where it comes from, how good it is and on what."""

from __future__ import annotations

from gcdesk.engine.modelfile.info import ModelInfo

# Splits by which an epoch or a temperature was chosen: they flatter.
_CHOSEN_ON = ("val", "station_chosen_on", "course_pairs", "field")


def origin(info: ModelInfo) -> str:
    """Where a model comes from, as its file says."""
    return info.provenance.source or "Its file does not say where it comes from."


def measured(info: ModelInfo) -> str:
    """The share right and on what: `88.4% on cross validation (2,931)`, "" where nothing was measured.

    Of several splits the largest one that nothing was chosen on.
    """
    splits = [
        (split in _CHOSEN_ON, -int(figures.get("items") or 0), split, float(figures["accuracy"]))
        for split, figures in info.metrics.items()
        if isinstance(figures.get("accuracy"), int | float)
    ]
    if not splits:
        return ""
    _chosen, items, split, accuracy = min(splits)
    return f"{accuracy:.1%} on {split.replace('_', ' ')}" + (f" ({-items:,})" if items else "")

"""A model of the library in words: cells of its row and the details below."""

from __future__ import annotations

from gcdesk.engine.library.descriptions import measured, origin
from gcdesk.ui.models.jobs import Listed

_KINDS = {"image": "Image", "text": "Text"}


def cells_of(listed: Listed) -> list[str]:
    """Name, kind, whether it is in use, share right and on what, origin, date, size."""
    model = listed.model
    size = in_megabytes(listed.size)
    if model.info is None:
        return [model.name, "", "", "damaged", "", "", size]
    source = "gcdesk" if model.starter else short_origin(listed)
    used = "in use" if model.in_use else ""
    return [model.name, _KINDS[model.info.kind], used, measured(model.info), source, day_of(listed), size]


def details_of(listed: Listed) -> str:
    """Where it comes from, or what is wrong with it."""
    info = listed.model.info
    if info is None:
        return f"It cannot be used: {listed.model.problem}"
    words = [origin(info)]
    others = [
        f"{figures['accuracy']:.1%} on {split.replace('_', ' ')}"
        for split, figures in info.metrics.items()
        if isinstance(figures.get("accuracy"), int | float)
    ]
    if others:
        words.append(f"Right: {', '.join(others)}.")
    order = info.provenance.details.get("class_order")
    if order:
        words.append(f"Order of its classes in the original file: {', '.join(map(str, order))}.")
    return " ".join(words)


def short_origin(listed: Listed) -> str:
    """`trained here`, `course file`, `cluster`, `imported`."""
    info = listed.model.info
    details = info.provenance.details if info is not None else {}
    if "original_file" in details:
        return "course file"
    if "quick_learn" in details:
        return "quick learn"
    return "trained here" if details.get("held_out") else "imported"


def day_of(listed: Listed) -> str:
    """The day that its file names."""
    info = listed.model.info
    return info.provenance.date[:10] if info is not None else ""


def in_megabytes(size: int) -> str:
    """Bytes as `12 MB`, or as kB below 0.95 MB."""
    return f"{size / 1e6:.0f} MB" if size >= 950_000 else f"{size / 1e3:.0f} kB"

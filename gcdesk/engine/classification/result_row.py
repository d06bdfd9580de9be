"""A result under the names of a table's columns: the same in every export, on this computer or a cluster."""

from __future__ import annotations

from gcdesk.engine.classification.results import Result, Vote
from gcdesk.engine.labels import BINS
from gcdesk.engine.tables.writer import Value, readable, rounded

ANSWER_FIELDS = (
    "path",
    "caption",
    "image_label",
    "image_confidence",
    "text_label",
    "text_confidence",
    "label",
    "confidence",
    "winner",
    "margin",
    "review",
)
REASON_FIELDS = ("reason", "error", *(f"image_{name}" for name in BINS), *(f"text_{name}" for name in BINS))
FIELDS = (*ANSWER_FIELDS, *REASON_FIELDS)


def fields_of(result: Result) -> dict[str, Value]:
    """The result under the names of FIELDS; None where a model did not vote."""
    decided = result.label is not None
    values: dict[str, Value] = {
        "path": readable(str(result.path)) if result.path is not None else None,
        "caption": readable(result.caption),
        "image_label": result.image.label if result.image else None,
        "image_confidence": rounded(result.image.confidence) if result.image else None,
        "text_label": result.text.label if result.text else None,
        "text_confidence": rounded(result.text.confidence) if result.text else None,
        "label": result.label,
        "confidence": rounded(result.confidence) if decided else None,
        "winner": result.winner,
        "margin": rounded(result.margin) if decided else None,
        "review": result.review,
        "reason": result.reason,
        "error": readable(result.error) if result.error is not None else None,
    }
    return values | _probabilities("image", result.image) | _probabilities("text", result.text)


def _probabilities(kind: str, vote: Vote | None) -> dict[str, Value]:
    if vote is None:
        return {f"{kind}_{name}": None for name in BINS}
    return {f"{kind}_{name}": rounded(p) for name, p in zip(BINS, vote.probabilities, strict=True)}

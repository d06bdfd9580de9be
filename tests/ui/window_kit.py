"""What the window's tests share: results to let arrive, and a worker that is silent."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject, Signal

from gcdesk.engine.selection.rules import Winner
from gcdesk.ui.session.rows import Outcome


class QuietWorker(QObject):
    """A worker that says nothing by itself and writes down what it was asked; tests let
    results arrive as signals.
    """

    ready = Signal(object)
    started = Signal(object)
    result = Signal(int, object)
    preview_ready = Signal(int, str)
    heatmap_ready = Signal(int, str)
    words_ready = Signal(int, object, object)
    notice = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[object, ...]] = []

    def __getattr__(self, name: str) -> Callable[..., None]:
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda *args: self.asked.append((name, *args))


def outcome(
    image: Sequence[float] | None = (0.1, 0.1, 0.7, 0.1),
    text: Sequence[float] | None = (0.05, 0.8, 0.1, 0.05),
    review: bool = False,
    reason: str = "",
) -> Outcome:
    """A result as the rule `max_confidence` gives it."""
    votes = [(max(v), w, list(v)) for v, w in ((text, Winner.TEXT), (image, Winner.IMAGE)) if v is not None]
    confidence, winner, best = max(votes, key=lambda vote: vote[0])
    label = best.index(confidence)
    margin = confidence - sorted(best)[-2]
    return Outcome(image, text, label, winner, confidence, margin, review, reason)

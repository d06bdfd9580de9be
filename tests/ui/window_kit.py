"""What the window's tests share: results to let arrive, and a worker that is silent."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, Signal

from gcdesk.config.settings import Settings
from gcdesk.engine.selection.rules import Winner
from gcdesk.ui.session.rows import Outcome


class QuietWorker(QObject):
    """A `WorkerPort` that answers nothing by itself and records each call in `asked`; tests emit its signals."""

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

    def start(self, settings: Settings) -> None:
        self.asked.append(("start", settings))

    def configure(self, settings: Settings) -> None:
        self.asked.append(("configure", settings))

    def classify(self, items: Sequence[tuple[int, str, str]], priority: int) -> None:
        self.asked.append(("classify", items, priority))

    def rescore(self, item: int, caption: str, image: Sequence[float] | None, error: str) -> None:
        self.asked.append(("rescore", item, caption, image, error))

    def prioritise(self, items: Sequence[int], priority: int) -> None:
        self.asked.append(("prioritise", items, priority))

    def cancel(self, items: Sequence[int] | None) -> None:
        self.asked.append(("cancel", items))

    def pause(self) -> None:
        self.asked.append(("pause",))

    def resume(self) -> None:
        self.asked.append(("resume",))

    def preview(self, item: int, path: str, size: int) -> None:
        self.asked.append(("preview", item, path, size))

    def heatmap(self, item: int, path: str, label: int) -> None:
        self.asked.append(("heatmap", item, path, label))

    def words(self, item: int, caption: str, label: int) -> None:
        self.asked.append(("words", item, caption, label))

    def close(self) -> None:
        self.asked.append(("close",))


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

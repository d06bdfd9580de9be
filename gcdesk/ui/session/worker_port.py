"""The worker's client behind `WorkerPort`: rows and label codes in place of protocol messages."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, Signal

from gcdesk.config.settings import Settings
from gcdesk.engine.labels import BINS, NOT_SET
from gcdesk.engine.selection.rules import Winner
from gcdesk.jobs.configuration import configuration_of
from gcdesk.jobs.worker_client import WorkerClient
from gcdesk.ui.session.ports import Ready
from gcdesk.ui.session.rows import Outcome
from gcdesk.worker.protocol import messages
from gcdesk.worker.protocol.messages import Priority

_WINNERS = {None: Winner.NONE, "image": Winner.IMAGE, "text": Winner.TEXT, "both": Winner.BOTH}
_NAN = float("nan")


class ClientPort(QObject):
    """A `WorkerPort` on a `WorkerClient`."""

    ready = Signal(object)
    started = Signal(object)
    result = Signal(int, object)
    preview_ready = Signal(int, str)
    heatmap_ready = Signal(int, str)
    words_ready = Signal(int, object, object)
    notice = Signal(str)
    stopped = Signal(str)
    state_changed = Signal(str)

    def __init__(self, client: WorkerClient, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.client = client
        client.setParent(self)
        client.ready.connect(self._ready)
        client.started.connect(self.started)
        client.result.connect(lambda result: self.result.emit(result.id, outcome_of(result)))
        client.preview_ready.connect(self.preview_ready)
        client.heatmap_ready.connect(self.heatmap_ready)
        client.words_ready.connect(
            lambda item, message: self.words_ready.emit(item, message.words, message.values)
        )
        client.notice.connect(self.notice)
        client.failed.connect(lambda _item, reason: self.notice.emit(reason))
        client.fatal.connect(self.stopped)
        client.state_changed.connect(self.state_changed)
        self.prioritise = client.prioritise
        self.cancel = client.cancel
        self.pause = client.pause
        self.resume = client.resume
        self.preview = client.preview
        self.close = client.close
        self.retry = client.retry

    def _ready(self, message: messages.Ready) -> None:
        self.ready.emit(
            Ready(message.device, message.image_model or "", message.text_model or "", message.notice or "")
        )

    def start(self, settings: Settings) -> None:
        self.client.start(configuration_of(settings))

    def configure(self, settings: Settings) -> None:
        self.client.configure(configuration_of(settings))

    def classify(self, items: Sequence[tuple[int, str, str]], priority: Priority) -> None:
        self.client.classify(items, priority)

    def rescore(self, item: int, caption: str, image: Sequence[float] | None, error: str) -> None:
        self.client.rescore(item, caption, image_probabilities=image, error=error or None)

    def heatmap(self, item: int, path: str, label: int) -> None:
        self.client.heatmap(item, path, BINS[label])

    def words(self, item: int, caption: str, label: int) -> None:
        self.client.words(item, caption, BINS[label])


def outcome_of(result: messages.Result) -> Outcome:
    """A worker's result in the rows' codes."""
    return Outcome(
        image=result.image.probabilities if result.image else None,
        text=result.text.probabilities if result.text else None,
        label=BINS.index(result.label) if result.label else NOT_SET,
        winner=_WINNERS[result.winner],
        confidence=_NAN if result.confidence is None else result.confidence,
        margin=_NAN if result.margin is None else result.margin,
        review=result.review,
        reason=result.reason or "",
        error=result.error or "",
        thumbnail=result.thumbnail or "",
        width=result.width or 0,
        height=result.height or 0,
        seconds=result.seconds or 0.0,
        looks_like=tuple(result.looks_like),
    )

"""The client of the worker process: requests in, answers as signals, restarts after a crash. No call blocks."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Sequence

from PySide6.QtCore import QObject, QTimer, Signal

from gcdesk.engine.text import one_line
from gcdesk.jobs.commands import own_environment, worker_command
from gcdesk.jobs.line_process import LineProcess
from gcdesk.jobs.request_tracker import RequestTracker
from gcdesk.worker.process.sandbox import WRITES_VARIABLE
from gcdesk.worker.protocol.codec import MAX_LINE_BYTES, ProtocolError, parse_event, to_line
from gcdesk.worker.protocol.messages import (
    Configure,
    Event,
    Failed,
    Fatal,
    Heartbeat,
    HeatMap,
    HeatMapReady,
    Notice,
    Pause,
    Preview,
    PreviewReady,
    Priority,
    Ready,
    Request,
    Rescore,
    Result,
    Resume,
    Shutdown,
    Started,
    Words,
    WordsReady,
)

_log = logging.getLogger(__name__)

HEARTBEAT_LIMIT = 20.0
# A photo that a worker with a beating heart is busy with for longer has hung its decoder.
STUCK_LIMIT = 120.0
# Of the time that `close` may take, 2 s, so much is for asking.
_CLOSE_PATIENCE_MS = 1200
# Deaths without any answer in between, and the pause before each start: it is not the photos then.
_RESTART_PAUSES_MS = (0, 0, 500, 1000, 2000, 4000)

STOPPED, STARTING, READY, RESTARTING, FAILED = "stopped", "starting", "ready", "restarting", "failed"


class WorkerClient(QObject):
    """Asks the worker and gives its answers. Use it from the main thread.

    ready: Ready. started: list of ids. result: Result. preview_ready, heatmap_ready: id, file. words_ready: id,
    WordsReady. failed: id, why a preview or a heat-map could not be made. notice: a sentence. fatal: why nothing works
    until `configure` or `retry`. crashed: why the worker is gone, and the end of its standard error.
    state_changed: the new `state`.
    """

    ready = Signal(object)
    started = Signal(object)
    result = Signal(object)
    preview_ready = Signal(int, str)
    heatmap_ready = Signal(int, str)
    words_ready = Signal(int, object)
    failed = Signal(int, str)
    notice = Signal(str)
    fatal = Signal(str)
    crashed = Signal(str)
    state_changed = Signal(str)

    def __init__(
        self,
        parent: QObject | None = None,
        *,
        command: Sequence[str] | None = None,
        heartbeat_limit: float = HEARTBEAT_LIMIT,
        stuck_limit: float = STUCK_LIMIT,
    ) -> None:
        """command: the worker's command line, this gcdesk's own for None. Limits are in seconds."""
        super().__init__(parent)
        self._command = tuple(command) if command is not None else worker_command()
        self._heartbeat_limit = heartbeat_limit
        self._stuck_limit = stuck_limit
        self._tracker = RequestTracker()
        self._configuration: Configure | None = None
        self._process: LineProcess | None = None
        self._state = STOPPED
        self._crashes = 0  # since the last answer
        self._last_line_at = self._checked = 0.0
        self._busy_since: dict[int, float] = {}
        self._watch = QTimer(self, interval=max(50, min(1000, int(heartbeat_limit * 250))))
        self._watch.timeout.connect(self._check)
        self._restart = QTimer(self, singleShot=True)
        self._restart.timeout.connect(self._launch)
        self._pump = QTimer(self, singleShot=True, interval=0)
        self._pump.timeout.connect(self._send_more)

    @property
    def state(self) -> str:
        """stopped, starting, ready, restarting or failed."""
        return self._state

    @property
    def waiting(self) -> int:
        """Photos that were request for and have no answer yet."""
        return len(self._tracker)

    @property
    def worker_pid(self) -> int:
        """The worker's process, 0 where there is none."""
        return self._process.pid if self._process is not None else 0

    # --- life

    def start(self, configuration: Configure) -> None:
        """Start the worker with these models. Photos may be request for before it is up."""
        self.configure(configuration)

    def configure(self, configuration: Configure) -> None:
        """Change models, rule or device. The worker loads what is new and says `ready` again."""
        self._configuration = configuration
        if self._process is None:
            self._restart.stop()
            self._crashes = 0
            self._set_state(STARTING)
            self._launch()
        else:
            if self._state == FAILED:
                self._set_state(STARTING)
            self._write(configuration)

    def retry(self) -> None:
        """Try again after `fatal`."""
        if self._configuration is not None:
            self.configure(self._configuration)

    def close(self) -> None:
        """End the worker, within 2 s whatever it does. Nothing is signalled any more. Safe to call twice."""
        for timer in (self._watch, self._restart, self._pump):
            timer.stop()
        process, self._process = self._process, None
        self._state = STOPPED
        if process is not None:
            process.close(_CLOSE_PATIENCE_MS)
            process.deleteLater()

    # --- requests

    def classify(
        self, items: Iterable[tuple[int, str, str | None]], priority: Priority = Priority.REST
    ) -> None:
        """Classify photos: id, path, caption (None: from the file's name, "": there is none).

        An id that waits or is worked on is request anew: an answer for its old caption never comes.
        """
        self._tell(self._tracker.classify(items, priority))

    def rescore(
        self,
        item: int,
        caption: str,
        image_probabilities: Sequence[float] | None = None,
        image_logits: Sequence[float] | None = None,
        error: str | None = None,
    ) -> None:
        """Score an edited caption beside the image model's answer, without opening the photo."""
        probabilities = tuple(map(float, image_probabilities)) if image_probabilities is not None else None
        logits = tuple(map(float, image_logits)) if image_logits is not None else None
        self._tracker.rescore(Rescore(item, 0, caption, probabilities, logits, error))
        self._tell([])

    def prioritise(self, items: Sequence[int], priority: Priority) -> None:
        """Photos that wait go before the others of this priority, in this order; never back."""
        self._tell(self._tracker.prioritise(items, priority))

    def cancel(self, items: Sequence[int] | None = None) -> None:
        """Forget photos, all for None: no answer comes for them."""
        self._tell(self._tracker.cancel(items))

    def pause(self) -> None:
        """Start no more photos; captions, previews and heat-maps go on."""
        self._tracker.paused = True
        self._tell([Pause()])

    def resume(self) -> None:
        """Go on after `pause`."""
        self._tracker.paused = False
        self._tell([Resume()])

    def preview(self, item: int, path: str, size: int = 1600) -> None:
        """Have a JPEG of the photo made that fits `size` px; the latest wish comes first."""
        self._draw(Preview(item, 0, path, size))

    def heatmap(self, item: int, path: str, label: str) -> None:
        """Have a picture made of where the image model looked for the bin `label`."""
        self._draw(HeatMap(item, 0, path, label))

    def words(self, item: int, caption: str, label: str) -> None:
        """Have it said how much each word of a caption speaks for the bin `label`."""
        self._draw(Words(item, 0, caption, label))

    def _draw(self, request: Preview | HeatMap | Words) -> None:
        for failure in self._tracker.draw(request):
            self.failed.emit(failure.id, failure.reason)
        self._tell([])

    def _tell(self, requests: Sequence[Request]) -> None:
        """Pass on what concerns requests that the worker has, then what can be sent now."""
        if self._state == READY:
            for request in requests:
                self._write(request)
        self._send_soon()

    def _send_soon(self) -> None:
        """At the end of this turn of the event loop: several calls make one message."""
        if self._state == READY and not self._pump.isActive():
            self._pump.start()

    def _send_more(self) -> None:
        if self._state == READY:
            for request in self._tracker.to_send():
                self._write(request)

    def _write(self, request: Request) -> None:
        if self._process is not None:
            self._process.write(to_line(request))

    # --- the process

    def _launch(self) -> None:
        assert self._configuration is not None  # noqa: S101 - launched by `configure` first
        environment = own_environment() | {WRITES_VARIABLE: self._configuration.pictures_folder}
        self._process = process = LineProcess(
            self._command, MAX_LINE_BYTES, to_line(Shutdown()), environment, self
        )
        process.line.connect(self._line)
        process.ended.connect(self._ended)
        self._last_line_at = self._checked = time.monotonic()
        self._busy_since.clear()
        process.start()
        self._write(self._configuration)
        self._watch.start()

    def _set_state(self, state: str) -> None:
        if state != self._state:
            self._state = state
            self.state_changed.emit(state)

    def _line(self, line: bytes) -> None:
        self._last_line_at = time.monotonic()
        try:
            event = parse_event(line)
        except ProtocolError as error:
            _log.error("not understood: %s", error)
            if self._process is not None:
                self._process.kill("it said something that is not understood")
            return
        self._take(event)

    def _take(self, event: Event) -> None:
        match event:
            case Heartbeat():
                self._note_busy(event.busy)
            case Started():
                started = self._tracker.started(event)
                if started:
                    self.started.emit(started)
            case Result() | PreviewReady() | HeatMapReady() | WordsReady() | Failed():
                self._crashes = 0
                if self._tracker.answered(event):
                    self._deliver(event)
                self._send_soon()
            case Ready():
                self._up(event)
            case Notice():
                self.notice.emit(event.text)
            case Fatal():
                self._set_state(FAILED)
                self.fatal.emit(event.text)

    def _deliver(self, answer: Result | PreviewReady | HeatMapReady | WordsReady | Failed) -> None:
        match answer:
            case Result():
                self.result.emit(answer)
            case PreviewReady():
                self.preview_ready.emit(answer.id, answer.file)
            case HeatMapReady():
                self.heatmap_ready.emit(answer.id, answer.file)
            case WordsReady():
                self.words_ready.emit(answer.id, answer)
            case Failed():
                self.failed.emit(answer.id, answer.reason)

    def _up(self, event: Ready) -> None:
        if self._state != READY and self._tracker.paused:
            self._write(Pause())
        self._set_state(READY)
        self.ready.emit(event)
        self._send_soon()

    def _ended(self, reason: str) -> None:
        """The worker is gone although nobody request it to go."""
        process, self._process = self._process, None
        self._watch.stop()
        stderr_tail = process.stderr_tail if process is not None else ""
        if process is not None:
            process.deleteLater()
        _log.warning("the worker ended: %s", reason)
        self.crashed.emit(f"The worker ended: {reason}\n\n{stderr_tail}")
        answers = self._tracker.crashed()
        self._crashes = 0 if answers else self._crashes + 1
        if self._crashes > len(_RESTART_PAUSES_MS):
            self._set_state(FAILED)
            last_line = stderr_tail.splitlines()[-1:] or [reason]
            why = one_line(last_line[0], 300)
            self.fatal.emit(f"Photos cannot be classified, the worker does not start: {why}.")
            return
        self._set_state(RESTARTING)
        self.notice.emit("The worker stopped and is started again. Nothing is lost.")
        self._restart.start(_RESTART_PAUSES_MS[max(0, self._crashes - 1)])
        for answer in answers:
            self._deliver(answer)

    # --- the watch

    def _note_busy(self, busy: Iterable[int]) -> None:
        now = time.monotonic()
        self._busy_since = {item: self._busy_since.get(item, now) for item in busy}

    def _check(self) -> None:
        """End a worker that is silent, or busy with one thing for too long. It is then started again."""
        now = time.monotonic()
        asleep = now - self._checked - self._watch.interval() / 1000
        self._checked = now
        if asleep > 1.0:
            # The computer was suspended, or this thread was held up: silence while nobody listened is none.
            self._last_line_at += asleep
            self._busy_since = {item: since + asleep for item, since in self._busy_since.items()}
        if self._process is None:
            return
        if now - self._last_line_at > self._heartbeat_limit:
            self._process.kill("it did not answer any more")
        elif any(now - since > self._stuck_limit for since in self._busy_since.values()):
            self._process.kill("a photo kept it busy without end")

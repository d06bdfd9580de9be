"""The client of one long task in a process of its own: start, progress, stop. No call blocks."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from PySide6.QtCore import QObject, QTimer, Signal

from gcdesk.jobs.commands import own_environment, task_command
from gcdesk.jobs.line_process import LineProcess
from gcdesk.worker.protocol.codec import MAX_LINE_BYTES, ProtocolError, to_line
from gcdesk.worker.protocol.messages import Fatal
from gcdesk.worker.protocol.task_messages import Done, Figures, Log, Progress, Stop, Task, parse_task_event

_log = logging.getLogger(__name__)

IDLE, RUNNING, STOPPING = "idle", "running", "stopping"
# A task that was asked to stop has so long to come to a good end (a step, its last answer written) before its
# process is ended. A training scores its held-out captions and writes its model in that time: it gives its own.
PATIENCE_SECONDS = 3.0
_CLOSE_PATIENCE_MS = 1200


class TaskClient(QObject):
    """Runs one task at a time in a process of its own. Use it from the main thread.

    progress: Progress. figures: Figures. log: a sentence. done: Done (`stopped` where it was asked to stop and came to
    a good end). failed: why it could not be done. cancelled: it was ended without a result, as was asked. Exactly one
    of done, failed and cancelled ends a task, when its process is gone and another may start; none does after `close`.
    """

    progress = Signal(object)
    figures = Signal(object)
    log = Signal(str)
    done = Signal(object)
    failed = Signal(str)
    cancelled = Signal()
    state_changed = Signal(str)

    def __init__(
        self,
        parent: QObject | None = None,
        *,
        patience_seconds: float = PATIENCE_SECONDS,
        command: Sequence[str] | None = None,
    ) -> None:
        """command: the task's command line, this gcdesk's own for None."""
        super().__init__(parent)
        self._command = tuple(command) if command is not None else task_command()
        self._process: LineProcess | None = None
        self._state = IDLE
        self._end: Done | Fatal | None = None
        self._patience = QTimer(self, singleShot=True, interval=round(patience_seconds * 1000))
        self._patience.timeout.connect(self._end_process)

    @property
    def state(self) -> str:
        """idle, running or stopping."""
        return self._state

    @property
    def pid(self) -> int:
        """The task's process, 0 where there is none."""
        return self._process.pid if self._process is not None else 0

    def start(self, task: Task) -> None:
        """Start a task. Raises RuntimeError while another one runs: one client is one place."""
        if self._process is not None:
            raise RuntimeError("a task is running already")
        self._end = None
        self._process = process = LineProcess(
            self._command, MAX_LINE_BYTES, environment=own_environment(), parent=self
        )
        process.line.connect(self._line)
        process.ended.connect(self._ended)
        self._set_state(RUNNING)
        process.start()
        process.write(to_line(task))

    def cancel(self) -> None:
        """Ask it to stop and keep what there is; out of patience, or asked again, end it."""
        if self._process is None:
            return
        if self._state == STOPPING:
            self._end_process()
            return
        self._set_state(STOPPING)
        self._process.write(to_line(Stop()))
        self._patience.start()

    def close(self) -> None:
        """End its process at once, within 2 s whatever it does. Nothing is signalled any more."""
        self._patience.stop()
        process, self._process = self._process, None
        self._state = IDLE
        if process is not None:
            process.close(_CLOSE_PATIENCE_MS)
            process.deleteLater()

    def _end_process(self) -> None:
        self._patience.stop()
        if self._process is not None:
            self._process.stop()

    def _set_state(self, state: str) -> None:
        if state != self._state:
            self._state = state
            self.state_changed.emit(state)

    def _line(self, line: bytes) -> None:
        try:
            event = parse_task_event(line)
        except ProtocolError as error:
            _log.error("not understood: %s", error)
            if self._process is not None:
                self._process.kill("it said something that is not understood")
            return
        match event:
            case Progress():
                self.progress.emit(event)
            case Figures():
                self.figures.emit(event)
            case Log():
                self.log.emit(event.text)
            case Done() | Fatal():
                self._end = event
                self._end_process()

    def _ended(self, reason: str) -> None:
        process, self._process = self._process, None
        self._patience.stop()
        stderr_tail = process.stderr_tail if process is not None else ""
        if process is not None:
            process.deleteLater()
        was_stopping = self._state == STOPPING
        self._set_state(IDLE)
        match self._end:
            case Done():
                self.done.emit(self._end)
            case Fatal():
                self.failed.emit(self._end.text)
            case None if was_stopping:
                self.cancelled.emit()
            case None:
                last_line = stderr_tail.splitlines()[-1:] or [reason]
                self.failed.emit(f"It ended before it was done: {last_line[0]}.")

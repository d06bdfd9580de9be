"""`gcdesk worker task`: one long job as a process of its own, at low priority, seen by jobs.task_client.TaskClient.

A task is a module with `run(arguments, reporter) -> Done`, found by its name in TASKS and imported only when it is
asked for. It says how far it is by `reporter`, looks at `reporter.stopping` (or calls `reporter.check()`) between
steps, and raises a GcdeskError with a sentence for the user where it cannot go on.
"""

from __future__ import annotations

import importlib
import logging
import math
import sys
import threading
import time
from collections.abc import Mapping

from gcdesk.worker.process import lifecycle
from gcdesk.worker.process.outbox import Outbox
from gcdesk.worker.protocol.codec import MAX_LINE_BYTES, ProtocolError
from gcdesk.worker.protocol.messages import Fatal
from gcdesk.worker.protocol.task_messages import Done, Figures, Log, Progress, Stop, Task, parse_task_request

# By name: the module whose `run` it is.
TASKS: dict[str, str] = {
    "train-text": "gcdesk.worker.tasks.train_text",
    "pace-text": "gcdesk.worker.tasks.measure_pace",
    "compare-models": "gcdesk.worker.tasks.compare_models",
    "import-model": "gcdesk.worker.tasks.import_model",
    "verify-model": "gcdesk.worker.tasks.verify_model",
    "write-corrections": "gcdesk.worker.tasks.write_corrections",
    "take-result": "gcdesk.worker.tasks.take_result",
    "evaluate": "gcdesk.worker.tasks.evaluate",
    "fit": "gcdesk.worker.tasks.fit",
    "learn": "gcdesk.worker.tasks.learn",
    "report": "gcdesk.worker.tasks.report",
}
_PROGRESS_SECONDS = 0.1
_BY_NICE = 10


class TaskStopped(Exception):
    """The app asked for the end, and there is nothing to keep."""


class ProgressReporter:
    """How a task speaks. Any thread of the task may use it."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._stop = threading.Event()
        self._told = 0.0

    @property
    def stopping(self) -> bool:
        """Whether the app has asked to stop at the next good moment."""
        return self._stop.is_set()

    def check(self) -> None:
        """Raise TaskStopped where the app has asked to stop: for tasks that keep nothing."""
        if self.stopping:
            raise TaskStopped

    def ask_to_stop(self) -> None:
        """Note that the app wants the end; `stopping` is true from now on."""
        self._stop.set()

    def progress(self, done: int, total: int, words: str = "", eta: float | None = None) -> None:
        """How far it is; told ten times a second at most, the last step always."""
        now = time.monotonic()
        if done < total and now - self._told < _PROGRESS_SECONDS:
            return
        self._told = now
        self._outbox.send(Progress(done, total, words, eta))

    def figures(self, step: float, values: Mapping[str, float]) -> None:
        """Points of curves; what is no number is left out."""
        finite = {name: float(value) for name, value in values.items() if math.isfinite(value)}
        self._outbox.send(Figures(float(step), finite))

    def log(self, text: str) -> None:
        """Say a line that the sheet shows."""
        self._outbox.send(Log(text))


def main() -> int:
    """Carry out the one task that standard input names. Returns only by ending the process."""
    pipes = lifecycle.take_pipes()
    lifecycle.die_with_parent()
    lifecycle.low_priority(_BY_NICE)
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(name)s: %(message)s")
    outbox = Outbox(pipes.events)
    reporter = ProgressReporter(outbox)
    started = False
    while line := pipes.requests.readline(MAX_LINE_BYTES + 1):
        try:
            request = parse_task_request(line)
        except ProtocolError as error:
            outbox.send(Fatal(f"The parts of gcdesk do not understand each other: {error}"))
            lifecycle.exit_immediately(70)
        if isinstance(request, Stop):
            reporter.ask_to_stop()
        elif not started:
            started = True
            threading.Thread(target=_work, args=(request, outbox, reporter), name="task", daemon=True).start()
    lifecycle.exit_immediately()


def _work(task: Task, outbox: Outbox, reporter: ProgressReporter) -> None:
    """Run it, say how it ended, end the process."""
    code = 0
    try:
        outbox.send(carry_out(task, reporter))
    except (Exception, SystemExit) as error:
        code, words = _said_of(task, error)
        outbox.send(Fatal(words))
    lifecycle.exit_immediately(code)


def carry_out(task: Task, reporter: ProgressReporter) -> Done:
    """Import the task's module and run it; an end that was asked for is an end as well."""
    module = TASKS.get(task.name)
    if module is None:
        raise ProtocolError(f"There is no task called {task.name!r}.")
    try:
        done: Done = importlib.import_module(module).run(task.arguments, reporter)
    except TaskStopped:
        return Done(stopped=True)
    return done


def _said_of(task: Task, error: BaseException) -> tuple[int, str]:
    """The exit code and the sentence for what ended a task."""
    from gcdesk.engine.errors import GcdeskError

    if isinstance(error, GcdeskError | ProtocolError):
        return 2, str(error)
    logging.getLogger(__name__).critical("the task %s failed", task.name, exc_info=error)
    if isinstance(error, MemoryError):
        return 70, "There is not enough memory for this."
    if isinstance(error, OSError) and error.strerror:
        place = f"{error.filename}: " if error.filename else ""
        return 70, f"{place}{error.strerror}."
    return 70, f"Something went wrong ({type(error).__name__}: {error})."

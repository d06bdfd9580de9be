"""Background work of the evaluation sheet: tasks in a process, reading and figures on a thread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from gcdesk.config.settings import Settings
from gcdesk.engine.errors import SelectionError
from gcdesk.engine.evaluation.analysis import Analysis, analyse
from gcdesk.engine.evaluation.evaluation_comparison import EvaluationPair, pair_up
from gcdesk.engine.evaluation.scored_set import ScoredSet, read_scored
from gcdesk.engine.selection.fitted_rule import FittedRule, load_fitted
from gcdesk.engine.selection.rules import Rule
from gcdesk.jobs.task_client import IDLE, TaskClient
from gcdesk.ui.threads.file_tasks import FileTasks
from gcdesk.worker.protocol.task_messages import Done, Task
from gcdesk.worker.tasks.kept_evaluations import StoredEvaluation, delete_evaluation, kept_evaluations


@dataclass(frozen=True)
class Shown:
    """An analysis and the fitted selection that it knows of."""

    analysis: Analysis
    fitted: FittedRule | None


class EvaluationJobs(QObject):
    """progress: Progress. running: what runs, "" for nothing. finished: the task's name and Done. failed: a sentence.
    stopped: it was cancelled.
    """

    progress = Signal(object)
    running = Signal(str)
    finished = Signal(str, object)
    failed = Signal(str)
    stopped = Signal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.client = TaskClient(self)
        self._name = ""
        self.learned = ""  # the kind of model that learns or learned last
        self._file_tasks = FileTasks(self)
        self._file_tasks.failed.connect(self.failed)
        self.client.progress.connect(self.progress)
        self.client.done.connect(self._done)
        self.client.failed.connect(self._failed)
        self.client.cancelled.connect(self._cancelled)

    @property
    def busy(self) -> bool:
        """Whether a task runs."""
        return self.client.state != IDLE

    def start(self, name: str, arguments: tuple[str, ...], words: str) -> bool:
        """Start a task; False while another one runs."""
        if self.busy:
            return False
        self._name = name
        self.learned = arguments[0] if name == "learn" else ""
        self.client.start(Task(name, arguments))
        self.running.emit(words)
        return True

    def cancel(self) -> None:
        """Ask the running task to stop."""
        self.client.cancel()

    def _done(self, done: Done) -> None:
        self.running.emit("")
        if done.stopped:
            self.stopped.emit()
        else:
            self.finished.emit(self._name, done)

    def _failed(self, reason: str) -> None:
        self.running.emit("")
        self.failed.emit(reason)

    def _cancelled(self) -> None:
        self.running.emit("")
        self.stopped.emit()

    # --- on the thread

    def list_kept(self, done: Callable[[list[StoredEvaluation]], None]) -> None:
        """The evaluations that are kept, the latest first."""
        self._file_tasks.run(kept_evaluations, done)

    def read(self, file: Path, settings: Settings, done: Callable[[Shown], None]) -> None:
        """A kept evaluation's figures under these settings."""
        self._file_tasks.run(lambda: shown_of(read_scored(file), settings), done)

    def read_pair(
        self, first: Path, second: Path, settings: Settings, done: Callable[[EvaluationPair], None]
    ) -> None:
        """Two kept evaluations side by side, under these settings."""

        def work() -> EvaluationPair:
            item, other = (shown_of(read_scored(file), settings).analysis for file in (first, second))
            return pair_up(item, other)

        self._file_tasks.run(work, done)

    def forget(self, kept: StoredEvaluation, done: Callable[[None], None]) -> None:
        """Delete a stored evaluation on a thread, then call `done`."""
        self._file_tasks.run(lambda: delete_evaluation(kept), done)

    def close(self) -> None:
        """End what runs."""
        self.client.close()
        self._file_tasks.close()


def shown_of(scored: ScoredSet, settings: Settings) -> Shown:
    """The figures of a set under the rule, weight and thresholds of the settings."""
    fitted = None
    if scored.image is not None and scored.text is not None:
        try:
            fitted = load_fitted(scored.image.sha256, scored.text.sha256)
        except SelectionError:
            fitted = None  # a damaged file: the worker says so when it is to be used
    rule = Rule(settings.rule) if settings.rule else None
    return Shown(analyse(scored, rule, settings.thresholds, settings.text_weight, fitted), fitted)


def model_arguments(settings: Settings) -> tuple[str, ...]:
    """The task's options that name models, device and threads as in the settings."""
    found: list[str] = ["--device", settings.device]
    for option, value in (
        ("--image-model", settings.image_model),
        ("--text-model", settings.text_model),
        ("--threads", settings.threads),
    ):
        if value is not None:
            found += [option, str(value)]
    return tuple(found)

"""The training of the text model that runs now or ran last: start, stop, resume, compare, use.

It belongs to the window, not to its sheet, and goes on while the sheet is closed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from gcdesk.jobs.task_client import IDLE, STOPPING, TaskClient
from gcdesk.jobs.task_queue import QueuedTask
from gcdesk.ui.host import Host
from gcdesk.ui.threads.file_tasks import FileTasks
from gcdesk.worker.protocol.task_messages import Done, Figures, Progress, Task

if TYPE_CHECKING:
    from gcdesk.engine.evaluation.model_comparison import Comparison
    from gcdesk.ui.models.jobs import ModelJobs
    from trainer.text.preview import Prepared
    from trainer.text.runs import Point, Run

# Asked to stop, a training scores what it has on a few hundred captions and writes its model: 5 s on a laptop, more
# beside a station that classifies. Asked again, it ends at once; the last whole epoch is on the disk all the same.
STOP_PATIENCE_SECONDS = 90.0


@dataclass(frozen=True)
class Plan:
    """What is to be trained. base: the starting model's name for the trainer. settings: the trainer's, as text."""

    prepared: Prepared
    name: str
    base: str
    settings: Mapping[str, str]
    sources: tuple[str, ...]


class Training(QObject):
    """`changed`: look at it again. `ended`: a run came to its end, in a sentence.

    stage: "" (nothing yet), preparing, running, stopping, comparing, finished (there is a model), or failed (why is in
    `problem`; the run can be resumed where `run.begun`).
    """

    changed = Signal()
    ended = Signal(str)

    def __init__(self, host: Host, jobs: ModelJobs) -> None:
        super().__init__(host.widget)
        self._host, self._jobs = host, jobs
        self._file_tasks = FileTasks(self)
        self._file_tasks.failed.connect(self._errand_failed)
        self._client = TaskClient(self, patience_seconds=STOP_PATIENCE_SECONDS)
        self._client.progress.connect(self._progressed)
        self._client.figures.connect(self._drawn)
        self._client.log.connect(self._logged)
        self._client.done.connect(self._done)
        self._client.failed.connect(self._failed)
        self._client.cancelled.connect(lambda: self._failed("It was ended at once."))
        self._client.state_changed.connect(self._state_changed)
        self.stage = ""
        self.run: Run | None = None
        self.progress: Progress | None = None
        self.points: list[Point] = []
        self.lines: list[str] = []
        self.problem = ""
        self.stopped = False
        self.comparison: Comparison | None = None
        self.why_not_compared = ""

    @property
    def busy(self) -> bool:
        """Whether a process trains now, or is about to."""
        return self.stage in ("preparing", "running", "stopping")

    @property
    def pid(self) -> int:
        """The training's process, 0 for none."""
        return self._client.pid

    @property
    def best(self) -> tuple[float, float] | None:
        """(epoch, share right) of the best epoch so far."""
        scored = [
            (point.values["accuracy"], point.step) for point in self.points if "accuracy" in point.values
        ]
        if not scored:
            return None
        share, epoch = max(scored, key=lambda item: (item[0], -item[1]))
        return epoch, share

    # --- beginning

    def begin(self, plan: Plan) -> None:
        """Make the run's folder and start. Whatever is in the way comes as `failed`."""
        if self.busy:
            return

        def work() -> Run:
            from trainer.text.runs import begin_run, check_space

            check_space(plan.base)
            return begin_run(plan.prepared, plan.name, plan.base, plan.settings, plan.sources)

        self._reset("preparing", None)
        self._file_tasks.run(work, lambda run: self._start(run, run.arguments()))

    def resume(self, run: Run, finish: bool = False) -> None:
        """Go on after the last whole epoch; finish: make a model of its best epoch instead."""
        if self.busy:
            return
        self._reset("preparing", run)

        def work() -> list[Point]:
            from trainer.text.runs import check_space

            check_space(run.record.base)
            return run.points()

        def done(points: list[Point]) -> None:
            self.points = points
            self._start(run, run.arguments(finish=finish))

        self._file_tasks.run(work, done)

    def _reset(self, stage: str, run: Run | None) -> None:
        self.run, self.progress, self.points, self.lines = run, None, [], []
        self.problem, self.stopped, self.comparison, self.why_not_compared = "", False, None, ""
        self._set(stage)

    def _start(self, run: Run, arguments: tuple[str, ...]) -> None:
        self.run = run
        self._set("running")
        self._client.start(Task("train-text", arguments))

    def _set(self, stage: str) -> None:
        self.stage = stage
        self.changed.emit()

    # --- while it runs

    def cancel(self) -> None:
        """Stop at the next step and keep the best so far; asked again, end it at once."""
        self._client.cancel()

    def _state_changed(self, state: str) -> None:
        if state == STOPPING and self.stage == "running":
            self._set("stopping")

    def _progressed(self, progress: Progress) -> None:
        self.progress = progress
        self.changed.emit()

    def _drawn(self, figures: Figures) -> None:
        from trainer.text.runs import Point

        while self.points and self.points[-1].step > figures.step:
            self.points.pop()
        self.points.append(Point(figures.step, figures.values))
        self.changed.emit()

    def _logged(self, text: str) -> None:
        self.lines.append(text)
        self.changed.emit()

    # --- the end

    def _failed(self, words: str) -> None:
        if self._client.state != IDLE:
            return
        self.problem = words or "It was ended."
        self._set("failed")
        self.ended.emit(f"The training of the text model has stopped: {self.problem}")

    def _errand_failed(self, words: str) -> None:
        """A model that is there but cannot be compared is there all the same."""
        if self.stage == "comparing":
            self._not_compared(words)
        else:
            self._failed(words)

    def _done(self, done: Done) -> None:
        self.stopped = done.stopped
        if not done.result or self.run is None:
            self._failed("Nothing was learnt yet, so there is nothing to keep.")
            return
        self._compare(self.run)

    def show_result(self, run: Run) -> None:
        """Show a finished run again, its comparison made anew: another model may be in use now."""
        if self.busy:
            return
        self._reset("preparing", run)

        def done(points: list[Point]) -> None:
            self.points = points
            self._compare(run)

        self._file_tasks.run(run.points, done)

    def _compare(self, run: Run) -> None:
        """The new model beside the one in use, on the captions that neither was trained on here."""
        self._set("comparing")
        held_out = run.split("test")
        if held_out is None:
            self.why_not_compared = "No caption was held out, so the new model cannot be compared."
            self._finish()
            return
        words = f"captions held out of {', '.join(run.record.sources)}"
        arguments = ("--data", str(held_out), "--out", str(run.comparison), "--words", words)

        def compare(folder: Path) -> None:
            self._jobs.queue.run(
                QueuedTask(
                    Task("compare-models", (str(folder), str(run.model), *arguments)),
                    lambda _done: self._read_comparison(run.comparison),
                    self._not_compared,
                )
            )

        chosen = self._host.controller.settings.text_model
        self._file_tasks.run(lambda: _text_model(chosen), compare)

    def _read_comparison(self, path: Path) -> None:
        def work() -> Comparison:
            from gcdesk.engine.evaluation.model_comparison import load_comparison

            return load_comparison(path)

        def done(found: Comparison) -> None:
            self.comparison = found
            self._finish()

        self._file_tasks.run(work, done)

    def _not_compared(self, words: str) -> None:
        self.why_not_compared = words or "The comparison was stopped."
        self._finish()

    def _finish(self) -> None:
        self._set("finished")
        verdict = self.comparison.verdict if self.comparison else self.why_not_compared
        self.ended.emit(f"The text model is trained. {verdict}")

    def use(self, done: Callable[[str], None]) -> None:
        """Install the model and classify with it from now on; `done` gets why that failed, or ""."""
        if self.run is not None and self.run.finished:
            self._jobs.install(
                self.run.model, self.run.record.name, use=True, done=lambda _name, why: done(why)
            )

    def close(self) -> None:
        """End the process. What the last whole epoch learnt is on the disk."""
        self._client.close()
        self._file_tasks.close()


def _text_model(chosen: str | None) -> Path:
    from gcdesk.engine.library.library import Library

    return Library().resolve("text", chosen or "starter-text")

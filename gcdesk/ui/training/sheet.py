"""The sheet of a training: plan, progress, result. The training itself outlives it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QStackedWidget, QWidget

from gcdesk.ui.host import Host
from gcdesk.ui.theme.theme import Theme
from gcdesk.ui.training.plan_page import PlanPage
from gcdesk.ui.training.run_pages import EndedPage, RunningPage
from gcdesk.ui.training.sources_card import Chosen
from gcdesk.ui.training.training import Training
from gcdesk.ui.widgets.dialogs import Sheet

if TYPE_CHECKING:
    from gcdesk.ui.models.jobs import ModelJobs
    from trainer.text.runs import Run

_RUNNING = ("preparing", "running", "stopping", "comparing")


class TrainingSheet(Sheet):
    """Shows the page that fits the training's stage."""

    def __init__(self, host: Host, training: Training, jobs: ModelJobs) -> None:
        super().__init__(
            host.widget,
            host.theme,
            "Train the text model – gcdesk",  # noqa: RUF001 - a dash
            "Train the text model",
        )
        self._host, self.training = host, training
        self.setMinimumSize(560, 420)
        self.resize_within(760, 780)
        self.plan = PlanPage(host, self, jobs)
        self.running = RunningPage(self.theme)
        self.ended = EndedPage(self.theme)
        self.pages = QStackedWidget()
        for page in (self.plan, self.running, self.ended):
            self.pages.addWidget(page)
        self.body.addWidget(self.pages, 1)
        self.again = self.add_button("Plan another", self.plan_another)
        self.buttons.addStretch(1)
        self.close_button = self.add_button("Close", self.close)
        self.stop = self.add_button("Stop and keep the best", training.cancel)
        self.resume = self.add_button("Resume", self._resume)
        self.use = self.add_button("Use this model", self._use, main=True)
        self.start = self.add_button("Start training", self._start, main=True)
        self.plan.ready_changed.connect(self.start.setEnabled)
        self.plan.resume_wanted.connect(self._resume_run)
        self.plan.show_wanted.connect(training.show_result)
        training.changed.connect(self._follow)
        self._planning = not training.stage or training.stage == "failed"
        self._stage: str | None = None
        self.start.setEnabled(False)
        self._follow()

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        if hasattr(self, "pages"):  # Sheet sets its theme before there are pages
            for page in (self.plan, self.running, self.ended):
                page.set_theme(theme)

    def add_source(self, path: Path) -> None:
        """One source more for the plan."""
        self.plan.sources.add_path(path)

    def add_corrections(self) -> None:
        """The corrected photos of all sessions as a source."""
        self.plan.sources.add_source(Chosen("Corrected photos of all sessions", None, ()))

    def plan_another(self) -> None:
        """Back to the plan."""
        self._planning = True
        self.plan.refresh_runs()
        self._follow()

    # --- what is pressed

    def _start(self) -> None:
        plan = self.plan.plan()
        if plan is not None and not self.training.busy:
            self.plan.stop_measuring()
            self._planning = False
            self.training.begin(plan)

    def _resume_run(self, run: Run, finish: bool) -> None:
        self.plan.stop_measuring()
        self._planning = False
        self.training.resume(run, finish)

    def _resume(self) -> None:
        if self.training.run is not None:
            self._resume_run(self.training.run, False)

    def _use(self) -> None:
        self.use.setEnabled(False)
        self.use.setText("Installing…")

        def done(why: str) -> None:
            self.use.setText(self._use_words if why else "In use")
            self.use.setEnabled(bool(why))
            if why:
                self.ended.problem.setText(why)
                self.ended.problem.show()

        self.training.use(self.while_open(done))

    @property
    def _use_words(self) -> str:
        """A model that is surely worse may be used, but not by habit."""
        found = self.training.comparison
        worse = found is not None and found.significant and found.gain < 0
        return "Use it all the same" if worse else "Use this model"

    # --- what is shown

    def _follow(self) -> None:
        training = self.training
        if training.stage in _RUNNING:
            self._planning = False
        page: QWidget
        if self._planning or not training.stage:
            page = self.plan
        elif training.stage in _RUNNING:
            page = self.running
            self.running.show_training(training)
        else:
            page = self.ended
            if self.pages.currentWidget() is not page or self._stage != training.stage:
                self.ended.show_training(training)
                self.use.setText(self._use_words)
                self.use.setEnabled(True)
        if self.pages.currentWidget() is not page or self._stage != training.stage:
            self._stage = training.stage
            self.pages.setCurrentWidget(page)
            self._show_buttons()

    def _show_buttons(self) -> None:
        training, page = self.training, self.pages.currentWidget()
        ended = page is self.ended
        self.start.setVisible(page is self.plan)
        self.stop.setVisible(page is self.running and training.stage in ("running", "stopping"))
        self.stop.setText("End it now" if training.stage == "stopping" else "Stop and keep the best")
        self.again.setVisible(ended)
        self.use.setVisible(ended and training.stage == "finished")
        can_resume = training.run is not None and not training.run.finished
        self.resume.setVisible(ended and training.stage == "failed" and can_resume)
        name = training.run.record.name if training.run is not None else ""
        words = "Train the text model"
        if page is self.running:
            words = f"Training “{name}”" if name else "Training"
        self.heading.setText(f"“{name}”" if ended else words)
        if ended and training.stage == "failed":
            self.heading.setText("The training has stopped")
        elif ended and training.comparison is not None:
            self.heading.setText(f"“{name}” beside the model in use")

    def closeEvent(self, event: QCloseEvent) -> None:
        self.plan.close_down()
        super().closeEvent(event)

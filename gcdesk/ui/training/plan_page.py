"""The page that plans a training: unfinished runs, sources of captions, settings, expected time."""

from __future__ import annotations

import datetime
import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QScrollArea, QVBoxLayout, QWidget

from gcdesk.config.folders import user_folders
from gcdesk.jobs.task_queue import QueuedTask, TaskQueue
from gcdesk.store import store_path
from gcdesk.ui.host import Host
from gcdesk.ui.session.wording import day_and_time, duration
from gcdesk.ui.theme.theme import Theme
from gcdesk.ui.threads.file_tasks import FileTasks
from gcdesk.ui.training.settings_card import SettingsCard
from gcdesk.ui.training.sources_card import Chosen, SourcesCard, gather, parts_of
from gcdesk.ui.training.training import Plan
from gcdesk.ui.widgets.dialogs import Answer, Question, Sheet
from gcdesk.ui.widgets.form_card import Card
from gcdesk.ui.widgets.plain_text import PlainLabel, tip
from gcdesk.worker.protocol.task_messages import Figures, Task

if TYPE_CHECKING:
    from gcdesk.ui.models.jobs import ModelJobs
    from trainer.text.preview import Prepared
    from trainer.text.runs import Run

_RUNS_SHOWN = 4
_NO_TORCH = (
    "This installation has no training: it needs the package torch (pip install 'gcdesk[train]'). You can look at"
    " captions and import models that were trained elsewhere."
)
_SETTLE_MS = 400  # a spin box that is held down changes many times
_MEASURE_MS = 1500


def can_train() -> bool:
    """Whether the library that trains is there; it is not imported."""
    return importlib.util.find_spec("torch") is not None


class PlanPage(QWidget):
    """`ready_changed`: whether a training can be started. `resume_wanted(run, finish)`, `show_wanted(run)`."""

    ready_changed = Signal(bool)
    resume_wanted = Signal(object, bool)
    show_wanted = Signal(object)

    def __init__(self, host: Host, sheet: Sheet, jobs: ModelJobs) -> None:
        super().__init__()
        self._host, self._sheet, self._jobs = host, sheet, jobs
        self._file_tasks = FileTasks(self)
        self._file_tasks.failed.connect(self._cannot_read)
        self._pace, self._writing = TaskQueue(self), TaskQueue(self)
        self._speeds: dict[tuple[str, ...], tuple[float, float]] = {}
        self._measuring: tuple[str, ...] | None = None
        self._asked = 0
        self.prepared: Prepared | None = None
        self._settle = QTimer(self, singleShot=True, interval=_SETTLE_MS)
        self._settle.timeout.connect(self._read)
        self._measure_soon = QTimer(self, singleShot=True, interval=_MEASURE_MS)
        self._measure_soon.timeout.connect(self._measure)
        self.runs = Card("Earlier trainings", sheet)
        self._run_lines = QVBoxLayout()
        self._run_lines.setSpacing(6)
        self.runs.add_line(self._run_lines)
        self.runs.hide()
        self.sources = SourcesCard(sheet, self._file_tasks, host.controller.ledger.sessions)
        name = f"text {datetime.date.today():%Y-%m-%d}"
        self.settings = SettingsCard(sheet, name)
        self._assemble()
        self.sources.changed.connect(self._sources_changed)
        self.settings.changed.connect(self._settings_changed)
        jobs.listed(sheet.while_open(self.settings.show_models))
        self.settings.look_online()
        self.refresh_runs()

    def _assemble(self) -> None:
        page = QWidget()
        page.setObjectName("page")
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 12, 0)
        column.setSpacing(12)
        if not can_train():
            column.addWidget(PlainLabel(_NO_TORCH, wordWrap=True))
        for card in (self.runs, self.sources, self.settings):
            column.addWidget(card)
        column.addStretch(1)
        area = QScrollArea()
        area.setWidget(page)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(area)

    def set_theme(self, theme: Theme) -> None:
        for card in (self.runs, self.sources, self.settings):
            card.set_theme(theme)

    @property
    def ready(self) -> bool:
        """Whether what is chosen can be trained on, and is up to date."""
        if not can_train():
            return False
        present = self.prepared is not None and not self.prepared.problem and not self._settle.isActive()
        return bool(present and self.settings.name.text().strip())

    def plan(self) -> Plan | None:
        """What would be trained now."""
        if not self.ready or self.prepared is None:
            return None
        words = tuple(item.words + (f" ({item.city})" if item.city else "") for item in self.sources.chosen)
        name = self.settings.name.text().strip()
        return Plan(self.prepared, name, self.settings.base_id(), self.settings.settings(), words)

    # --- captions

    def _sources_changed(self) -> None:
        self.prepared = None
        self.sources.show_prepared(None)
        self._settle.start()
        self._tell()

    def _read(self) -> None:
        """Corrections are written as tables first, by a task: their photos are looked at."""
        chosen = self.sources.chosen
        if not chosen:
            self.sources.show_prepared(None)
            self._tell()
            return
        self._asked += 1
        request, folder, parts = self._asked, user_folders().cache / "training", parts_of(chosen)
        if not parts:
            self._gather(request, chosen, folder)
            return
        task = Task("write-corrections", (str(store_path()), str(folder), *parts))
        task_entry = QueuedTask(task, lambda _done: self._gather(request, chosen, folder), self._cannot_read)
        # Asking for the sessions writes what waits, so that the task sees it.
        self._host.controller.ledger.sessions(
            self._sheet.while_open(lambda _found: self._writing.run(task_entry))
        )

    def _gather(self, request: int, chosen: tuple[Chosen, ...], folder: Path) -> None:
        def done(prepared: Prepared) -> None:
            if request == self._asked and not self._settle.isActive():
                self.prepared = prepared
                self.sources.show_prepared(prepared)
                self._tell()
                self._measure_soon.start()

        self._file_tasks.run(lambda: gather(chosen, folder), self._sheet.while_open(done))

    def _cannot_read(self, words: str) -> None:
        self.sources.news.setText(words)
        self.sources.news.show()

    def _settings_changed(self) -> None:
        self._tell()
        if self.prepared is not None:
            self._measure_soon.start()

    def _tell(self) -> None:
        self.ready_changed.emit(self.ready)
        self._show_estimate()

    # --- time

    def _measure(self) -> None:
        """Some real steps, in a process at low priority, once for each base and size of a step."""
        key, prepared = self.settings.pace_key(), self.prepared
        if (
            not can_train()
            or prepared is None
            or prepared.problem
            or key in self._speeds
            or self._measuring == key
        ):
            self._show_estimate()
            return
        self._pace.cancel()
        self._measuring = key
        folder = user_folders().cache / "training"
        settings, base = self.settings.settings(), self.settings.base_id()

        def write() -> tuple[str, ...]:
            from trainer.text.preview import write_captions

            folder.mkdir(parents=True, exist_ok=True)
            table = write_captions(folder / "pace.csv", prepared.train)
            words = [w for name, value in settings.items() for w in ("--set", f"{name}={value}")]
            return ("--train", str(table), "--base", base, "--precision", "auto", *words)

        def measured(figures: Figures) -> None:
            values = figures.values
            self._speeds[key] = values["captions_per_second"], values["start_seconds"]

        def after(_end: object) -> None:
            if self._measuring == key:
                self._measuring = None
            self._show_estimate()

        def start(arguments: tuple[str, ...]) -> None:
            self._pace.run(QueuedTask(Task("pace-text", arguments), after, after, figures=measured))

        self._file_tasks.run(write, self._sheet.while_open(start))
        self._show_estimate()

    def seconds_needed(self) -> float | None:
        """How long all epochs would take on this computer, None while that is not known."""
        speed = self._speeds.get(self.settings.pace_key())
        if speed is None or self.prepared is None or not speed[0]:
            return None
        return speed[1] + len(self.prepared.train) * self.settings.epochs.value() / speed[0]

    def _show_estimate(self) -> None:
        seconds = self.seconds_needed()
        if seconds is not None:
            words = f"About {duration(seconds)} on this computer, less where it stops early."
        elif self._measuring is not None:
            words = "Measuring how fast this computer trains…"
        else:
            words = ""
        self.settings.estimate.setText(words)
        self.settings.estimate.setVisible(bool(words))

    # --- earlier trainings

    def refresh_runs(self) -> None:
        """Look again at what is on the disk."""

        def work() -> list[tuple[Run, bool, bool]]:
            from trainer.text.runs import find_runs

            return [(run, run.finished, run.begun) for run in find_runs()[:_RUNS_SHOWN]]

        self._file_tasks.run(work, self._sheet.while_open(self._show_runs))

    def _show_runs(self, found: list[tuple[Run, bool, bool]]) -> None:
        while (item := self._run_lines.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.deleteLater()
        for run, finished, begun in found:
            self._run_lines.addWidget(self._run_line(run, finished, begun))
        self.runs.setVisible(bool(found))

    def _run_line(self, run: Run, finished: bool, begun: bool) -> QWidget:
        line = QWidget()
        row = QHBoxLayout(line)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        state = "finished" if finished else "cut short" if begun else "cut short at the beginning"
        words = PlainLabel(f"{run.record.name} · {day_and_time(run.record.created)} · {state}")
        words.setToolTip(tip(", ".join(run.record.sources)))
        row.addWidget(words, 1)
        entries: list[tuple[str, Callable[[], object]]] = []
        if finished:
            entries.append(("Show", lambda: self.show_wanted.emit(run)))
        else:
            entries.append(("Resume", lambda: self.resume_wanted.emit(run, False)))
            if begun:
                entries.append(("Keep its best", lambda: self.resume_wanted.emit(run, True)))
        entries.append(("Delete…", lambda: self._ask_delete(run)))
        for text, slot in entries:
            button = QPushButton(text, autoDefault=False)
            button.setAccessibleName(f"{text} {run.record.name}")
            button.clicked.connect(lambda _on, slot=slot: slot())
            row.addWidget(button)
        return line

    def _ask_delete(self, run: Run) -> None:
        def delete() -> None:
            from trainer.text.runs import remove_run

            self._file_tasks.run(lambda: remove_run(run), lambda _none: self.refresh_runs())

        Question(
            self._sheet,
            self._sheet.theme,
            f"Delete the training “{run.record.name}”?",
            "Its captions, curves and checkpoint go. A model that was installed from it stays.",
            [Answer("Delete", delete)],
            refuse="Keep",
        ).open()

    def stop_measuring(self) -> None:
        """The training itself wants the computer now."""
        self._measure_soon.stop()
        self._measuring = None
        self._pace.cancel()

    def close_down(self) -> None:
        """Drop what waits on the page's thread."""
        for timer in (self._settle, self._measure_soon):
            timer.stop()
        self._pace.close()
        self._writing.close()
        self._file_tasks.close()

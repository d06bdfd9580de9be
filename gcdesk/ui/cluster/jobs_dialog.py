"""The dialog of cluster jobs: what was exported, its state in the queue, its result."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QTimer, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog, QTableWidgetItem

from gcdesk.cluster.job_registry import DONE, EXPORTED, JobRecord, delete_record, job_records
from gcdesk.cluster.results.import_record import Arrival, read_arrival
from gcdesk.ui.cluster.result_pane import ResultPane
from gcdesk.ui.cluster.slurm_queue import SlurmQueue
from gcdesk.ui.host import Host
from gcdesk.ui.session.wording import day_and_time
from gcdesk.ui.theme.theme import Theme
from gcdesk.ui.threads.file_tasks import FileTasks
from gcdesk.ui.widgets.dialogs import Sheet, note
from gcdesk.ui.widgets.tables import list_table

_HEADS = ("Run", "Cluster", "State", "When")
_STATES = {EXPORTED: "exported", DONE: "came back", "failed": "failed", "stopped": "stopped"}
_ASK_MS = 5000  # between two looks at squeue, while the page is open
_Found = tuple[list[JobRecord], dict[Path, Arrival]]


class JobsDialog(Sheet):
    """Sends `import_wanted(file)`, `use_wanted(model)` and `export_wanted()`."""

    import_wanted = Signal(str)
    use_wanted = Signal(str)
    export_wanted = Signal()

    def __init__(self, host: Host) -> None:
        super().__init__(host.widget, host.theme, "Cluster jobs – gcdesk", "Cluster jobs")  # noqa: RUF001 - a dash
        self._file_tasks = FileTasks(self)
        self._file_tasks.failed.connect(self._say)
        self._queue = SlurmQueue(self)
        self._queue.answered.connect(self._show_states)
        self._jobs: list[JobRecord] = []
        self._states: dict[str, str] = {}
        self._arrivals: dict[Path, Arrival] = {}
        self.table = list_table(_HEADS, "Cluster jobs", self.theme.px(34))
        self.table.itemSelectionChanged.connect(self._chosen_changed)
        self.body.addWidget(self.table, 1)
        self.pane = ResultPane(self.theme)
        self.body.addWidget(self.pane, 1)
        self.news = note()
        self.body.addWidget(self.news)
        self.add_button("New job…", self.export_wanted.emit)
        self.add_button("Import a result…", self._choose)
        self.folder = self.add_button("Open folder", self._open_folder)
        self.remove = self.add_button("Take off the list", self._forget)
        self.buttons.addStretch(1)
        self.use = self.add_button("Use this model", self._use)
        self.add_button("Close", self.close, main=True)
        self.setMinimumHeight(420)  # its width is what the row of buttons needs
        self.resize_within(820, 640)
        self._timer = QTimer(self, interval=_ASK_MS)
        self._timer.timeout.connect(self.refresh)
        self._timer.start()
        self._chosen_changed()
        self.refresh()

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        if hasattr(self, "pane"):
            self.pane.set_theme(theme)

    def done(self, result: int) -> None:
        self._timer.stop()
        self._queue.close()
        self._file_tasks.close()
        super().done(result)

    def _say(self, words: str) -> None:
        self.news.setText(words)

    # --- contents

    def refresh(self, run: str = "") -> None:
        """Read the jobs again, off the window's thread, and choose `run` where one is named; then ask Slurm."""

        def fill(found: _Found) -> None:
            self._fill(found, run)
            self._queue.ask([job.run for job in self._jobs if job.state != DONE])

        self._file_tasks.run(_look, self.while_open(fill))

    def _show_states(self, states: dict[str, str]) -> None:
        self._states = states
        for row, job in enumerate(self._jobs):
            cell = self.table.item(row, 2)
            if cell is not None:
                cell.setText(self._state_of(job))

    def _state_of(self, job: JobRecord) -> str:
        return self._states.get(job.run) or _STATES.get(job.state, job.state)

    def _fill(self, found: _Found, run: str) -> None:
        jobs, self._arrivals = found
        chosen = self.chosen()
        keep = run or (chosen.run if chosen is not None else "")
        self._jobs = jobs
        self.table.blockSignals(True)
        self.table.setRowCount(len(jobs))
        for row, job in enumerate(jobs):
            when = day_and_time(max(job.exported, job.imported))
            words = (job.run, job.site or "from elsewhere", self._state_of(job), when)
            for column, text in enumerate(words):
                self.table.setItem(row, column, QTableWidgetItem(text))
        self.table.blockSignals(False)
        if jobs:
            self.table.selectRow(next((i for i, job in enumerate(jobs) if job.run == keep), 0))
        self._chosen_changed()

    def chosen(self) -> JobRecord | None:
        """The job of the current row, None for none."""
        row = self.table.currentRow()
        return self._jobs[row] if 0 <= row < len(self._jobs) else None

    def _chosen_changed(self) -> None:
        job = self.chosen()
        self.pane.show_job(job, self._arrivals.get(job.folder) if job is not None else None)
        self.folder.setEnabled(job is not None)
        self.remove.setEnabled(job is not None)
        self.use.setEnabled(job is not None and bool(job.installed))

    # --- what the supervisor does

    def _choose(self) -> None:
        chosen, _kind = QFileDialog.getOpenFileName(
            self, "Import a result", "", "Results (*.tar.gz *.tgz);;All files (*)"
        )
        if chosen:
            self.import_wanted.emit(chosen)

    def _open_folder(self) -> None:
        job = self.chosen()
        if job is not None:
            present = job.bundle and (job.state == EXPORTED or not job.model)  # a folder's rows are a session
            folder = Path(job.bundle).parent if present else job.folder
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))

    def _use(self) -> None:
        job = self.chosen()
        if job is not None and job.installed:
            self.use_wanted.emit(job.installed)

    def _forget(self) -> None:
        job = self.chosen()
        if job is not None:
            run, rows = job.run, not job.model
            self._file_tasks.run(
                lambda: delete_record(run, rows), self.while_open(lambda _none: self.refresh())
            )


def _look() -> _Found:
    """Runs on the thread."""
    jobs = job_records()
    arrivals = {job.folder: arrival for job in jobs if (arrival := read_arrival(job.folder)) is not None}
    return jobs, arrivals

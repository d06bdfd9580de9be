"""Cluster jobs of the window: opens wizard and jobs dialog, writes bundles, imports results."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QObject, QUrl, Signal
from PySide6.QtGui import QDesktopServices

from gcdesk.cluster.classify_bundle import ClassifyJob, write_classify_bundle
from gcdesk.cluster.job import Job
from gcdesk.cluster.job_registry import record_export
from gcdesk.cluster.training_bundle import write_bundle
from gcdesk.jobs.task_client import TaskClient
from gcdesk.ui.cluster.jobs_dialog import JobsDialog
from gcdesk.ui.cluster.wizard import ClusterWizard
from gcdesk.ui.host import Host
from gcdesk.ui.settings.preferences import Preferences
from gcdesk.ui.threads.file_tasks import FileTasks
from gcdesk.ui.widgets.dialogs import OneAtATime
from gcdesk.worker.protocol.task_messages import Done, Task

_TELL_SECONDS = 0.5


class ClusterJobs(QObject):
    """The feature's state. A result is checked in a task of its own, because scoring it needs a model runtime."""

    told = Signal(int, int)

    def __init__(self, host: Host, dialogs: OneAtATime, preferences: Preferences) -> None:
        super().__init__(host.widget)
        self._host, self._dialogs, self._preferences = host, dialogs, preferences
        self._file_tasks = FileTasks(self)
        self._file_tasks.failed.connect(host.say)
        self._stop: threading.Event | None = None
        self._waiting: list[str] = []
        self._client = TaskClient(self)
        self._client.done.connect(self._arrived)
        self._client.failed.connect(self._refused)
        self._client.cancelled.connect(self._next)
        self.told.connect(self._tell)

    def close(self) -> None:
        """A bundle that is being written is given up; nothing is left of it."""
        if self._stop is not None:
            self._stop.set()
        self._client.close()
        self._file_tasks.close()

    # --- away

    def show_wizard(self, classify: bool = False) -> None:
        """The wizard, for a training or for a large folder."""

        def make() -> ClusterWizard:
            wizard = ClusterWizard(self._host)
            wizard.wanted.connect(self.export)
            return wizard

        wizard = self._dialogs.show("talc wizard", make)
        if classify and isinstance(wizard, ClusterWizard) and wizard.page_index == 0:
            wizard.photos.purpose.setCurrentIndex(1)

    def export(self, job: Job | ClassifyJob, target: Path) -> None:
        """Write the bundle on a thread, and say where it is."""
        if self._stop is not None:
            self._host.say("A bundle is being written already.")
            return
        stop = self._stop = threading.Event()
        last = time.monotonic()

        def tell(done: int, total: int) -> None:
            nonlocal last
            if time.monotonic() - last >= _TELL_SECONDS:
                last = time.monotonic()
                self.told.emit(done, total)

        def work() -> Path:
            if isinstance(job, ClassifyJob):
                written = write_classify_bundle(job, target, tell, stop)
                record_export(job.config.run, "", job.site.name, written)
            else:
                written = write_bundle(job, target, tell, stop)
                record_export(job.run, job.model, job.site.name, written)
            return written

        def written(file: Path) -> None:
            self._host.say(
                f"{file.name} is written. Its README.md says what to copy and to type.",
                "Open folder",
                lambda: _open(file.parent),
            )
            self.refresh(job.config.run)

        def after() -> None:
            self._stop = None

        self._host.say(f"Writing {target.name}…", "Stop", stop.set)
        self._file_tasks.run(work, written, after)

    def _tell(self, done: int, total: int) -> None:
        if self._stop is not None:
            self._host.say(f"Writing the bundle: {done:,} of {total:,} files", "Stop", self._stop.set)

    # --- home

    def take_results(self, paths: Sequence[str]) -> None:
        """Import result archives, one after the other."""
        self._waiting += paths
        self._next()

    def _next(self) -> None:
        if self._waiting and not self._client.pid:
            path = self._waiting.pop(0)
            self._host.say(f"Checking {Path(path).name}…")
            self._client.start(Task("take-result", (path,)))

    def _arrived(self, done: Done) -> None:
        if done.result:
            self._host.say(done.summary)
            self.show_jobs(done.result)
        else:  # classified rows: a session of their own
            self._host.say(done.summary, "Sessions…", self._host.action("sessions").trigger)
            self.refresh()
        self._next()

    def _refused(self, words: str) -> None:
        self._host.say(words)
        self._next()

    # --- the page

    def show_jobs(self, run: str | None = None) -> None:
        """The page, with `run` chosen."""

        def make() -> JobsDialog:
            dialog = JobsDialog(self._host)
            dialog.import_wanted.connect(lambda path: self.take_results([path]))
            dialog.use_wanted.connect(self.use)
            dialog.export_wanted.connect(lambda: self.show_wizard())
            return dialog

        dialog = self._dialogs.show("talc jobs", make)
        if run and isinstance(dialog, JobsDialog):
            dialog.refresh(run)

    def refresh(self, run: str = "") -> None:
        """The page, where it is open, with `run` chosen where one is named."""
        for dialog in self._dialogs.open_now():
            if isinstance(dialog, JobsDialog):
                dialog.refresh(run)

    def use(self, model: str) -> None:
        """Classify with this model from now on."""
        self._preferences.change(image_model=model)
        self._host.say(f"{model} is the image model in use.")


def _open(folder: Path) -> None:
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))

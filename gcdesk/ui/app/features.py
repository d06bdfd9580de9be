"""Connects the features to the main window: each action of the menus gets its slot here."""

from __future__ import annotations

import time
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QStandardPaths, QTimer, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog

from gcdesk.config.build import why_no_torch
from gcdesk.config.folders import user_folders
from gcdesk.ui.app.log_file import LogKeeper
from gcdesk.ui.intake.intake import Intake
from gcdesk.ui.session.duplicates import DuplicateFinder
from gcdesk.ui.session.own_files import OwnFiles
from gcdesk.ui.settings.preferences import Preferences
from gcdesk.ui.station.controller import Station
from gcdesk.ui.threads.file_tasks import FileTasks
from gcdesk.ui.widgets.dialogs import OneAtATime, Sheet
from gcdesk.ui.window.main_window import MainWindow

if TYPE_CHECKING:
    from gcdesk.ui.app.models_entry import Models
    from gcdesk.ui.cluster.controller import ClusterJobs
    from gcdesk.ui.evaluation.jobs import EvaluationJobs
    from gcdesk.ui.export.exports import Exports
    from gcdesk.ui.intake.watched_folder import WatchedFolder
    from trainer.text.runs import Run


_NEWS_MS = 2000
_CUT_SHORT_DAYS = 14  # later it is in the list of the training page only


class Features(QObject):
    """The features of one window. Dialogs and what serves them are imported and made when first used."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self.window = window
        self.log = LogKeeper(self)
        self.log.went_wrong.connect(self._tell_error)
        self.dialogs = OneAtATime(self)
        self.own_files = OwnFiles()
        self.file_tasks = FileTasks(self)
        self.file_tasks.failed.connect(window.say)
        self.preferences = Preferences(window)
        self.intake = Intake(window)
        self.station = Station(window)
        self.duplicates = DuplicateFinder(window.controller, self)
        window.provide("paste", self.intake.paste)
        window.provide("new_session", lambda: window.controller.new_session(""))
        window.provide("sessions", self.show_sessions)
        window.provide("export_csv", lambda: self.exports.export_csv())
        window.provide("export_json", lambda: self.exports.export_json())
        window.provide("copy_to_bins", lambda: self.exports.copy_to_bins())
        window.provide("move_to_bins", lambda: self.exports.move_to_bins())
        window.provide("take_back_sorting", lambda: self.exports.ask_take_back())
        window.provide("save_training_set", lambda: self.exports.save_training_set())
        window.provide("talc_export", lambda: self.cluster_jobs.show_wizard())
        window.provide("talc_classify", lambda: self.cluster_jobs.show_wizard(classify=True))
        window.provide("talc_jobs", lambda: self.cluster_jobs.show_jobs())
        self.intake.results_dropped.connect(lambda paths: self.cluster_jobs.take_results(paths))
        window.provide("settings", self.show_settings)
        window.provide("models", lambda: self.models.show())
        window.provide("import_model", lambda: self.models.choose_files())
        window.provide("train_text", lambda: self.models.show_training())
        if why := why_no_torch("Training"):
            window.actions_.withhold("train_text", why)
        self.intake.models_dropped.connect(lambda paths: self.models.import_files(paths))
        window.provide("evaluation", self.show_evaluation)
        window.provide("help", self.show_help)
        window.provide("about", self.show_about)
        window.provide("diagnostics", self.save_diagnostics)
        window.provide("watch", self._watch_toggled)
        self.preferences.changed.connect(self._follow_look)
        self._start_over = QTimer(self, singleShot=True, interval=_NEWS_MS)
        self._start_over.timeout.connect(self._look_for_cut_short)
        window.closing.connect(self.close)

    # Made when they are first wanted: the start of the app is spared them.

    @cached_property
    def exports(self) -> Exports:
        from gcdesk.ui.export.exports import Exports

        return Exports(self.window, self.dialogs, self.own_files)

    @cached_property
    def cluster_jobs(self) -> ClusterJobs:
        from gcdesk.ui.cluster.controller import ClusterJobs

        return ClusterJobs(self.window, self.dialogs, self.preferences)

    @cached_property
    def watch(self) -> WatchedFolder:
        from gcdesk.ui.intake.watched_folder import WatchedFolder

        watch = WatchedFolder(self.window, self.own_files)
        watch.stopped.connect(lambda: self.window.actions_["watch"].setChecked(False))
        return watch

    @cached_property
    def models(self) -> Models:
        from gcdesk.ui.app.models_entry import Models

        return Models(self.window, self.preferences, self.dialogs)

    def show_sessions(self) -> None:
        from gcdesk.ui.window.sessions_dialog import SessionsDialog

        self.dialogs.show("sessions", lambda: SessionsDialog(self.window))

    def show_settings(self) -> None:
        from gcdesk.ui.settings.dialog import SettingsDialog

        self.dialogs.show("settings", lambda: SettingsDialog(self.window, self.preferences))

    @cached_property
    def evaluation_jobs(self) -> EvaluationJobs:
        from gcdesk.ui.evaluation.jobs import EvaluationJobs

        return EvaluationJobs(self)

    def show_evaluation(self) -> None:
        from gcdesk.ui.evaluation.sheet import EvaluationSheet

        self.dialogs.show(
            "evaluation", lambda: EvaluationSheet(self.window, self.preferences, self.evaluation_jobs)
        )

    # --- help

    def show_help(self) -> None:
        from gcdesk.ui.help.dialogs import HelpDialog

        self.dialogs.show("help", lambda: HelpDialog(self.window, self.window.actions_))

    def show_about(self) -> None:
        from gcdesk.ui.help.dialogs import AboutDialog

        self.dialogs.show("about", lambda: AboutDialog(self.window, self.file_tasks))

    def save_diagnostics(self) -> None:
        """Ask where to, then write the zip."""
        name = f"gcdesk diagnostics {time.strftime('%Y-%m-%d')}.zip"
        start = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
        chosen, _kind = QFileDialog.getSaveFileName(
            self.window, "Save diagnostics", str(Path(start) / name), "Zip (*.zip)"
        )
        if chosen:
            self.write_diagnostics(Path(chosen).with_suffix(".zip"))

    def write_diagnostics(self, target: Path) -> None:
        """Write the diagnostics zip on a thread and report it in the status strip."""
        from gcdesk.ui.app.diagnostics import save_diagnostics, session_facts

        window, settings = self.window, self.window.controller.settings
        facts = session_facts(window.controller.rows, window.strip.device.text(), window.strip.models.text())
        window.say("Collecting diagnostics…")
        self.file_tasks.run(
            lambda: save_diagnostics(target, settings, facts),
            lambda _names: window.say(
                f"Saved in {target.name}: log, settings and doctor’s report. Nothing was sent.",  # noqa: RUF001
                "Open folder",
                lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(str(target.parent))),
            ),
        )

    def _tell_error(self, words: str) -> None:
        self.window.say(
            f"Something went wrong ({words}). Your work is kept.", "Save diagnostics…", self.save_diagnostics
        )

    # --- a training that was cut short

    def tell_cut_short(self) -> None:
        """Say in the strip, once the start is over, that a training can be resumed. Other news is not pushed aside."""
        if not why_no_torch("Training"):
            self._start_over.start()

    def _look_for_cut_short(self) -> None:
        window, folder = self.window, user_folders().data / "training"

        def work() -> Run | None:
            if not folder.is_dir():
                return None  # spares nearly every start the import
            from trainer.text.runs import cut_short

            return cut_short(time.time() - _CUT_SHORT_DAYS * 86_400)

        def done(run: Run | None) -> None:
            from gcdesk.ui.session.wording import day_and_time

            if run is not None:
                when = day_and_time(run.record.created)
                tell(
                    f"The training of “{run.record.name}” ({when}) was cut short. It can go on where it was."
                )

        def tell(words: str) -> None:
            if self.models.training.stage:
                return
            if window.strip.notice.isVisible():
                self._start_over.start(_NEWS_MS)
                return
            window.say(words, "Show", self.models.show_training)

        self.file_tasks.run(work, done)

    # --- watching

    def _watch_toggled(self, on: bool) -> None:
        if not on:
            self.watch.stop()
        elif not self.watch.on:
            self.show_watch()

    def show_watch(self) -> None:
        """Open the dialog that starts watching a folder."""
        from gcdesk.ui.intake.watch_dialog import WatchDialog

        def make() -> WatchDialog:
            dialog = WatchDialog(self.window, self.window.controller.settings, self.file_tasks)
            dialog.chosen.connect(self.start_watching)
            dialog.finished.connect(self._settle_watch)
            return dialog

        self.dialogs.show("watch", make)

    def start_watching(self, folder: str, only_new: bool, quiet_minutes: int) -> None:
        """WatchedFolder a folder from now on, and remember how."""
        self.preferences.change(watch_folder=folder, only_new_photos=only_new, quiet_minutes=quiet_minutes)
        self.watch.start(Path(folder), only_new, quiet_minutes)
        self._settle_watch()

    def _settle_watch(self, _result: int = 0) -> None:
        self.window.actions_["watch"].setChecked(self.watch.on)

    # --- the look

    def _follow_look(self, names: set[str]) -> None:
        if names & {"theme", "text_scale"}:
            for dialog in self.dialogs.open_now():
                if isinstance(dialog, Sheet):
                    dialog.set_theme(self.window.theme)

    def close(self) -> None:
        """Let nothing run on behind a closed window."""
        self._start_over.stop()
        self.dialogs.close_all()
        for name in ("watch", "exports", "cluster_jobs", "models", "evaluation_jobs"):
            if name in self.__dict__:
                getattr(self, name).close()
        self.duplicates.close()
        self.intake.close()
        self.preferences.close()
        self.file_tasks.close()
        self.log.close()


def install(window: MainWindow) -> Features:
    """Give the window its ways in and out, its dialogs and its help."""
    return Features(window)

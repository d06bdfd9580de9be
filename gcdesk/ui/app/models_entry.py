"""The models feature: library sheet, import, and training of the text model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QStandardPaths
from PySide6.QtWidgets import QFileDialog

from gcdesk.ui.host import Host
from gcdesk.ui.models.jobs import ModelJobs
from gcdesk.ui.training.training import Training
from gcdesk.ui.widgets.dialogs import Answer, OneAtATime, Question

if TYPE_CHECKING:
    from gcdesk.ui.models.import_sheet import ImportSheet
    from gcdesk.ui.models.library_sheet import ModelsSheet
    from gcdesk.ui.settings.preferences import Preferences
    from gcdesk.ui.training.sheet import TrainingSheet

_FILES = "Models (*.gcmodel.zip *.zip *.pth *.pt);;All files (*)"


class Models(QObject):
    """Opens the sheets about models and owns the running training, which outlives its sheet."""

    def __init__(self, host: Host, preferences: Preferences, dialogs: OneAtATime) -> None:
        super().__init__(host.widget)
        self._host, self._dialogs = host, dialogs
        self.jobs = ModelJobs(host, preferences)
        self.training = Training(host, self.jobs)
        self.training.ended.connect(self._training_ended)
        self._others_may_close = host.may_close
        host.may_close = self._may_close

    # --- the sheets

    def show(self) -> ModelsSheet:
        """Open the library sheet."""
        from gcdesk.ui.models.library_sheet import ModelsSheet

        sheet = self._dialogs.show(
            "models", lambda: ModelsSheet(self._host, self.jobs, self.choose_files, self.show_training)
        )
        assert isinstance(sheet, ModelsSheet)  # noqa: S101 - one name, one sheet
        return sheet

    def show_training(self) -> TrainingSheet:
        """Open the training sheet."""
        from gcdesk.ui.training.sheet import TrainingSheet

        sheet = self._dialogs.show("training", lambda: TrainingSheet(self._host, self.training, self.jobs))
        assert isinstance(sheet, TrainingSheet)  # noqa: S101 - one name, one sheet
        return sheet

    def choose_files(self) -> None:
        """Ask for the files of models, then show what they are."""
        start = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DownloadLocation)
        paths, _kind = QFileDialog.getOpenFileNames(self._host.widget, "Import models", start, _FILES)
        if paths:
            self.import_files([Path(path) for path in paths])

    def import_files(self, paths: Sequence[Path]) -> ImportSheet:
        """Show what these files hold, and import them when that is confirmed."""
        from gcdesk.ui.models.import_sheet import ImportSheet

        sheet = self._dialogs.show("import", lambda: ImportSheet(self._host, self.jobs))
        assert isinstance(sheet, ImportSheet)  # noqa: S101 - one name, one sheet
        sheet.add_files(paths)
        return sheet

    # --- the training's end, and the window's

    def _training_ended(self, words: str) -> None:
        self._host.say(words, "Show", self.show_training)

    def _may_close(self) -> bool:
        """A training that runs is not ended without a question."""
        if not self.training.busy:
            return self._others_may_close()
        self._dialogs.show(
            "close",
            lambda: Question(
                self._host.widget,
                self._host.theme,
                "The text model is being trained. Close all the same?",
                "What it learnt in finished epochs is kept; it can be resumed from there in “Train the text model”.",
                [Answer("Close", self._host.close_unasked)],
                refuse="Go on training",
            ),
        )
        return False

    def close(self) -> None:
        """End what runs."""
        self.training.close()
        self.jobs.close()

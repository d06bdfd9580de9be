"""The dialog that starts watching a folder."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QSpinBox

from gcdesk.config.settings import Settings
from gcdesk.ui.host import Host
from gcdesk.ui.threads.file_tasks import FileTasks
from gcdesk.ui.widgets.dialogs import Sheet, note, roomy
from gcdesk.ui.widgets.folder_field import FolderField
from gcdesk.ui.widgets.plain_text import PlainLabel


class WatchDialog(Sheet):
    """Sends `chosen(folder, only_new, quiet_minutes)` for a folder that is there."""

    chosen = Signal(str, bool, int)

    def __init__(self, host: Host, settings: Settings, file_tasks: FileTasks) -> None:
        super().__init__(host.widget, host.theme, "Watch a folder – gcdesk", "Watch a folder")  # noqa: RUF001
        self._file_tasks = file_tasks
        self.setWindowModality(Qt.WindowModality.WindowModal)
        self.setMinimumWidth(self.theme.px(520))
        self.folder = FolderField(
            "Folder to watch", "The folder that the camera writes to", settings.watch_folder or ""
        )
        self.body.addWidget(self.folder)
        self.body.addWidget(
            note("Its photos go into a session of its own, a new one each day. Subfolders are watched too.")
        )
        self.body.addSpacing(6)
        self.only_new = QCheckBox("Only new photos")
        self.only_new.setToolTip("Photos that are in the folder already are left alone")
        self.only_new.setChecked(settings.only_new_photos)
        self.body.addWidget(self.only_new)
        self.body.addLayout(self._quiet_line(settings.quiet_minutes))
        self.news = note()
        self.body.addWidget(self.news)
        self.buttons.addStretch(1)
        self.add_button("Cancel", self.close)
        self.add_button("Watch", self._accept, main=True)
        self.folder.setFocus()

    def _quiet_line(self, minutes: int) -> QHBoxLayout:
        line = QHBoxLayout()
        line.setSpacing(8)
        self.quiet = QSpinBox()
        self.quiet.setRange(0, 1440)
        self.quiet.setValue(minutes)
        self.quiet.setSpecialValueText("never")
        self.quiet.setSuffix(" min")
        roomy(self.quiet)
        self.quiet.setMinimumWidth(self.theme.px(104))
        words = PlainLabel("Say so when no photo came for")
        words.setBuddy(self.quiet)
        self.quiet.setAccessibleName(words.text())
        line.addWidget(words)
        line.addWidget(self.quiet)
        line.addStretch(1)
        return line

    def _accept(self) -> None:
        folder = self.folder.folder()
        if folder is None:
            self.news.setText("Choose a folder first.")
            return

        def done(present: bool) -> None:
            if not present:
                self.news.setText(f"There is no folder {folder}.")
                return
            self.chosen.emit(str(folder), self.only_new.isChecked(), self.quiet.value())
            self.close()

        self._file_tasks.run(folder.is_dir, self.while_open(done))

"""The sheet that compares two models of a kind on labelled items."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QStyledItemDelegate,
)

from gcdesk.config.folders import user_folders
from gcdesk.jobs.task_queue import QueuedTask
from gcdesk.ui.host import Host
from gcdesk.ui.threads.file_tasks import FileTasks
from gcdesk.ui.widgets.dialogs import Sheet, note
from gcdesk.ui.widgets.model_comparison_view import ComparisonView
from gcdesk.ui.widgets.plain_text import PlainLabel
from gcdesk.worker.protocol.task_messages import Done, Progress, Task

if TYPE_CHECKING:
    from gcdesk.engine.evaluation.model_comparison import Comparison
    from gcdesk.ui.models.jobs import Listed, ModelJobs


class CompareSheet(Sheet):
    """Compares the chosen model with the one in use, or with another."""

    def __init__(self, host: Host, jobs: ModelJobs, chosen: Listed, models: list[Listed]) -> None:
        super().__init__(host.widget, host.theme, "Compare models – gcdesk", "Compare two models")  # noqa: RUF001
        self._jobs, self._chosen = jobs, chosen
        self._file_tasks = FileTasks(self)
        self._file_tasks.failed.connect(self._failed)
        info = chosen.model.info
        kind = info.kind if info is not None else ""
        others = [
            item for item in models if item.model.info and item.model.info.kind == kind and item != chosen
        ]
        self.setMinimumWidth(560)
        self.resize_within(680, 620)
        line = QHBoxLayout()
        line.setSpacing(8)
        self.other = QComboBox()
        self.other.setItemDelegate(QStyledItemDelegate(self.other))
        self.other.setAccessibleName("The other model")
        for item in sorted(others, key=lambda item: not item.model.in_use):
            words = f"{item.model.name} (in use)" if item.model.in_use else item.model.name
            self.other.addItem(words, str(item.model.folder))
        line.addWidget(PlainLabel(f"{chosen.model.name} beside"))
        line.addWidget(self.other, 1)
        self.body.addLayout(line)
        self.body.addLayout(self._data_line(kind))
        hint = (
            "Photos in folders named by bin."
            if kind == "image"
            else (
                "A table with the columns text and bin, or photos in folders named by bin whose names are captions."
            )
        )
        self.body.addWidget(note(hint))
        self.bar = QProgressBar(textVisible=False)
        self.bar.setFixedHeight(8)
        self.bar.hide()
        self.body.addWidget(self.bar)
        self.news = note()
        self.body.addWidget(self.news)
        self.view = ComparisonView(self.theme)
        self.view.hide()
        self.body.addWidget(self.view, 1)
        self.body.addStretch(0)
        self.buttons.addStretch(1)
        self.add_button("Close", self.close)
        self.main = self.add_button("Compare", self.compare, main=True)
        self._may_compare()

    def _data_line(self, kind: str) -> QHBoxLayout:
        line = QHBoxLayout()
        line.setSpacing(8)
        self.data = QLineEdit(placeholderText="Items whose bin is known")
        self.data.setAccessibleName("Items whose bin is known")
        self.data.textChanged.connect(lambda _text: self._may_compare())
        line.addWidget(self.data, 1)
        choices = [("Folder…", self._choose_folder)]
        if kind == "text":
            choices.insert(0, ("Table…", self._choose_table))
        for words, slot in choices:
            button = QPushButton(words, autoDefault=False)
            button.clicked.connect(lambda _on, slot=slot: slot())
            line.addWidget(button)
        return line

    def _choose_table(self) -> None:
        path, _kind = QFileDialog.getOpenFileName(
            self, "Table with the columns text and bin", "", "Tables (*.csv)"
        )
        if path:
            self.data.setText(path)

    def _choose_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Folder with a subfolder a bin")
        if folder:
            self.data.setText(folder)

    def _may_compare(self) -> None:
        self.main.setEnabled(
            bool(self.data.text().strip()) and self.other.count() > 0 and self.bar.isHidden()
        )
        if not self.other.count():
            self.news.setText("There is no other model of this kind: import or train one first.")

    def compare(self) -> None:
        """Measure both, in a process of its own."""
        data = Path(self.data.text().strip()).expanduser()
        out = user_folders().cache / "comparison.json"
        self.bar.setRange(0, 0)
        self.bar.show()
        self.news.setText("Comparing…")
        self._may_compare()
        words = (str(self.other.currentData()), str(self._chosen.model.folder))
        task = Task("compare-models", (*words, "--data", str(data), "--out", str(out)))

        def start(_none: object) -> None:
            self._jobs.queue.run(
                QueuedTask(
                    task,
                    self.while_open(self._done),
                    self.while_open(self._failed),
                    self.while_open(self._progressed),
                )
            )

        self._file_tasks.run(lambda: out.parent.mkdir(parents=True, exist_ok=True), self.while_open(start))

    def _progressed(self, progress: Progress) -> None:
        self.bar.setRange(0, progress.total)
        self.bar.setValue(progress.done)

    def _done(self, done: Done) -> None:
        def work() -> Comparison:
            from gcdesk.engine.evaluation.model_comparison import load_comparison

            return load_comparison(Path(done.result))

        self._file_tasks.run(work, self.while_open(self._show))

    def _show(self, found: Comparison) -> None:
        self.bar.hide()
        self.news.setText("")
        self.view.show_comparison(found)
        self.view.show()
        self._may_compare()

    def _failed(self, words: str) -> None:
        self.bar.hide()
        self.news.setText(words or "Stopped.")
        self._may_compare()

    def closeEvent(self, event: object) -> None:
        if not self.bar.isHidden():
            self._jobs.queue.cancel()
        self._file_tasks.close()
        super().closeEvent(event)  # type: ignore[arg-type]

"""The wizard's page for classifying a large folder on the cluster: models, tasks and shards."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtWidgets import QComboBox, QLineEdit

from gcdesk.engine.library.library import Library
from gcdesk.ui.cluster.wizard_pages import WIDE, Page
from gcdesk.ui.widgets.dialogs import Sheet, note


@dataclass(frozen=True)
class InUse:
    """The models in use on this computer, by kind."""

    image: Path
    text: Path


class ClassifyPage(Page):
    """The run's name, what travels along, tasks and shards."""

    title = "How is the work divided?"

    def __init__(self, dialog: Sheet) -> None:
        super().__init__(dialog)
        self.in_use: InUse | None = None
        along = self.card("What travels along")
        self.name = QLineEdit("classify")
        along.add("Its name", self.name, width=WIDE)
        self.models = note("Looking for the models in use…")
        along.add_whole(self.models)
        cut = self.card("Work")
        self.tasks = self.whole(1, 1000, 8)
        cut.add("Tasks", self.tasks, "Each one classifies its part of the folder by itself.")
        self.at_once = self.whole(1, 1000, 4)
        cut.add("Tasks at the same time", self.at_once)
        self.shard_size = self.whole(1, 1_000_000, 1000)
        cut.add(
            "Photos a piece", self.shard_size, "A task that is stopped goes on with the photo where it was."
        )
        self.table = QComboBox()
        self.table.addItem("CSV", "csv")
        self.table.addItem("CSV and Parquet", "parquet")
        cut.add("Table", self.table)
        self.column.addStretch(1)

    def show_models(self, in_use: InUse) -> None:
        self.in_use = in_use
        self.models.setText(
            f"The models in use here, {in_use.image.stem} and {in_use.text.stem}, with the rule and the limits of the"
            " settings."
        )


def models_in_use() -> InUse:
    """Runs on the thread. Raises LibraryError."""
    library = Library()
    return InUse(library.resolve("image"), library.resolve("text"))

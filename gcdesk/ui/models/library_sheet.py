"""The sheet of installed models: figures, and what can be done with each."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QStandardPaths, Qt, QUrl
from PySide6.QtGui import QDesktopServices, QKeySequence, QShortcut
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QPushButton

from gcdesk.config.build import why_no_torch
from gcdesk.ui.host import Host
from gcdesk.ui.models.jobs import Listed, ModelJobs, Trashed
from gcdesk.ui.widgets.dialogs import Answer, Question, Sheet, note
from gcdesk.ui.widgets.plain_text import PlainLabel, tip
from gcdesk.ui.widgets.tables import fill, list_table

_HEADS = ("Model", "Kind", "", "Right", "From", "Date", "Size")
_KIND_WORDS = {"image": "Image", "text": "Text"}


class ModelsSheet(Sheet):
    """One row a model; what is in use is marked and bold."""

    def __init__(
        self,
        host: Host,
        jobs: ModelJobs,
        choose_files: Callable[[], None],
        train: Callable[[], object],
    ) -> None:
        super().__init__(host.widget, host.theme, "Models – gcdesk", "Models")  # noqa: RUF001 - a dash
        self._host, self._jobs = host, jobs
        self._found: list[Listed] = []
        self._former: dict[str, str | None] = {}
        self.setMinimumSize(640, 380)
        self.resize_within(900, 560)
        self.table = list_table(_HEADS, "Models", self.theme.px(38))
        self.table.setWordWrap(False)
        self.table.itemSelectionChanged.connect(self._chosen_changed)
        self.table.itemDoubleClicked.connect(lambda _item: self._use())
        self.body.addWidget(self.table, 1)
        self.details = PlainLabel(wordWrap=True)
        self.details.setProperty("tone", "2")
        self.details.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.body.addWidget(self.details)
        self._build_verbs()
        self.news = note()
        self.body.addWidget(self.news)
        self.add_button("Import…", choose_files)
        train_button = self.add_button("Train the text model…", train)
        if why := why_no_torch("Training"):
            train_button.setEnabled(False)
            train_button.setToolTip(tip(why))
        self.buttons.addStretch(1)
        self.add_button("Close", self.close)
        self.use = self.add_button("Use", self._use, main=True)
        QShortcut(
            QKeySequence(Qt.Key.Key_Delete),
            self.table,
            self._ask_delete,
            context=Qt.ShortcutContext.WidgetShortcut,
        )
        self._jobs.changed.connect(self.refresh)
        self._chosen_changed()
        self.refresh()

    def _build_verbs(self) -> None:
        line = QHBoxLayout()
        line.setSpacing(8)
        self.check = self._verb("Check", self._check, "Check its files and let it answer the sample photos")
        self.compare = self._verb("Compare…", self._compare, "Measure it beside another model of its kind")
        self.export = self._verb(
            "Export…", self._export, "Write it as one file, or in the format of the course"
        )
        self.delete = self._verb("Delete…", self._ask_delete, "Move it to the recycle bin (Del)")
        self.back = self._verb("", self._go_back, "Classify with the model that was in use before")
        for button in (self.check, self.compare, self.export, self.delete):
            line.addWidget(button)
        line.addStretch(1)
        line.addWidget(self.back)
        self.body.addLayout(line)

    def _verb(self, words: str, slot: object, hint: str) -> QPushButton:
        button = QPushButton(words, autoDefault=False)
        button.setToolTip(tip(hint))
        button.clicked.connect(lambda _on: slot())  # type: ignore[operator]
        return button

    # --- contents

    def refresh(self) -> None:
        """Read the library again, off the window's thread."""
        self._jobs.listed(self.while_open(self._fill))
        for kind in _KIND_WORDS:
            self._jobs.former(kind, self.while_open(partial(self._know_former, kind)))

    def _know_former(self, kind: str, name: str | None) -> None:
        self._former[kind] = name
        self._chosen_changed()

    def _fill(self, found: list[Listed]) -> None:
        from gcdesk.ui.models.wording import cells_of

        chosen = self.chosen()
        keep = chosen.model.name if chosen is not None else ""
        self._found = found
        self.table.setRowCount(len(found))
        for row, listed in enumerate(found):
            fill(self.table, row, cells_of(listed))
            for column in range(len(_HEADS)):
                item = self.table.item(row, column)
                if item is not None and listed.model.in_use:
                    font = item.font()
                    font.setBold(True)
                    item.setFont(font)
        if found:
            index = next((i for i, entry in enumerate(found) if entry.model.name == keep), 0)
            self.table.selectRow(index)
            if not keep:
                self.table.setFocus()
        self._chosen_changed()

    def chosen(self) -> Listed | None:
        """The model of the current row, None for none."""
        row = self.table.currentRow()
        return self._found[row] if 0 <= row < len(self._found) else None

    def select(self, name: str) -> None:
        """Make the model of that name the current row."""
        for row, listed in enumerate(self._found):
            if listed.model.name == name:
                self.table.selectRow(row)

    def _chosen_changed(self) -> None:
        from gcdesk.ui.models.wording import details_of

        listed = self.chosen()
        sound = listed is not None and listed.model.info is not None
        for button in (self.check, self.compare, self.export):
            button.setEnabled(sound)
        self.use.setEnabled(bool(sound and listed is not None and not listed.model.in_use))
        self.delete.setEnabled(listed is not None and not listed.model.starter)
        self.details.setText(details_of(listed) if listed is not None else "")
        kind = listed.model.info.kind if listed is not None and listed.model.info is not None else ""
        former = self._former.get(kind)
        self.back.setVisible(former is not None)
        self.back.setText(f"Back to {former or f'starter-{kind}'}")

    # --- what is pressed

    def _use(self) -> None:
        listed = self.chosen()
        if listed is not None and listed.model.info is not None and not listed.model.in_use:
            self._jobs.use(listed.model.info.kind, listed.setting)
            self.news.setText(f"{listed.model.name} is loaded; until then the one before it answers.")

    def _go_back(self) -> None:
        listed = self.chosen()
        if listed is None or listed.model.info is None:
            return
        former = self._former.get(listed.model.info.kind)
        if former is not None:
            self._jobs.use(listed.model.info.kind, former or None)
            self.news.setText(f"{former or f'starter-{listed.model.info.kind}'} is in use again.")

    def _check(self) -> None:
        listed = self.chosen()
        if listed is not None:
            self.news.setText(f"Checking {listed.model.name}…")
            self._jobs.verify(listed.model.name, self.while_open(self.news.setText))

    def _compare(self) -> None:
        from gcdesk.ui.models.compare_sheet import CompareSheet

        listed = self.chosen()
        if listed is not None and listed.model.info is not None:
            CompareSheet(self._host, self._jobs, listed, self._found).show()

    def _export(self) -> None:
        listed = self.chosen()
        if listed is None:
            return
        start = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
        kinds = f"One file of gcdesk (*.gcmodel.zip);;The format of the course (best_{'image' if listed.model.info and listed.model.info.kind == 'image' else 'text'}_model.pth) (*.pth)"  # noqa: E501
        chosen, kind = QFileDialog.getSaveFileName(
            self, f"Export {listed.model.name}", str(Path(start) / f"{listed.model.name}.gcmodel.zip"), kinds
        )
        if chosen:
            ending = ".pth" if "pth" in kind and not chosen.endswith(".zip") else ".gcmodel.zip"
            target = Path(chosen) if Path(chosen).suffix else Path(f"{chosen}{ending}")
            self.export_to(listed.model.name, target)

    def export_to(self, name: str, target: Path) -> None:
        """Write a model to a file."""
        self.news.setText(f"Writing {target.name}…")

        def done(path: Path) -> None:
            self._host.say(
                f"{name} is written to {path.name}.",
                "Open folder",
                lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(str(path.parent))),
            )
            self.while_open(lambda _none: self.news.setText(f"Written: {path}"))(None)

        self._jobs.export(name, target, done)

    def _ask_delete(self) -> None:
        listed = self.chosen()
        if listed is None or listed.model.starter:
            return
        words = "It goes to the recycle bin and can be fetched back from there."
        if listed.model.in_use:
            words += " It is in use: the starter model takes its place."
        Question(
            self,
            self.theme,
            f"Delete {listed.model.name}?",
            words,
            [Answer("Delete", lambda: self._delete(listed))],
            refuse="Keep",
        ).open()

    def _delete(self, listed: Listed) -> None:
        def done(trashed: Trashed) -> None:
            self._host.say(f"{trashed.name} is deleted.", "Undo", lambda: self._jobs.fetch_back(trashed))
            self.while_open(lambda _none: self.news.setText(f"{trashed.name} is in the recycle bin."))(None)

        self._jobs.trash(listed, done)

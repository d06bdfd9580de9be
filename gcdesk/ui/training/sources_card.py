"""The form of caption sources, and what they amount to once prepared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QHeaderView,
    QMenu,
    QPushButton,
    QStyledItemDelegate,
    QTableWidget,
    QToolButton,
    QWidget,
)

from gcdesk.engine.labels import BINS, USUAL_NAMES
from gcdesk.engine.photos.bin_folders import usual_names_in
from gcdesk.ui.theme.theme import Theme, icon
from gcdesk.ui.threads.file_tasks import FileTasks
from gcdesk.ui.widgets.dialogs import Answer, Question, Sheet, note
from gcdesk.ui.widgets.form_card import Card
from gcdesk.ui.widgets.plain_text import PlainLabel, tip
from gcdesk.ui.widgets.tables import fill, plain_table

if TYPE_CHECKING:
    from gcdesk.store import SessionInfo
    from trainer.text.preview import Prepared

_ROLES = (("Learn, hold out a part", "train"), ("Only measure", "test"))
_EVERY_CITY = "all cities"
_NOTHING_YET = (
    "Add a table with the columns text and bin, a folder of photos whose names are captions (a subfolder a bin), or"
    " the photos that were corrected here. You can also drop them on this card."
)
_SESSIONS_SHOWN = 12
_CONFLICTS_SHOWN = 30


ListSessions = Callable[[Callable[["list[SessionInfo]"], None]], None]


@dataclass(frozen=True)
class Chosen:
    """A chosen source: a table or folder, or sessions (an empty tuple: all of them). usual_names: folders with
    well-known names (Compost, Landfill) count as the bins that these suggest.
    """

    words: str
    path: Path | None = None
    sessions: tuple[int, ...] | None = None
    role: str = "train"
    cities: tuple[str, ...] = ()
    city: str = ""
    usual_names: bool = False


def parts_of(chosen: Sequence[Chosen]) -> list[str]:
    """The sources that are corrections, as the task `write-corrections` takes them."""
    return [",".join(map(str, item.sessions or ())) or "all" for item in chosen if item.path is None]


def gather(chosen: Sequence[Chosen], folder: Path) -> Prepared:
    """Read everything; corrections were written as tables into `folder` before. Not for the window's thread.

    What is of the station test set is measured on and never learned.
    """
    from gcdesk.worker.tasks.write_corrections import held_file, learn_file
    from trainer.text.preview import Role, Source, prepare
    from trainer.text.settings import TextDataError

    sources: list[Source] = []
    held: list[Source] = []
    part = 0
    for item in chosen:
        role: Role = "test" if item.role == "test" else "train"
        path = item.path
        if path is None:
            part += 1
            path, apart = learn_file(folder, part), held_file(folder, part)
            if apart.is_file():
                held.append(Source(apart, "test"))
            if not path.is_file():
                raise TextDataError(f"{item.words}: there are none to learn from yet. Leave this source out.")
        names = USUAL_NAMES if item.usual_names else {}
        sources.append(Source(path, role, {"city": item.city} if item.city else {}, names))
    return prepare([*sources, *held])


class SourcesCard(Card):
    """changed: the sources changed. `show_prepared` shows what they amount to."""

    changed = Signal()

    def __init__(self, sheet: Sheet, file_tasks: FileTasks, list_sessions: ListSessions) -> None:
        super().__init__("Captions to learn from", sheet)
        self._sheet, self._file_tasks = sheet, file_tasks
        self._chosen: list[Chosen] = []
        self._rows = QWidget()
        self._list = plain_table(("Source", "Captions", "", "", ""))
        self._list.setAccessibleName("Sources of captions")
        self._list.setWordWrap(False)
        self.add_whole(self._list)
        self._buttons(list_sessions)
        self.counts = plain_table(("", *BINS, "All"))
        self.counts.setAccessibleName("Captions by bin")
        self.add_whole(self.counts)
        self.news = PlainLabel(wordWrap=True)
        self.facts = note()
        self.add_whole(self.news)
        self.add_whole(self.facts)
        self.conflicts = QPushButton()
        self.conflicts.setProperty("role", "quiet")
        self.conflicts.setAutoDefault(False)
        self.conflicts.setCheckable(True)
        self.conflict_list = note()
        self.conflict_list.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.conflicts.toggled.connect(self.conflict_list.setVisible)
        line = QHBoxLayout()
        line.addWidget(self.conflicts)
        line.addStretch(1)
        self.add_line(line)
        self.add_whole(self.conflict_list)
        self.setAcceptDrops(True)
        self._show_sources()
        self.show_prepared(None)

    def _buttons(self, list_sessions: ListSessions) -> None:
        line = QHBoxLayout()
        line.setSpacing(8)
        for words, slot in (("Table…", self._choose_table), ("Folder of photos…", self._choose_folder)):
            button = QPushButton(words)
            button.setIcon(icon("plus", self._sheet.theme, 14))
            button.setAutoDefault(False)
            button.clicked.connect(lambda _on, slot=slot: slot())
            line.addWidget(button)
        self.corrected = QPushButton("Corrected photos…")
        self.corrected.setIcon(icon("plus", self._sheet.theme, 14))
        self.corrected.setAutoDefault(False)
        menu = QMenu(self.corrected)
        self.corrected.setMenu(menu)
        menu.aboutToShow.connect(lambda: list_sessions(self._sheet.while_open(self._fill_menu)))
        menu.addAction(
            "All sessions", lambda: self.add_source(Chosen("Corrected photos of all sessions", None, ()))
        )
        line.addWidget(self.corrected)
        line.addStretch(1)
        self.add_line(line)

    def _fill_menu(self, found: list[SessionInfo]) -> None:
        menu = self.corrected.menu()
        for action in menu.actions()[1:]:
            menu.removeAction(action)
        menu.addSeparator()
        for session in found[:_SESSIONS_SHOWN]:
            if session.items:
                words = f"Corrected photos of “{session.name}”"
                chosen = Chosen(words, None, (session.id,))
                menu.addAction(
                    f"{session.name}   {session.corrected:,} corrected",
                    partial(self.add_source, chosen),
                )

    # --- sources

    @property
    def chosen(self) -> tuple[Chosen, ...]:
        """The sources in the order in which they count."""
        return tuple(self._chosen)

    def add_source(self, item: Chosen) -> None:
        """One source more, unless it is there already."""
        if any((c.path, c.sessions) == (item.path, item.sessions) for c in self._chosen):
            return
        # Where sources disagree the last is believed: an operator's hand before any table.
        files = sum(c.path is not None for c in self._chosen)
        self._chosen.insert(files if item.path is not None else len(self._chosen), item)
        self._show_sources()
        self.changed.emit()

    def add_path(self, path: Path) -> None:
        """A table or a folder. Of a table with several cities the first one's rows count, until another is chosen."""

        def work() -> tuple[tuple[str, ...], dict[str, str]]:
            from trainer.text.preview import columns_to_choose

            return columns_to_choose(path).get("city", ()), usual_names_in(path)

        def done(found: tuple[tuple[str, ...], dict[str, str]]) -> None:
            cities, usual = found
            chosen = Chosen(path.name, path, cities=cities, city=cities[0] if cities else "")
            if usual:
                self._ask_names(chosen, usual)
            else:
                self.add_source(chosen)

        self._file_tasks.run(work, self._sheet.while_open(done))

    def _ask_names(self, chosen: Chosen, usual: dict[str, str]) -> None:
        """Whether folders with well-known names count as bins; without an answer nothing is added."""
        meant = ", ".join(f"{name} as {label}" for name, label in usual.items())
        self.question = Question(
            self._sheet,
            self._sheet.theme,
            "Do these folders count as bins?",
            f"“{chosen.words}” has folders that are not called like a bin. Count {meant}?",
            [
                Answer("Leave them out", partial(self.add_source, chosen)),
                Answer("Count them", partial(self.add_source, replace(chosen, usual_names=True)), main=True),
            ],
        )
        self.question.show()

    def remove(self, index: int) -> None:
        """Leave the source of that index out."""
        del self._chosen[index]
        self._show_sources()
        self.changed.emit()

    def _change(self, index: int, **values: Any) -> None:
        self._chosen[index] = replace(self._chosen[index], **values)
        self.changed.emit()

    def _choose_table(self) -> None:
        paths, _kind = QFileDialog.getOpenFileNames(
            self, "Tables with the columns text and bin", "", "Tables (*.csv);;All files (*)"
        )
        for path in paths:
            self.add_path(Path(path))

    def _choose_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Folder with a subfolder a bin")
        if folder:
            self.add_path(Path(folder))

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.setDropAction(Qt.DropAction.CopyAction)
            event.accept()

    def dropEvent(self, event: QDropEvent) -> None:
        for url in event.mimeData().urls():
            if url.isLocalFile():
                self.add_path(Path(url.toLocalFile()))
        event.setDropAction(Qt.DropAction.CopyAction)
        event.accept()

    def _show_sources(self) -> None:
        table, theme = self._list, self._sheet.theme
        table.setRowCount(len(self._chosen))
        for row, entry in enumerate(self._chosen):
            fill(table, row, [entry.words, "", "", "", ""])
            item = table.item(row, 0)
            if item is not None:
                item.setToolTip(tip(str(entry.path or entry.words)))
            self._put_choice(
                table, row, 2, [(c, c) for c in entry.cities] + [(_EVERY_CITY, "")], entry.city, "city"
            )
            self._put_choice(table, row, 3, list(_ROLES), entry.role, "role")
            gone = QToolButton()
            gone.setIcon(icon("cancel", theme, 14))
            gone.setProperty("role", "quiet")
            gone.setToolTip("Leave this source out")
            gone.setAccessibleName(f"Leave out {entry.words}")
            gone.clicked.connect(lambda _on, row=row: self.remove(row))
            table.setCellWidget(row, 4, gone)
        head = table.horizontalHeader()
        for column, wide in (
            (2, 132 if any(entry.cities for entry in self._chosen) else 0),
            (3, 212),
            (4, 40),
        ):
            head.setSectionResizeMode(column, QHeaderView.ResizeMode.Fixed)
            table.setColumnWidth(column, theme.px(wide))
        table.setVisible(bool(self._chosen))
        _fit(table, theme.px(36))

    def _put_choice(
        self,
        table: QTableWidget,
        row: int,
        column: int,
        entries: list[tuple[str, str]],
        value: str,
        field: str,
    ) -> None:
        if field == "city" and len(entries) < 3:
            table.removeCellWidget(row, column)
            return
        box = QComboBox()
        box.setItemDelegate(QStyledItemDelegate(box))
        for words, data in entries:
            box.addItem(words.capitalize() if field == "city" else words, data)
        box.setCurrentIndex(max(0, box.findData(value)))
        box.setAccessibleName("City" if field == "city" else "What it is for")
        box.activated.connect(lambda _place: self._change(row, **{field: box.currentData()}))
        cell = QWidget()
        line = QHBoxLayout(cell)
        line.setContentsMargins(4, 0, 4, 0)
        line.addWidget(box)
        table.setCellWidget(row, column, cell)

    # --- what they come to

    def show_prepared(self, prepared: Prepared | None) -> None:
        """Numbers and warnings; None: nothing is known yet."""
        present = (
            prepared is not None and bool(prepared.sources) and not any(s.problem for s in prepared.sources)
        )
        self.counts.setVisible(present)
        self.conflicts.setVisible(False)
        self.conflict_list.setVisible(False)
        self.facts.setVisible(present)
        if prepared is None:
            self.news.setText("Reading the captions…" if self._chosen else _NOTHING_YET)
            self.news.show()
            return
        for row, source in enumerate(prepared.sources):
            item = self._list.item(row, 1)
            if item is not None:
                item.setText(f"{source.captions:,}")
                item.setToolTip(tip("\n".join(source.notes)))
        words = [prepared.problem] if prepared.problem else list(prepared.warnings)
        self.news.setText("\n".join(words))
        self.news.setVisible(bool(words))
        self.facts.setText(" ".join(_facts(prepared)))
        self._show_counts(prepared)
        self.conflicts.setVisible(present and bool(prepared.conflicts))
        self.conflicts.setChecked(False)
        count = len(prepared.conflicts)
        self.conflicts.setText(
            "1 caption has several bins" if count == 1 else f"{count:,} captions have several bins"
        )
        lines = [
            f"{entry.text}: {', '.join(entry.bins)} → {entry.taken or 'left out'}"
            for entry in prepared.conflicts[:_CONFLICTS_SHOWN]
        ]
        more = count - len(lines)
        self.conflict_list.setText("\n".join([*lines, f"and {more:,} more"] if more > 0 else lines))

    def _show_counts(self, prepared: Prepared) -> None:
        names = {"train": "To learn from", "val": "Watched while learning", "test": "Held out, to measure"}
        self.counts.setRowCount(len(names))
        for row, (split, counts) in enumerate(prepared.counts().items()):
            fill(self.counts, row, [names[split], *(f"{n:,}" for n in counts), f"{sum(counts):,}"])
        _fit(self.counts, self._sheet.theme.px(28))

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self._show_sources()


def _facts(prepared: Prepared) -> list[str]:
    """Sentences on what a supervisor may wonder about."""
    found = []
    for count, item, many in (
        (prepared.duplicates, "1 row repeats a caption.", "{:,} rows repeat a caption with the same bin."),
        (
            prepared.empty,
            "1 row has no caption and is left out.",
            "{:,} rows have no caption and are left out.",
        ),
        (
            prepared.leaks,
            "1 caption is held out elsewhere and not learnt.",
            "{:,} captions are held out elsewhere and not learnt.",
        ),
    ):
        if count:
            found.append(item if count == 1 else many.format(count))
    found.append("A caption that is held out once is held out in every training.")
    return found


def _fit(table: QTableWidget, row: int) -> None:
    """As high as its rows: the page scrolls, not the table."""
    table.verticalHeader().setDefaultSectionSize(row)
    head = table.horizontalHeader().sizeHint().height()
    table.setFixedHeight(head + row * max(1, table.rowCount()) + 4)

"""The sheet that imports model files: what each is, what must be confirmed, progress."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QScrollArea,
    QStyledItemDelegate,
    QVBoxLayout,
    QWidget,
)

from gcdesk.engine.labels import BINS
from gcdesk.ui.host import Host
from gcdesk.ui.threads.file_tasks import FileTasks
from gcdesk.ui.widgets.dialogs import Sheet, note
from gcdesk.ui.widgets.form_card import Card
from gcdesk.ui.widgets.plain_text import PlainLabel
from gcdesk.worker.protocol.task_messages import Progress

if TYPE_CHECKING:
    from gcdesk.engine.library.import_sources import ModelSource
    from gcdesk.ui.models.jobs import ModelJobs

_NO_ORDER = "The file does not tell the order of its classes. Confirm it:"
_POOLING = (("The first token, [CLS]", "cls"), ("The mean of all tokens", "mean"))


class SourceCard(Card):
    """One file: what it is, its name in the library, and questions that the file leaves open. answered: the class
    order.
    """

    answered = Signal()

    def __init__(self, sheet: Sheet, source: ModelSource) -> None:
        super().__init__(source.path.name, sheet)
        self.source = source
        self.words = PlainLabel(source.problem or source.sentence, wordWrap=True)
        self.add_whole(self.words)
        self.name = QLineEdit(source.name)
        self.orders: list[QComboBox] = []
        self.pooling = QComboBox()
        self.state = note()
        self.installed = ""
        if not source.problem:
            self.name.setMaxLength(64)
            self.add("Name", self.name, width=260)
            if source.asks_class_order:
                self._ask_order(sheet)
            if source.pooling is not None:
                self._ask_pooling(source.pooling)
        self.add_whole(self.state)
        self.state.hide()

    def _ask_order(self, sheet: Sheet) -> None:
        names = self.source.class_names
        question = "Say which bin each of its classes is:" if names else _NO_ORDER
        self.add_whole(PlainLabel(question))
        line = QHBoxLayout()
        line.setSpacing(8)
        chosen = self.source.suggested or (("",) * len(BINS) if names else BINS)
        for index, label in enumerate(chosen):
            box = QComboBox()
            box.setItemDelegate(QStyledItemDelegate(box))
            box.addItems(list(BINS))
            box.setCurrentIndex(BINS.index(label) if label else -1)  # nothing is taken that nobody said
            name = names[index] if names else f"{index + 1}"
            box.setAccessibleName(name if names else f"Class {name}")
            box.setMinimumWidth(sheet.theme.px(84))
            box.activated.connect(lambda _new, index=index: self._keep_apart(index))
            line.addWidget(PlainLabel(name))
            line.addWidget(box)
            self.orders.append(box)
        line.addStretch(1)
        self.add_line(line)

    def _keep_apart(self, index: int) -> None:
        """Each bin once: the class that had the chosen one gets the one that is free now."""
        chosen = self.orders[index].currentText()
        taken = {box.currentText() for box in self.orders} | {chosen}
        free = next((name for name in BINS if name not in taken), "")
        for other, box in enumerate(self.orders):
            if other != index and box.currentText() == chosen:
                box.setCurrentIndex(BINS.index(free) if free else -1)
        self.answered.emit()

    def _ask_pooling(self, usual: str) -> None:
        self.pooling.setItemDelegate(QStyledItemDelegate(self.pooling))
        for words, value in _POOLING:
            self.pooling.addItem(words, value)
        self.pooling.setCurrentIndex(max(0, self.pooling.findData(usual)))
        self.add("What its last layer reads (the file cannot tell)", self.pooling, width=220)

    @property
    def class_order(self) -> list[str] | None:
        """None where the file says it."""
        return [box.currentText() for box in self.orders] or None

    @property
    def pooling_answer(self) -> str | None:
        return str(self.pooling.currentData()) if self.pooling.count() else None

    @property
    def ready(self) -> bool:
        """Whether everything that the import needs is known."""
        fine = (
            not self.source.problem and not self.installed and all(box.currentText() for box in self.orders)
        )
        return fine and bool(self.name.text().strip())

    def say(self, words: str) -> None:
        """Show a sentence on the card."""
        self.state.setText(words)
        self.state.setVisible(bool(words))


class ImportSheet(Sheet):
    """One card a file; `Import` imports those that are ready."""

    def __init__(self, host: Host, jobs: ModelJobs) -> None:
        super().__init__(host.widget, host.theme, "Import models – gcdesk", "Import models")  # noqa: RUF001 - a dash
        self._jobs = jobs
        self._file_tasks = FileTasks(self)
        self._file_tasks.failed.connect(self._say)
        self.cards: list[SourceCard] = []
        self._waiting = 0
        self.setMinimumSize(480, 320)
        self.resize_within(640, 520)
        page = QWidget()
        page.setObjectName("page")
        self._column = QVBoxLayout(page)
        self._column.setContentsMargins(0, 0, 12, 0)
        self._column.setSpacing(12)
        self._column.addStretch(1)
        area = QScrollArea()
        area.setWidget(page)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        self.body.addWidget(area, 1)
        self.use = QCheckBox("Use them from now on")
        self.use.setChecked(True)
        self.body.addWidget(self.use)
        self.news = note("Reading…")
        self.body.addWidget(self.news)
        self.buttons.addStretch(1)
        self.add_button("Close", self.close)
        self.main = self.add_button("Import", self._import, main=True)
        self.main.setEnabled(False)

    def add_files(self, paths: Sequence[Path]) -> None:
        """Look at these files, on a thread."""

        def work() -> list[ModelSource]:
            from gcdesk.engine.library.import_sources import inspect_model_file

            return [inspect_model_file(path) for path in paths]

        known = {card.source.path for card in self.cards if not card.installed}
        paths = [path for path in paths if path not in known]
        if paths:
            self._file_tasks.run(work, self.while_open(self._show))

    def _show(self, found: list[ModelSource]) -> None:
        for source in found:
            card = SourceCard(self, source)
            card.name.textChanged.connect(lambda _text: self._settle())
            card.answered.connect(self._settle)
            self.cards.append(card)
            self._column.insertWidget(self._column.count() - 1, card)
        self.news.setText("")
        self._settle()

    def _settle(self) -> None:
        ready = sum(card.ready for card in self.cards)
        self.main.setEnabled(bool(ready) and not self._waiting)
        self.main.setText(f"Import {ready} models" if ready > 1 else "Import")

    def _import(self) -> None:
        for card in [card for card in self.cards if card.ready]:
            self._waiting += 1
            card.say("Waiting…")

            self._jobs.install(
                card.source.path,
                card.name.text().strip(),
                use=self.use.isChecked(),
                class_order=card.class_order,
                pooling=card.pooling_answer,
                done=self.while_open(partial(self._installed, card)),
                progress=self.while_open(partial(self._importing, card)),
            )
        self._settle()

    def _importing(self, card: SourceCard, _progress: Progress) -> None:
        card.say("Importing…")

    def _installed(self, card: SourceCard, name: str, why: str) -> None:
        self._waiting -= 1
        card.installed = name
        used = " and is in use" if self.use.isChecked() else ""
        card.say(why or f"Installed as {name}{used}. It has answered the sample photo.")
        self._settle()

    def _say(self, words: str) -> None:
        self.news.setText(words)

    def closeEvent(self, event: object) -> None:
        self._file_tasks.close()
        super().closeEvent(event)  # type: ignore[arg-type]

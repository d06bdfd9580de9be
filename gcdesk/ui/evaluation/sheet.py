"""The evaluation sheet: start panel and stored evaluations on the left, the figures of one on the right."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from PySide6.QtCore import QStandardPaths, Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QMenu,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from gcdesk.engine.evaluation.evaluation_comparison import EvaluationPair
from gcdesk.engine.selection.rules import Rule
from gcdesk.ui.evaluation.items_sheet import ItemsSheet
from gcdesk.ui.evaluation.jobs import EvaluationJobs, Shown, model_arguments
from gcdesk.ui.evaluation.page import EvaluationPage
from gcdesk.ui.evaluation.pair_sheet import PairSheet
from gcdesk.ui.evaluation.start_panel import StartPanel
from gcdesk.ui.host import Host
from gcdesk.ui.session.wording import day_and_time
from gcdesk.ui.settings.preferences import Preferences
from gcdesk.ui.theme.theme import Theme
from gcdesk.ui.widgets.dialogs import Answer, Question, Sheet, section
from gcdesk.ui.widgets.plain_text import tip
from gcdesk.worker.protocol.task_messages import Done, Progress
from gcdesk.worker.tasks.kept_evaluations import StoredEvaluation

_KEPT = Qt.ItemDataRole.UserRole
_LEFT = 270
_WORDS = {"evaluate": "Measuring…", "fit": "Fitting…", "learn": "Learning…", "report": "Writing the report…"}


class EvaluationSheet(Sheet):
    """Not modal: the station goes on beside it."""

    def __init__(self, host: Host, preferences: Preferences, jobs: EvaluationJobs) -> None:
        super().__init__(host.widget, host.theme, "Evaluation – gcdesk", "How good is it?")  # noqa: RUF001
        self._host, self._preferences, self._jobs = host, preferences, jobs
        self._shown: Shown | None = None
        self.resize_within(1210, 820)
        self.setMinimumSize(760, 460)
        self.start = StartPanel(host.theme)
        self.kept = QListWidget()
        self.kept.setAccessibleName("Evaluations")
        self.kept.setProperty("role", "suggestions")
        self.page = EvaluationPage(host.theme)
        self._assemble()
        self._connect()
        self._settle_buttons()
        host.controller.ledger.sessions(self.while_open(self.start.show_sessions))
        self.refresh()

    def _assemble(self) -> None:
        left = QVBoxLayout()
        left.setSpacing(8)
        left.addWidget(self.start)
        left.addSpacing(8)
        left.addWidget(section("Measured so far", self.theme))
        left.addWidget(self.kept, 1)
        left.addSpacing(8)
        left.addWidget(section("Make it better", self.theme))
        self._add_improvements(left)
        side = QWidget()
        side.setLayout(left)
        left.setContentsMargins(0, 0, 0, 0)
        side.setFixedWidth(self.theme.px(_LEFT))
        whole = QHBoxLayout()
        whole.setSpacing(20)
        whole.addWidget(side)
        whole.addWidget(self.page, 1)
        self.body.addLayout(whole, 1)
        self.report = self.add_button("Save report…", self._choose_report)
        self.compare = self.add_button("Compare with…", self._ask_other)
        self.delete = self.add_button("Delete", self._ask_delete)
        self.buttons.addStretch(1)
        self.add_button("Close", self.close)

    def _add_improvements(self, column: QVBoxLayout) -> None:
        self.fit = self._improve(
            column, "Fit the selection", self._fit,
            "Find how much each model should count, from these items; checked on items that the fit has not seen",
        )  # fmt: skip
        self.original = self._improve(
            column, "Use max-confidence", self._use_original,
            "The rule of the original project: the surer model decides",
        )  # fmt: skip
        taught = "in seconds, from your corrections; the old model stays and can be chosen again"
        self.learn_image = self._improve(
            column,
            "Quick learn: image model",
            lambda: self._learn("image"),
            f"Teach the image model {taught}",
        )
        self.learn_text = self._improve(
            column, "Quick learn: text model", lambda: self._learn("text"), f"Teach the text model {taught}"
        )

    def _improve(self, column: QVBoxLayout, words: str, slot: Callable[[], object], hint: str) -> QPushButton:
        button = QPushButton(words, autoDefault=False)
        button.setToolTip(tip(hint))
        button.clicked.connect(lambda _checked=False: slot())
        column.addWidget(button)
        return button

    def _connect(self) -> None:
        jobs, page = self._jobs, self.page
        self.start.wanted.connect(self._measure)
        self.start.cancelled.connect(jobs.cancel)
        self.kept.currentItemChanged.connect(lambda _now, _before: self._read())
        page.items_wanted.connect(self.show_items)
        page.threshold_wanted.connect(self._set_threshold)
        jobs.progress.connect(self._progress)
        jobs.running.connect(self._running)
        jobs.finished.connect(self._finished)
        jobs.failed.connect(self._say)
        jobs.stopped.connect(lambda: self._say("Stopped; nothing was kept."))
        self._preferences.changed.connect(lambda _names: self._read())
        if jobs.busy:
            self.start.set_running(True, "Still at work…")

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        if hasattr(self, "page"):
            self.page.set_theme(theme)
            self._read()

    # --- the list

    def refresh(self, choose: Path | None = None) -> None:
        """Read the list again, off the window's thread; `choose`: the folder to show."""

        def fill(found: list[StoredEvaluation]) -> None:
            current = choose or (kept.folder if (kept := self.chosen()) is not None else None)
            self.kept.blockSignals(True)
            self.kept.clear()
            row = 0
            for number, entry in enumerate(found):
                item = QListWidgetItem(f"{entry.name}\n{entry.items:,} items · {day_and_time(entry.created)}")
                item.setData(_KEPT, entry)
                item.setToolTip(tip(f"{entry.data}\n{', '.join(entry.models)}"))
                self.kept.addItem(item)
                row = number if entry.folder == current else row
            self.kept.setCurrentRow(row)
            self.kept.blockSignals(False)
            if found:
                self._read()
            else:
                self.page.show_words("Measure on photos whose bin is known: corrected ones, or a folder.")
                self._shown = None
            self._settle_buttons()

        self._jobs.list_kept(self.while_open(fill))

    def chosen(self) -> StoredEvaluation | None:
        """The stored evaluation of the current row, None for none."""
        item = self.kept.currentItem()
        kept: StoredEvaluation | None = item.data(_KEPT) if item is not None else None
        return kept

    def _read(self) -> None:
        kept = self.chosen()
        if kept is not None:
            self._jobs.read(kept.file, self._preferences.settings, self.while_open(self._show))

    def _show(self, shown: Shown) -> None:
        self._shown = shown
        self.page.show_analysis(shown.analysis)
        self._settle_buttons()

    def _settle_buttons(self) -> None:
        idle, present = not self._jobs.busy, self._shown is not None
        both = present and self._shown is not None and self._shown.analysis.oracle is not None
        self.fit.setEnabled(idle and both)
        self.report.setEnabled(idle and present)
        self.compare.setEnabled(present and self.kept.count() > 1)
        self.delete.setEnabled(present)
        self.original.setEnabled(self._preferences.settings.rule != Rule.MAX_CONFIDENCE.value)
        for button in (self.learn_image, self.learn_text):
            button.setEnabled(idle)

    # --- tasks

    def _measure(self, request: tuple[str, ...]) -> None:
        self._jobs.start(
            "evaluate", (*model_arguments(self._preferences.settings), "--", *request), _WORDS["evaluate"]
        )

    def _fit(self) -> None:
        kept = self.chosen()
        if kept is not None:
            self._jobs.start("fit", (str(kept.file),), _WORDS["fit"])

    def _learn(self, kind: str) -> None:
        settings = self._preferences.settings
        wanted = settings.image_model if kind == "image" else settings.text_model
        sessions = map(str, self.start.chosen_sessions())
        self._jobs.start("learn", (kind, wanted or "", *sessions), _WORDS["learn"])

    def _choose_report(self) -> None:
        kept = self.chosen()
        if kept is None:
            return
        start = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
        name = f"gcdesk evaluation {time.strftime('%Y-%m-%d')}.html"
        chosen, _kind = QFileDialog.getSaveFileName(
            self, "Save the report", str(Path(start) / name), "Web page (*.html)"
        )
        if chosen:
            self.write_report(Path(chosen).with_suffix(".html"))

    def write_report(self, target: Path) -> None:
        """Write the shown evaluation as an HTML page."""
        kept, settings = self.chosen(), self._preferences.settings
        if kept is None:
            return
        options = ["--weight", str(settings.text_weight), "--review", str(settings.review_threshold)]
        options += ["--disagreement", str(settings.disagreement_margin)]
        if settings.rule is not None:
            options += ["--rule", settings.rule]
        self._jobs.start("report", (*options, "--", str(kept.file), str(target)), _WORDS["report"])

    def _progress(self, at: Progress) -> None:
        self.start.show_progress(at.done, at.total, at.words)

    def _running(self, words: str) -> None:
        self.start.set_running(bool(words), words)
        self._settle_buttons()

    def _finished(self, name: str, done: Done) -> None:
        self._say(done.summary)
        if name == "evaluate":
            self.refresh(Path(done.result))
        elif name == "fit":
            self.use_rule(Rule.FITTED)
        elif name == "learn":
            self._offer_model(done)
        elif name == "report":
            self._host.say(
                done.summary, "Open", lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(done.result))
            )

    def _say(self, words: str) -> None:
        self.start.set_running(self._jobs.busy, words)
        self._settle_buttons()

    # --- what follows

    def use_rule(self, rule: Rule) -> None:
        """Make it the rule in use; the fitted one is read again even where it was in use."""
        if self._preferences.settings.rule == rule.value:
            self._host.controller.configure(self._preferences.settings)
            self._read()
        else:
            self._preferences.change(rule=rule.value)
        self._settle_buttons()

    def _use_original(self) -> None:
        self.use_rule(Rule.MAX_CONFIDENCE)
        self._say("The surer model decides now, as in the original project.")

    def _set_threshold(self, value: float) -> None:
        self._preferences.change(review_threshold=value)
        self._say(f"The station asks for a review below {value:.2f} now.")

    def _offer_model(self, done: Done) -> None:
        kind = "text" if self._jobs.learned == "text" else "image"
        Question(
            self,
            self.theme,
            f"Use “{done.result}”?",
            f"{done.summary} The old model stays: choose it again in the settings at any time.",
            [Answer("Use it", lambda: self._preferences.change(**{f"{kind}_model": done.result}), main=True)],
            refuse="Not now",
        ).open()

    def show_items(self, title: str, key: str, indices: np.ndarray) -> None:
        """The items behind a figure."""
        if self._shown is not None:
            analysis = self._shown.analysis
            item = analysis.contender(key)
            ItemsSheet(self, self.theme, title, analysis, item, indices, self._host.open_paths).show()

    def _ask_other(self) -> None:
        """A menu of the other evaluations, below the button."""
        menu, chosen = QMenu(self), self.chosen()
        menu.aboutToHide.connect(menu.deleteLater)
        for row in range(self.kept.count()):
            other: StoredEvaluation = self.kept.item(row).data(_KEPT)
            if chosen is None or other.folder != chosen.folder:
                words = f"{other.name}, {day_and_time(other.created)}".replace("&", "&&")
                menu.addAction(words, partial(self.compare_with, other))
        menu.popup(self.compare.mapToGlobal(self.compare.rect().topLeft()))

    def compare_with(self, other: StoredEvaluation) -> None:
        """Show the chosen evaluation beside another one, the older of the two first."""
        chosen = self.chosen()
        if chosen is None:
            return
        first, second = sorted((chosen, other), key=lambda kept: kept.created)

        def show(pair: EvaluationPair) -> None:
            PairSheet(self, self.theme, pair).show()

        self._jobs.read_pair(first.file, second.file, self._preferences.settings, self.while_open(show))

    def _ask_delete(self) -> None:
        kept = self.chosen()
        if kept is None:
            return
        Question(
            self,
            self.theme,
            f"Delete “{kept.name}”?",
            "Its figures go; photos and models stay.",
            [
                Answer(
                    "Delete", lambda: self._jobs.forget(kept, self.while_open(lambda _none: self.refresh()))
                )
            ],
            refuse="Keep",
        ).open()

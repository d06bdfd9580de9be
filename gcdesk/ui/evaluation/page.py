"""One evaluation: warnings, each model's contribution, every figure, the review slider, the items."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QPushButton,
    QScrollArea,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from gcdesk.engine.evaluation.analysis import WORDS, Analysis, added_by, threshold_words
from gcdesk.engine.evaluation.figures import (
    accuracies_figure,
    ceiling_figure,
    confusion_figure,
    coverage_figure,
    percent,
    reliability_figure,
)
from gcdesk.engine.evaluation.wording import SOURCE_WORDS, WINNER_WORDS
from gcdesk.engine.labels import BINS
from gcdesk.ui.evaluation.figure_card import FigureCard, look_of, values_table, words_card
from gcdesk.ui.theme.theme import Theme
from gcdesk.ui.widgets.plain_text import PlainLabel

_STEPS = 100


class EvaluationPage(QScrollArea):
    """items_wanted: title, key of the contender, item indices. threshold_wanted: the review threshold to take over."""

    items_wanted = Signal(str, str, object)
    threshold_wanted = Signal(float)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.analysis: Analysis | None = None
        self.cards: list[FigureCard] = []
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self.show_words("Measure on photos whose bin is known, or choose an evaluation on the left.")

    def set_theme(self, theme: Theme) -> None:
        """Another look: the page is built anew with the next figures."""
        self._theme = theme

    def show_words(self, words: str) -> None:
        """Nothing to show but this."""
        self.analysis, self.cards = None, []
        label = PlainLabel(words, alignment=Qt.AlignmentFlag.AlignCenter, wordWrap=True)
        label.setProperty("tone", "2")
        self.setWidget(label)

    def show_analysis(self, analysis: Analysis) -> None:
        """Build the page anew; it stays scrolled where it was."""
        self.analysis, self.cards = analysis, []
        kept = self.verticalScrollBar().value()
        page = QWidget()
        page.setObjectName("page")
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 12, 0)
        column.setSpacing(12)
        notes = (*analysis.warnings, *analysis.scored.notes)
        if notes:
            column.addWidget(words_card("Mind this", notes, self._theme))
        for part in (self._summary(analysis), *self._figures(analysis), self._winners(analysis)):
            if part is not None:
                column.addWidget(part)
        column.addStretch(1)
        self.setWidget(page)
        self.verticalScrollBar().setValue(kept)

    # --- the cards

    def _summary(self, analysis: Analysis) -> QFrame:
        scored = analysis.scored
        words = f"{len(scored):,} items from {scored.data}. Selection in use: {WORDS[analysis.chosen]}."
        card = words_card(scored.name, (words, *added_by(analysis)), self._theme)
        layout = card.layout()
        assert isinstance(layout, QVBoxLayout)  # noqa: S101 - words_card makes one
        line = QHBoxLayout()
        line.setSpacing(8)
        for title, indices in (
            (f"Mistakes, {len(analysis.mistakes):,}", analysis.mistakes),
            (f"Disagreements, {len(analysis.disagreements):,}", analysis.disagreements),
            (f"Learned captions, {len(analysis.leaks):,}", analysis.leaks),
        ):
            button = QPushButton(title, autoDefault=False)
            button.setEnabled(bool(len(indices)))
            button.clicked.connect(
                lambda _on=False, title=title, indices=indices: self.items_wanted.emit(
                    title.partition(",")[0], analysis.chosen, indices
                )
            )
            line.addWidget(button)
        line.addStretch(1)
        layout.addLayout(line)
        if any(share.source != "folder" for share in analysis.shares):
            rows = tuple(
                (SOURCE_WORDS[share.source], str(share.items), percent(share.right / share.items))
                for share in analysis.shares
            )
            layout.addWidget(values_table(("Bin known from", "Items", "Right"), rows, self._theme))
        return card

    def _figures(self, analysis: Analysis) -> list[QWidget]:
        look = look_of(self._theme)
        in_use = analysis.in_use
        models = [item for item in analysis.contenders if item.raw is not None and item.key != in_use.key]
        made: list[QWidget] = [self._card(FigureCard(accuracies_figure(analysis, look), self._theme))]
        oracle = ceiling_figure(analysis, look)
        if oracle is not None:
            made.append(self._card(FigureCard(oracle, self._theme)))
        made.append(self._review(analysis))
        for item in (in_use, *models):
            card = FigureCard(confusion_figure(item, look), self._theme, matrix=True)
            card.cell_chosen.connect(lambda true, answer, key=item.key: self._cell(key, true, answer))
            made.append(self._card(card))
        made += [
            self._card(FigureCard(reliability_figure(item, look), self._theme)) for item in (in_use, *models)
        ]
        return made

    def _card(self, card: FigureCard) -> FigureCard:
        self.cards.append(card)
        return card

    def _review(self, analysis: Analysis) -> QFrame:
        """The curve with a slider below it that tries and sets the station's threshold."""
        item = analysis.in_use
        card = self._card(FigureCard(coverage_figure(item, item.at, look_of(self._theme)), self._theme))
        layout = card.layout()
        assert isinstance(layout, QVBoxLayout)  # noqa: S101 - FigureCard makes one
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, _STEPS)
        self.slider.setValue(round(item.at.threshold * _STEPS))
        self.slider.setAccessibleName("Review threshold")
        self.says = PlainLabel(threshold_words(item.at))
        self.says.setFont(self._theme.font(14, bold=True))
        self.set_threshold = QPushButton("Use this threshold", autoDefault=False)
        self.set_threshold.setEnabled(False)
        line = QHBoxLayout()
        line.setSpacing(12)
        line.addWidget(self.slider, 1)
        line.addWidget(self.set_threshold)
        layout.addWidget(self.says)
        layout.addLayout(line)
        self.slider.valueChanged.connect(self._try)
        self.set_threshold.clicked.connect(lambda: self.threshold_wanted.emit(self.slider.value() / _STEPS))
        return card

    def _try(self, value: int) -> None:
        if self.analysis is not None:
            item = self.analysis.in_use
            self.says.setText(threshold_words(item.at_threshold(value / _STEPS)))
            self.set_threshold.setEnabled(value != round(item.at.threshold * _STEPS))

    def _winners(self, analysis: Analysis) -> QFrame | None:
        if not analysis.winners:
            return None
        rows = tuple(
            (WINNER_WORDS[item.winner], str(item.items), str(item.right), percent(item.right / item.items))
            for item in analysis.winners
        )
        card = words_card("Which model won, and how often rightly", (), self._theme)
        layout = card.layout()
        assert layout is not None  # noqa: S101 - words_card makes one
        layout.addWidget(values_table(("Answer came from", "Items", "Right", "Share"), rows, self._theme))
        return card

    def _cell(self, key: str, true: int, answer: int) -> None:
        if self.analysis is not None:
            indices = self.analysis.cell(key, true, answer)
            if len(indices):
                title = f"{WORDS[key]} says {BINS[answer]}, is {BINS[true]}"
                self.items_wanted.emit(title, key, indices)

"""Two stored evaluations side by side."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from gcdesk.engine.evaluation.evaluation_comparison import EvaluationPair
from gcdesk.engine.evaluation.figures import percent
from gcdesk.engine.evaluation.metrics import Accuracy
from gcdesk.engine.evaluation.significance import McNemar, difference_words
from gcdesk.ui.evaluation.figure_card import values_table
from gcdesk.ui.theme.theme import Theme
from gcdesk.ui.widgets.dialogs import Sheet, note


class PairSheet(Sheet):
    """What became better or worse from the first evaluation to the second."""

    def __init__(self, parent: QWidget, theme: Theme, pair: EvaluationPair) -> None:
        super().__init__(
            parent,
            theme,
            "Two evaluations – gcdesk",  # noqa: RUF001 - a dash
            f"{pair.first} and {pair.second}",
        )
        self.heading.setWordWrap(True)
        self.resize_within(860, 420)
        rows = tuple(
            (item.words, _share(item.first), _share(item.second), _change(item.change), _tested(item.test))
            for item in pair.pairs
        )
        head = ("", pair.first, pair.second, "Change", "On the same items")
        self.table = values_table(head, rows, theme)
        self.table.setAccessibleName("Both evaluations")
        self.table.setMinimumWidth(theme.px(760))  # a last column that is cut off tells nothing
        self.remark = note(pair.remark)
        self.body.addWidget(self.table)
        self.body.addWidget(self.remark)
        self.body.addStretch(1)
        self.buttons.addStretch(1)
        self.add_button("Close", self.close, main=True)


def _share(known: Accuracy | None) -> str:
    if known is None:
        return "–"  # noqa: RUF001 - a dash for nothing
    return f"{percent(known.value)} ({known.low * 100:.0f} to {known.high * 100:.0f})"


def _change(change: float | None) -> str:
    return "" if change is None else f"{change * 100:+.1f}".replace("-", "−")  # noqa: RUF001 - a minus


def _tested(test: McNemar | None) -> str:
    return "" if test is None else difference_words(test.only_b, test.only_a, test.p)

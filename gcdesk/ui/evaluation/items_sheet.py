"""The table of the items behind a figure; they can be opened in the window."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem, QWidget

from gcdesk.engine.evaluation.analysis import Analysis, Contender
from gcdesk.engine.labels import BINS
from gcdesk.ui.theme.theme import Theme
from gcdesk.ui.widgets.dialogs import Sheet, note
from gcdesk.ui.widgets.plain_text import tip

_HEADS = ("Photo", "Caption", "Is", "Image model", "Text model", "Answer", "Confidence")
_MOST = 500


class ItemsSheet(Sheet):
    """open_paths: called with the paths to add to the window's list."""

    def __init__(
        self,
        parent: QWidget,
        theme: Theme,
        title: str,
        analysis: Analysis,
        one: Contender,
        places: np.ndarray,
        open_paths: Callable[[Sequence[str]], None],
    ) -> None:
        super().__init__(parent, theme, f"{title} – gcdesk", title)  # noqa: RUF001 - a dash
        self.resize_within(860, 520)
        self._analysis, self._places, self._open = analysis, places[:_MOST], open_paths
        self.table = QTableWidget(len(self._places), len(_HEADS))
        self._set_up()
        for row, place in enumerate(self._places.tolist()):
            self._fill(row, place, one)
        self.body.addWidget(self.table, 1)
        left = len(places) - len(self._places)
        self.body.addWidget(note(f"and {left:,} more" if left else f"{len(places):,} items"))
        self.show_photos = self.add_button("Show the photos in the list", self._show)
        self.show_photos.setEnabled(bool(self.paths()))
        self.buttons.addStretch(1)
        self.add_button("Close", self.close, main=True)

    def _set_up(self) -> None:
        table = self.table
        table.setHorizontalHeaderLabels(_HEADS)
        table.setAccessibleName("Items")
        table.verticalHeader().hide()
        table.verticalHeader().setDefaultSectionSize(self.theme.px(30))
        table.setShowGrid(False)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        header = table.horizontalHeader()
        header.setSectionsClickable(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)

    def _fill(self, row: int, place: int, one: Contender) -> None:
        scored = self._analysis.scored
        item = scored.items[place]
        said = [
            BINS[int(logits[place].argmax())] if there[place] else "–"  # noqa: RUF001 - a dash for nothing
            for logits, there in (
                (scored.image_logits, scored.image_there),
                (scored.text_logits, scored.text_there),
            )
        ]
        answer = int(one.answers[place])
        cells = (
            Path(item.path).name,
            f"{item.caption} (learned)" if item.seen else item.caption,
            BINS[item.label],
            *said,
            BINS[answer] if answer >= 0 else "–",  # noqa: RUF001
            f"{one.confidences[place]:.2f}",
        )
        for column, cell in enumerate(cells):
            made = QTableWidgetItem(cell)
            made.setToolTip(tip(item.path if column == 0 else cell))
            self.table.setItem(row, column, made)

    def paths(self) -> list[str]:
        """The photos of the chosen rows, of all where none is chosen."""
        rows = sorted({index.row() for index in self.table.selectedIndexes()}) or range(len(self._places))
        items = [self._analysis.scored.items[int(self._places[row])] for row in rows]
        return [item.path for item in items if item.path]

    def _show(self) -> None:
        self._open(self.paths())
        self.close()

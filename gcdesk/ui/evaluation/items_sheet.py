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
        item: Contender,
        indices: np.ndarray,
        open_paths: Callable[[Sequence[str]], None],
    ) -> None:
        super().__init__(parent, theme, f"{title} – gcdesk", title)  # noqa: RUF001 - a dash
        self.resize_within(860, 520)
        self._analysis, self._indices, self._open = analysis, indices[:_MOST], open_paths
        self.table = QTableWidget(len(self._indices), len(_HEADS))
        self._set_up()
        for row, index in enumerate(self._indices.tolist()):
            self._fill(row, index, item)
        self.body.addWidget(self.table, 1)
        left = len(indices) - len(self._indices)
        self.body.addWidget(note(f"and {left:,} more" if left else f"{len(indices):,} items"))
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

    def _fill(self, row: int, index: int, entry: Contender) -> None:
        scored = self._analysis.scored
        item = scored.items[index]
        answers = [
            BINS[int(logits[index].argmax())] if present[index] else "–"  # noqa: RUF001 - a dash for nothing
            for logits, present in (
                (scored.image_logits, scored.image_there),
                (scored.text_logits, scored.text_there),
            )
        ]
        answer = int(entry.answers[index])
        cells = (
            Path(item.path).name,
            f"{item.caption} (learned)" if item.seen else item.caption,
            BINS[item.label],
            *answers,
            BINS[answer] if answer >= 0 else "–",  # noqa: RUF001
            f"{entry.confidences[index]:.2f}",
        )
        for column, cell in enumerate(cells):
            made = QTableWidgetItem(cell)
            made.setToolTip(tip(item.path if column == 0 else cell))
            self.table.setItem(row, column, made)

    def paths(self) -> list[str]:
        """The photos of the chosen rows, of all where none is chosen."""
        rows = sorted({index.row() for index in self.table.selectedIndexes()}) or range(len(self._indices))
        items = [self._analysis.scored.items[int(self._indices[row])] for row in rows]
        return [item.path for item in items if item.path]

    def _show(self) -> None:
        self._open(self.paths())
        self.close()

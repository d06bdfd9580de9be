"""Keeps the list's view up to date: filters and sorts on a thread, then replaces the model's index array."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal

from gcdesk.ui.session.filtering import Show, ViewSpec, appended_rows, counts, take_snapshot, visible_rows
from gcdesk.ui.threads.background import Background
from gcdesk.ui.window.list.model import ItemModel

_FOLLOW_MS = 400  # how soon rows that come to fit appear, and counts follow
_POUR_MS = 200  # rows that pour in appear at most this often: every time the list is painted anew


class ViewUpdater(QObject):
    """`ask(...)` applies a filter, search or order to all rows; `follow()` appends rows that newly fit."""

    counted = Signal(object)
    settled = Signal()

    def __init__(self, model: ItemModel, background: Background, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self._background = background
        self.spec = ViewSpec()
        self._asked = 0
        self._busy = False
        self._again = False
        self._timer = QTimer(self, singleShot=True, interval=_FOLLOW_MS)
        self._timer.timeout.connect(self._follow)
        self._pour = QTimer(self, singleShot=True, interval=_POUR_MS)
        self._pour.timeout.connect(self._pour_on)

    def ask(self, **changes: Any) -> None:
        """Change the filter, the search or the order, or apply them again."""
        self.spec = dataclasses.replace(self.spec, **changes)
        self._run(whole=True)

    def added(self) -> None:
        """New rows: at once where everything is shown in the order of arrival (while many pour in, a moment
        later), else as soon as they are judged.
        """
        if not self._pour.isActive():
            self._pour_on()
        self.follow()

    def catch_up(self) -> None:
        """Show rows that were added a moment ago, where everything is shown in the order of arrival."""
        shown, total = self._model.index_array, len(self._model.rows)
        whole_so_far = not len(shown) or shown[-1] == len(shown) - 1
        if self.spec.plain and whole_so_far and len(shown) < total:
            self._model.set_index_array(np.arange(total, dtype=np.int32))

    def _pour_on(self) -> None:
        shown = self._model.rowCount()
        self.catch_up()
        if self._model.rowCount() > shown:
            self._pour.start()

    def follow(self) -> None:
        """Contents changed: recount soon, append what newly fits."""
        if not self._timer.isActive():
            self._timer.start()

    def reset(self) -> None:
        """The rows were replaced as a whole."""
        self._pour.stop()
        self._asked += 1
        self._busy = False
        self._model.reset_rows()
        self._run(whole=True)

    def _follow(self) -> None:
        if self._busy:
            self._again = True
        else:
            self._run(whole=False)

    def _run(self, whole: bool) -> None:
        spec, shown = self.spec, self._model.index_array
        self._asked += 1
        request = self._asked
        snapshot = take_snapshot(self._model.rows, spec.low, spec.high)
        only_count = not whole and (spec.plain or (spec.show is Show.ALL and len(shown) == len(snapshot)))

        def filtered(index: np.ndarray) -> None:
            if request == self._asked:
                self._model.set_index_array(self._with_newcomers(index, len(snapshot)))
                self.settled.emit()
                count()  # now that the rows are shown: nobody waits for these

        def count() -> None:
            self._background.run(lambda: counts(snapshot), counted)

        def counted(numbers: dict[Show, int]) -> None:
            if request == self._asked:
                self._busy = False
                self.counted.emit(numbers)
                if only_count:
                    self.settled.emit()
                if self._again:
                    self._again = False
                    self.follow()

        self._busy = True
        if only_count:
            count()
        elif whole:
            self._background.run(lambda: visible_rows(snapshot, spec), filtered)
        else:
            self._background.run(lambda: appended_rows(snapshot, spec, shown), filtered)

    def _with_newcomers(self, index: np.ndarray, judged: int) -> np.ndarray:
        """Rows that came while the thread worked, where everything is shown anyway."""
        total = len(self._model.rows)
        if self.spec.plain and total > judged:
            return np.concatenate([index, np.arange(judged, total, dtype=np.int32)])
        return index

    def close(self) -> None:
        self._timer.stop()
        self._pour.stop()
        self._asked += 1

"""Marks photos whose content is in the list already, once no new photo came for a while."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import numpy as np
from PySide6.QtCore import QObject, QTimer

from gcdesk.ui.session.controller import Controller

_REST_MS = 1500  # after the last new row: the disk is needed for the models first
_AT_ONCE = 5_000


class DuplicateFinder(QObject):
    """Compares new rows with the list. Only files of equal size are read, on a thread."""

    def __init__(self, controller: Controller, parent: QObject) -> None:
        super().__init__(parent)
        self._controller = controller
        self._new: list[int] = []
        self._timer = QTimer(self, singleShot=True, interval=_REST_MS)
        self._timer.timeout.connect(self._look)
        controller.rows_added.connect(self._added)
        controller.rows_reset.connect(self._reset)

    def _added(self, first: int, count: int) -> None:
        self._new += self._controller.rows.item_id[first : first + count].tolist()
        self._timer.start()

    def _reset(self) -> None:
        self._new.clear()

    def _look(self) -> None:
        progress = self._controller.progress()
        if progress.running and not progress.paused:
            self._timer.start()
            return
        new, self._new = self._new, []
        if new:
            self._controller.ledger.find_copies(self._controller.session_id, new, self._mark)

    def _mark(self, duplicates: dict[int, int]) -> None:
        self._mark_some(self._controller.session_id, iter(duplicates.items()), 0)

    def _mark_some(self, session: int, duplicates: Iterator[tuple[int, int]], marked: int) -> None:
        """A part at a time: in a folder of 100,000 copies the window would stand still for too long."""
        some = list(islice(duplicates, _AT_ONCE))
        if session != self._controller.session_id:
            return
        rows = self._controller.rows
        known = [(row, first) for item, first in some if (row := rows.row_of(item)) >= 0]
        fresh = [(row, first) for row, first in known if rows.duplicate_of[row] != first]
        if fresh:
            numbers = np.array([row for row, _ in fresh], dtype=np.int32)
            rows.duplicate_of[numbers] = [first for _, first in fresh]
            self._controller.rows_changed.emit(numbers)
        marked += len(fresh)
        if some:
            QTimer.singleShot(0, self, lambda: self._mark_some(session, duplicates, marked))
        elif marked:
            self._controller.notice.emit(
                "1 photo has the same content as another of the list; it is marked “Copy”."
                if marked == 1
                else f"{marked:,} photos have the same content as others of the list; they are marked “Copy”."
            )

    def close(self) -> None:
        self._timer.stop()

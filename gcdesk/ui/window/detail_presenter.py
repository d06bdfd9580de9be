"""Fills the detail pane for the current row: text at once, pictures when the worker has made them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QObject, QTimer
from PySide6.QtGui import QImage

from gcdesk.ui.session.controller import Controller
from gcdesk.ui.session.review import review_position
from gcdesk.ui.threads.background import Background
from gcdesk.ui.widgets.heatmap_overlay import heat_picture
from gcdesk.ui.window.detail import Detail, file_facts
from gcdesk.ui.window.list.model import ItemModel

_SETTLE_MS = 60  # a held arrow key passes many rows; only where it rests is a large photo asked for


class DetailPresenter(QObject):
    """Between controller and detail pane. Pictures are loaded on a thread; one for another row is dropped."""

    def __init__(
        self, controller: Controller, model: ItemModel, detail: Detail, background: Background
    ) -> None:
        super().__init__(detail)
        self._controller, self._model, self._detail = controller, model, detail
        self._background = background
        self._row = -1
        self._file = ""
        self._heat_on = False
        self._settle = QTimer(self, singleShot=True, interval=_SETTLE_MS)
        self._settle.timeout.connect(self._ask_picture)
        controller.preview_ready.connect(self._preview)
        controller.heatmap_ready.connect(self._heat)
        controller.words_ready.connect(self._words)
        detail.heat_wanted.connect(self.set_heat)
        detail.show_nothing()

    @property
    def row(self) -> int:
        return self._row

    def show_row(self, row: int) -> None:
        """Another row is the current one (-1: none)."""
        self._row = row
        self._file = ""
        self._detail.show_heat(None)
        self._detail.show_words((), ())
        if row < 0:
            self._settle.stop()
            self._detail.show_nothing()
            return
        self.refresh()
        rows = self._controller.rows
        if rows.error[row]:
            self._detail.photo.show_message(rows.error[row])
        elif rows.thumbnail[row]:
            self._detail.photo.show_message("")  # never another row's photo beside this answer
            self._load(rows.thumbnail[row], large=False)
        else:
            self._detail.photo.show_message("")
        self._settle.start()

    def refresh(self) -> None:
        """The row's contents changed."""
        row, rows = self._row, self._controller.rows
        if not 0 <= row < len(rows):
            return
        position, count = review_position(rows, self._model.index_array, row)
        words = f"{position} / {count} to review" if position else f"{count} to review" if count else ""
        self._detail.show_row(rows, row, words, self._controller.settings)

    def refresh_if(self, changed: np.ndarray) -> None:
        """Rows changed; the picture of a row that just got its first result is asked for again."""
        if self._row >= 0 and (changed == self._row).any():
            if not self._detail.photo.has_picture and not self._settle.isActive():
                self.show_row(self._row)
            else:
                self.refresh()
                if self._heat_on:
                    self._ask_why(self._row)

    # --- pictures

    def _ask_picture(self) -> None:
        row, rows = self._row, self._controller.rows
        if not 0 <= row < len(rows):
            return
        path, width, height = rows.path[row], int(rows.width[row]), int(rows.height[row])
        twin = rows.twin(row)
        same = f" · same as {rows.name(twin)}" if twin >= 0 else ""
        self._background.run(
            lambda: file_facts(path, width, height) + same, lambda text: self._facts(row, text)
        )
        if not rows.error[row]:
            self._controller.request_preview(row)
            if self._heat_on:
                self._ask_why(row)

    def _ask_why(self, row: int) -> None:
        """Where the image model looked, and which words the text model went by."""
        self._controller.request_heatmap(row)
        self._controller.request_words(row)

    def _words(self, row: int, words: Sequence[str], values: Sequence[float]) -> None:
        if row == self._row and self._heat_on:
            self._detail.show_words(words, values)

    def _facts(self, row: int, text: str) -> None:
        if row == self._row:
            self._detail.show_facts(text, self._controller.rows.path[row])

    def _preview(self, row: int, file: str) -> None:
        if row == self._row and file:
            self._load(file, large=True)

    def _load(self, file: str, large: bool) -> None:
        row = self._row

        def done(image: QImage) -> None:
            if row != self._row or (not large and self._file) or image.isNull():
                return
            keep = self._detail.photo.has_picture and (bool(self._file) or large)
            self._file = file if large else ""
            self._detail.show_picture(image, keep_zoom=keep and large)

        self._background.run(lambda: QImage(file), done, priority=1)

    # --- heat-map

    def set_heat(self, on: bool) -> None:
        self._heat_on = on
        if not on:
            self._detail.show_heat(None)
            self._detail.show_words((), ())
        elif self._row >= 0:
            self._ask_why(self._row)

    def _heat(self, row: int, file: str) -> None:
        if row == self._row and self._heat_on and file:
            self._background.run(
                lambda: heat_picture(file),
                lambda image: self._detail.show_heat(image) if row == self._row and self._heat_on else None,
                priority=1,
            )

    def close(self) -> None:
        self._settle.stop()

"""The station view: one photo and one word, to be read from two metres and answered with a glove.

It shows the newest photo. Whatever was shown before goes in the same moment, so an answer never stands beside
a photo that it is not of.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QGuiApplication, QImage, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLayout, QSpacerItem, QVBoxLayout, QWidget

from gcdesk.engine.labels import UNSURE
from gcdesk.store import Status
from gcdesk.ui.session.controller import Controller
from gcdesk.ui.session.progress import Progress
from gcdesk.ui.session.review import next_to_review
from gcdesk.ui.station.answer import answer_of
from gcdesk.ui.station.answer_panel import AnswerPanel
from gcdesk.ui.station.parts import KEPT, TEXT, LastTen, StationPhoto, TouchButton
from gcdesk.ui.theme.theme import Theme
from gcdesk.ui.threads.background import Background
from gcdesk.ui.widgets.plain_text import PlainLabel, tip

# Everything is drawn for 1920 x 1080 px on 24 inches and scaled as a whole.
_WIDTH, _HEIGHT = 1920, 1080
_BUTTON, _BUTTON_MM = 128, 20.0
_NEWS_MS = 12_000


class StationView(QWidget):
    """A window of its own over the whole screen, on the same controller as the main window."""

    left = Signal()

    def __init__(self, controller: Controller, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Window)
        self.setWindowTitle("Station – gcdesk")  # noqa: RUF001 - a dash
        self.setObjectName("station")
        self.setAutoFillBackground(True)
        self.controller, self._theme = controller, theme
        self.row = -1
        self._file = ""
        self._news = ""
        self._changed: list[int] | None = None  # rows that an undo touches, while it runs
        self._pictures = Background(self)
        self._news_timer = QTimer(self, singleShot=True, interval=_NEWS_MS)
        self._news_timer.timeout.connect(self._forget_news)
        self.photo = StationPhoto(theme)
        self.panel = AnswerPanel(theme)
        self.strip = LastTen(theme)
        self.waiting = PlainLabel()
        self.waiting.setAccessibleName("Queue")
        self.buttons = [TouchButton(theme, theme.bin(code).name, code) for code in range(UNSURE)]
        self.undo = TouchButton(theme, "Undo")
        self.leave = TouchButton(theme, "Leave")
        self._assemble()
        self._name_parts()
        self._connect()
        self.set_theme(theme)

    # --- building

    def _assemble(self) -> None:
        self._top, self._middle, self._bottom = QHBoxLayout(), QHBoxLayout(), QHBoxLayout()
        self._top.addWidget(self.photo, 104)
        self._top.addWidget(self.panel, 84)
        self._middle.addWidget(self.strip, 1)
        self._middle.addWidget(self.waiting)
        for button in self.buttons:
            self._bottom.addWidget(button, 3)
        self._bottom.addWidget(self.undo, 2)
        self._apart = QSpacerItem(0, 0)  # a glove that misses Undo must not leave
        self._bottom.addSpacerItem(self._apart)
        self._bottom.addWidget(self.leave, 2)
        self._whole = QVBoxLayout(self)
        self._whole.setSizeConstraint(QLayout.SizeConstraint.SetNoConstraint)  # parts follow the screen
        self._whole.addLayout(self._top, 1)
        self._whole.addLayout(self._middle)
        self._whole.addLayout(self._bottom)

    def _name_parts(self) -> None:
        for button in self.buttons:
            style = self._theme.bin(button.code)
            button.setAccessibleName(f"Set bin {style.name}, key {style.key}")
            button.setToolTip(tip(f"{style.name} ({style.key})"))
        self.undo.setToolTip("Undo (Ctrl+Z)")
        self.leave.setToolTip("Leave the station view (Esc or F11)")

    def _connect(self) -> None:
        controller = self.controller
        for button in self.buttons:
            button.clicked.connect(lambda _on, code=button.code: self.set_label(code))
        self.undo.clicked.connect(self.take_back)
        self.leave.clicked.connect(self.close)
        self.strip.chosen.connect(self.show_row)
        controller.rows_added.connect(self._rows_added)
        controller.rows_changed.connect(self._rows_changed)
        controller.rows_reset.connect(self._rows_reset)
        controller.progress_changed.connect(self._progress)
        controller.preview_ready.connect(self._preview)
        controller.notice.connect(self.say)
        controller.offered.connect(self.say)
        controller.undo_stack.canUndoChanged.connect(self.undo.setEnabled)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self._fit()

    # --- size

    def _fit(self) -> None:
        """Scale everything to the window; buttons stay 20 mm high where the screen says how large it is."""
        theme = self._theme
        unit = max(0.3, min(self.width() / _WIDTH, self.height() / _HEIGHT))
        height = max(round(_BUTTON * unit), round(_BUTTON_MM / 25.4 * self._pixels_per_inch()))
        palette = self.palette()
        palette.setColor(self.backgroundRole(), theme.ground)
        self.setPalette(palette)
        for part in (self.photo, self.panel, self.strip):
            part.set_look(theme, unit)
        for button in (*self.buttons, self.undo, self.leave):
            button.set_look(theme, unit, height)
        font = theme.font(bold=True)
        font.setPixelSize(round(TEXT * unit))
        self.waiting.setFont(font)
        self.waiting.setMinimumWidth(round(330 * unit))
        self.waiting.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        gap = round(24 * unit)
        self._whole.setContentsMargins(gap, gap, gap, gap)
        self._whole.setSpacing(gap)
        self._top.setSpacing(gap)
        self._bottom.setSpacing(round(16 * unit))
        self._apart.changeSize(round(40 * unit), 0)
        self._bottom.invalidate()

    def _pixels_per_inch(self) -> float:
        """Of this screen; 92 (24 inches, 1080p) where it does not know its size."""
        screen = self.screen() or QGuiApplication.primaryScreen()
        found = screen.physicalDotsPerInch() if screen is not None else 0.0
        return found if 50 <= found <= 350 and screen.physicalSize().width() > 100 else 92.0

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._fit()
        super().resizeEvent(event)

    # --- coming and going

    def begin(self, row: int = -1) -> None:
        """Show this row, or the newest one."""
        self.strip.start(self.controller.rows)
        self.undo.setEnabled(self.controller.undo_stack.canUndo())
        self._news = ""
        self.show_row(row if row >= 0 else len(self.controller.rows) - 1)
        self._progress(self.controller.progress())

    def closeEvent(self, event: QCloseEvent) -> None:
        self._news_timer.stop()
        super().closeEvent(event)
        self.left.emit()

    def end(self) -> None:
        """The application ends: let go of threads."""
        self._pictures.close()
        self.strip.thumbnails.close()

    # --- which row

    def _rows_added(self, first: int, count: int) -> None:
        """The newest photo takes over. Only of many at once is the first shown: they are gone through one by one."""
        if not self.isVisible():
            return
        rows = self.controller.rows
        if count <= KEPT:
            self.show_row(first + count - 1)
        elif not (rows.status[:first] <= Status.RUNNING).any():
            self.show_row(first)
        failed = [row for row in range(first, first + count) if rows.status[row] == Status.FAILED]
        self.strip.answered(failed)

    def _rows_reset(self) -> None:
        if self.isVisible():
            self.begin()

    def show_row(self, row: int) -> None:
        """Show another row: its words at once, its photo as soon as it is there; what was shown goes now."""
        self.row = row
        self._file = ""
        self.photo.show_picture(None)
        self.strip.set_current(row)
        self._refresh()
        rows = self.controller.rows
        if 0 <= row < len(rows):
            if rows.thumbnail[row]:
                self._load(rows.thumbnail[row], large=False)
            if rows.status[row] != Status.FAILED:
                self.controller.request_preview(row)

    def _refresh(self) -> None:
        rows, row = self.controller.rows, self.row
        progress = self.controller.progress()
        stopped = not progress.running
        answer = answer_of(rows, row, self.controller.settings, progress.paused, stopped)
        self.panel.show_answer(answer)
        for button in self.buttons:
            button.setChecked(button.code == answer.label)
            button.setEnabled(row >= 0)
        earlier = 0 <= row < len(rows) - 1 and not self._in_batch()
        error = rows.error[row] if 0 <= row < len(rows) and rows.status[row] == Status.DONE else ""
        self.photo.show_band(self._news or error or ("Earlier photo" if earlier else ""))

    def _in_batch(self) -> bool:
        """Whether many photos came at once: then none of them is "the" photo."""
        progress = self.controller.progress()
        return progress.total > KEPT

    def _rows_changed(self, changed: np.ndarray) -> None:
        if not self.isVisible():
            return
        if self._changed is not None:
            self._changed.extend(changed.tolist())
        rows = self.controller.rows
        fresh = [row for row in changed.tolist() if rows.status[row] >= Status.DONE]
        self.strip.answered(fresh)
        if (changed == self.row).any():
            self._refresh()
            if not self.photo.has_picture and rows.thumbnail[self.row]:
                self._load(rows.thumbnail[self.row], large=False)

    # --- pictures

    def _preview(self, row: int, file: str) -> None:
        if row == self.row and file and self.isVisible():
            self._load(file, large=True)

    def _load(self, file: str, large: bool) -> None:
        row = self.row

        def done(image: QImage) -> None:
            if row == self.row and (large or not self._file) and not image.isNull():
                self._file = file if large else ""
                self.photo.show_picture(image)

        self._pictures.run(lambda: QImage(file), done, priority=1)

    # --- words

    def _progress(self, progress: Progress) -> None:
        if not self.isVisible():
            return
        waiting = int((self.controller.rows.status <= Status.RUNNING).sum())
        review = int(self.controller.rows.to_review().sum())
        self.waiting.setText(f"{waiting:,} waiting\n{review:,} to check")

    def say(self, text: str, _offer: str = "", _act: object = None) -> None:
        """One line of news over the photo, for a while."""
        if self.isVisible():
            self._news = text
            self._news_timer.start()
            self._refresh()

    def _forget_news(self) -> None:
        self._news = ""
        self._refresh()

    # --- what the operator does

    def set_label(self, label: int) -> None:
        """Set the bin of the photo that is shown."""
        if self.row >= 0:
            self.controller.set_labels([self.row], label)
            self._refresh()
            self._progress(self.controller.progress())

    def accept(self) -> None:
        """Accept what is shown, go to the next to check; where there is none, to the next photo."""
        rows, row = self.controller.rows, self.row
        if row < 0 or rows.status[row] <= Status.RUNNING:
            return
        everything = np.arange(len(rows), dtype=np.int32)
        following = next_to_review(rows, everything, row)
        self.controller.accept([row])
        self._progress(self.controller.progress())
        if following >= 0:
            self.show_row(following)
        elif row < len(rows) - 1:
            self.show_row(row + 1)
        else:
            self._refresh()

    def take_back(self) -> None:
        """Undo, and show the photo that it was about."""
        self._go_back(self.controller.undo_stack.undo)

    def _go_back(self, step: Callable[[], None]) -> None:
        self._changed = []
        step()
        changed, self._changed = self._changed, None
        if changed and self.row not in changed:
            self.show_row(changed[0])
        self._progress(self.controller.progress())

    def _step(self, by: int) -> None:
        count = len(self.controller.rows)
        if count:
            self.show_row(min(max(self.row + by, 0), count - 1))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        control = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if key in (Qt.Key.Key_Escape, Qt.Key.Key_F11):
            self.close()
        elif control and key == Qt.Key.Key_Z:
            if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
                self._go_back(self.controller.undo_stack.redo)
            else:
                self.take_back()
        elif control and key == Qt.Key.Key_Y:
            self._go_back(self.controller.undo_stack.redo)
        elif key in _LABELS and not control:
            self.set_label(_LABELS[key])
        elif key == Qt.Key.Key_Space and not event.isAutoRepeat():
            self.accept()
        elif key in _STEPS:
            self._step(_STEPS[key])
        else:
            super().keyPressEvent(event)


_LABELS: dict[int, int] = {
    Qt.Key.Key_1: 0,
    Qt.Key.Key_2: 1,
    Qt.Key.Key_3: 2,
    Qt.Key.Key_4: 3,
    Qt.Key.Key_0: UNSURE,
}
# In the strip the newest photo is on the left.
_FAR = 10**9
_STEPS: dict[int, int] = {
    Qt.Key.Key_Left: 1,
    Qt.Key.Key_Up: 1,
    Qt.Key.Key_Right: -1,
    Qt.Key.Key_Down: -1,
    Qt.Key.Key_End: _FAR,
    Qt.Key.Key_Home: -_FAR,
}

"""The detail pane: photo, answer and reason, probability bars, bin buttons."""

from __future__ import annotations

import html
import math
import os
import time
from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from gcdesk.config.settings import Settings
from gcdesk.engine.labels import NOT_SET, UNSURE
from gcdesk.engine.selection.rules import Winner
from gcdesk.store import SpotCheck, Status
from gcdesk.ui.session.rows import Rows
from gcdesk.ui.session.wording import label_name, status_word
from gcdesk.ui.theme.theme import BODY, SMALL, Theme, icon
from gcdesk.ui.widgets.bin_shapes import BinButton, chip_width, draw_chip
from gcdesk.ui.widgets.photo_view import PhotoView
from gcdesk.ui.widgets.plain_text import HtmlLabel, PlainLabel, tip
from gcdesk.ui.widgets.probability_bars import BarsView

_ANSWER = 19
_SPEAKS = 0.05  # a word that changes the probability by less is neither for nor against


class AnswerLine(QWidget):
    """The bin as a large chip, how sure it is, and the position in the review queue."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._label, self._doubtful, self._word, self._position = NOT_SET, False, "", ""
        self._margin = ""
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(300), self._theme.px(44))

    def show_answer(self, label: int, doubtful: bool, word: str, position: str, margin: str = "") -> None:
        self._label, self._doubtful, self._word, self._position = label, doubtful, word, position
        self._margin = margin
        self.setAccessibleName(" ".join(part for part in (label_name(label), word, position) if part))
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme = self._theme
        painter = QPainter(self)
        left = 0.0
        if self._label != NOT_SET:
            style = theme.bin(self._label)
            box = QRectF(0, 0, self.width(), self.height())
            draw_chip(painter, box, style, theme, _ANSWER, self._doubtful)
            left = chip_width(f"{style.name}?" if self._doubtful else style.name, _ANSWER, theme) + theme.px(
                12
            )
        centre = Qt.AlignmentFlag.AlignVCenter
        painter.setPen(theme.text)
        painter.setFont(theme.font(BODY + 2))
        half = self.height() / 2
        upper, lower = (
            QRectF(left, 0, self.width() - left, half),
            QRectF(left, half, self.width() - left, half),
        )
        if self._margin:
            painter.drawText(upper, Qt.AlignmentFlag.AlignBottom, self._word)
        else:
            painter.drawText(upper.united(lower), centre, self._word)
        painter.setPen(theme.text_2)
        painter.setFont(theme.font(SMALL))
        painter.drawText(lower.adjusted(0, 1, 0, 0), Qt.AlignmentFlag.AlignVCenter, self._margin)
        painter.drawText(QRectF(self.rect()), centre | Qt.AlignmentFlag.AlignRight, self._position)
        painter.end()


class Detail(QWidget):
    """Shows one row and emits what the operator chooses; it changes nothing itself."""

    label_chosen = Signal(int)
    accepted = Signal()
    heat_wanted = Signal(bool)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("detail")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._theme = theme
        self.photo = PhotoView(theme)
        self.answer = AnswerLine(theme)
        self.reason = PlainLabel()
        self.reason.setProperty("tone", "2")
        self.reason.setWordWrap(True)
        self.reason.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self.words = HtmlLabel()  # `words_html` escapes the caption
        self.words.setWordWrap(True)
        self.words.setAccessibleName("What each caption word adds")
        self.words.hide()
        self.bars = BarsView(theme)
        self.facts = PlainLabel()
        self.facts.setProperty("tone", "3")
        self.facts.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.buttons = [BinButton(code, theme) for code in (*range(UNSURE), UNSURE)]
        self.accept = QPushButton("Accept and next  (Space)")
        self.accept.setProperty("role", "main")
        self.accept.setToolTip("Accept what is shown and go to the next to review (Space)")
        self._tools: list[tuple[QToolButton, str]] = []
        self._build()
        self.set_theme(theme)

    def _build(self) -> None:
        for button in self.buttons:
            button.clicked.connect(lambda _on, code=button.code: self.label_chosen.emit(code))
        self.accept.clicked.connect(self.accepted)
        self.heat = self._tool("heat", "Heat-map: where the image model looked (Ctrl+H, or H on the photo)")
        self.heat.setCheckable(True)
        self.heat.toggled.connect(self.heat_wanted)
        less = self._tool("minus", "Zoom out (-)")
        less.clicked.connect(lambda: self.photo.zoom_by(0.8))
        more = self._tool("plus", "Zoom in (+)")
        more.clicked.connect(lambda: self.photo.zoom_by(1.25))
        fit = self._tool("fit", "Fit the photo (F)")
        fit.clicked.connect(self.photo.fit)
        below = QHBoxLayout()
        below.setSpacing(2)
        below.addWidget(self.facts, 1)
        for tool in (self.heat, less, more, fit):
            below.addWidget(tool)
        deciding = QHBoxLayout()
        deciding.setSpacing(8)
        for button in self.buttons:
            deciding.addWidget(button, 1)
        lower = QVBoxLayout()
        lower.setContentsMargins(20, 6, 20, 16)
        lower.setSpacing(0)
        lower.addLayout(below)
        lower.addSpacing(6)
        lower.addWidget(self.answer)
        lower.addSpacing(8)
        lower.addWidget(self.reason)
        lower.addWidget(self.words)
        lower.addSpacing(6)
        lower.addWidget(self.bars)
        lower.addSpacing(12)
        lower.addLayout(deciding)
        lower.addSpacing(10)
        lower.addWidget(self.accept)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(self.photo, 1)
        whole.addLayout(lower)

    def _tool(self, picture: str, hint: str) -> QToolButton:
        tool = QToolButton()
        tool.setProperty("role", "quiet")
        tool.setToolTip(tip(hint))
        tool.setAccessibleName(hint.partition(" (")[0])
        tool.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._tools.append((tool, picture))
        return tool

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        for part in (self.photo, self.answer, self.bars):
            part.set_theme(theme)
        for button in self.buttons:
            button.set_theme(theme)
        for tool, picture in self._tools:
            tool.setIcon(icon(picture, theme, theme.px(18)))
            tool.setIconSize(QSize(theme.px(18), theme.px(18)))
        self.reason.setMinimumHeight(theme.px(38))
        self.setMinimumWidth(theme.px(352))

    # --- one row

    def show_nothing(self) -> None:
        """Show that no row is current."""
        self.photo.show_message("Choose a photo in the list")
        self.answer.show_answer(NOT_SET, False, "", "")
        self.reason.clear()
        self.facts.clear()
        self.bars.show_votes(None, None, Winner.NONE, NOT_SET)
        self._enable(False)

    def show_row(self, rows: Rows, row: int, position: str, settings: Settings) -> None:
        """Everything but the picture, which comes by `show_picture`."""
        final = rows.final(row)
        doubtful = bool(rows.review[row]) and rows.operator[row] == NOT_SET
        self.answer.show_answer(
            final, doubtful, self._word(rows, row, settings), position, margin_words(rows, row)
        )
        self.reason.setText(self._reason(rows, row))
        winner = Winner(int(rows.winner[row]))
        self.bars.show_votes(_votes(rows.image[row]), _votes(rows.text[row]), winner, final)
        for button in self.buttons:
            button.setChecked(button.code == final and final != NOT_SET)
        self._enable(True)
        self.accept.setEnabled(rows.final(row) != NOT_SET)

    def _enable(self, on: bool) -> None:
        for part in (self.accept, *self.buttons):
            part.setEnabled(on)
        for tool, _picture in self._tools:
            tool.setEnabled(on)

    @staticmethod
    def _word(rows: Rows, row: int, settings: Settings) -> str:
        if rows.operator[row] != NOT_SET or rows.status[row] != Status.DONE:
            return status_word(rows, row).lower()
        if rows.label[row] == NOT_SET or rows.review[row]:
            return "check"
        return "sure" if rows.confidence[row] >= settings.sure_threshold else "probably"

    @staticmethod
    def _reason(rows: Rows, row: int) -> str:
        if rows.spot[row] == SpotCheck.OFFERED and rows.operator[row] == NOT_SET:
            return f"SpotCheck check: is {label_name(rows.final(row))} right? Space says yes, a number corrects it."
        reason = f"{rows.error[row]} {rows.reason[row]}".strip()
        given = int(rows.operator[row])
        if given not in (NOT_SET, int(rows.label[row])) and rows.label[row] != NOT_SET:
            return (
                f"You said {label_name(given)}; the models say {label_name(int(rows.label[row]))}. {reason}"
            )
        return reason

    def show_facts(self, text: str, path: str) -> None:
        self.facts.setText(text)
        self.facts.setToolTip(tip(path))

    def show_picture(self, image: QImage, keep_zoom: bool = False) -> None:
        """Show the photo; `keep_zoom` for a sharper picture of the same one."""
        if image.isNull():
            self.photo.show_message("This photo cannot be shown")
        else:
            self.photo.show_picture(image, keep_zoom)

    def show_words(self, words: Sequence[str], values: Sequence[float]) -> None:
        """What each caption word adds to the label, beside the heat-map; no words hide it."""
        self.words.setText(words_html(words, values))
        self.words.setVisible(bool(words))

    def show_heat(self, image: QImage | None) -> None:
        """Lay a heat-map over the photo; None takes it away."""
        self.photo.show_heat(image)


def words_html(words: Sequence[str], values: Sequence[float]) -> str:
    """Each word with what it adds: bold where it speaks for the label, struck out where it speaks against it."""
    parts = []
    for word, value in zip(words, values, strict=True):
        shown = html.escape(word)
        if value >= _SPEAKS:
            shown = f"<b>{shown}</b>"
        elif value <= -_SPEAKS:
            shown = f"<s>{shown}</s>"
        parts.append(f"{shown}&nbsp;{value:+.2f}".replace("-", "\u2212"))
    return "Words: " + " · ".join(parts) if parts else ""


def margin_words(rows: Rows, row: int) -> str:
    """The rule's margin: how far the winner is ahead; empty where there is no answer."""
    margin = float(rows.margin[row])
    models_decide = rows.operator[row] == NOT_SET and rows.label[row] != NOT_SET
    return f"ahead by {margin:.2f}" if models_decide and not math.isnan(margin) else ""


def _votes(probabilities: np.ndarray) -> list[float] | None:
    return None if np.isnan(probabilities[0]) else [float(value) for value in probabilities]


def file_facts(path: str, width: int, height: int) -> str:
    """Size in pixels and bytes, and the date. Asks the disk, which may be a slow share: not on the window's thread."""
    parts = []
    if width:
        parts.append(f"{width} × {height}")  # noqa: RUF001 - the sign, not the letter
    try:
        found = os.stat(path)
    except OSError:
        return " · ".join([*parts, "file not found"])
    size = found.st_size
    parts.append(f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size / 1e3:.0f} kB")
    when, now = time.localtime(found.st_mtime), time.localtime()
    parts.append(time.strftime("%d %b, %H:%M" if when.tm_year == now.tm_year else "%d %b %Y", when))
    return " · ".join(parts)

"""Both models' probabilities of the four bins on one scale, with numbers; the winner is marked."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from gcdesk.engine.labels import BINS
from gcdesk.engine.selection.rules import Winner
from gcdesk.ui.theme.theme import BODY, SMALL, Theme
from gcdesk.ui.widgets.bin_shapes import draw_shape

_ROW = 26
_HEAD = 26
_LEFT = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
_RIGHT = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight


class BarsView(QWidget):
    """One line a bin, one column a model. Probabilities 0 to 1 share one scale."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._image: Sequence[float] | None = None
        self._text: Sequence[float] | None = None
        self._winner = Winner.NONE
        self._why_no_text = ""
        self._label = -1
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("What the models say")

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(330), self._theme.px(_HEAD + _ROW * len(BINS)))

    minimumSizeHint = sizeHint

    def show_votes(
        self, image: Sequence[float] | None, text: Sequence[float] | None, winner: Winner, label: int
    ) -> None:
        """Show four probabilities a model (None: it abstained), who won, and the bin that was chosen (-1 none)."""
        self._image, self._text, self._winner, self._label = image, text, winner, label
        self.setAccessibleDescription(self._in_words())
        self.update()

    def _in_words(self) -> str:
        parts = []
        for name, votes in (("Image model", self._image), ("Text model", self._text)):
            if votes is None:
                parts.append(f"{name}: no answer")
            else:
                parts.append(
                    f"{name}: " + ", ".join(f"{b} {v:.2f}" for b, v in zip(BINS, votes, strict=True))
                )
        return "; ".join(parts)

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme = self._theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        head, row, words = theme.px(_HEAD), theme.px(_ROW), theme.px(86)
        gap = theme.px(20)
        width = (self.width() - words - gap) / 2
        columns = (
            ("Image model", self._image, Winner.IMAGE, words),
            ("Text model", self._text, Winner.TEXT, words + width + gap),
        )
        for code, name in enumerate(BINS):
            top = head + code * row
            side = theme.px(17)
            mark = QRectF(1, top + (row - side) / 2, side, side)
            draw_shape(painter, mark, theme.bin(code), theme)
            painter.setFont(theme.font(BODY, bold=code == self._label))
            painter.setPen(theme.text)
            painter.drawText(QRectF(side + theme.px(9), top, words - side, row), _LEFT, name)
        for title, votes, who, left in columns:
            won = self._winner in (who, Winner.BOTH)
            box = QRectF(left, 0, width, head)
            painter.setFont(theme.font(SMALL, bold=won))
            painter.setPen(theme.text if won else theme.text_2)
            painter.drawText(box, _LEFT, f"{title.removesuffix(' model')} decides" if won else title)
            self._column(painter, QRectF(left, head, width, row * len(BINS)), votes, won)
        painter.end()

    def _column(self, painter: QPainter, box: QRectF, votes: Sequence[float] | None, won: bool) -> None:
        theme = self._theme
        row = box.height() / len(BINS)
        numbers = theme.px(36)
        longest = box.width() - numbers
        if votes is None:
            painter.setFont(theme.font(BODY))
            painter.setPen(theme.text_3)
            painter.drawText(box, int(Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap), "No answer")
            return
        best = max(range(len(BINS)), key=lambda code: votes[code])
        thick = theme.px(10)
        for code in range(len(BINS)):
            top = box.top() + code * row
            rail = QRectF(box.left(), top + (row - thick) / 2, longest, thick)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.track)
            painter.drawRoundedRect(rail, thick / 2, thick / 2)
            filled = QRectF(rail)
            filled.setWidth(max(thick * 0.5, longest * float(votes[code])))
            painter.save()
            if code != best:
                painter.setOpacity(0.5)
            painter.setBrush(theme.bin(code).bar)
            painter.drawRoundedRect(filled, thick / 2, thick / 2)
            painter.restore()
            strong = code == best
            painter.setFont(theme.font(BODY, bold=strong and won))
            painter.setPen(theme.text if strong else theme.text_2)
            painter.drawText(QRectF(rail.right(), top, numbers, row), _RIGHT, f"{float(votes[code]):.2f}")

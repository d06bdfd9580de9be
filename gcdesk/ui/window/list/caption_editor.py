"""The caption's line edit in the list's cell, with completions."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPoint, QStringListModel, Qt, Signal
from PySide6.QtGui import QFocusEvent, QHideEvent, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QLineEdit, QListView, QStyle, QStyleOptionFrame, QWidget

from gcdesk.ui.theme.theme import Theme
from gcdesk.ui.window.list.caption_completer import Phrases

LONGEST = 200  # characters of a caption
_LOOKS_OFFERED = 3


class CaptionEdit(QLineEdit):
    """Shows the best suggestion in grey after the cursor and more of them below.

    Tab takes the suggestion (the highlighted one where the arrows chose one); without one it finishes like Enter.
    `finished(bool)` is sent once: True to keep and go to the next row, False to leave things as they were.
    looks_like: what the photo looks like, offered as long as nothing is typed.
    """

    finished = Signal(bool)

    def __init__(
        self, phrases: Phrases, theme: Theme, parent: QWidget | None = None, looks_like: Sequence[str] = ()
    ) -> None:
        super().__init__(parent)
        self.setProperty("role", "cell")
        self.setMaxLength(LONGEST)
        self.setAccessibleName("Caption")
        self.setFrame(True)
        self.setAcceptDrops(False)  # a photo dropped here is a photo, not its path as words
        self.setFont(theme.font(14))
        self._phrases = phrases
        self._theme = theme
        self._looks_like = list(looks_like)[:_LOOKS_OFFERED]
        if self._looks_like:
            self.setPlaceholderText(f"looks like: {', '.join(self._looks_like)}")
        self._names = QStringListModel(self)
        self._list = QListView(self)
        self._list.setProperty("role", "suggestions")
        self._list.setWindowFlags(Qt.WindowType.ToolTip | Qt.WindowType.WindowDoesNotAcceptFocus)
        self._list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._list.setFrameShape(QFrame.Shape.NoFrame)
        self._list.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        self._list.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._list.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self._list.setModel(self._names)
        self._list.setFont(theme.font(13))
        self._list.clicked.connect(lambda index: self._take(index.data()))
        self.textEdited.connect(self._suggest)

    # --- suggestions

    def suggestions(self) -> list[str]:
        return self._names.stringList()

    def ghost(self) -> str:
        """What the best suggestion would add after the cursor; empty where it adds nothing."""
        names = self._names.stringList()
        chosen = self._list.currentIndex().row()
        best = names[chosen] if 0 <= chosen < len(names) else names[0] if names else ""
        typed = self.text()
        at_end = self.cursorPosition() == len(typed) and not self.hasSelectedText()
        return best[len(typed) :] if at_end and typed and best.startswith(typed.lower()) else ""

    def _suggest(self, typed: str) -> None:
        names = self._phrases.suggest(typed) if typed.strip() else self._looks_like
        self._names.setStringList(names)
        self._list.setCurrentIndex(self._names.index(-1, 0))
        if not names:
            self._list.hide()
            return
        height = self._list.sizeHintForRow(0) * len(names) + 12
        width = max(self.width(), self._list.sizeHintForColumn(0) + 28)
        below = self.mapToGlobal(QPoint(0, self.height() + 3))
        screen = self.screen().availableGeometry()
        if below.y() + height > screen.bottom():
            below = self.mapToGlobal(QPoint(0, -height - 3))
        self._list.setGeometry(below.x(), below.y(), width, height)
        self._list.show()
        self.update()

    def _take(self, text: str) -> None:
        self.setText(text)
        self.setCursorPosition(len(text))
        self._names.setStringList([])
        self._list.hide()

    def _move(self, step: int) -> None:
        count = self._names.rowCount()
        now = self._list.currentIndex().row()
        target = (now + step + 1) % (count + 1) - 1 if now >= 0 or step > 0 else count - 1
        self._list.setCurrentIndex(self._names.index(target, 0))
        self.update()

    # --- keys

    def event(self, event: QEvent) -> bool:
        # Tab is taken before Qt uses it to move the focus.
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent) and self._key(event):
            event.accept()
            return True
        if event.type() == QEvent.Type.ShortcutOverride:
            event.accept()  # while one types, letters and digits are text, not shortcuts
            return True
        return super().event(event)

    def _key(self, event: QKeyEvent) -> bool:
        key = event.key()
        names = self._names.stringList()
        chosen = self._list.currentIndex().row()
        if key == Qt.Key.Key_Tab and names:
            self._take(names[max(chosen, 0)])
            return True
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Tab):
            if 0 <= chosen < len(names) and key != Qt.Key.Key_Tab:
                self._take(names[chosen])
            self.finish(True)
            return True
        if key == Qt.Key.Key_Escape:
            if names and self._list.isVisible():
                self._names.setStringList([])
                self._list.hide()
                self.update()
            else:
                self.finish(False)
            return True
        if key in (Qt.Key.Key_Down, Qt.Key.Key_Up) and names and self._list.isVisible():
            self._move(1 if key == Qt.Key.Key_Down else -1)
            return True
        return False

    def finish(self, keep: bool) -> None:
        """Emit `finished` and hide the completions."""
        self._list.hide()
        self.finished.emit(keep)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        if self._looks_like and not self.text():
            self._suggest("")

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self._list.hide()
        super().focusOutEvent(event)

    def hideEvent(self, event: QHideEvent) -> None:
        self._list.hide()
        super().hideEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        ghost = self.ghost()
        if not ghost:
            return
        painter = QPainter(self)
        painter.setFont(self.font())
        painter.setPen(self._theme.text_3)
        option = QStyleOptionFrame()
        self.initStyleOption(option)
        inner = self.style().subElementRect(QStyle.SubElement.SE_LineEditContents, option, self)
        box = inner.adjusted(self.cursorRect().center().x() - inner.left() + 1, 0, 0, 0)
        painter.drawText(box, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft), ghost)
        painter.end()

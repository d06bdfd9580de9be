"""Drags as the window system sends them."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent
from PySide6.QtWidgets import QApplication

from gcdesk.ui.window.main_window import MainWindow


def drag(window: MainWindow, mime: QMimeData) -> bool:
    """DragEnter, DragMove and Drop as the platform delivers them; whether the drop was taken."""
    handle = window.windowHandle()
    spot = QPoint(window.width() // 3, window.height() // 2)
    copy, left, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(spot, copy, mime, left, none)
    QApplication.sendEvent(handle, enter)
    if not enter.isAccepted():
        return False
    QApplication.sendEvent(handle, QDragMoveEvent(spot, copy, mime, left, none))
    drop = QDropEvent(QPointF(spot), copy, mime, left, none, QEvent.Type.Drop)
    QApplication.sendEvent(handle, drop)
    return drop.isAccepted() and drop.dropAction() == copy

"""Labels and tooltips for text from outside (file names, captions, messages): shown as plain text, never as HTML."""

from __future__ import annotations

import html
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QWidget  # noqa: TID251 - made plain here

from gcdesk.engine.text import printable


class PlainLabel(QLabel):
    """A label that shows what it is given. Qt's own would load the picture that `<img src=...>` names, so nothing else
    in the window may use that (pyproject's banned-api keeps it so).
    """

    def __init__(self, text: str = "", parent: QWidget | None = None, **properties: Any) -> None:
        super().__init__(parent, **properties)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setText(text)


class HtmlLabel(QLabel):
    """A label for HTML that the window made itself; what is foreign in it went through `html.escape`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.RichText)


def tip(text: str | None) -> str:
    """`text` for a tool tip, which Qt would read as HTML where it looks like that; "" for None."""
    lines = [printable(line) for line in (text or "").split("\n")]
    if any("<" in line for line in lines):
        return f"<qt>{'<br>'.join(map(html.escape, lines))}</qt>"
    return "\n".join(lines)

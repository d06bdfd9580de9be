"""Foreign words on the screen: file names, captions and messages are shown as they are, never as HTML."""

from __future__ import annotations

import html

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel

from gcdesk.engine.text import printable


def plain_label(text: str = "") -> QLabel:
    """A label that shows what it is given. Qt's own would load the picture that `<img src=...>` names."""
    label = QLabel()
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setText(text)
    return label


def tip(text: str | None) -> str:
    """`text` for a tool tip, which Qt would read as HTML where it looks like that; "" for None."""
    lines = [printable(line) for line in (text or "").split("\n")]
    if any("<" in line for line in lines):
        return f"<qt>{'<br>'.join(map(html.escape, lines))}</qt>"
    return "\n".join(lines)

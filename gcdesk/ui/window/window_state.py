"""Geometry of the window and widths of its columns, in a file of the user's config folder."""

from __future__ import annotations

import base64
import binascii
import contextlib
import json
from pathlib import Path

from PySide6.QtCore import QByteArray

from gcdesk.config.files import write_atomically
from gcdesk.config.folders import user_folders


def _file() -> Path:
    return user_folders().config / "window.json"


def load_state() -> dict[str, QByteArray]:
    """The saved parts by name; empty where there are none or the file is damaged: it only costs a column width."""
    try:
        saved = json.loads(_file().read_text(encoding="utf-8"))
        return {str(name): QByteArray(base64.b64decode(text)) for name, text in saved.items()}
    except (OSError, ValueError, AttributeError, TypeError, binascii.Error):
        return {}


def save_state(parts: dict[str, QByteArray]) -> None:
    """Write the parts; a full disk or a read-only folder is no reason to keep the window open."""
    target = _file()
    text = json.dumps({name: base64.b64encode(bytes(part.data())).decode() for name, part in parts.items()})
    with contextlib.suppress(OSError):
        target.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(target, text)

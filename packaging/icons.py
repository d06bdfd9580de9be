"""The app's icon in the forms that platforms want, drawn from resources/icons/gcdesk.svg."""

from __future__ import annotations

import io
import os
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
DRAWING = ROOT / "resources" / "icons" / "gcdesk.svg"
SIZES = (16, 32, 48, 64, 128, 256)


def png(size: int) -> bytes:
    """The icon as a PNG of `size` px."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtCore import QBuffer, QIODevice
    from PySide6.QtGui import QGuiApplication, QImage, QPainter
    from PySide6.QtSvg import QSvgRenderer

    app = QGuiApplication.instance() or QGuiApplication([])
    image = QImage(size, size, QImage.Format.Format_ARGB32)
    image.fill(0)
    painter = QPainter(image)
    QSvgRenderer(str(DRAWING)).render(painter)
    painter.end()
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")
    del app
    return bytes(buffer.data().data())


def write_icons(folder: Path) -> None:
    """gcdesk.ico for Windows and gcdesk.icns for macOS."""
    large = Image.open(io.BytesIO(png(1024)))
    large.save(folder / "gcdesk.ico", sizes=[(size, size) for size in SIZES])
    large.save(folder / "gcdesk.icns")

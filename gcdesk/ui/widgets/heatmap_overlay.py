"""The heat-map as an overlay: the worker's grey picture, recoloured from transparent to warm."""

from __future__ import annotations

import numpy as np
from PySide6.QtGui import QImage

# Strength 0, 0.5 and 1 as red, green, blue, alpha; the photo stays readable underneath.
_STOPS = np.array([(255, 214, 10, 0), (255, 150, 0, 120), (220, 20, 20, 190)], dtype=np.float32)


def heat_picture(file: str) -> QImage:
    """Read a picture whose brightness is the strength (0 to 255); null where it cannot be read."""
    grey = QImage(file).convertToFormat(QImage.Format.Format_Grayscale8)
    if grey.isNull():
        return QImage()
    lines = np.frombuffer(grey.constBits(), dtype=np.uint8).reshape(grey.height(), grey.bytesPerLine())
    strength = lines[:, : grey.width()].astype(np.float32) / 255
    colours = np.empty((*strength.shape, 4), dtype=np.uint8)
    for channel in range(4):
        colours[..., channel] = np.interp(strength, (0.0, 0.5, 1.0), _STOPS[:, channel])
    height, width = strength.shape
    made = QImage(
        np.ascontiguousarray(colours).tobytes(), width, height, 4 * width, QImage.Format.Format_RGBA8888
    )
    return made.copy()

"""Thumbnails of the rows on the screen, loaded on a thread."""

from __future__ import annotations

from collections import OrderedDict

from PySide6.QtCore import QObject, QRunnable, QSize, Qt, QThreadPool, Signal, Slot
from PySide6.QtGui import QImage, QImageReader, QPainter, QPainterPath, QPixmap

_KEPT = 400  # pixmaps; about 40 kB each on a 2x screen


class _Load(QRunnable):
    def __init__(self, owner: Thumbnails, file: str, side: int) -> None:
        super().__init__()
        self._owner, self._file, self._side = owner, file, side

    def run(self) -> None:
        self._owner.loaded.emit(self._file, load_square(self._file, self._side))


def load_square(file: str, side: int) -> QImage:
    """The middle square of a picture, `side` device pixels; a null image where the file cannot be read."""
    reader = QImageReader(file)
    reader.setAutoTransform(True)
    size = reader.size()
    if not size.isValid() or size.isEmpty():
        return QImage()
    scale = side / min(size.width(), size.height())
    if scale < 1:
        reader.setScaledSize(
            QSize(max(side, round(size.width() * scale)), max(side, round(size.height() * scale)))
        )
    image = reader.read()
    if image.isNull():
        return image
    if scale >= 1:
        keep = Qt.AspectRatioMode.KeepAspectRatioByExpanding
        image = image.scaled(side, side, keep, Qt.TransformationMode.SmoothTransformation)
    left, top = (image.width() - side) // 2, (image.height() - side) // 2
    return image.copy(left, top, side, side)


class Thumbnails(QObject):
    """`get(file, side)` returns what is loaded and loads the rest; `ready`: a file arrived."""

    loaded = Signal(str, QImage)
    ready = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pixmaps: OrderedDict[str, QPixmap] = OrderedDict()
        self._wanted: dict[str, int] = {}
        self._loading = 0
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(1)
        self._pool.setExpiryTimeout(2000)
        self._ratio = 1.0
        self.loaded.connect(self._arrived)

    def get(self, file: str, side: int, ratio: float) -> QPixmap | None:
        """The rounded square for a file, None while it is loading. `side` is in logical pixels."""
        if not file:
            return None
        if ratio != self._ratio:
            self._ratio = ratio
            self._pixmaps.clear()
        pixmap = self._pixmaps.get(file)
        if pixmap is not None:
            self._pixmaps.move_to_end(file)
            return pixmap if not pixmap.isNull() else None
        self._wanted.pop(file, None)
        self._wanted[file] = round(side * ratio)
        if len(self._wanted) > 60:  # scrolled past: forget the oldest wish
            del self._wanted[next(iter(self._wanted))]
        self._next()
        return None

    def forget(self, file: str) -> None:
        """A file has new contents."""
        self._pixmaps.pop(file, None)

    def _next(self) -> None:
        while self._wanted and self._loading < 2:
            file, side = self._wanted.popitem()  # the latest wish first: it is on the screen
            self._loading += 1
            self._pool.start(_Load(self, file, side))

    @Slot(str, QImage)
    def _arrived(self, file: str, image: QImage) -> None:
        self._loading -= 1
        self._pixmaps[file] = _rounded(image, self._ratio)
        if len(self._pixmaps) > _KEPT:
            self._pixmaps.popitem(last=False)
        self._next()
        self.ready.emit()

    def close(self) -> None:
        self._wanted.clear()
        self._pool.clear()
        self._pool.waitForDone()


def _rounded(image: QImage, ratio: float) -> QPixmap:
    if image.isNull():
        return QPixmap()
    pixmap = QPixmap(image.size())
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    shape = QPainterPath()
    shape.addRoundedRect(pixmap.rect(), 6 * ratio, 6 * ratio)
    painter.setClipPath(shape)
    painter.drawImage(0, 0, image)
    painter.end()
    pixmap.setDevicePixelRatio(ratio)
    return pixmap

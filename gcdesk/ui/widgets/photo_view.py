"""The large photo: scaled to fit, zoomed about the pointer, panned, with an optional heat-map."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPixmap,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from gcdesk.ui.theme.theme import BODY, Theme

_STEP = 1.25
_LARGEST = 8.0


class PhotoView(QWidget):
    """Fits by default; F, + and - and the wheel change that, H asks for the heat-map."""

    heat_toggled = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._picture = QPixmap()
        self._heat = QPixmap()
        self._message = ""
        self._scale = 0.0  # picture pixels to screen pixels; 0 fits
        self._middle = QPointF()  # picture point in the middle of the widget
        self._grabbed: QPointF | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Photo")
        self.setToolTip("Wheel or + and - zoom, drag moves, F fits, H heat-map")
        self.setMinimumSize(240, 160)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(400, 320)

    # --- what is shown

    def show_picture(self, image: QImage, keep_zoom: bool = False) -> None:
        """Show a picture; a larger version of the same photo keeps place and zoom."""
        before = self._picture.width()
        self._picture = QPixmap.fromImage(image)
        self._message = ""
        if not keep_zoom or not before or not self._scale:
            self.fit()
        else:
            ratio = self._picture.width() / before
            self._scale, self._middle = self._scale / ratio, self._middle * ratio
        self.update()

    def show_message(self, text: str) -> None:
        """No picture, one line of text."""
        self._picture = QPixmap()
        self._heat = QPixmap()
        self._message = text
        self.fit()

    def show_heat(self, image: QImage | None) -> None:
        """Lay a heat-map over the photo; None takes it away."""
        self._heat = QPixmap.fromImage(image) if image is not None else QPixmap()
        self.update()

    @property
    def has_picture(self) -> bool:
        return not self._picture.isNull()

    @property
    def has_heat(self) -> bool:
        return not self._heat.isNull()

    # --- zoom and pan

    @property
    def zoom(self) -> float:
        """Picture pixels to screen pixels as shown now."""
        return self._scale or self._fitting()

    def _fitting(self) -> float:
        if self._picture.isNull():
            return 1.0
        margin = 0
        wide = (self.width() - margin) / self._picture.width()
        high = (self.height() - margin) / self._picture.height()
        return min(wide, high, 2.0)

    def fit(self) -> None:
        self._scale = 0.0
        self._middle = QPointF(self._picture.width() / 2, self._picture.height() / 2)
        self.update()

    def zoom_by(self, factor: float, about: QPointF | None = None) -> None:
        """Zoom, keeping the picture point under `about` (widget coordinates) where it is."""
        if self._picture.isNull():
            return
        about = about if about is not None else QPointF(self.width() / 2, self.height() / 2)
        under = self._to_picture(about)
        new = min(self.zoom * factor, _LARGEST)
        if new <= self._fitting():
            self.fit()
            return
        self._scale = new
        offset = about - QPointF(self.width() / 2, self.height() / 2)
        self._middle = under - offset / new
        self._keep_inside()
        self.update()

    def _to_picture(self, point: QPointF) -> QPointF:
        return self._middle + (point - QPointF(self.width() / 2, self.height() / 2)) / self.zoom

    def _keep_inside(self) -> None:
        for_x = min(self.width() / self.zoom / 2, self._picture.width() / 2)
        for_y = min(self.height() / self.zoom / 2, self._picture.height() / 2)
        self._middle = QPointF(
            min(max(self._middle.x(), for_x), self._picture.width() - for_x),
            min(max(self._middle.y(), for_y), self._picture.height() - for_y),
        )

    # --- events

    def wheelEvent(self, event: QWheelEvent) -> None:
        self.zoom_by(_STEP ** (event.angleDelta().y() / 120), event.position())
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self._scale:
            self._grabbed = event.position()
            self.setCursor(Qt.CursorShape.ClosedHandCursor)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._grabbed is None:
            return
        self._middle -= (event.position() - self._grabbed) / self.zoom
        self._grabbed = event.position()
        self._keep_inside()
        self.update()

    def mouseReleaseEvent(self, _event: QMouseEvent) -> None:
        self._grabbed = None
        self.unsetCursor()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if self._scale:
            self.fit()
        else:
            self.zoom_by(1 / self.zoom * max(1.0, self.devicePixelRatioF()), event.position())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        if key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self.zoom_by(_STEP)
        elif key == Qt.Key.Key_Minus:
            self.zoom_by(1 / _STEP)
        elif key == Qt.Key.Key_F:
            self.fit()
        elif key == Qt.Key.Key_H:
            self.heat_toggled.emit()
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, _event: QResizeEvent) -> None:
        if self._scale:
            self._keep_inside()

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme = self._theme
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.photo_ground)
        if self._picture.isNull():
            painter.setFont(theme.font(BODY))
            painter.setPen(theme.text_2)
            flags = int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap)
            painter.drawText(self.rect().adjusted(40, 20, -40, -20), flags, self._message)
        else:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, self.zoom < 3)
            zoom = self.zoom
            size = QPointF(self._picture.width(), self._picture.height()) * zoom
            corner = QPointF(self.width() / 2, self.height() / 2) - self._middle * zoom
            target = QRectF(corner.x(), corner.y(), size.x(), size.y())
            painter.drawPixmap(target, self._picture, QRectF(self._picture.rect()))
            if not self._heat.isNull():
                painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
                painter.drawPixmap(target, self._heat, QRectF(self._heat.rect()))
        if self.hasFocus():
            painter.setPen(theme.focus)
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        painter.end()

"""The large photo: fit, zoom about a point, pan, and a larger version in its place."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QImage
from pytestqt.qtbot import QtBot

from gcdesk.ui.theme.theme import Theme
from gcdesk.ui.widgets.photo_view import PhotoView


def picture(width: int, height: int) -> QImage:
    image = QImage(width, height, QImage.Format.Format_RGB32)
    image.fill(QColor("red"))
    return image


@pytest.fixture
def view(qtbot: QtBot, theme: Theme) -> PhotoView:
    made = PhotoView(theme)
    qtbot.addWidget(made)
    made.resize(400, 300)
    made.show()
    made.show_picture(picture(160, 120))
    return made


def colour_at(view: PhotoView, x: int, y: int) -> str:
    return view.grab().toImage().pixelColor(QPoint(x, y) * view.devicePixelRatioF()).name()


def test_a_photo_fits_in_the_middle_and_so_does_its_larger_version(view: PhotoView) -> None:
    for larger in (picture(160, 120), picture(1600, 1200)):
        view.show_picture(larger, keep_zoom=True)
        view.fit() if larger.width() == 160 else None
        for x, y in ((200, 150), (60, 40), (340, 260)):
            assert colour_at(view, x, y) == "#ff0000"
    view.show_picture(picture(300, 1200))
    assert colour_at(view, 200, 150) == "#ff0000"
    assert colour_at(view, 60, 150) != "#ff0000"


def test_zoom_keeps_the_point_under_the_pointer(view: PhotoView) -> None:
    view.show_picture(picture(1600, 1200))
    about = QPointF(100, 80)
    under = view._to_picture(about)
    view.zoom_by(3.0, about)
    assert (view._to_picture(about) - under).manhattanLength() < 1
    view.show_picture(picture(3200, 2400), keep_zoom=True)
    assert (view._to_picture(about) - under * 2).manhattanLength() < 2
    view.zoom_by(0.01)
    assert view.zoom == pytest.approx(400 / 3200)


def test_dragging_moves_and_stays_inside(view: PhotoView, qtbot: QtBot) -> None:
    view.show_picture(picture(1600, 1200))
    view.zoom_by(4.0)
    before = view._to_picture(QPointF(200, 150))
    qtbot.mousePress(view, Qt.MouseButton.LeftButton, pos=QPoint(200, 150))
    qtbot.mouseMove(view, QPoint(150, 150))
    qtbot.mouseRelease(view, Qt.MouseButton.LeftButton, pos=QPoint(150, 150))
    assert view._to_picture(QPointF(200, 150)).x() > before.x()
    view._middle = QPointF(-500, -500)
    view._keep_inside()
    assert view._to_picture(QPointF(0, 0)).x() >= 0


def test_keys_zoom_fit_and_ask_for_the_heat_map(view: PhotoView, qtbot: QtBot) -> None:
    view.show_picture(picture(1600, 1200))
    fitted = view.zoom
    qtbot.keyClick(view, Qt.Key.Key_Plus)
    assert view.zoom > fitted
    qtbot.keyClick(view, Qt.Key.Key_F)
    assert view.zoom == fitted
    with qtbot.waitSignal(view.heat_toggled):
        qtbot.keyClick(view, Qt.Key.Key_H)

"""Contrast of both palettes, measured as WCAG does."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication

from gcdesk.engine.labels import UNSURE
from gcdesk.ui.theme.theme import Theme, icon


def contrast(one: QColor, other: QColor) -> float:
    """https://www.w3.org/TR/WCAG21/#dfn-contrast-ratio"""

    def light(colour: QColor) -> float:
        parts = [
            part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
            for part in (colour.redF(), colour.greenF(), colour.blueF())
        ]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    high, low = sorted((light(one), light(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("name", ["light", "dark"])
def test_all_text_has_contrast(qapp: QApplication, name: str) -> None:
    theme = Theme(name)
    for ink in (theme.text, theme.text_2, theme.text_3):
        for ground in (theme.ground, theme.surface, theme.raised, theme.select, theme.photo_ground):
            assert contrast(ink, ground) >= 4.5, (ink.name(), ground.name())


@pytest.mark.parametrize("name", ["light", "dark"])
def test_bins_are_readable_and_outlined(qapp: QApplication, name: str) -> None:
    theme = Theme(name)
    for code in range(UNSURE + 1):
        style = theme.bin(code)
        assert contrast(style.on_fill, style.fill) >= 4.5, style.name
        for ground in (style.tint, theme.surface, theme.select):
            assert contrast(style.ink, ground) >= 4.5, style.name
        for ground in (theme.surface, theme.select, style.tint):
            assert contrast(style.outline, ground) >= 3, style.name
        assert contrast(style.bar, theme.track) >= 3, style.name


def test_bins_differ_without_colour(qapp: QApplication) -> None:
    styles = [Theme("light").bin(code) for code in range(UNSURE + 1)]
    for tell in ("name", "key", "shape"):
        assert len({getattr(style, tell) for style in styles}) == len(styles)


def test_text_scale_and_icons(qapp: QApplication) -> None:
    assert Theme("light", 1.5).font(14).pixelSize() == 21
    assert not icon("photos", Theme("dark")).pixmap(18, 18).isNull()
    assert Theme.named("system").name in ("light", "dark")

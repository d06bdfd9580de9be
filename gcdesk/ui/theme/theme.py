"""Two palettes (light and dark), the type scale and the icons. Colour means a bin; the interface itself is grey."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontDatabase, QGuiApplication, QIcon, QPainter, QPalette, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication

from gcdesk.config.resources import resource_path
from gcdesk.engine.labels import BINS, UNSURE

# Type scale in pixels at text scale 1: answers and captions, everything else, column heads and file facts.
LARGE, BODY, SMALL = 14, 13, 12
SHAPES = ("square", "circle", "triangle", "diamond", "ring")


@dataclass(frozen=True)
class BinStyle:
    """How one bin looks. Name, key and shape tell it without colour; bar: the colour of its probability bars."""

    name: str
    key: str
    shape: str
    fill: QColor
    outline: QColor
    on_fill: QColor
    ink: QColor
    tint: QColor
    bar: QColor


def _bins(rows: tuple[tuple[str, ...], ...]) -> tuple[BinStyle, ...]:
    names = (*BINS, "Unsure")
    keys = ("1", "2", "3", "4", "0")
    return tuple(
        BinStyle(name, key, shape, *(QColor(colour) for colour in row))
        for name, key, shape, row in zip(names, keys, SHAPES, rows, strict=True)
    )


# fill, outline, on_fill, ink, tint, bar
_LIGHT_BINS = _bins(
    (
        ("#26292d", "#26292d", "#ffffff", "#26292d", "#f0f0ee", "#3a3e43"),
        ("#1d5fc4", "#1d5fc4", "#ffffff", "#184fa3", "#eaf1fc", "#1d5fc4"),
        ("#23763a", "#23763a", "#ffffff", "#1c6230", "#e9f4ec", "#23763a"),
        ("#b4500f", "#b4500f", "#ffffff", "#96420b", "#fcefe5", "#b4500f"),
        ("#ffffff", "#5a5f64", "#34383c", "#34383c", "#ffffff", "#5a5f64"),
    )
)
_DARK_BINS = _bins(
    (
        ("#000000", "#c4c9ce", "#ffffff", "#e4e7ea", "#0c0d0e", "#a3a9b0"),
        ("#6ea8ff", "#6ea8ff", "#081a35", "#a5c9ff", "#182740", "#6ea8ff"),
        ("#6bc684", "#6bc684", "#06210e", "#98dcaa", "#172c1f", "#6bc684"),
        ("#f0a060", "#f0a060", "#2b1403", "#f6bf93", "#352414", "#f0a060"),
        ("#1d2023", "#aeb5bc", "#e4e7ea", "#e4e7ea", "#1d2023", "#aeb5bc"),
    )
)


class Theme:
    """Colours, fonts and bin styles of one look. `scale` multiplies every text size (0.8 to 2)."""

    def __init__(self, name: str, scale: float = 1.0) -> None:
        dark = name == "dark"
        self.name = "dark" if dark else "light"
        self.dark = dark
        self.scale = scale
        self.ground = QColor("#131517" if dark else "#f5f5f3")
        self.surface = QColor("#1d2023" if dark else "#ffffff")
        self.raised = QColor("#282c30" if dark else "#ffffff")
        self.line = QColor("#32373c" if dark else "#e3e3df")
        self.control = QColor("#7d848c" if dark else "#868b90")  # outlines of controls: >= 3:1
        self.text = QColor("#eef0f2" if dark else "#1b1d1f")
        self.text_2 = QColor("#b4bac1" if dark else "#50555a")
        self.text_3 = QColor("#9aa1a9" if dark else "#64696e")
        self.select = QColor("#30353a" if dark else "#e9e9e5")
        self.hover = QColor("#23272a" if dark else "#f7f7f5")
        self.focus = QColor("#d5d9dd" if dark else "#34383c")
        self.track = QColor("#2a2e32" if dark else "#eeeeeb")
        self.photo_ground = QColor("#0c0d0e" if dark else "#ecece8")
        self._bins = _DARK_BINS if dark else _LIGHT_BINS

    @classmethod
    def named(cls, name: str, scale: float = 1.0) -> Theme:
        """The theme for a setting: `light`, `dark`, or `system`, which follows the desktop."""
        if name == "system":
            hints = QGuiApplication.styleHints()
            dark = hints is not None and hints.colorScheme() == Qt.ColorScheme.Dark
            name = "dark" if dark else "light"
        return cls(name, scale)

    def bin(self, code: int) -> BinStyle:
        """The style of bin 0 to 3; UNSURE (and anything else) is the grey ring."""
        return self._bins[code if 0 <= code <= UNSURE else UNSURE]

    def px(self, size: float) -> int:
        """`size` pixels at text scale 1, in this theme's scale."""
        return round(size * self.scale)

    def font(self, size: int = BODY, bold: bool = False) -> QFont:
        """The interface's font in pixels at text scale 1, figures of equal width."""
        font = QFont(QApplication.font())
        font.setPixelSize(self.px(size))
        font.setWeight(QFont.Weight.DemiBold if bold else QFont.Weight.Normal)
        return font

    def palette(self) -> QPalette:
        """A whole palette, so nothing is left to the desktop's colours."""
        role = QPalette.ColorRole
        palette = QPalette()
        for where, colour in (
            (role.Window, self.ground),
            (role.WindowText, self.text),
            (role.Base, self.surface),
            (role.AlternateBase, self.hover),
            (role.Text, self.text),
            (role.Button, self.raised),
            (role.ButtonText, self.text),
            (role.BrightText, self.text),
            (role.ToolTipBase, self.text),
            (role.ToolTipText, self.surface),
            (role.PlaceholderText, self.text_3),
            (role.Highlight, self.select),
            (role.HighlightedText, self.text),
            (role.Accent, self.focus),
            (role.Link, self.text),
            (role.Mid, self.line),
            (role.Light, self.line),
            (role.Midlight, self.line),
            (role.Dark, self.control),
            (role.Shadow, self.control),
        ):
            palette.setColor(where, colour)
        for where in (role.WindowText, role.Text, role.ButtonText):
            palette.setColor(QPalette.ColorGroup.Disabled, where, self.text_3)
        return palette


_loaded_family: list[str] = []


def font_family() -> str:
    """The bundled Inter (OFL), so that the window looks alike everywhere; other scripts fall back to the system's."""
    if not _loaded_family:
        for file in ("Inter-Regular.otf", "Inter-SemiBold.otf"):
            number = QFontDatabase.addApplicationFont(str(resource_path("fonts", file)))
            families = QFontDatabase.applicationFontFamilies(number) if number >= 0 else []
            if families and not _loaded_family:
                _loaded_family.append(families[0])
        if not _loaded_family:
            _loaded_family.append(QApplication.font().family())
    return _loaded_family[0]


def icon(name: str, theme: Theme, size: int = 18) -> QIcon:
    """The line drawing resources/icons/<name>.svg in the theme's ink, with a paler disabled state."""
    made = QIcon()
    path: Path = resource_path("icons", f"{name}.svg")
    source = path.read_text(encoding="utf-8")
    for mode, colour in ((QIcon.Mode.Normal, theme.text), (QIcon.Mode.Disabled, theme.text_3)):
        drawing = QSvgRenderer(QByteArray(source.replace("currentColor", colour.name()).encode()))
        for ratio in (1, 2):
            pixels = QPixmap(QSize(size, size) * ratio)
            pixels.fill(Qt.GlobalColor.transparent)
            painter = QPainter(pixels)
            drawing.render(painter, QRectF(pixels.rect()))
            painter.end()
            pixels.setDevicePixelRatio(ratio)
            made.addPixmap(pixels, mode)
    return made

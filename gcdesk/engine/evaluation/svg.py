"""A small SVG writer: what our figures need of SVG Tiny, which QtSvg and every browser show alike."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from xml.sax.saxutils import escape, quoteattr

FONT = "Inter, Helvetica, Arial, sans-serif"


@dataclass(frozen=True)
class Look:
    """Colours of a figure: ground, ink, second ink, fine lines, and the four bins."""

    ground: str = "#ffffff"
    ink: str = "#1b1d1f"
    ink_2: str = "#64696e"
    line: str = "#d9d9d4"
    fill: str = "#50555a"
    pale: str = "#c9ccd0"
    bins: tuple[str, str, str, str] = ("#3a3e43", "#1d5fc4", "#23763a", "#b4500f")


LIGHT = Look()
DARK = Look(
    ground="#1d2023",
    ink="#eef0f2",
    ink_2="#a7adb4",
    line="#3a4046",
    fill="#b4bac1",
    pale="#5c636a",
    bins=("#a3a9b0", "#6ea8ff", "#6bc684", "#f0a060"),
)


@dataclass
class Drawing:
    """A picture of `width` by `height` px that shapes are added to, one after the other."""

    width: int
    height: int
    look: Look
    title: str
    _parts: list[str] = field(default_factory=list)

    def line(
        self, x1: float, y1: float, x2: float, y2: float, colour: str, width: float = 1, dashed: bool = False
    ) -> None:
        dash = ' stroke-dasharray="4 4"' if dashed else ""
        self._parts.append(
            f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"'
            f' stroke-width="{width:g}"{dash}/>'
        )

    def rect(
        self, x: float, y: float, w: float, h: float, fill: str, opacity: float = 1.0, stroke: str = ""
    ) -> None:
        edge = f' stroke="{stroke}"' if stroke else ""
        self._parts.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(w, 0):.1f}" height="{max(h, 0):.1f}" fill="{fill}"'
            f' fill-opacity="{opacity:.3f}"{edge}/>'
        )

    def circle(self, x: float, y: float, r: float, fill: str, stroke: str = "") -> None:
        edge = f' stroke="{stroke}" stroke-width="1.5"' if stroke else ""
        self._parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{r:g}" fill="{fill}"{edge}/>')

    def polyline(self, points: Iterable[tuple[float, float]], colour: str, width: float = 2) -> None:
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self._parts.append(
            f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width:g}"'
            ' stroke-linejoin="round"/>'
        )

    def text(
        self, x: float, y: float, words: str, colour: str = "", size: int = 12, anchor: str = "start",
        bold: bool = False,
    ) -> None:  # fmt: skip
        weight = ' font-weight="600"' if bold else ""
        self._parts.append(
            f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour or self.look.ink}" font-size="{size}"'
            f' font-family="{FONT}" text-anchor="{anchor}"{weight}>{escape(words)}</text>'
        )

    def svg(self) -> str:
        """The whole picture as text."""
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}"'
            f' width="{self.width}" height="{self.height}" role="img" aria-label={quoteattr(self.title)}>'
            f'<rect width="{self.width}" height="{self.height}" fill="{self.look.ground}"/>'
            + "".join(self._parts)
            + "</svg>"
        )


@dataclass(frozen=True)
class Frame:
    """Where a plot's values lie in a drawing: px of the edges, values at these."""

    left: float
    right: float
    top: float
    bottom: float
    x_range: tuple[float, float] = (0.0, 1.0)
    y_range: tuple[float, float] = (0.0, 1.0)

    def x(self, value: float) -> float:
        low, high = self.x_range
        return self.left + (value - low) / (high - low) * (self.right - self.left)

    def y(self, value: float) -> float:
        low, high = self.y_range
        return self.bottom - (value - low) / (high - low) * (self.bottom - self.top)


def axes(
    drawing: Drawing,
    frame: Frame,
    x_ticks: Sequence[float],
    y_ticks: Sequence[float],
    x_words: str,
    y_words: str,
) -> None:
    """Fine lines with their values in per cent, and what both axes mean."""
    look = drawing.look
    for tick in y_ticks:
        drawing.line(frame.left, frame.y(tick), frame.right, frame.y(tick), look.line)
        drawing.text(frame.left - 8, frame.y(tick) + 4, f"{tick * 100:g}", look.ink_2, 11, "end")
    for tick in x_ticks:
        drawing.line(frame.x(tick), frame.bottom, frame.x(tick), frame.bottom + 4, look.line)
        drawing.text(frame.x(tick), frame.bottom + 18, f"{tick * 100:g}", look.ink_2, 11, "middle")
    drawing.text((frame.left + frame.right) / 2, frame.bottom + 36, x_words, look.ink_2, 12, "middle")
    drawing.text(frame.left - 36, frame.top - 12, y_words, look.ink_2, 12)

"""What a terminal needs: how wide text is, cells of a fixed width, and a progress bar on stderr."""

from __future__ import annotations

import shutil
import sys
import time
import unicodedata
from typing import TextIO

from gcdesk.engine.text import printable

ELLIPSIS = "…"
_LEFT_TO_RIGHT_MARK = "\u200e"
# Redrawing oftener than the eye follows only costs time.
_REDRAW_SECONDS = 0.1
_BAR_CELLS = 24


def shown(text: str) -> str:
    """`text` without what would upset a terminal: control characters, escapes, bytes that are not text."""
    return printable(text)


def width_of(text: str) -> int:
    """Columns that `text` takes: wide East Asian letters and emoji take two, combining marks none."""
    return sum(map(_width_of_character, text))


def _width_of_character(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def cell(text: str, width: int, keep_end: bool = False) -> str:
    """`text` in exactly `width` columns: padded, or cut with an ellipsis (at the front with `keep_end`).

    A cell of right-to-left letters is closed by a mark, so that a terminal that reorders leaves the next
    columns where they are.
    """
    text = shown(text)
    if width_of(text) > width:
        text = (
            ELLIPSIS + _fitting(text[::-1], width - 1)[::-1]
            if keep_end
            else _fitting(text, width - 1) + ELLIPSIS
        )
    padding = " " * (width - width_of(text))
    if any(unicodedata.bidirectional(character) in ("R", "AL") for character in text):
        text += _LEFT_TO_RIGHT_MARK
    return text + padding


def _fitting(text: str, width: int) -> str:
    """The longest beginning of `text` that takes at most `width` columns."""
    used = 0
    for index, character in enumerate(text):
        used += _width_of_character(character)
        if used > width:
            return text[:index]
    return text


def terminal_width(fallback: int = 120) -> int:
    """Columns of the terminal; `fallback` where the output goes elsewhere."""
    return max(shutil.get_terminal_size((fallback, 24)).columns, 60)


class Progress:
    """A line on a terminal with a bar, the rate and the time left; silent where there is no terminal."""

    def __init__(self, total: int, unit: str, stream: TextIO | None = None) -> None:
        self.total = total
        self.unit = unit
        self.stream = stream if stream is not None else sys.stderr
        self.active = self.stream.isatty()
        self.started = time.monotonic()
        self._drawn_at = 0.0
        self._on_screen = False

    def update(self, done: int) -> None:
        """Show that `done` of the items are finished."""
        now = time.monotonic()
        if not self.active or (now - self._drawn_at < _REDRAW_SECONDS and done < self.total):
            return
        self._drawn_at = now
        elapsed = max(now - self.started, 1e-6)
        rate = done / elapsed
        left = (self.total - done) / rate if rate else 0.0
        filled = _BAR_CELLS * done // max(self.total, 1)
        bar = "#" * filled + "." * (_BAR_CELLS - filled)
        self.stream.write(
            f"\r\x1b[K[{bar}] {done}/{self.total}  {rate:.1f} {self.unit}/s  {_span(left)} left"
        )
        self.stream.flush()
        self._on_screen = True

    def clear(self) -> None:
        """Take the line away, so that something else can be written."""
        if self._on_screen:
            self.stream.write("\r\x1b[K")
            self.stream.flush()
            self._on_screen = False


def _span(seconds: float) -> str:
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"

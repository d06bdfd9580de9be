"""A JPEG by its markers alone (ITU-T T.81): what its header says, and whether its end is there. Nothing is decoded."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

# The markers that begin a JPEG's frame (ITU-T T.81, table B.1), and of those the usual ones of 8 bits.
FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_USUAL = frozenset({0xC0, 0xC1, 0xC2})
_PROGRESSIVE = 0xC2
_SCAN = 0xDA
_NO_FILL = re.compile(rb"[^\xff]")


@dataclass(frozen=True)
class Frame:
    """What a JPEG's header says: the marker of its coding, bits a colour, (width, height)."""

    marker: int
    bits: int
    size: tuple[int, int]

    @property
    def is_usual(self) -> bool:
        return self.marker in _USUAL and self.bits == 8 and min(self.size) > 0

    @property
    def is_progressive(self) -> bool:
        return self.marker == _PROGRESSIVE


def segments(data: bytes) -> Iterator[tuple[int, int]]:
    """Marker and place of each segment up to the pixels, as far as they make sense."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:  # padding
            found = _NO_FILL.search(data, at + 1)
            if found is None:
                return
            at = found.start() - 1
            continue
        yield marker, at
        if marker == _SCAN:
            return
        at += 2 + struct.unpack_from(">H", data, at + 2)[0]


def frame_of(data: bytes) -> Frame | None:
    """The frame's header, None where there is none before the pixels."""
    for marker, at in segments(data):
        if marker in FRAMES and at + 9 <= len(data):
            height, width = struct.unpack_from(">HH", data, at + 5)
            return Frame(marker, data[at + 4], (width, height))
    return None


def pixel_data(data: bytes) -> bytes:
    """What follows the header up to the end mark: it stays when a program changes the notes in the header."""
    for marker, at in segments(data):
        if marker == _SCAN:
            end = data.find(b"\xff\xd9", at)
            return data[at : end if end >= 0 else len(data)]
    return b""


def has_end(data: bytes) -> bool:
    """Whether the end mark (FF D9) comes behind the header, whose thumbnail has one of its own.

    What follows the mark is a trailer (a film, a Samsung's or an editor's notes) and no damage.
    """
    end = 2
    for marker, at in segments(data):
        end = at + 2 + struct.unpack_from(">H", data, at + 2)[0]
        if marker == _SCAN:
            return data.rfind(b"\xff\xd9", end) >= 0  # from the end: a whole photo is not read through
    return end < len(data)

"""JPEG pixels and whether all of them are there: libjpeg's own warnings, which Pillow keeps to itself.

simplejpeg hands the same libjpeg-turbo's pixels over, bit by bit, and its warnings as errors: the check costs nothing
as long as a photo is sound.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image

try:
    import simplejpeg
except ImportError:  # on a cluster, which reads photos that were looked through before
    simplejpeg = None

DAMAGE = "damage"  # where decode_photo notes what is wrong with a photo that can be read
_DAMAGED = "Part of the photo is damaged or missing in its file, so what is seen of it may be wrong"
# How libjpeg words what is wrong with the pixels' data (jerror.h); other refusals are about what it does not read.
_SIGNS = ("corrupt jpeg", "premature end", "unsupported marker", "invalid jpeg", "bogus", "huffman")
# The markers that begin a JPEG's frame (ITU-T T.81, table B.1), and of those the usual ones of 8 bits.
FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_USUAL = frozenset({0xC0, 0xC1, 0xC2})
_PROGRESSIVE = 0xC2
_SCAN = 0xDA


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
            at += 1
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


def has_end(data: bytes) -> bool:
    """Whether the end mark (FF D9) comes behind the header, whose thumbnail has one of its own.

    What follows the mark is a trailer (a film, a Samsung's or an editor's notes) and no damage.
    """
    end = 2
    for marker, at in segments(data):
        end = at + 2 + struct.unpack_from(">H", data, at + 2)[0]
        if marker == _SCAN:
            return data.find(b"\xff\xd9", end) >= 0
    return False


def load_checked(image: Image.Image, data: bytes) -> tuple[Image.Image, str]:
    """The pixels of an opened JPEG at the scale that `draft` chose, and what is wrong with them, "" for nothing.

    RGB from simplejpeg where all is well; else what Pillow makes of it, in the mode of the file.
    """
    damage = ""
    if simplejpeg is not None and image.mode in ("RGB", "L"):
        width, height = image.size
        try:
            pixels: np.ndarray = simplejpeg.decode_jpeg(
                data, "RGB", min_height=height, min_width=width, min_factor=1, strict=True
            )
        except ValueError as error:
            damage = _DAMAGED if any(sign in str(error).lower() for sign in _SIGNS) else ""
        else:
            if pixels.shape == (height, width, 3):
                return Image.fromarray(pixels), ""
    image.load()
    return image, damage

"""Photos that are small on the disk and cost minutes to decode: recognised by their structure before a decoder sees
them. Every decoder goes through its format's parts one by one, some in Python; no camera writes as many as are
refused here.
"""

from __future__ import annotations

import re
import struct
from typing import Literal, NoReturn

from gcdesk.engine.errors import PhotoError, PhotoProblem
from gcdesk.engine.photos.formats import PhotoFormat

# An ordinary progressive JPEG has 10 layers, each as large as the photo; the most that is decoded in some seconds.
MAX_SCANS = 200
MAX_SCANNED_PIXELS = 3_000_000_000
# Segments in front of a JPEG's pixels: metadata of 64 kB each. Bytes that fill the room between two: none, mostly.
MAX_JPEG_SEGMENTS = 4_096
MAX_JPEG_FILL = 65_536
# A PNG of 256 MB in parts of 4 kB has 65,000.
MAX_PNG_CHUNKS = 100_000
# Comments and the like in front of a GIF's first picture.
MAX_GIF_EXTENSION_BYTES = 1_000_000
# A TIFF of 60 x 60 thousand pixels with a row in each strip has 60,000 numbers in its longest tag.
MAX_TIFF_TAGS = 1_000
MAX_TIFF_NUMBERS = 1_000_000
# px; a JPEG's side has 65,500 at most, and a panorama longer than LONG is no thousand times as long as it is high.
MAX_SIDE = 100_000
LONG = 10_000
MAX_ASPECT = 1_000

_FILL = re.compile(rb"[^\xff]")
# Within a scan FF is followed by 00, by a restart mark, or by a fill byte; anything else ends it.
_SCAN_END = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_SOS, _EOI = 0xDA, 0xD9
_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})


def refuse_costly(data: bytes, kind: PhotoFormat) -> None:
    """Raise PhotoError for a photo whose parts no camera writes. Takes a moment for any file."""
    if kind is PhotoFormat.JPEG:
        _refuse_jpeg(data)
    elif kind is PhotoFormat.PNG:
        _refuse_png(data)
    elif kind is PhotoFormat.GIF:
        _refuse_gif(data)
    elif kind is PhotoFormat.TIFF:
        _refuse_tiff(data)


def refuse_shape(width: int, height: int) -> None:
    """Raise PhotoError for a photo that is a line: its pixels are few enough, and its sides are not."""
    longest, shortest = max(width, height), max(1, min(width, height))
    if longest > MAX_SIDE or longest > max(LONG, MAX_ASPECT * shortest):
        raise PhotoError(
            PhotoProblem.TOO_LARGE,
            f"The photo is a line ({width:,} x {height:,}): its longer side may be {MAX_ASPECT:,} times the shorter"
            f" and {MAX_SIDE:,} at most.",
        )


def _refuse(what: str) -> NoReturn:
    raise PhotoError(
        PhotoProblem.TOO_LARGE,
        f"The photo is made of far more {what} than a camera writes; save it in another form.",
    )


def _refuse_jpeg(data: bytes) -> None:
    """Segments and fill bytes in front of the pixels, then the layers that the pixels come in."""
    at, fill, segments, scans, pixels = 2, 0, 0, 0, 0
    while (found := _FILL.search(data, at + 1)) is not None and at + 4 <= len(data) and data[at] == 0xFF:
        fill += found.start() - at - 1
        at = found.start() - 1
        marker = data[at + 1]
        segments += 1
        if fill > MAX_JPEG_FILL:
            _refuse("filling")
        if segments > MAX_JPEG_SEGMENTS + 8 * MAX_SCANS:
            _refuse("segments")
        if marker == _EOI:
            return
        if marker in _FRAMES:
            pixels = int.from_bytes(data[at + 5 : at + 7], "big") * int.from_bytes(
                data[at + 7 : at + 9], "big"
            )
        at += 2 + (0 if 0xD0 <= marker <= 0xD8 else int.from_bytes(data[at + 2 : at + 4], "big"))
        if marker == _SOS:
            scans += 1
            if scans > MAX_SCANS or (scans > 1 and scans * pixels > MAX_SCANNED_PIXELS):
                _refuse("layers")
            end = _SCAN_END.search(data, at)
            if end is None:
                return
            at = end.start()
    if found is None and len(data) - at > MAX_JPEG_FILL:
        _refuse("filling")


def _refuse_png(data: bytes) -> None:
    at, chunks = 8, 0
    while at + 8 <= len(data):
        chunks += 1
        if chunks > MAX_PNG_CHUNKS:
            _refuse("parts")
        at += 12 + int.from_bytes(data[at : at + 4], "big")


def _refuse_gif(data: bytes) -> None:
    """Pillow joins the blocks of a comment one by one, each time anew."""
    flags = data[10:11]
    at = 13 + (3 * 2 ** ((flags[0] & 7) + 1) if flags and flags[0] & 0x80 else 0)
    extensions = 0
    while at + 2 < len(data) and data[at] == 0x21:
        at += 2
        while at < len(data) and data[at]:
            extensions += 1 + data[at]
            if extensions > MAX_GIF_EXTENSION_BYTES:
                _refuse("comments")
            at += 1 + data[at]
        at += 1
        extensions += 1


def _refuse_tiff(data: bytes) -> None:
    """The tags of the first picture, which are read into lists whatever they are."""
    order: Literal["<", ">"] = "<" if data[:2] == b"II" else ">"
    big = data[2:4] in (b"+\x00", b"\x00+")
    place = struct.unpack(order + "Q", data[8:16].ljust(8, b"\0"))[0] if big else _number(data, 4, order)
    head, size, form = (8, 20, "HHQ") if big else (2, 12, "HHI")
    raw = data[place : place + head]
    if len(raw) < head:
        return
    count = struct.unpack(order + ("Q" if big else "H"), raw)[0]
    if count > MAX_TIFF_TAGS and place + count * size <= len(data):  # else it is damaged, and no tag is read
        _refuse("tags")
    for number in range(count):
        at = place + head + number * size
        entry = data[at : at + struct.calcsize(order + form)]
        if len(entry) < struct.calcsize(order + form):
            return
        _, kind, numbers = struct.unpack(order + form, entry)
        # Bytes and texts stay bytes (types 1, 2, 7); the others become a number each.
        if kind not in (1, 2, 7) and MAX_TIFF_NUMBERS < numbers <= len(data):
            _refuse("numbers in its tags")


def _number(data: bytes, at: int, order: str) -> int:
    return int(struct.unpack(order + "I", data[at : at + 4].ljust(4, b"\0"))[0])

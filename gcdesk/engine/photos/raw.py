"""The photo that a camera puts into its raw file as a JPEG of its own: what is shown and read of a raw file.

The sensor's data themselves are not developed: rawpy would do it and brings 10 MB (docs/speed.md). A
thumbnail is never taken for the photo.
"""

from __future__ import annotations

from dataclasses import dataclass

from gcdesk.engine.photos.jpeg_structure import frame_of
from gcdesk.engine.photos.tiff import pages_of

# The longest side of a preview in full size; cameras' thumbnails have 160 to 640 pixels.
PREVIEW_LEAST_SIDE = 1000
_SOI = b"\xff\xd8\xff"
_ORIENTATION = 274
_MOST_FOUND = 200
_TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


@dataclass(frozen=True)
class Preview:
    """A JPEG in a raw file, and the EXIF orientation that the raw file gives it, for one that has none of its own."""

    data: bytes
    orientation: int


def raw_preview(data: bytes) -> Preview | None:
    """The largest JPEG of a raw file; None where none is in full size."""
    is_tiff = data[:4] in _TIFF_STARTS
    pages = pages_of(data) if is_tiff else []
    if is_tiff:  # by its tags: the sensor's data may be JPEG tiles themselves
        places = [place for page in pages if (place := page.jpeg) is not None]
    else:
        places = [(start, len(data) - start) for start in _starts(data)]
    best: tuple[int, int, int] | None = None
    for start, length in places:
        frame = frame_of(data[start : start + length]) if data[start : start + 3] == _SOI else None
        if frame is not None and frame.is_usual and max(frame.size) >= PREVIEW_LEAST_SIDE:
            best = max(best or (0, 0, 0), (frame.size[0] * frame.size[1], start, length))
    if best is None:
        return None
    return Preview(data[best[1] : best[1] + best[2]], _orientation(data))


def _starts(data: bytes) -> list[int]:
    found: list[int] = []
    at = data.find(_SOI)
    while at >= 0 and len(found) < _MOST_FOUND:
        found.append(at)
        at = data.find(_SOI, at + 3)
    return found


def _orientation(data: bytes) -> int:
    """Of the first page, or, in a CR3, of the tags in its box CMT1; 1 where nothing says it."""
    box = data.find(b"CMT1") if data[4:8] == b"ftyp" else -1
    pages = pages_of(data[box + 4 : box + 4 + 65_536] if box >= 0 else data)
    return pages[0].tag(_ORIENTATION, 1) if pages else 1

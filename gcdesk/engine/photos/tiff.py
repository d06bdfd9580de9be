"""The pages of a TIFF by its tags alone (TIFF 6.0, BigTIFF): which is the photo, and whether it is a raw file."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

_MOST_PAGES = 200
_MOST_ENTRIES = 1_000
_DEEPEST = 2  # levels of pages below a page
_BIGTIFF = (b"II+\0", b"MM\0+")
# Types of a tag's values and their bytes: those that the tags read here have.
_SIZES = {1: 1, 3: 2, 4: 4, 7: 1, 13: 4, 16: 8, 18: 8}
_CODES = {1: "B", 3: "H", 4: "I", 7: "B", 13: "I", 16: "Q", 18: "Q"}
_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC, _ORIENTATION = 256, 257, 258, 259, 262, 274
_NEW_SUBFILE, _OLD_SUBFILE, _STRIPS, _STRIP_BYTES, _BELOW = 254, 255, 273, 279, 330
_JPEG_START, _JPEG_BYTES, _DNG_VERSION = 513, 514, 50706
_READ = frozenset(
    [
        *(_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC, _ORIENTATION, _NEW_SUBFILE, _OLD_SUBFILE),
        *(_STRIPS, _STRIP_BYTES, _BELOW, _JPEG_START, _JPEG_BYTES, _DNG_VERSION),
    ]
)
# Colour filter array and linear raw (DNG 1.7); the compressions of Sony's and Nikon's raw files.
_RAW_PHOTOMETRICS, _RAW_COMPRESSIONS = (32803, 34892), (32767, 34713)
_JPEG_COMPRESSIONS = (6, 7)
_SHAPE_TOLERANCE = 0.05  # of two aspect ratios that are the same photo's
_MUCH_LARGER = 4  # pixels of a photo, of a thumbnail's


@dataclass(frozen=True)
class Page:
    """A page's tags. frame: its place in the chain of pages, None for one below another."""

    tags: dict[int, tuple[int, ...]]
    frame: int | None

    def tag(self, number: int, otherwise: int = 0) -> int:
        return self.tags.get(number, (otherwise,))[0]

    @property
    def size(self) -> tuple[int, int]:
        return self.tag(_WIDTH), self.tag(_HEIGHT)

    @property
    def pixels(self) -> int:
        return self.tag(_WIDTH) * self.tag(_HEIGHT)

    @property
    def is_reduced(self) -> bool:
        """Whether it says that it is a smaller version of another page, or a mask."""
        return bool(self.tag(_NEW_SUBFILE) & 0b101) or self.tag(_OLD_SUBFILE) == 2

    @property
    def is_deep(self) -> bool:
        """Whether it has 16 bits a colour."""
        return max(self.tags.get(_BITS, (8,))) == 16

    @property
    def jpeg(self) -> tuple[int, int] | None:
        """Where a JPEG lies that is the page or its preview: its first byte and its length."""
        if _JPEG_START in self.tags and self.tag(_JPEG_BYTES):
            return self.tag(_JPEG_START), self.tag(_JPEG_BYTES)
        if self.tag(_COMPRESSION) in _JPEG_COMPRESSIONS and len(self.tags.get(_STRIPS, ())) == 1:
            return self.tag(_STRIPS), self.tag(_STRIP_BYTES)
        return None


def pages_of(data: bytes) -> list[Page]:
    """All pages, the first of the chain first; as far as they make sense."""
    big = data[:4] in _BIGTIFF
    order: Literal["<", ">"] = "<" if data.startswith(b"II") else ">"
    try:
        (first,) = struct.unpack_from(f"{order}{'Q' if big else 'I'}", data, 8 if big else 4)
    except struct.error:
        return []
    return list(_Reader(data, order, big).chain(first, 0))


class _Reader:
    """Reads pages once each: a damaged or hostile file may chain them in a circle."""

    def __init__(self, data: bytes, order: Literal["<", ">"], big: bool) -> None:
        self.data, self.order = data, order
        self.count, self.entry, self.word = ("Q", "HHQ8s", "Q") if big else ("H", "HHI4s", "I")
        self.seen: set[int] = set()

    def chain(self, start: int, depth: int) -> Iterator[Page]:
        frame = 0
        while start and start not in self.seen and len(self.seen) < _MOST_PAGES:
            self.seen.add(start)
            try:
                tags, start = self._tags(start)
            except struct.error:
                return
            yield Page(tags, frame if depth == 0 else None)
            frame += 1
            if depth < _DEEPEST:
                for below in tags.get(_BELOW, ()):
                    yield from self.chain(below, depth + 1)

    def _tags(self, start: int) -> tuple[dict[int, tuple[int, ...]], int]:
        """The tags that are read, and where the next page is. Raises struct.error."""
        (count,) = struct.unpack_from(self.order + self.count, self.data, start)
        at = start + struct.calcsize(self.order + self.count)
        size = struct.calcsize(self.order + self.entry)
        tags: dict[int, tuple[int, ...]] = {}
        for _ in range(min(count, _MOST_ENTRIES)):
            number, kind, values, packed = struct.unpack_from(self.order + self.entry, self.data, at)
            at += size
            if number in _READ and kind in _SIZES and 0 < values <= _MOST_ENTRIES:
                found = self._values(kind, values, packed)
                if found:
                    tags[number] = found
        (following,) = struct.unpack_from(self.order + self.word, self.data, at)
        return tags, following

    def _values(self, kind: int, count: int, packed: bytes) -> tuple[int, ...]:
        layout = f"{self.order}{count}{_CODES[kind]}"
        try:
            if count * _SIZES[kind] <= len(packed):
                return struct.unpack_from(layout, packed)
            (place,) = struct.unpack(self.order + self.word, packed)
            return struct.unpack_from(layout, self.data, place)
        except struct.error:
            return ()


def is_raw(pages: list[Page]) -> bool:
    """Whether a camera's sensor data are in the file, whatever it is called: DNG, NEF, CR2, ARW, PEF, SRW, others."""
    return any(
        _DNG_VERSION in page.tags
        or page.tag(_PHOTOMETRIC) in _RAW_PHOTOMETRICS
        or page.tag(_COMPRESSION) in _RAW_COMPRESSIONS
        for page in pages
    )


def photo_frame(pages: list[Page]) -> int | None:
    """The frame of the chain that is the photo: the first that is no reduced version of another, by what it says or by
    its size; None where the photo is not in the chain.
    """
    chain = [page for page in pages if page.frame is not None]
    whole = [page for page in chain if not page.is_reduced]
    if not whole:
        return None if any(not page.is_reduced for page in pages) else 0
    first = whole[0]
    larger = [
        page for page in whole if page.pixels >= _MUCH_LARGER * first.pixels and _same_shape(page, first)
    ]
    return max(larger, key=lambda page: page.pixels).frame if larger else first.frame


def _same_shape(one: Page, two: Page) -> bool:
    if not one.pixels or not two.pixels:
        return False
    ratio = (one.size[0] * two.size[1]) / (one.size[1] * two.size[0])
    return abs(ratio - 1) <= _SHAPE_TOLERANCE

"""Which photo a file of a watched folder is, whatever happened to its time, its name or its place. No Qt.

A photo that is in the list already must not come a second time because a stick's clock was put forward, a viewer turned
it, or somebody sorted copies into folders; one that a camera wrote over another must never be taken for the old one.
"""

from __future__ import annotations

import hashlib
import os
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from gcdesk.config.thresholds import PHOTO_MAX_BYTES
from gcdesk.engine.errors import LabelError
from gcdesk.engine.labels import canonical_bin, usual_bin
from gcdesk.engine.photos.jpeg_structure import frame_of, pixel_data

Identity = tuple[int, int]  # size in bytes, modification time in nanoseconds
# Two photos that are packed never have the same length by chance; of these each has it that is as wide and high.
_UNPACKED = (".bmp", ".dib", ".tif", ".tiff")
_HEAD_BYTES, _TAIL_BYTES = 65_536, 8_192
_COMPARED = 20  # files of the same length that are read for a new one, at most


@dataclass(frozen=True)
class Traits:
    """What a photo's bytes say: their hash and that of the pixels' data (of a JPEG), None where not all were read; the
    hash of its last bytes; (width, height) of a JPEG.
    """

    digest: bytes | None
    pixels: bytes | None
    tail: bytes
    size: tuple[int, int] | None

    def is_same_photo(self, other: Traits) -> bool:
        """Whether the other is this photo with other notes in its header, or turned by a quarter."""
        if self.digest is not None and other.digest is not None:
            same = self.digest == other.digest or (self.pixels is not None and self.pixels == other.pixels)
        else:
            same = self.size is not None and (self.size, self.tail) == (other.size, other.tail)
        if same or self.size is None or other.size is None or self.size[0] == self.size[1]:
            return same
        return self.size == (other.size[1], other.size[0])


def read_traits(path: str, whole: bool = True) -> Traits | None:
    """Of a file, of its two ends alone where not whole; None for one that cannot be read or is larger than a photo."""
    try:
        size = os.path.getsize(path)
        if size > PHOTO_MAX_BYTES:
            return None
        with open(path, "rb") as file:
            content = file.read(size if whole else _HEAD_BYTES)
            file.seek(max(0, size - _TAIL_BYTES))
            tail = file.read(_TAIL_BYTES)
    except OSError:
        return None
    frame = frame_of(content) if content.startswith(b"\xff\xd8\xff") else None
    digest = _hash(content) if whole else None
    pixels = _hash(pixel_data(content)) if whole and frame is not None else None
    return Traits(digest, pixels, _hash(tail), frame.size if frame is not None else None)


def _hash(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=16).digest()


def same_length_is_same(path: str) -> bool:
    """Whether a file of this name that has kept its length is the photo that it was, as long as nobody read it."""
    return os.path.splitext(path)[1].lower() not in _UNPACKED


@dataclass
class KnownPhotos:
    """The files that were seen, by path; also those that are gone, which may come back under another name."""

    _identity: dict[str, Identity] = field(default_factory=dict)
    _traits: dict[str, Traits] = field(default_factory=dict)
    _by_size: dict[int, dict[str, None]] = field(default_factory=lambda: defaultdict(dict))

    def note(self, path: str, identity: Identity, traits: Traits | None) -> None:
        """Remember a file as it is now. traits: None where nobody has read it."""
        before = self._identity.get(path)
        if before is not None and before[0] != identity[0]:
            self._by_size[before[0]].pop(path, None)
        self._identity[path] = identity
        self._by_size[identity[0]][path] = None
        if traits is not None:
            self._traits[path] = traits
        elif before != identity:
            self._traits.pop(path, None)

    def is_unchanged(self, path: str, identity: Identity, traits: Traits | None) -> bool:
        """Whether the file at this path is the photo that was there, with another time, other notes or turned."""
        if path not in self._identity:
            return False
        before = self._traits.get(path)
        if before is not None and traits is not None and before.is_same_photo(traits):
            return True
        if before is not None and before.digest is not None:
            return False
        return self._identity[path][0] == identity[0] and same_length_is_same(path)

    def origin(self, path: str, identity: Identity, traits: Traits | None) -> tuple[str, bool] | None:
        """The known file that a new one is, and whether that is gone (moved or renamed; else it was copied).

        A copy under another name in an ordinary folder is a photo of its own.
        """
        for known in self._alike(path, identity, traits):
            if not os.path.lexists(known):
                return known, True
            if os.path.basename(known) == os.path.basename(path) or _is_in_bin(path):
                return known, False
        return None

    def _alike(self, path: str, identity: Identity, traits: Traits | None) -> Iterator[str]:
        """Other known files with the same bytes; of those that are gone unread, with the same length and time."""
        unread = 0
        for known in list(self._by_size.get(identity[0], ())):
            if known == path:
                continue
            before = self._traits.get(known)
            read = before is not None and before.digest is not None
            if not read and self._identity[known] == identity:
                yield known
                continue
            if not read and traits is not None and unread < _COMPARED and os.path.lexists(known):
                unread += 1
                before = read_traits(known)
                if before is not None:
                    self._traits[known] = before
            if before is not None and traits is not None and before.digest == traits.digest:
                yield known


def _is_in_bin(path: str) -> bool:
    """Whether the folder of a file is called after a bin."""
    name = os.path.basename(os.path.dirname(path))
    try:
        canonical_bin(name)
    except LabelError:
        return usual_bin(name) is not None
    return True

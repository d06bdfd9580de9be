"""Thumbnails, previews and heat-maps as files in a cache, so that the window never opens a photo itself."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from gcdesk.config.files import replace_atomically
from gcdesk.config.thresholds import (
    HEATMAP_CACHE_BYTES,
    PREVIEW_CACHE_BYTES,
    THUMBNAIL_CACHE_BYTES,
    THUMBNAIL_PIXELS,
)
from gcdesk.engine.photos.decoding import decode_photo, photo_size, read_photo
from gcdesk.worker.serve.stalled_drives import Drives

_CAPS = {
    "thumbnails": THUMBNAIL_CACHE_BYTES,
    "previews": PREVIEW_CACHE_BYTES,
    "heatmaps": HEATMAP_CACHE_BYTES,
}
# A cache that may soon be full is emptied to the second share of its cap, the oldest pictures first. It is looked
# through whenever it has grown by what is left above the first share: a worker may run for weeks.
_FULL_SHARE = 0.96
_KEPT_SHARE = 0.8
_QUALITY = 85


@dataclass(frozen=True)
class Photo:
    """A decoded photo, RGB and upright, perhaps smaller than its file; `width` and `height` are the file's, px."""

    image: Image.Image
    width: int
    height: int
    key: str


def open_photo(path: str, target: int, drives: Drives) -> Photo:
    """Decode a photo for a shortest side of `target` px. Raises PhotoError for what cannot be decoded whole."""
    key, data = drives.run(path, lambda step: (picture_key(path), read_photo(path, step)))
    image = decode_photo(path, target, data)
    return Photo(image, *photo_size(data, image), key)


def picture_key(path: str) -> str:
    """Names a photo's pictures: another one when the file is overwritten."""
    try:
        status = os.stat(path)
        state = f"{status.st_size}-{status.st_mtime_ns}"
    except (OSError, ValueError):
        state = ""
    return hashlib.blake2b(f"{path}\0{state}".encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


class Pictures:
    """The cache in a folder. Safe to call from several threads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._drives = Drives()
        self._grown = dict.fromkeys(
            _CAPS, 0
        )  # bytes since the last look; a count that is a little off does no harm

    def open(self, path: str, target: int) -> Photo:
        """Decode a photo, for a shortest side of `target` px. Raises PhotoError, also where its drive stalls."""
        return open_photo(path, target, self._drives)

    def thumbnail(self, photo: Photo) -> str:
        """The file of the photo's thumbnail; "" where none can be written, which is no reason to lose a photo."""
        file = self._file("thumbnails", photo.key, "jpg")
        if not file.is_file():
            try:
                _save(_fitted(photo.image, THUMBNAIL_PIXELS), file)
            except OSError:
                return ""
            self.note(file)
        return str(file)

    def preview(self, path: str, size: int) -> str:
        """The file of a JPEG that fits `size` px. Raises PhotoError, and OSError where it cannot be written."""
        file = self._file("previews", f"{self._key(path)}-{size}", "jpg")
        if not used_again(file):
            _save(_fitted(self.open(path, max(1, size // 2)).image, size), file)
            self.note(file)
        return str(file)

    def heatmap(self, path: str, model: str, label: str) -> Path:
        """Where the heat-map of a photo by a model for a label is, or belongs. Raises PhotoError as `open` does."""
        return self._file("heatmaps", f"{self._key(path)}-{model}-{label}", "png")

    def _key(self, path: str) -> str:
        return self._drives.run(path, lambda _step: picture_key(path))

    def note(self, file: Path) -> None:
        """A picture of this cache was written."""
        with suppress(OSError):  # deleted already
            self._grown[file.parent.parent.name] += file.stat().st_size

    @property
    def due(self) -> bool:
        """Whether a kind of picture may have come near its cap since the last `prune`."""
        return any(grown > (1 - _FULL_SHARE) * _CAPS[kind] for kind, grown in self._grown.items())

    def prune(self) -> None:
        """Delete the oldest pictures of each kind that is near its cap."""
        for kind, cap in _CAPS.items():
            self._grown[kind] = 0
            _prune(self._folder / kind, cap)

    def _file(self, kind: str, name: str, ending: str) -> Path:
        return self._folder / kind / name[:2] / f"{name}.{ending}"


def _fitted(image: Image.Image, size: int) -> Image.Image:
    small = image.copy()
    small.thumbnail((size, size), Image.Resampling.BICUBIC, reducing_gap=2.0)
    return small


def _save(image: Image.Image, file: Path) -> None:
    write_picture(image, file, format="JPEG", quality=_QUALITY)


def used_again(file: Path) -> bool:
    """Whether the picture is there; the oldest use goes first. (`touch` would make an empty one of one just pruned.)"""
    try:
        os.utime(file)
    except FileNotFoundError:
        return False
    return True


def write_picture(image: Image.Image, file: Path, **options: object) -> None:
    """Write a picture in one step: whoever sees the file sees all of it. Raises OSError."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with replace_atomically(file, durable=False) as stream:
        image.save(stream, **options)  # type: ignore[arg-type]


def _prune(folder: Path, cap: int) -> None:
    results: list[tuple[float, int, str]] = []
    with suppress(OSError):
        for part in os.scandir(folder):
            for entry in os.scandir(part):
                with suppress(FileNotFoundError):  # others write and rename meanwhile
                    status = entry.stat()
                    results.append((status.st_mtime, status.st_size, entry.path))
    total = sum(size for _, size, _ in results)
    if total <= cap * _FULL_SHARE:
        return
    for _, size, path in sorted(results):
        if total <= cap * _KEPT_SHARE:
            return
        with suppress(OSError):
            os.unlink(path)
            total -= size

"""Makes the pictures that the decoding tests read."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from gcdesk.engine.errors import PhotoError
from gcdesk.engine.photos.decoding import decode_photo

TARGET = 64
RED, GREEN, BLUE, YELLOW = (220, 30, 40), (30, 170, 60), (20, 40, 200), (240, 220, 30)


def quarters(width: int = 160, height: int = 120) -> Image.Image:
    """Red and green above, blue and yellow below: every turn and mirror image is another picture."""
    image = Image.new("RGB", (width, height))
    half = (width // 2, height // 2)
    for colour, corner in [(RED, (0, 0)), (GREEN, (half[0], 0)), (BLUE, (0, half[1])), (YELLOW, half)]:
        image.paste(colour, (*corner, corner[0] + half[0], corner[1] + half[1]))
    return image


def corners(image: Image.Image) -> list[tuple[int, ...]]:
    """The colours in the middles of the four quarters, as `quarters` orders them."""
    w, h = image.size
    spots = [(w // 4, h // 4), (3 * w // 4, h // 4), (w // 4, 3 * h // 4), (3 * w // 4, 3 * h // 4)]
    return [image.getpixel(spot) for spot in spots]  # type: ignore[misc]  # RGB


def assert_quarters(image: Image.Image, tolerance: int = 12) -> None:
    assert image.mode == "RGB"
    for seen, meant in zip(corners(image), [RED, GREEN, BLUE, YELLOW], strict=True):
        assert np.abs(np.subtract(seen, meant)).max() <= tolerance, (seen, meant)


def problem_of(path: Path) -> PhotoError:
    with pytest.raises(PhotoError) as refused:
        decode_photo(path, TARGET)
    message = str(refused.value)
    assert message.endswith((".", ". "))
    assert "\n" not in message
    assert "Traceback" not in message
    return refused.value


def noise(width: int = 200, height: int = 150) -> Image.Image:
    pixels = np.random.default_rng(0).integers(0, 255, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


SAVED: dict[str, tuple[str, dict[str, object]]] = {
    "jpeg": ("a.jpg", {"quality": 95}),
    "progressive jpeg": ("a.jpg", {"progressive": True}),
    "png": ("a.png", {}),
    "webp": ("a.webp", {}),
    "lossless webp": ("a.webp", {"lossless": True}),
    "bmp": ("a.bmp", {}),
    "tiff": ("a.tif", {}),
    "lzw tiff": ("a.tif", {"compression": "tiff_lzw"}),
    "gif": ("a.gif", {}),
    "heic": ("a.heic", {}),
    "avif": ("a.avif", {}),
}


def save(folder: Path, kind: str, image: Image.Image) -> Path:
    pillow_heif.register_heif_opener()
    name, options = SAVED[kind]
    image.save(folder / name, **options)
    return folder / name


def png(width: int, height: int, depth: int, rows: bytes) -> bytes:
    """An RGB PNG of these rows, each led by its filter byte."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, depth, 2, 0, 0, 0)
    packed = zlib.compress(rows, 1)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def huge_png(side: int) -> bytes:
    """Says that it has `side` x `side` pixels, and has the data of a few rows."""
    return png(side, side, 8, bytes(10_000_000))

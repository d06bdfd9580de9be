"""Makes the photos that a station's folder really holds one day: broken ones, and odd ones that are fine."""

from __future__ import annotations

import shutil
import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image


def write_broken(folder: Path, good: Path) -> list[Path]:
    """Files that no one can decode, made from the good JPEG `good`. Their names are captions."""
    folder.mkdir(parents=True, exist_ok=True)
    data = good.read_bytes()
    contents = {
        "zero byte cup.jpg": b"",
        "cut off bottle.jpg": data[: len(data) * 9 // 10],
        "text renamed.jpg": b"this is a shopping list\n" * 20,
        "enormous poster.png": _huge_png(60_000),
        "noise bag.webp": bytes(range(256)) * 8,
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return [folder / name for name in contents]


def write_odd(folder: Path, good: Path) -> list[Path]:
    """Files that look unusual and must be classified, made from the good JPEG `good`."""
    import pillow_heif

    folder.mkdir(parents=True, exist_ok=True)
    with Image.open(good) as opened:
        photo = opened.convert("RGB")
    photo.convert("CMYK").save(folder / "cmyk can.jpg")
    grey = np.asarray(photo.convert("L"), dtype=np.uint16) * 257
    Image.fromarray(grey).save(folder / "sixteen bit can.png")
    palette = photo.quantize(64)
    palette.save(folder / "palette can.png", transparency=0)
    frames = [photo.resize((64, 64)), photo.rotate(90).resize((64, 64))]
    frames[0].save(folder / "animated can.gif", save_all=True, append_images=frames[1:], duration=50)
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        photo.save(folder / f"turned can {orientation}.jpg", exif=exif)
    pillow_heif.register_heif_opener()
    photo.save(folder / "phone can.heic")
    photo.save(folder / "modern can.avif")
    for name in ("علبة فارغة.jpg", "🍌 peel 🗑️.jpg", f"{'very long caption ' * 11}can.jpg"):
        shutil.copy(good, folder / name)
    return sorted(folder.iterdir())


def _huge_png(side: int) -> bytes:
    """A PNG of a few bytes that claims `side` x `side` pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    row = zlib.compress(bytes(1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", row) + chunk(b"IEND", b"")

"""How many damaged JPEGs are found, how many sound ones are doubted, and what the check costs.

    python benchmarks/damaged_jpegs.py FOLDER [--damaged 60] [--wheel rawpy-*.whl]

Every JPEG below FOLDER is decoded as the models read it; of --damaged of them a copy is damaged in each of eight ways.
A wheel's size is printed beside that of simplejpeg: what a library for raw files would add to the package.
"""

from __future__ import annotations

import argparse
import io
import random
import time
import zipfile
from collections.abc import Sequence
from importlib.metadata import files
from pathlib import Path

from PIL import Image

from gcdesk.engine.errors import PhotoError
from gcdesk.engine.photos.decoding import decode_photo
from gcdesk.engine.photos.discovery import find_photos
from gcdesk.engine.photos.jpeg import DAMAGE
from gcdesk.engine.photos.jpeg_structure import segments

TARGET = 288
KINDS = (
    "zeros",
    "ones",
    "noise",
    "missing",
    "a sector less",
    "another's tail",
    "another's middle",
    "end mark pasted on",
)


def pixels_at(data: bytes) -> int:
    """Where the entropy-coded data begin."""
    at = next(at for marker, at in segments(data) if marker == 0xDA)
    return at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")


def damaged(data: bytes, kind: str, other: bytes, seed: int) -> bytes:
    choice = random.Random(seed)
    start = pixels_at(data)
    length = len(data) - start
    at = start + choice.randrange(length // 10, length * 8 // 10)
    hole = max(16, min(4096, length // 10))
    middle = (pixels_at(other) + len(other)) // 2
    return {
        "zeros": data[:at] + bytes(hole) + data[at + hole :],
        "ones": data[:at] + b"\xff" * hole + data[at + hole :],
        "noise": data[:at] + choice.randbytes(hole) + data[at + hole :],
        "missing": data[:at] + data[at + hole :],
        "a sector less": data[:at] + data[at + 512 :],
        "another's tail": data[:at] + other[middle:],
        "another's middle": data[:at] + other[middle : middle + hole] + data[at + hole :],
        "end mark pasted on": data[:at] + b"\xff\xd9",
    }[kind]


def is_doubted(data: bytes) -> bool:
    """Whether the photo is refused, or read and doubted."""
    try:
        return bool(decode_photo("a.jpg", TARGET, data).info.get(DAMAGE))
    except PhotoError:
        return True


def pillow_seconds(photos: Sequence[bytes]) -> float:
    """CPU seconds of Pillow's decoding at the same scale, without a check."""
    began = time.process_time()
    for data in photos:
        with Image.open(io.BytesIO(data)) as image:
            image.draft(None, (2 * TARGET, 2 * TARGET))
            image.load()
    return time.process_time() - began


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--damaged", type=int, default=60)
    parser.add_argument("--wheel", type=Path)
    args = parser.parse_args()
    paths = [found.path for found in find_photos([args.folder]) if found.error is None]
    photos = [data for path in paths if (data := path.read_bytes()).startswith(b"\xff\xd8\xff")]
    began = time.process_time()
    doubted = sum(map(is_doubted, photos))
    seconds = time.process_time() - began
    print(f"sound photos: {doubted} of {len(photos)} doubted")
    print(
        f"CPU seconds: {seconds:.2f} decoded and checked, {pillow_seconds(photos):.2f} by Pillow without a check"
    )
    some = random.Random(1).sample(photos, min(args.damaged, len(photos)))
    for kind in KINDS:
        found = sum(is_doubted(damaged(data, kind, some[seed - 1], seed)) for seed, data in enumerate(some))
        print(f"{kind}: {found} of {len(some)} found")
    size = sum(file.size or 0 for file in files("simplejpeg") or ())
    print(f"simplejpeg: {size / 1e6:.1f} MB installed")
    if args.wheel is not None:
        with zipfile.ZipFile(args.wheel) as wheel:
            unpacked = sum(item.file_size for item in wheel.infolist())
        print(f"{args.wheel.name}: {unpacked / 1e6:.1f} MB installed")


if __name__ == "__main__":
    main()

"""`xwd_to_png.py SCREEN.xwd FILE.png`: Xvfb's picture of its screen (XWDFile.h, 24 of 32 bits) as a PNG."""

import struct
import sys
import zlib
from pathlib import Path

# Fields of the header, 32 bits each, big-endian: size, then width, height, bytes a line, colours in a table.
SIZE, WIDTH, HEIGHT, LINE, COLOURS = 0, 4, 5, 12, 19
COLOUR_BYTES = 12


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def main(source: Path, target: Path) -> None:
    data = source.read_bytes()
    header = struct.unpack_from(">25I", data)
    width, height, line = header[WIDTH], header[HEIGHT], header[LINE]
    start = header[SIZE] + header[COLOURS] * COLOUR_BYTES
    rows = bytearray()
    for number in range(height):
        pixels = data[start + number * line : start + number * line + 4 * width]
        row = bytearray(3 * width)
        row[0::3], row[1::3], row[2::3] = pixels[2::4], pixels[1::4], pixels[0::4]
        rows += b"\0" + row
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    target.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(rows, 9))
        + chunk(b"IEND", b"")
    )


main(Path(sys.argv[1]), Path(sys.argv[2]))

"""Raw files show the preview that their camera put into them, or are refused by name: never their thumbnail."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from pictures import assert_quarters, quarters
from PIL import Image

from gcdesk.engine.errors import PhotoError
from gcdesk.engine.photos.decoding import decode_photo, photo_size

SIZES, CODES = {1: 1, 3: 2, 4: 4}, {1: "B", 3: "H", 4: "I"}
Tags = dict[int, tuple[int, list[int]]]


def jpeg(image: Image.Image) -> bytes:
    data = io.BytesIO()
    image.save(data, "JPEG", quality=92)
    return data.getvalue()


def rgb_page(image: Image.Image, reduced: int = 0) -> tuple[Tags, bytes]:
    width, height = image.size
    tags: Tags = {
        254: (4, [reduced]), 256: (4, [width]), 257: (4, [height]), 258: (3, [8, 8, 8]), 259: (3, [1]),
        262: (3, [2]), 277: (3, [3]), 278: (4, [height]),
    }  # fmt: skip
    return tags, image.tobytes()


def jpeg_page(image: Image.Image) -> tuple[Tags, bytes]:
    tags, _ = rgb_page(image, reduced=1)
    return {**tags, 259: (3, [7]), 262: (3, [6])}, jpeg(image)


def mosaic_page(width: int = 2000, height: int = 1500) -> tuple[Tags, bytes]:
    tags: Tags = {
        254: (4, [0]), 256: (4, [width]), 257: (4, [height]), 258: (3, [16]), 259: (3, [1]), 262: (3, [32803]),
        277: (3, [1]), 278: (4, [height]),
    }  # fmt: skip
    return tags, bytes(2 * width * height)


def tiff(order: str, first: tuple[Tags, bytes], below: list[tuple[Tags, bytes]], more: Tags) -> bytes:
    """A TIFF with one page in the chain and others below it, as raw files are made."""
    data = bytearray(b"II*\0\0\0\0\0" if order == "<" else b"MM\0*\0\0\0\0")

    def page(tags: Tags, strip: bytes) -> int:
        start = len(data)
        data.extend(strip)
        entries = []
        for tag, (kind, values) in sorted({**tags, 273: (4, [start]), 279: (4, [len(strip)])}.items()):
            packed = struct.pack(f"{order}{len(values)}{CODES[kind]}", *values)
            if len(packed) > 4:
                place = len(data)
                data.extend(packed + bytes(len(packed) % 2))
                packed = struct.pack(f"{order}I", place)
            entries.append(struct.pack(f"{order}HHI", tag, kind, len(values)) + packed.ljust(4, b"\0"))
        here = len(data)
        data.extend(struct.pack(f"{order}H", len(entries)) + b"".join(entries) + bytes(4))
        return here

    places = [page(*one) for one in below]
    tags, strip = first
    start = page({**tags, **more, **({330: (4, places)} if places else {})}, strip)
    data[4:8] = struct.pack(f"{order}I", start)
    return bytes(data)


THUMBNAIL = quarters(64, 48)
DNG: Tags = {50706: (1, [1, 4, 0, 0])}


def read(data: bytes, tmp_path: Path, name: str = "a.dng") -> Image.Image:
    path = tmp_path / name
    path.write_bytes(data)
    return decode_photo(path, 224)


@pytest.mark.parametrize("name", ["a.dng", "a.tif", "a.jpg", "a.nef"])
@pytest.mark.parametrize("order", ["<", ">"])
def test_the_preview_in_full_size_is_shown_whatever_the_name(tmp_path: Path, order: str, name: str) -> None:
    data = tiff(order, rgb_page(THUMBNAIL, 1), [mosaic_page(), jpeg_page(quarters(1600, 1200))], DNG)
    image = read(data, tmp_path, name)
    assert min(image.size) >= 448
    assert_quarters(image)
    assert photo_size(data, image) == image.size


def test_the_orientation_of_the_raw_file_counts_for_a_preview_without_its_own(tmp_path: Path) -> None:
    turned = quarters(1600, 1200).transpose(Image.Transpose.ROTATE_90)  # as the sensor saw it
    data = tiff("<", rgb_page(THUMBNAIL, 1), [mosaic_page(), jpeg_page(turned)], {**DNG, 274: (3, [6])})
    assert_quarters(read(data, tmp_path))


@pytest.mark.parametrize(
    ("start", "name"),
    [(b"FUJIFILMCCD-RAW 0201", "a.raf"), (b"IIU\0\x08\0\0\0", "a.rw2"), (b"IIRO\x08\0\0\0", "a.orf"),
     (b"\0\0\0\x18ftypcrx \0\0\0\0crx isom", "a.cr3")],
)  # fmt: skip
def test_raw_files_of_other_makes(tmp_path: Path, start: bytes, name: str) -> None:
    data = start + bytes(500) + jpeg(THUMBNAIL) + bytes(300) + jpeg(quarters(1600, 1200)) + bytes(5000)
    assert_quarters(read(data, tmp_path, name))
    with pytest.raises(PhotoError, match="raw camera file"):
        read(start + bytes(500) + jpeg(THUMBNAIL) + bytes(5000), tmp_path, name)


@pytest.mark.parametrize(
    "pages",
    [
        (rgb_page(THUMBNAIL, 1), [mosaic_page()]),
        (rgb_page(Image.new("RGB", (64, 48)), 1), [mosaic_page()]),
        (mosaic_page(), []),
        (rgb_page(THUMBNAIL, 1), [mosaic_page(), jpeg_page(quarters(320, 240))]),
    ],
)
def test_without_such_a_preview_it_is_refused_by_name(
    tmp_path: Path, pages: tuple[tuple[Tags, bytes], list[tuple[Tags, bytes]]]
) -> None:
    for name in ("a.dng", "a.tif", "a.tiff"):
        with pytest.raises(PhotoError, match="raw camera file"):
            read(tiff("<", *pages, DNG), tmp_path, name)


def saved(path: Path, first: Image.Image, *others: Image.Image, **options: object) -> Path:
    first.save(path, "TIFF", save_all=bool(others), append_images=others, **options)
    return path


def test_of_a_tiff_the_full_page_counts(tmp_path: Path) -> None:
    black = Image.new("RGB", (64, 48))
    unsaid = decode_photo(saved(tmp_path / "a.tif", black, quarters(640, 480)), 224)
    assert unsaid.size == (640, 480)
    assert_quarters(unsaid)
    first = decode_photo(saved(tmp_path / "b.tif", quarters(640, 480), black), 224)
    assert_quarters(first)
    scans = decode_photo(saved(tmp_path / "c.tif", quarters(640, 480), Image.new("RGB", (640, 480))), 224)
    assert_quarters(scans)


def test_a_circle_of_pages_ends(tmp_path: Path) -> None:
    data = bytearray(tiff("<", rgb_page(quarters(200, 150)), [], {}))
    start = struct.unpack_from("<I", data, 4)[0]
    count = struct.unpack_from("<H", data, start)[0]
    struct.pack_into("<I", data, start + 2 + 12 * count, start)
    assert_quarters(read(bytes(data), tmp_path, "a.tif"))


@pytest.mark.parametrize("size", [(12000, 9000), (16320, 12240)])
def test_photos_of_108_and_200_megapixels_are_read_at_a_reduced_scale(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    image = Image.new("RGB", size, (90, 140, 60))
    image.paste((200, 30, 40), (0, 0, size[0] // 2, size[1]))
    path = tmp_path / "phone.jpg"
    image.save(path, "JPEG", quality=60)
    read = decode_photo(path, 288)
    assert (read.width, read.height) == (-(-size[0] // 8), -(-size[1] // 8))
    assert photo_size(path.read_bytes(), read) == size
    assert read.getpixel((10, 10))[0] > 150  # type: ignore[index]
    assert read.getpixel((read.width - 10, 10))[0] < 120  # type: ignore[index]
    assert min(decode_photo(path, 4000).size) >= 1500


@pytest.mark.parametrize("bits", [10, 12, 14, 16])
@pytest.mark.parametrize("ending", ["png", "tif"])
def test_grey_of_10_to_16_bits_is_scaled_visibly(tmp_path: Path, bits: int, ending: str) -> None:
    white = (1 << bits) - 1
    values = np.full((150, 200), white, np.uint16)
    values[:, :100] = white // 4
    Image.fromarray(values).save(tmp_path / f"a.{ending}")
    read = decode_photo(tmp_path / f"a.{ending}", 64)
    assert read.getpixel((150, 75))[0] >= 250  # type: ignore[index]
    assert 55 <= read.getpixel((50, 75))[0] <= 70  # type: ignore[index]


@pytest.mark.parametrize("bits", [12, 14, 16])
def test_colours_of_12_bits_in_16_are_scaled_visibly(tmp_path: Path, bits: int) -> None:
    """A PNG of 16 bits a colour, made by hand: Pillow writes none."""
    white = (1 << bits) - 1
    row = b"\0" + struct.pack(">3H", white, white // 4, 0) * 100
    header = struct.pack(">2I5B", 100, 80, 16, 2, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n"
    for name, content in ((b"IHDR", header), (b"IDAT", zlib.compress(row * 80)), (b"IEND", b"")):
        data += (
            struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        )
    (tmp_path / "a.png").write_bytes(data)
    red, green, blue = decode_photo(tmp_path / "a.png", 64).getpixel((50, 40))  # type: ignore[misc]
    assert red >= 250
    assert 45 <= green <= 75
    assert blue == 0

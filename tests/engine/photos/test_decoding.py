"""Photos as they come: every odd one decodes whole and upright. The files are made here."""

from __future__ import annotations

import struct
import subprocess
import sys
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from pictures import (
    BLUE,
    GREEN,
    RED,
    SAVED,
    TARGET,
    YELLOW,
    assert_quarters,
    corners,
    huge_png,
    png,
    quarters,
    save,
)
from PIL import Image, ImageFile

from gcdesk.engine.errors import PhotoError
from gcdesk.engine.photos import decoding
from gcdesk.engine.photos.decoding import decode_photo


@pytest.mark.parametrize("kind", list(SAVED))
def test_every_format(tmp_path: Path, kind: str) -> None:
    path = save(tmp_path, kind, quarters())
    image = decode_photo(path, TARGET)
    assert image.size == (160, 120)
    assert_quarters(image)


@pytest.mark.parametrize("kind", list(SAVED))
def test_the_content_counts_not_the_name(tmp_path: Path, kind: str) -> None:
    path = save(tmp_path, kind, quarters())
    assert_quarters(decode_photo(path.rename(tmp_path / "photo.txt"), TARGET))


def test_what_stands_behind_a_photo_does_no_harm(tmp_path: Path) -> None:
    path = save(tmp_path, "jpeg", quarters())
    path.write_bytes(path.read_bytes() + b"SEFT trailer of a phone" * 100)
    assert_quarters(decode_photo(path, TARGET))


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "tiff", "heic", "avif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation(tmp_path: Path, kind: str, orientation: int) -> None:
    """Saved as a camera held in that way does: the decoded photo is upright."""
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    held = quarters() if orientation == 1 else quarters().transpose(undo[orientation])
    exif = Image.Exif()
    exif[0x0112] = orientation
    pillow_heif.register_heif_opener()
    name, options = SAVED[kind]
    held.save(tmp_path / name, exif=exif, **options)
    image = decode_photo(tmp_path / name, TARGET)
    assert image.size == (160, 120)
    assert_quarters(image)


def test_a_heic_that_turns_itself_is_turned_once(tmp_path: Path) -> None:
    """As iPhones write them: a rotation box, and the same in the EXIF data for information."""
    exif = Image.Exif()
    exif[0x0112] = 6
    pillow_heif.register_heif_opener()
    quarters().transpose(Image.Transpose.ROTATE_90).save(tmp_path / "a.heic", exif=exif)
    path = tmp_path / "a.heic"
    path.write_bytes(with_rotation_box(path.read_bytes(), 3))
    with Image.open(path) as image:
        assert image.size == (160, 120)
    assert_quarters(decode_photo(path, TARGET))


def with_rotation_box(data: bytes, quarter_turns: int) -> bytes:
    """Add an `irot` property (ISO/IEC 23008-12, 6.5.10) to a HEIC of one image, counter-clockwise."""
    box = b"\0\0\0\x09irot" + bytes([quarter_turns])
    ipco, ipma = data.index(b"ipco") - 4, data.index(b"ipma") - 4
    properties = list_of_boxes(data[ipco + 8 : ipma])
    # version and flags, one item: its id, the count of its properties, their numbers from 1
    count = ipma + 8 + 4 + 4 + 2
    changed = bytearray(data)
    changed[count] += 1
    changed.insert(count + 1 + data[count], len(properties) + 1)
    changed[ipma : ipma + 4] = struct.pack(">I", struct.unpack_from(">I", data, ipma)[0] + 1)
    changed[ipma:ipma] = box
    added = len(box) + 1
    for name, more in ((b"ipco", len(box)), (b"iprp", added), (b"meta", added)):
        at = data.index(name) - 4
        changed[at : at + 4] = struct.pack(">I", struct.unpack_from(">I", data, at)[0] + more)
    return moved_pixels(bytes(changed), data, added)


def list_of_boxes(data: bytes) -> list[bytes]:
    boxes = []
    while data:
        length = struct.unpack_from(">I", data)[0]
        boxes.append(data[:length])
        data = data[length:]
    return boxes


def moved_pixels(changed: bytes, data: bytes, added: int) -> bytes:
    """Correct the offsets in `iloc` (where the pixels and the EXIF data begin) that lie behind the
    metadata.
    """
    iloc = changed.index(b"iloc") - 4
    length = struct.unpack_from(">I", changed, iloc)[0]
    first, end = data.index(b"mdat"), len(data)
    body = bytearray(changed)
    for at in range(iloc + 12, iloc + length - 3):
        offset = struct.unpack_from(">I", body, at)[0]
        if first <= offset < end:
            body[at : at + 4] = struct.pack(">I", offset + added)
    return bytes(body)


@pytest.mark.parametrize("value", [0, 9, 65_535])
def test_an_orientation_that_means_nothing_is_upright(tmp_path: Path, value: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = value
    quarters().save(tmp_path / "a.jpg", exif=exif, quality=95)
    assert_quarters(decode_photo(tmp_path / "a.jpg", TARGET))


def test_damaged_exif_data_does_not_lose_the_photo(tmp_path: Path) -> None:
    quarters().save(tmp_path / "a.jpg", quality=95, exif=b"Exif\0\0II*\0\xff\xff\xff\xffgarbage")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert_quarters(decode_photo(tmp_path / "a.jpg", TARGET))


def test_cmyk_jpegs_as_photoshop_writes_them(tmp_path: Path) -> None:
    """Adobe stores the inks inverted and says so in a marker; Pillow writes such files too."""
    path = tmp_path / "a.jpg"
    quarters().convert("CMYK").save(path, quality=95)
    assert b"Adobe" in path.read_bytes()
    assert_quarters(decode_photo(path, TARGET))


def test_cmyk_tiff(tmp_path: Path) -> None:
    quarters().convert("CMYK").save(tmp_path / "a.tif")
    assert_quarters(decode_photo(tmp_path / "a.tif", TARGET))


def test_palette(tmp_path: Path) -> None:
    quarters().quantize(16).save(tmp_path / "a.png")
    assert_quarters(decode_photo(tmp_path / "a.png", TARGET))


def transparent_quarters() -> Image.Image:
    """The quarters with nothing in the lower right one."""
    image = quarters().convert("RGBA")
    image.paste((0, 0, 0, 0), (80, 60, 160, 120))
    return image


@pytest.mark.parametrize("name", ["a.png", "a.webp", "a.tif", "a.gif"])
def test_transparent_is_white(tmp_path: Path, name: str) -> None:
    transparent_quarters().save(tmp_path / name, **({"lossless": True} if name == "a.webp" else {}))
    seen = corners(decode_photo(tmp_path / name, TARGET))
    assert seen[3] == (255, 255, 255)
    assert np.abs(np.subtract(seen[:3], [RED, GREEN, BLUE])).max() <= 12


def test_palette_with_alpha_is_over_white(tmp_path: Path) -> None:
    palette = quarters().quantize(16)
    blue = palette.getpixel((10, 110))
    palette.save(tmp_path / "one.png", transparency=blue)
    alphas = bytes(0 if index == blue else 255 for index in range(16))
    palette.save(tmp_path / "many.png", transparency=alphas)
    for name in ("one.png", "many.png"):
        seen = corners(decode_photo(tmp_path / name, TARGET))
        assert seen[2] == (255, 255, 255)
        assert np.abs(np.subtract(seen[3], YELLOW)).max() <= 12


def test_half_transparent_is_half_white(tmp_path: Path) -> None:
    Image.new("RGBA", (80, 80), (0, 0, 0, 128)).save(tmp_path / "a.png")
    Image.new("LA", (80, 80), (0, 128)).save(tmp_path / "la.png")
    for name in ("a.png", "la.png"):
        assert decode_photo(tmp_path / name, TARGET).getpixel((40, 40)) == (127, 127, 127)


def test_a_colour_named_transparent_in_an_rgb_png(tmp_path: Path) -> None:
    quarters().save(tmp_path / "a.png", transparency=GREEN)
    seen = corners(decode_photo(tmp_path / "a.png", TARGET))
    assert seen[1] == (255, 255, 255)
    assert seen[0] == RED


def test_one_bit(tmp_path: Path) -> None:
    for name in ("a.png", "a.tif"):
        quarters().convert("L").point(lambda v: 255 * (v > 128)).convert("1").save(tmp_path / name)
        assert corners(decode_photo(tmp_path / name, TARGET))[3] == (255, 255, 255)


RAMP = np.linspace(0, 1, 256).reshape(1, 256).repeat(64, axis=0)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("l.png", (RAMP * 255).round().astype(np.uint8)),
        ("i16.png", (RAMP * 65_535).round().astype(np.uint16)),
        ("i16.tif", (RAMP * 65_535).round().astype(np.uint16)),
        ("i32.tif", (RAMP * 65_535).round().astype(np.int32)),
        ("i32 of 8.tif", (RAMP * 255).round().astype(np.int32)),
        ("f of 1.tif", RAMP.astype(np.float32)),
        ("f of 255.tif", (RAMP * 255).astype(np.float32)),
        ("f of more.tif", (RAMP * 1e6).astype(np.float32)),
    ],
)
def test_grey_of_any_depth(tmp_path: Path, name: str, values: np.ndarray) -> None:
    Image.fromarray(values).save(tmp_path / name)
    pixels = np.asarray(decode_photo(tmp_path / name, TARGET))
    assert pixels.shape == (64, 256, 3)
    assert np.abs(pixels[..., 0] - RAMP * 255).max() <= 1
    assert (pixels[..., 0] == pixels[..., 1]).all()
    assert (pixels[..., 0] == pixels[..., 2]).all()


def test_sixteen_bit_colour(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png(160, 120, 16, sixteen_bit_rows(quarters())))
    assert_quarters(decode_photo(tmp_path / "a.png", TARGET), 1)


def sixteen_bit_rows(image: Image.Image) -> bytes:
    values = np.asarray(image, dtype=">u2") * np.array(257, dtype=">u2")
    return b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)


def test_floats_that_are_no_numbers_are_black(tmp_path: Path) -> None:
    values = np.full((80, 80), 0.5, np.float32)
    values[:40] = np.nan
    values[:, :40] = np.inf
    Image.fromarray(values).save(tmp_path / "a.tif")
    pixels = np.asarray(decode_photo(tmp_path / "a.tif", TARGET))
    assert pixels[0, 0].tolist() == [0, 0, 0]
    assert pixels[70, 70].tolist() == [128, 128, 128]


@pytest.mark.parametrize("name", ["a.gif", "a.webp", "a.png", "a.tif", "a.avif"])
def test_the_first_frame_of_an_animation(tmp_path: Path, name: str) -> None:
    others = [Image.new("RGB", (160, 120), "black"), Image.new("RGB", (160, 120), "white")]
    quarters().save(tmp_path / name, save_all=True, append_images=others, duration=50)
    with Image.open(tmp_path / name) as image:
        assert getattr(image, "n_frames", 1) == 3
    assert_quarters(decode_photo(tmp_path / name, TARGET))


def test_a_phones_double_photo_mpo(tmp_path: Path) -> None:
    quarters(1600, 1200).save(tmp_path / "a.mpo", "MPO", save_all=True, append_images=[quarters(320, 240)])
    with Image.open(tmp_path / "a.mpo") as image:
        assert image.format == "MPO"
    image = decode_photo((tmp_path / "a.mpo").rename(tmp_path / "a.jpg"), TARGET)
    assert_quarters(image)
    assert image.size == (200, 150)


@pytest.mark.parametrize(
    ("target", "scale"), [(64, 8), (75, 8), (76, 4), (150, 4), (151, 2), (300, 2), (301, 1), (2000, 1)]
)
def test_jpegs_decode_at_the_smallest_scale_that_is_twice_the_target(
    tmp_path: Path, target: int, scale: int
) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    quarters(1600, 1200).save(tmp_path / "a.jpg", exif=exif)
    image = decode_photo(tmp_path / "a.jpg", target)
    assert image.size == (1200 // scale, 1600 // scale)
    assert min(image.size) >= min(2 * target, 1200)


def test_other_photos_come_at_full_size_unless_they_are_very_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save(tmp_path, "png", quarters(1600, 1200))
    assert decode_photo(path, TARGET).size == (1600, 1200)
    monkeypatch.setattr(decoding, "PHOTO_LARGE_PIXELS", 1_000_000)
    small = decode_photo(path, TARGET)
    assert min(small.size) >= 2 * TARGET
    assert small.width < 400
    assert_quarters(small)


@pytest.mark.parametrize(
    "name", ["علبة فارغة.jpg", "🍌 peel 🗑️.jpg", "a'b;$(x).jpg", "-rf.jpg", "x" * 250 + ".jpg"]
)
def test_file_names(tmp_path: Path, name: str) -> None:
    quarters().save(tmp_path / "a.jpg", quality=95)
    assert_quarters(decode_photo((tmp_path / "a.jpg").rename(tmp_path / name), TARGET))


def test_many_threads_at_once(tmp_path: Path) -> None:
    """All formats, good and bad, from eight threads: each gets its own answer, and the first HEIC registers
    once.
    """
    good = [save(tmp_path, kind, quarters()) for kind in ("jpeg", "png", "webp", "heic", "avif")]
    bad = tmp_path / "poster.png"
    bad.write_bytes(huge_png(10_000))
    start = threading.Barrier(8)

    def work(_: int) -> list[str]:
        start.wait()
        seen = []
        for path in [*good, bad] * 3:
            try:
                assert_quarters(decode_photo(path, TARGET))
                seen.append("photo")
            except PhotoError as error:
                seen.append(error.problem.value)
        return seen

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(work, range(8)))
    assert answers == [(["photo"] * 5 + ["too_large"]) * 3] * 8


def test_nothing_here_makes_decoders_lenient(tmp_path: Path) -> None:
    decode_photo(save(tmp_path, "heic", quarters()), TARGET)
    assert ImageFile.LOAD_TRUNCATED_IMAGES is False


def test_heic_is_registered_only_when_one_comes() -> None:
    code = (
        "import sys, gcdesk.engine.photos.preprocessing; "
        "print('pillow_heif' in sys.modules, 'PIL.AvifImagePlugin' in sys.modules)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=200
    )
    assert run.stdout.split() == ["False", "False"]

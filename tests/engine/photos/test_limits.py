"""Photos that are small on the disk and would cost minutes: refused in a moment, with a reason."""

from __future__ import annotations

import io
import struct
import threading
import time
import zlib
from pathlib import Path

import pytest
from pictures import SAVED, TARGET, noise, problem_of, save
from PIL import Image

from gcdesk.engine.errors import PhotoError, PhotoProblem
from gcdesk.engine.photos import decoding
from gcdesk.engine.photos.decoding import decode_photo
from gcdesk.engine.photos.formats import PhotoFormat
from gcdesk.engine.photos.limits import MAX_GIF_EXTENSION_BYTES, MAX_PNG_CHUNKS, refuse_costly, refuse_shape


def encoded(kind: str, side: int = 64, **options: object) -> bytes:
    data = io.BytesIO()
    noise(side, side).convert("L").save(data, kind, **options)
    return data.getvalue()


def last_scan(data: bytes) -> int:
    """Where the last scan of a JPEG begins."""
    return data.rfind(b"\xff\xda")


def many_scans(count: int, side: int = 64, progressive: bool = True) -> bytes:
    data = encoded("JPEG", side, progressive=progressive)
    scan = data[last_scan(data) : -2]
    return data[:-2] + scan * count + b"\xff\xd9"


def fill(count: int) -> bytes:
    data = encoded("JPEG")
    return data[:2] + b"\xff" * count + data[2:]


def many_segments(count: int) -> bytes:
    data = encoded("JPEG")
    return data[:2] + b"\xff\xee\x00\x02" * count + data[2:]


def many_chunks(count: int) -> bytes:
    data = encoded("PNG")
    chunk = struct.pack(">I4s", 0, b"teSt") + struct.pack(">I", zlib.crc32(b"teSt"))
    return data[:33] + chunk * count + data[33:]


def long_comment(size: int) -> bytes:
    data = encoded("GIF")
    at = 13 + 3 * 2 ** ((data[10] & 7) + 1)
    block = b"\xff" + b"c" * 255
    return data[:at] + b"\x21\xfe" + block * (size // 256) + b"\x00" + data[at:]


def long_tag(numbers: int) -> bytes:
    """A TIFF whose one tag is a list of so many numbers."""
    entry = struct.pack("<HHII", 273, 3, numbers, 26)
    return struct.pack("<2sHIH", b"II", 42, 8, 1) + entry + struct.pack("<I", 0) + bytes(2 * numbers)


COSTLY = {
    "progressive, 300 layers": many_scans(300),
    "300 layers, not progressive": many_scans(300, progressive=False),
    "50 MB of FF": fill(50_000_000),
    "nothing but FF": b"\xff\xd8" + b"\xff" * 50_000_000,
    "a million segments": many_segments(1_000_000),
    "a million chunks": many_chunks(1_000_000),
    "a comment of 20 MB": long_comment(20_000_000),
    "a tag of 20 million numbers": long_tag(20_000_000),
}


@pytest.mark.parametrize("name", list(COSTLY))
def test_what_no_camera_writes_is_refused_in_a_moment(tmp_path: Path, name: str) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(COSTLY[name])
    began = time.process_time()
    error = problem_of(path)
    assert time.process_time() - began < 1.5
    assert error.problem is PhotoProblem.TOO_LARGE
    assert "far more" in str(error)


@pytest.mark.parametrize("kind", list(SAVED))
def test_ordinary_photos_are_far_from_every_limit(tmp_path: Path, kind: str) -> None:
    assert decode_photo(save(tmp_path, kind, noise()), TARGET).mode == "RGB"


@pytest.mark.parametrize(
    "data", [many_scans(20), fill(1000), many_segments(300), many_chunks(1000), long_comment(10_000)]
)
def test_odd_but_harmless_files_are_read(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(data)
    assert decode_photo(path, TARGET).size == (64, 64)


def test_layers_count_by_their_size() -> None:
    """100 layers of 64 megapixels are too much, of a small photo they are not."""
    with pytest.raises(PhotoError):
        refuse_costly(many_scans(100, 8000), PhotoFormat.JPEG)
    refuse_costly(many_scans(100, 64), PhotoFormat.JPEG)


def test_no_bytes_upset_the_check() -> None:
    for kind in PhotoFormat:
        for size in range(0, 60):
            refuse_costly((b"\xff\xd8\xff\xda\x00\x00II*\x00\xff\xff\xff\xff" * 4)[:size], kind)
    assert MAX_PNG_CHUNKS > 256_000_000 / 4096
    assert MAX_GIF_EXTENSION_BYTES > 65_536


@pytest.mark.parametrize("size", [(1, 89_000_000), (89_000_000, 1), (100_001, 200), (2, 10_001)])
def test_a_line_is_no_photo(size: tuple[int, int]) -> None:
    with pytest.raises(PhotoError, match="is a line"):
        refuse_shape(*size)


def test_a_line_of_many_pixels_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    Image.new("1", (89_000_000, 1)).save(tmp_path / "line.png")
    began = time.process_time()
    assert "is a line" in str(problem_of(tmp_path / "line.png"))
    assert time.process_time() - began < 1
    refuse_shape(30_000, 400)  # a panorama
    refuse_shape(3_000, 2)


def test_our_own_cap_of_pixels_holds_without_pillows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A library that switches Pillow's limit off does not switch off ours."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    Image.new("1", (9_500, 9_500)).save(tmp_path / "large.png")
    error = problem_of(tmp_path / "large.png")
    assert error.problem is PhotoProblem.TOO_LARGE
    assert "9,500 x 9,500" in str(error)


def test_very_large_photos_are_decoded_one_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Several lanes decode at once, but of those photos only one: each holds some hundred megabytes."""
    inside: list[int] = [0]
    most: list[int] = [0]
    real = decoding._to_rgb

    def counted(image: Image.Image) -> Image.Image:
        inside[0] += 1
        most[0] = max(most[0], inside[0])
        time.sleep(0.3)
        inside[0] -= 1
        return real(image)

    monkeypatch.setattr(decoding, "_to_rgb", counted)

    def at_once(path: Path) -> int:
        most[0] = 0
        lanes = [threading.Thread(target=decode_photo, args=(path, TARGET)) for _ in range(3)]
        for lane in lanes:
            lane.start()
        for lane in lanes:
            lane.join()
        return most[0]

    Image.new("L", (5_200, 5_200)).save(tmp_path / "large.png")
    Image.new("L", (520, 520)).save(tmp_path / "small.png")
    assert at_once(tmp_path / "large.png") == 1
    assert at_once(tmp_path / "small.png") > 1

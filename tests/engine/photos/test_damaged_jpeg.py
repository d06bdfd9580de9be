"""JPEGs with holes, missing parts and strangers' tails go to review with the reason; trailers are no damage."""

from __future__ import annotations

import io
import json
import random
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gcdesk.cli.main import main
from gcdesk.engine.errors import PhotoError
from gcdesk.engine.photos.decoding import decode_photo
from gcdesk.engine.photos.jpeg import DAMAGE
from gcdesk.engine.photos.jpeg_structure import segments

KINDS = ["zeros", "ones", "noise", "missing", "a sector less", "another's tail", "end mark pasted on"]


def pixels_at(data: bytes) -> int:
    """Where the entropy-coded data begin."""
    (at,) = [at for marker, at in segments(data) if marker == 0xDA]
    return at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")


def damaged(data: bytes, kind: str, other: bytes, seed: int) -> bytes:
    choice = random.Random(seed)
    start = pixels_at(data)
    length = len(data) - start
    at = start + choice.randrange(length // 10, length * 8 // 10)
    hole = max(16, min(4096, length // 10))
    filled = {"zeros": bytes(hole), "ones": b"\xff" * hole, "noise": choice.randbytes(hole)}
    if kind in filled:
        return data[:at] + filled[kind] + data[at + hole :]
    if kind == "missing":
        return data[:at] + data[at + hole :]
    if kind == "a sector less":
        return data[:at] + data[at + 512 :]
    if kind == "another's tail":
        middle = (pixels_at(other) + len(other)) // 2
        return data[:at] + other[middle:]
    return data[:at] + b"\xff\xd9"


def said_of(data: bytes) -> str:
    """What is said of a photo that is damaged, from that word on, "" where nothing is."""
    try:
        words = str(decode_photo("a.jpg", 288, data).info.get(DAMAGE, ""))
    except PhotoError as error:
        words = str(error)
    return next((words[words.index(sign) :] for sign in ("damaged", "cut off") if sign in words), "")


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_every_damage_is_found(samples: Path, kind: str, progressive: bool) -> None:
    photos = [path.read_bytes() for path in sorted(samples.glob("*.jpg"))]
    if progressive:
        photos = [_saved(Image.open(io.BytesIO(data)), progressive=True) for data in photos]
    for seed, data in enumerate(photos):
        broken = damaged(data, kind, photos[seed - 1], seed)
        assert said_of(broken).partition(" ")[0] in ("damaged", "cut"), f"{kind} in photo {seed}"


def test_sound_photos_are_as_pillow_decodes_them_and_are_not_doubted(samples: Path) -> None:
    for path in sorted(samples.glob("*.jpg")):
        for target in (40, 144, 5000):
            image = decode_photo(path, target)
            assert DAMAGE not in image.info
            with Image.open(path) as wanted:
                wanted.draft(None, (2 * target, 2 * target))
                assert np.array_equal(np.asarray(image), np.asarray(wanted.convert("RGB")))


@pytest.mark.parametrize("mode", ["L", "CMYK", "RGB"])
@pytest.mark.parametrize("options", [{"restart_marker_blocks": 4}, {"subsampling": 0}, {"optimize": True}])
def test_other_kinds_of_sound_jpegs_are_not_doubted(
    samples: Path, mode: str, options: dict[str, int]
) -> None:
    data = _saved(Image.open(samples / "orange peel.jpg").convert(mode), **options)
    image = decode_photo("a.jpg", 288, data)
    assert DAMAGE not in image.info
    with Image.open(io.BytesIO(data)) as wanted:
        assert np.array_equal(np.asarray(image), np.asarray(wanted.convert("RGB")))


@pytest.mark.parametrize(
    "trailer",
    [
        b"\0" * 64 + b"SEFT",
        b"\0\0\0\x18ftypmp42\0\0\0\0isommp42" + bytes(range(256)) * 400,  # a motion photo's film
        b"an editor's notes",
        b"\xff\xd8\xff\xe0 and a second photo \xff\xd9",
    ],
)
def test_what_follows_the_end_is_no_damage(samples: Path, trailer: bytes) -> None:
    data = (samples / "orange peel.jpg").read_bytes()
    image = decode_photo("a.jpg", 288, data + trailer)
    assert DAMAGE not in image.info
    assert np.array_equal(np.asarray(image), np.asarray(decode_photo("a.jpg", 288, data)))


def test_a_damaged_photo_is_answered_and_asks_for_review_with_the_reason(
    samples: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = (samples / "orange peel.jpg").read_bytes()
    (tmp_path / "orange peel.jpg").write_bytes(damaged(data, "zeros", data, 1))
    assert main(["classify", str(tmp_path), "--format", "json"]) == 0
    row = json_row(capsys.readouterr().out)
    assert row["image_label"]
    assert row["review"] is True
    assert "damaged or missing" in str(row["reason"])
    assert row["error"] is None


def json_row(text: str) -> dict[str, object]:
    (row,) = json.loads(text)
    return dict(row)


def _saved(image: Image.Image, **options: object) -> bytes:
    data = io.BytesIO()
    image.save(data, "JPEG", quality=90, **options)
    return data.getvalue()

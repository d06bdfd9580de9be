"""Every photo that cannot be decoded whole says why. The files are made here."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import pytest
from pictures import SAVED, TARGET, huge_png, noise, problem_of, quarters, save
from PIL import Image

from gcdesk.config import thresholds
from gcdesk.engine.errors import PhotoError, PhotoProblem
from gcdesk.engine.photos.decoding import decode_photo


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("kind", list(SAVED))
def test_cut_off(tmp_path: Path, kind: str, share: float) -> None:
    path = save(tmp_path, kind, noise())
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    error = problem_of(path)
    assert error.problem is PhotoProblem.TRUNCATED
    assert "cut off" in str(error)


@pytest.mark.parametrize("kind", ["jpeg", "progressive jpeg", "webp", "heic", "avif", "png", "gif"])
def test_an_interrupted_copy_that_has_its_full_length(tmp_path: Path, kind: str) -> None:
    """What did not come is zeros: decoders would fill it with grey and say nothing."""
    path = save(tmp_path, kind, noise(400, 300))
    data = path.read_bytes()
    kept = int(len(data) * 0.7)
    path.write_bytes(data[:kept] + bytes(len(data) - kept))
    assert problem_of(path).problem in (PhotoProblem.TRUNCATED, PhotoProblem.UNREADABLE)


def test_a_thumbnails_end_is_not_the_photos_end(tmp_path: Path) -> None:
    thumbnail = io.BytesIO()
    quarters(32, 24).save(thumbnail, "JPEG")
    body = b"Exif\0\0" + thumbnail.getvalue()
    path = tmp_path / "a.jpg"
    noise().save(path)
    data = path.read_bytes()
    data = data[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + data[2:]
    path.write_bytes(data)
    decode_photo(path, TARGET)
    path.write_bytes(data[:-4000] + bytes(4000))
    assert problem_of(path).problem is PhotoProblem.TRUNCATED


@pytest.mark.posix("links want a right on Windows that users do not have")
def test_missing(tmp_path: Path) -> None:
    assert problem_of(tmp_path / "gone.jpg").problem is PhotoProblem.MISSING
    (tmp_path / "dangling.jpg").symlink_to(tmp_path / "gone.jpg")
    assert problem_of(tmp_path / "dangling.jpg").problem is PhotoProblem.MISSING
    (tmp_path / "file").write_bytes(b"x")
    assert problem_of(tmp_path / "file" / "a.jpg").problem is PhotoProblem.MISSING


def test_not_a_file(tmp_path: Path) -> None:
    assert problem_of(tmp_path).problem is PhotoProblem.NOT_A_FILE
    assert "folder" in str(problem_of(tmp_path))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes in folders here")
@pytest.mark.posix("no such limits or pipes there")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.jpg")
    assert problem_of(tmp_path / "a.jpg").problem is PhotoProblem.NOT_A_FILE


@pytest.mark.parametrize("name", ["a\0.jpg", "x" * 5000 + ".jpg"])
def test_impossible_names(tmp_path: Path, name: str) -> None:
    assert problem_of(tmp_path / name).problem is PhotoProblem.UNREADABLE


@pytest.mark.posix("links want a right on Windows that users do not have")
def test_a_link_that_goes_round(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").symlink_to(tmp_path / "a.jpg")
    assert problem_of(tmp_path / "a.jpg").problem is PhotoProblem.UNREADABLE


def test_no_permission(open_folder: Path, another_user: Callable[[], AbstractContextManager[None]]) -> None:
    closed = save(open_folder, "jpeg", quarters())
    closed.chmod(0)
    inside = open_folder / "closed"
    inside.mkdir()
    save(inside, "jpeg", quarters())
    inside.chmod(0)
    with another_user():
        errors = [problem_of(closed), problem_of(inside / "a.jpg")]
    assert [error.problem for error in errors] == [PhotoProblem.NO_PERMISSION] * 2
    assert all("permission" in str(error) for error in errors)


def test_zero_bytes(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"")
    error = problem_of(tmp_path / "a.jpg")
    assert error.problem is PhotoProblem.EMPTY_FILE
    assert "0 bytes" in str(error)


@pytest.mark.parametrize(
    "content", [b"this is a shopping list\n" * 20, b"\0" * 5000, b"\xff", bytes(range(256)) * 8, b"RIFF"]
)
def test_what_is_no_photo(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.jpg").write_bytes(content)
    assert problem_of(tmp_path / "a.jpg").problem is PhotoProblem.NOT_AN_IMAGE


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"%PDF-1.7 ...", "PDF"),
        (b"8BPS\0\1", "Photoshop"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom", "film"),
        (b"\0\0\0\x18ftypcrx \0\0\0\1crx isom", "raw"),
        (b"\xff\x0a\0\0", "JPEG XL"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", ""),
    ],
)
def test_formats_that_are_not_read_are_called_by_their_name(
    tmp_path: Path, content: bytes, word: str
) -> None:
    (tmp_path / "a.jpg").write_bytes(content)
    error = problem_of(tmp_path / "a.jpg")
    assert error.problem in (PhotoProblem.UNSUPPORTED, PhotoProblem.NOT_AN_IMAGE)
    assert word in str(error)


@pytest.mark.parametrize("side", [60_000, 10_000])
@pytest.mark.posix("no such limits or pipes there")
def test_too_many_pixels_are_refused_without_decoding(tmp_path: Path, side: int) -> None:
    """Above Pillow's limit and above twice it; in a process whose memory the pixels would not fit in."""
    path = tmp_path / "poster.png"
    path.write_bytes(huge_png(side))
    code = (
        "import resource, sys; from gcdesk.engine.photos.decoding import decode_photo\n"
        "from gcdesk.engine.errors import PhotoError\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try: decode_photo(sys.argv[1], 64)\n"
        "except PhotoError as error:\n"
        "    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before\n"
        "    print(error.problem.value, grown, error)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True, timeout=200
    )
    problem, grown, _ = run.stdout.split(maxsplit=2)
    assert problem == "too_large"
    assert int(grown) < 60_000  # kB; the pixels alone would take 290,000
    assert run.stderr == ""


def test_the_bomb_warning_is_an_error_also_where_warnings_are_silent(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(huge_png(10_000))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert problem_of(tmp_path / "a.png").problem is PhotoProblem.TOO_LARGE
    assert Image.MAX_IMAGE_PIXELS == thresholds.PHOTO_MAX_PIXELS


def test_a_file_over_the_cap_is_not_even_read(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    with path.open("wb") as file:
        file.truncate(thresholds.PHOTO_MAX_BYTES + 1)
    error = problem_of(path)
    assert error.problem is PhotoProblem.TOO_LARGE
    assert "MB" in str(error)


@pytest.mark.parametrize("fuzz", range(40))
@pytest.mark.parametrize("kind", list(SAVED))
def test_damage_anywhere_gives_a_photo_or_a_reason(tmp_path: Path, kind: str, fuzz: int) -> None:
    path = save(tmp_path, kind, quarters(48, 32))
    data = bytearray(path.read_bytes())
    rng = np.random.default_rng(fuzz)
    for place in rng.integers(0, len(data), 6):
        data[place] = rng.integers(0, 256)
    path.write_bytes(data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            assert decode_photo(path, TARGET).mode == "RGB"
        except PhotoError as error:
            assert str(error)  # noqa: PT017 - either outcome is right, another exception is not


def test_a_jpeg_of_twelve_bits_is_named(tmp_path: Path) -> None:
    path = save(tmp_path, "jpeg", quarters())
    data = path.read_bytes()
    frame = data.index(b"\xff\xc0")
    path.write_bytes(data[: frame + 4] + b"\x0c" + data[frame + 5 :])
    error = problem_of(path)
    assert error.problem is PhotoProblem.UNSUPPORTED
    assert "12 bits" in str(error)


def test_only_the_format_that_the_content_shows_is_tried(tmp_path: Path) -> None:
    """A file that begins as a PNG never reaches another decoder, whatever follows."""
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"%!PS-Adobe-3.0 EPSF-3.0\n" * 50)
    assert problem_of(tmp_path / "a.png").problem is PhotoProblem.UNREADABLE
    assert "PIL.EpsImagePlugin" not in sys.modules

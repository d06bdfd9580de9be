"""Thumbnails and previews: right side up, in a cache that stays small, and no trouble where it cannot be written."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from PIL import Image

from gcdesk.engine.errors import PhotoError
from gcdesk.worker.serve import picture_cache as pictures_module
from gcdesk.worker.serve.picture_cache import Pictures, open_photo, picture_key
from gcdesk.worker.serve.stalled_drives import Drives


@pytest.fixture
def pictures(tmp_path: Path) -> Pictures:
    return Pictures(tmp_path / "cache")


def turned_photo(path: Path) -> Path:
    """800 x 400 as stored, to be turned by a quarter; red on the side that comes to the top."""
    image = Image.new("RGB", (800, 400), "blue")
    image.paste("red", (0, 0, 400, 400))
    exif = Image.Exif()
    exif[0x0112] = 6
    image.save(path, exif=exif, quality=95)
    return path


@pytest.mark.parametrize("ending", ["jpg", "png", "webp"])
def test_a_turned_photo_is_upright_everywhere(pictures: Pictures, tmp_path: Path, ending: str) -> None:
    path = turned_photo(tmp_path / f"turned.{ending}")
    photo = open_photo(str(path), 80, Drives())
    assert (photo.width, photo.height) == (400, 800)
    for file in (pictures.thumbnail(photo), pictures.preview(str(path), 200)):
        with Image.open(file) as made:
            assert made.height == 2 * made.width
            top = made.convert("RGB").getpixel((made.width // 2, 5))
            assert isinstance(top, tuple)
            assert top[0] > 200
            assert top[2] < 60


def test_a_heic_photo_has_pictures_too(pictures: Pictures, tmp_path: Path) -> None:
    import pillow_heif

    path = tmp_path / "photo.heic"
    pillow_heif.from_pillow(Image.new("RGB", (640, 480), "green")).save(path)
    photo = open_photo(str(path), 80, Drives())
    assert (photo.width, photo.height) == (640, 480)
    with Image.open(pictures.thumbnail(photo)) as made:
        assert made.size == (160, 120)


def test_a_small_photo_is_not_blown_up(pictures: Pictures, tmp_path: Path) -> None:
    Image.new("RGB", (40, 30)).save(tmp_path / "small.png")
    with Image.open(pictures.preview(str(tmp_path / "small.png"), 1600)) as made:
        assert made.size == (40, 30)


def test_an_overwritten_photo_has_new_pictures(pictures: Pictures, tmp_path: Path) -> None:
    path = tmp_path / "latest.png"
    Image.new("RGB", (40, 30), "red").save(path)
    first = pictures.thumbnail(open_photo(str(path), 80, Drives()))
    assert pictures.thumbnail(open_photo(str(path), 80, Drives())) == first
    Image.new("RGB", (40, 30), "lime").save(path)
    os.utime(path, ns=(1, 1))
    assert pictures.thumbnail(open_photo(str(path), 80, Drives())) != first
    assert picture_key("gone") == picture_key("gone")


def test_a_folder_that_cannot_be_written_loses_the_thumbnail_and_not_the_photo(
    another_user: Callable[[], AbstractContextManager[None]], open_folder: Path
) -> None:
    Image.new("RGB", (400, 300)).save(open_folder / "photo.png")
    (open_folder / "photo.png").chmod(0o644)
    cache = Pictures(open_folder / "cache")
    with another_user():
        assert cache.thumbnail(open_photo(str(open_folder / "photo.png"), 80, Drives())) == ""
        with pytest.raises(OSError, match="denied"):
            cache.preview(str(open_folder / "photo.png"), 800)


def test_a_photo_that_cannot_be_read_has_no_preview(pictures: Pictures, tmp_path: Path) -> None:
    with pytest.raises(PhotoError, match="no such file"):
        pictures.preview(str(tmp_path / "gone.jpg"), 800)


def test_the_oldest_pictures_go_when_there_are_too_many(
    pictures: Pictures, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.effect_noise((300, 300), 90).save(tmp_path / "noise.png")
    files = [Path(pictures.preview(str(tmp_path / "noise.png"), size)) for size in range(100, 120)]
    for age, file in enumerate(reversed(files)):
        os.utime(file, (10**9 - age, 10**9 - age))
    pictures.preview(str(tmp_path / "noise.png"), 100)  # was the oldest, and is looked at again
    size = sum(file.stat().st_size for file in files)
    monkeypatch.setitem(pictures_module._CAPS, "previews", size // 2)
    pictures.prune()
    left = [file for file in files if file.exists()]
    assert files[0] in left
    assert files[-1] in left
    assert files[1] not in left
    assert 0.2 * size < sum(file.stat().st_size for file in left) <= 0.4 * size
    pictures.prune()
    assert left == [file for file in files if file.exists()]


def test_a_worker_that_runs_for_weeks_keeps_within_the_cap(
    pictures: Pictures, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cap = 200_000
    monkeypatch.setitem(pictures_module._CAPS, "previews", cap)
    pruned = 0
    for number in range(150):
        Image.effect_noise((90, 90), 80).save(tmp_path / f"{number}.png")
        pictures.preview(str(tmp_path / f"{number}.png"), 90)
        if pictures.due:
            pruned += 1
            pictures.prune()
        size = sum(file.stat().st_size for file in (tmp_path / "cache" / "previews").rglob("*.jpg"))
        assert size <= cap, number
    assert 3 < pruned < 120


@pytest.mark.posix("links want a right on Windows that users do not have")
def test_a_picture_that_goes_meanwhile_does_not_end_the_tidying(
    pictures: Pictures, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.effect_noise((90, 90), 80).save(tmp_path / "noise.png")
    files = [Path(pictures.preview(str(tmp_path / "noise.png"), 60 + number)) for number in range(20)]
    for folder in {file.parent for file in files}:
        (folder / "0.jpg").symlink_to("nowhere")  # it is listed, and then it has no size
    monkeypatch.setitem(pictures_module._CAPS, "previews", 1000)
    pictures.prune()
    assert sum(file.exists() for file in files) < 3

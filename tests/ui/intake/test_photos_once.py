"""A watched folder takes each photo once: whatever happens to its time, its name, its place or its header."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from features_kit import stored_window, wait_rows
from PIL import Image
from pytestqt.qtbot import QtBot

from gcdesk.ui.app.features import Features, install
from gcdesk.ui.intake.folder_poller import FolderPoller
from gcdesk.ui.theme.theme import Theme


@pytest.fixture
def features(qtbot: QtBot, theme: Theme) -> Iterator[Features]:
    window = stored_window(qtbot, theme)
    yield install(window)
    window.close()


def watch(features: Features, qtbot: QtBot, folder: Path, only_new: bool = True) -> None:
    before = features.window.controller.session_id
    features.start_watching(str(folder), only_new, 0)
    qtbot.waitUntil(lambda: features.window.controller.session_id != before)


def coloured(path: Path, seed: int, size: tuple[int, int] = (320, 240), **options: object) -> Path:
    """A photo like no other."""
    pixels = np.random.default_rng(seed).integers(0, 255, (12, 16, 3), dtype=np.uint8)
    image = Image.fromarray(pixels).resize(size)
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, **options)
    return path


NAMES = ["banana peel.jpg", "glass jar.jpg", "old sock.jpg"]


@pytest.fixture(params=[False, True], ids=["that lay there", "that came"])
def card(features: Features, qtbot: QtBot, tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A watched folder whose three photos are in the list: from before, or since it is watched."""
    folder = tmp_path / "card"
    folder.mkdir()
    if request.param:
        watch(features, qtbot, folder)
    for seed, name in enumerate(NAMES):
        coloured(folder / name, seed)
    if not request.param:
        watch(features, qtbot, folder, only_new=False)
    wait_rows(qtbot, features.window, 3)
    return folder


def hour_back(folder: Path) -> None:
    for path in folder.iterdir():
        time_ns = path.stat().st_mtime_ns - 3600 * 10**9
        os.utime(path, ns=(time_ns, time_ns))


def touched(folder: Path) -> None:
    for path in folder.iterdir():
        path.touch()


def turned(folder: Path) -> None:
    for path in folder.iterdir():
        with Image.open(path) as image:
            image.transpose(Image.Transpose.ROTATE_90).save(path)


def turned_by_a_note(folder: Path) -> None:
    """As viewers do that change the orientation in the header alone."""
    exif = Image.Exif()
    exif[0x0112] = 6
    for path in folder.iterdir():
        data = path.read_bytes()
        block = exif.tobytes()
        path.write_bytes(data[:2] + b"\xff\xe1" + (len(block) + 2).to_bytes(2, "big") + block + data[2:])


def copied_into_bins(folder: Path) -> None:
    for path in list(folder.iterdir()):
        (folder / "Green").mkdir(exist_ok=True)
        shutil.copy(path, folder / "Green" / f"{path.stem} (1).jpg")
        (folder / "sorted").mkdir(exist_ok=True)
        shutil.copy2(path, folder / "sorted")


def thumbnails_made(folder: Path) -> None:
    for path in list(folder.iterdir()):
        coloured(folder / "@eaDir" / path.name / "SYNOPHOTO_THUMB_M.jpg", 9)


@pytest.mark.parametrize(
    "change", [hour_back, touched, turned, turned_by_a_note, copied_into_bins, thumbnails_made]
)
def test_a_photo_comes_once_whatever_becomes_of_its_file(
    features: Features, qtbot: QtBot, card: Path, change: Callable[[Path], None]
) -> None:
    rows = features.window.controller.rows
    captions = list(rows.caption)
    change(card)
    coloured(card / "beer can.jpg", 50)  # what is new comes all the same
    wait_rows(qtbot, features.window, 4)
    qtbot.wait(1800)
    assert list(rows.caption) == [*captions, "beer can"]
    assert set(captions) == {Path(name).stem for name in NAMES}


def test_a_photo_that_is_renamed_or_moved_keeps_its_row_and_caption(
    features: Features, qtbot: QtBot, card: Path
) -> None:
    rows = features.window.controller.rows
    before = dict(zip(rows.path, rows.caption, strict=True))
    moves = {
        card / NAMES[0]: card / "IMG_0001.jpg",
        card / NAMES[1]: card / "Blue" / NAMES[1],
        card / NAMES[2]: card / "box" / "another name.jpg",
    }
    for old, new in moves.items():
        new.parent.mkdir(exist_ok=True)
        old.rename(new)
    qtbot.waitUntil(lambda: set(rows.path) == {str(new) for new in moves.values()}, timeout=8000)
    qtbot.wait(1200)
    assert {path: caption for path, caption in zip(rows.path, rows.caption, strict=True)} == {
        str(new): before[str(old)] for old, new in moves.items()
    }


def test_what_is_written_over_a_photo_is_a_new_one(features: Features, qtbot: QtBot, card: Path) -> None:
    coloured(card / NAMES[0], 77)
    wait_rows(qtbot, features.window, 4)
    coloured(card / "a.bmp", 78)
    wait_rows(qtbot, features.window, 5)
    coloured(card / "a.bmp", 79)  # of the same length
    wait_rows(qtbot, features.window, 6)


def test_the_same_session_takes_photos_whose_times_moved_meanwhile_once(
    features: Features, qtbot: QtBot, card: Path
) -> None:
    features.watch.stop()
    hour_back(card)
    features.watch.start(card, False, 0)
    coloured(card / "beer can.jpg", 50)
    wait_rows(qtbot, features.window, 4)
    qtbot.wait(1500)
    assert len(features.window.controller.rows) == 4


@pytest.mark.parametrize("trailer", [b"\0" * 64 + b"SEFT", b"\0\0\0\x18ftypmp42" + bytes(range(256)) * 40])
def test_a_photo_with_a_trailer_is_not_waited_for(tmp_path: Path, trailer: bytes) -> None:
    poller = FolderPoller(tmp_path, lambda *_: Path(), only_new=False, settle_seconds=0.1, unended_seconds=60)
    path = coloured(tmp_path / "motion.jpg", 1)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    poller.poll()
    time.sleep(0.15)
    assert not poller.poll().arrived
    path.write_bytes(whole + trailer)
    poller.poll()
    time.sleep(0.15)
    assert [item.path for item in poller.poll().arrived] == [str(path)]

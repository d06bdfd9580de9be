"""A watched folder on a real disk: slow writers, overwritten files, a share that goes, days that change."""

from __future__ import annotations

import datetime
import errno
import io
import os
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from features_kit import answer, photo, stored_window, wait_rows
from PIL import Image
from pytestqt.qtbot import QtBot

from gcdesk.engine.errors import DRIVE_STALLED
from gcdesk.store import Status
from gcdesk.ui.app.features import Features, install
from gcdesk.ui.intake.folder_poller import FolderPoller
from gcdesk.ui.intake.watch_dialog import WatchDialog
from gcdesk.ui.session.rows import failure
from gcdesk.ui.session.session_files import session_folder
from gcdesk.ui.theme.theme import Theme


@pytest.fixture
def camera(tmp_path: Path) -> Path:
    folder = tmp_path / "camera 1"
    folder.mkdir()
    photo(folder / "old.png")
    return folder


@pytest.fixture
def features(qtbot: QtBot, theme: Theme) -> Iterator[Features]:
    window = stored_window(qtbot, theme)
    yield install(window)
    window.close()


def watch(features: Features, qtbot: QtBot, folder: Path, only_new: bool = True, quiet: int = 0) -> None:
    before = features.window.controller.session_id
    features.start_watching(str(folder), only_new, quiet)
    qtbot.waitUntil(lambda: features.window.controller.session_id != before)
    assert features.window.actions_["watch"].isChecked()


def jpeg(size: int = 900) -> bytes:
    content = io.BytesIO()
    Image.effect_noise((size, size), 80).save(content, "JPEG")
    return content.getvalue()


def test_only_new_photos_come_in_and_into_a_session_of_the_folder_and_day(
    features: Features, qtbot: QtBot, camera: Path
) -> None:
    window = features.window
    watch(features, qtbot, camera)
    today = datetime.date.today()
    assert window.controller.session_name == f"camera 1, {today.day} {today:%B %Y}"
    photo(camera / "late" / "cup.png")
    wait_rows(qtbot, window, 1)
    assert window.controller.rows.path == [str(camera / "late" / "cup.png")]
    qtbot.waitUntil(
        lambda: ("prioritise", [int(window.controller.rows.item_id[0])], 0) in window.controller.client.asked
    )


def test_photos_that_are_there_already_come_in_when_that_is_wished(
    features: Features, qtbot: QtBot, camera: Path
) -> None:
    watch(features, qtbot, camera, only_new=False)
    wait_rows(qtbot, features.window, 1)


def test_a_slowly_written_file_comes_once_and_whole(features: Features, qtbot: QtBot, camera: Path) -> None:
    window, content = features.window, jpeg()
    watch(features, qtbot, camera)
    sizes: list[int] = []
    window.controller.rows_added.connect(
        lambda first, count: sizes.append(Path(window.controller.rows.path[first]).stat().st_size)
    )

    def write() -> None:
        with (camera / "slow.jpg").open("wb") as file:
            for start in range(0, len(content), len(content) // 4):
                file.write(content[start : start + len(content) // 4])
                file.flush()
                time.sleep(0.7)  # longer than a whole file has to rest

    writer = threading.Thread(target=write)
    writer.start()
    wait_rows(qtbot, window, 1)
    writer.join()
    qtbot.wait(900)
    assert sizes == [len(content)]


def test_a_file_that_its_camera_overwrites_is_a_new_photo_each_time(
    features: Features, qtbot: QtBot, camera: Path
) -> None:
    window, contents = features.window, [jpeg(100), jpeg(120), jpeg(140)]
    watch(features, qtbot, camera)
    for count, content in enumerate(contents, 1):
        (camera / "latest.jpg").write_bytes(content)
        wait_rows(qtbot, window, count)
    rows = window.controller.rows
    assert [Path(path).read_bytes() for path in rows.path] == contents
    assert {Path(path).parent for path in rows.path} == {session_folder(window.controller.session_id)}
    assert rows.caption == ["", "", ""]


def test_a_name_that_is_used_again_is_kept_from_then_on(
    features: Features, qtbot: QtBot, camera: Path
) -> None:
    window, contents = features.window, [jpeg(100), jpeg(120)]
    watch(features, qtbot, camera)
    for count, content in enumerate(contents, 1):
        (camera / "belt.jpg").write_bytes(content)
        wait_rows(qtbot, window, count)
    assert window.controller.rows.path[0] == str(camera / "belt.jpg")
    assert Path(window.controller.rows.path[1]).parent == session_folder(window.controller.session_id)


def test_a_share_that_goes_is_said_and_found_again(features: Features, qtbot: QtBot, camera: Path) -> None:
    window = features.window
    watch(features, qtbot, camera)
    away = camera.with_name("away")
    camera.rename(away)
    qtbot.waitUntil(lambda: "“camera 1” is gone" in window.strip.notice.text())
    assert window.strip.offer.text() == "Stop watching"
    photo(away / "meanwhile.png")
    away.rename(camera)
    wait_rows(qtbot, window, 1)
    assert window.controller.rows.path == [str(camera / "meanwhile.png")]
    assert "is back" in window.strip.notice.text()


def test_silence_is_said_once(features: Features, qtbot: QtBot, camera: Path) -> None:
    window = features.window
    watch(features, qtbot, camera, quiet=5)
    features.watch._last -= 5 * 60
    qtbot.waitUntil(lambda: "for 5 minutes" in window.strip.notice.text())
    window.strip.offer.click()
    assert not features.watch.on
    assert not window.actions_["watch"].isChecked()


def test_a_new_day_begins_a_new_session(features: Features, qtbot: QtBot, camera: Path) -> None:
    window = features.window
    watch(features, qtbot, camera)
    first = window.controller.session_id
    photo(camera / "monday.png")
    wait_rows(qtbot, window, 1)
    features.watch._today = lambda: datetime.date.today() + datetime.timedelta(days=1)
    store = window.controller.ledger.store
    original = store.session_for_day
    store.session_for_day = lambda source, name: original(source, name, features.watch._today())
    photo(camera / "tuesday.png")
    qtbot.wait(1500)
    assert window.controller.session_id == first  # monday's photo is not done yet
    window.controller.cancel()
    qtbot.waitUntil(lambda: window.controller.session_id != first)
    wait_rows(qtbot, window, 1)
    assert window.controller.rows.path == [str(camera / "tuesday.png")]


def test_a_photo_that_is_tried_again_after_a_stop_does_not_start_the_others(
    features: Features, qtbot: QtBot, camera: Path
) -> None:
    """The strip would tell of a batch that never ends, and the next day's photos would wait for it."""
    controller = features.window.controller
    watch(features, qtbot, camera)
    for name in ("a.png", "b.png"):
        photo(camera / name)
    wait_rows(qtbot, features.window, 2)
    controller.cancel()
    controller.retry([0])
    assert not controller.progress().running
    controller.retry([0, 1])
    assert controller.progress().running


def test_another_session_ends_the_watch_and_says_so(features: Features, qtbot: QtBot, camera: Path) -> None:
    watch(features, qtbot, camera)
    features.window.actions_["new_session"].trigger()
    qtbot.waitUntil(lambda: not features.watch.on)
    assert "no longer watched" in features.window.strip.notice.text()


def test_the_dialog_starts_the_watch_and_the_button_ends_it(
    features: Features, qtbot: QtBot, camera: Path
) -> None:
    action = features.window.actions_["watch"]
    action.trigger()
    (dialog,) = features.dialogs.open_now()
    assert isinstance(dialog, WatchDialog)
    dialog.folder.box.setText(str(camera / "nowhere"))
    dialog._accept()
    qtbot.waitUntil(lambda: "There is no folder" in dialog.news.text())
    dialog.folder.box.setText(str(camera))
    dialog._accept()
    qtbot.waitUntil(lambda: features.watch.on)
    assert action.isChecked()
    assert features.window.controller.settings.watch_folder == str(camera)
    qtbot.waitUntil(lambda: not features.watch._opening)
    action.trigger()
    assert not features.watch.on


def test_a_dialog_that_is_left_watches_nothing(features: Features, qtbot: QtBot) -> None:
    action = features.window.actions_["watch"]
    action.trigger()
    (dialog,) = features.dialogs.open_now()
    dialog.close()
    qtbot.waitUntil(lambda: not action.isChecked())


def test_a_photo_that_comes_before_the_first_look_is_new_and_older_ones_are_not(tmp_path: Path) -> None:
    eye = FolderPoller(tmp_path, lambda *_: tmp_path, settle_seconds=0, since=time.time() - 10)
    for name, age in (("old", 20), ("meanwhile", 5), ("by a wrong clock", -3600)):
        moment = time.time() - age
        os.utime(photo(tmp_path / f"{name}.png"), (moment, moment))
    assert not eye.poll().arrived  # it may still be written
    assert [Path(one.path).stem for one in eye.poll().arrived] == ["meanwhile"]
    assert not eye.poll().arrived


def test_a_file_that_changes_while_it_is_copied_waits(tmp_path: Path) -> None:
    content = jpeg(100)

    def keep(data: bytes, suffix: str, stem: str) -> Path:
        raise AssertionError("half a photo was kept")

    eye = FolderPoller(tmp_path, keep, only_new=False, settle_seconds=0, unended_seconds=60)
    (tmp_path / "latest.jpg").write_bytes(content[: len(content) // 2])
    assert eye.poll().growing
    assert not eye.poll().arrived
    shutil.rmtree(tmp_path)
    assert eye.poll().problem == "is gone"


def test_a_photo_whose_copy_finds_no_room_comes_later_and_the_others_at_once(tmp_path: Path) -> None:
    camera, copies = tmp_path / "camera", tmp_path / "copies"
    room = False

    def keep(data: bytes, suffix: str, stem: str) -> Path:
        if not room:
            raise OSError(errno.ENOSPC, "No space left on device")
        copies.write_bytes(data)
        return copies

    camera.mkdir()
    eye = FolderPoller(camera, keep, only_new=False, settle_seconds=0)
    photo(camera / "cup.png")
    photo(camera / "latest.png")
    assert eye.poll().growing
    look = eye.poll()
    assert [Path(one.path).name for one in look.arrived] == ["cup.png"]
    assert look.problem == "cannot be taken over (no space left on device)"
    room = True
    look = eye.poll()
    assert [one.path for one in look.arrived] == [str(copies)]
    assert not look.problem


def test_photos_whose_drive_stalled_are_tried_again_once_it_answers(
    features: Features, qtbot: QtBot, camera: Path
) -> None:
    window = features.window
    watch(features, qtbot, camera)
    photo(camera / "cup.png")
    wait_rows(qtbot, window, 1)
    rows = window.controller.rows
    rows.set_outcome(0, failure(DRIVE_STALLED))
    qtbot.waitUntil(lambda: rows.status[0] == Status.QUEUED)  # the next look was quick
    rows.set_outcome(0, failure("The photo is cut off."))
    features.watch._tried_again = float("-inf")
    qtbot.wait(2000)
    assert rows.status[0] == Status.FAILED


@pytest.mark.parametrize("move", [True, False])
def test_photos_that_are_sorted_inside_the_watched_folder_come_no_second_time(
    features: Features, qtbot: QtBot, camera: Path, move: bool
) -> None:
    """Into bins below the watched folder and back again, while it is looked at all the time."""
    window = features.window
    watch(features, qtbot, camera)
    for number in range(40):
        photo(camera / f"cup {number}.png", size=(40 + number, 30))
    wait_rows(qtbot, window, 40)
    answer(qtbot, window)
    polls: list[object] = []
    features.watch._poller.polled.connect(polls.append)
    features.exports.sort(np.arange(40), camera / "sorted", move, True)
    qtbot.waitUntil(lambda: "40 photos" in window.strip.notice.text())
    first = len(polls)
    qtbot.waitUntil(lambda: len(polls) >= first + 3)
    assert len(window.controller.rows) == 40
    window.strip.offer.click()
    qtbot.waitUntil(
        lambda: "moved back" in window.strip.notice.text() or "taken out" in window.strip.notice.text()
    )
    first = len(polls)
    qtbot.waitUntil(lambda: len(polls) >= first + 3)
    assert len(window.controller.rows) == 40
    photo(camera / "sorted" / "Blue" / "cup 7.png", "blue")  # a photo of that name by somebody else is one
    wait_rows(qtbot, window, 41)

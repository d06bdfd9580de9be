"""Drops as the window system sends them, paste, and caption tables."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from drag_kit import drag
from PIL import Image
from PySide6.QtCore import QByteArray, QEvent, QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QGuiApplication, QImage
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from gcdesk.engine.captions.caption_table import CaptionTable, read_caption_csv
from gcdesk.engine.photos.discovery import Found, find_photos
from gcdesk.ui.app.features import Features, install
from gcdesk.ui.intake import intake
from gcdesk.ui.session.session_files import session_folder
from gcdesk.ui.window.main_window import MainWindow


@pytest.fixture
def features(quiet_window: MainWindow) -> Features:
    return install(quiet_window)


def mime_of(*paths: Path | str) -> QMimeData:
    mime = QMimeData()
    mime.setUrls([QUrl(path) if isinstance(path, str) else QUrl.fromLocalFile(str(path)) for path in paths])
    return mime


def wait_rows(qtbot: QtBot, window: MainWindow, count: int) -> None:
    qtbot.waitUntil(lambda: len(window.controller.rows) == count)


def png(colour: str = "red") -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (40, 30), colour).save(content, "PNG")
    return content.getvalue()


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Path]:
    """Photos at three depths, one thing that is none, one hidden."""
    folder = tmp_path / "Line 2"
    for name in ("tea bag.png", "Monday/banana peel.png", "Monday/late/IMG_2041.png", ".hidden/x.png"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(png())
    (folder / "notes.txt").write_text("not a photo")
    return folder


def test_dropped_files_become_rows_with_captions_from_their_names(
    features: Features, qtbot: QtBot, tree: Path
) -> None:
    window = features.window
    assert drag(window, mime_of(tree / "tea bag.png", tree / "Monday/late/IMG_2041.png"))
    wait_rows(qtbot, window, 2)
    assert window.controller.rows.caption == ["tea bag", ""]


def test_a_dropped_folder_brings_its_subfolders_in_order(
    features: Features, qtbot: QtBot, tree: Path
) -> None:
    window = features.window
    assert drag(window, mime_of(tree))
    wait_rows(qtbot, window, 3)
    inside = [Path(path).relative_to(tree).as_posix() for path in window.controller.rows.path]
    assert inside == ["tea bag.png", "Monday/banana peel.png", "Monday/late/IMG_2041.png"]


def test_a_second_drop_queues_behind_the_first(features: Features, qtbot: QtBot, tmp_path: Path) -> None:
    many = tmp_path / "many"
    many.mkdir()
    for number in range(700):
        (many / f"cup {number:04}.png").write_bytes(b"")
    last = tmp_path / "last.png"
    last.write_bytes(png())
    window = features.window
    assert drag(window, mime_of(many))
    assert drag(window, mime_of(last))
    wait_rows(qtbot, window, 701)
    assert window.controller.rows.path[-1] == str(last)
    assert window.controller.rows.path[:-1] == sorted(window.controller.rows.path[:-1])


class Drive:
    """Folders named “drive” are listed once it answers, as on a share that stalls; all others are as ever."""

    def __init__(self) -> None:
        self.answers, self.ended = threading.Event(), threading.Event()

    def find(self, paths: list[str], between: Callable[[], object]) -> Iterator[Found]:
        stalls = Path(paths[0]).name == "drive"
        if stalls:
            self.answers.wait(60)
        try:
            yield from find_photos(paths, between)
        finally:
            if stalls:
                self.ended.set()


@pytest.fixture
def drive(features: Features, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Drive]:
    for name in ("drive", "disk"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"cup on the {name}.png").write_bytes(png())
    made = Drive()
    monkeypatch.setattr(intake, "find_photos", made.find)
    features.intake.stall_seconds = 0.05
    yield made
    made.answers.set()


def open_silent(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    window.open_paths([str(tmp_path / "drive")])
    qtbot.waitUntil(
        lambda: "“drive” does not answer" in window.strip.notice.text() and window.strip.act is not None
    )


def test_a_folder_whose_drive_is_silent_can_be_left_out(
    features: Features, qtbot: QtBot, tmp_path: Path, drive: Drive
) -> None:
    """What came after it is there: a folder, a table of captions, a pasted picture."""
    window = features.window
    open_silent(window, qtbot, tmp_path)
    (tmp_path / "captions.csv").write_text("file,caption\ncup on the disk.png,a mug\n", encoding="utf-8")
    window.open_paths([str(tmp_path / "captions.csv"), str(tmp_path / "disk")])
    mime = QMimeData()
    mime.setImageData(QImage(20, 20, QImage.Format.Format_RGB32))
    assert drag(window, mime)
    assert not len(window.controller.rows)
    qtbot.mouseClick(window.strip.offer, Qt.MouseButton.LeftButton)
    wait_rows(qtbot, window, 2)
    drive.answers.set()
    assert drive.ended.wait(60)
    qtbot.wait(50)
    assert sorted(window.controller.rows.caption) == ["", "a mug"]


def test_a_drive_that_answers_late_takes_its_offer_away_and_no_other(
    features: Features, qtbot: QtBot, tmp_path: Path, drive: Drive
) -> None:
    window = features.window
    open_silent(window, qtbot, tmp_path)
    window.strip.dismiss.click()
    qtbot.waitUntil(window.strip.offer.isVisible)  # said again, for nothing else is offered
    drive.answers.set()
    wait_rows(qtbot, window, 1)
    assert not window.strip.offer.isVisible()

    drive.answers.clear()
    open_silent(window, qtbot, tmp_path)
    window.say("3 photos were moved.", "Undo", lambda: None)
    drive.answers.set()
    qtbot.waitUntil(lambda: features.intake._current is None)
    assert window.strip.offer.text() == "Undo"
    assert window.strip.offer.isVisible()


def test_another_session_waits_for_no_drive_of_the_one_before(
    features: Features, qtbot: QtBot, tmp_path: Path, drive: Drive
) -> None:
    window = features.window
    open_silent(window, qtbot, tmp_path)
    window.controller.new_session("after the stall")
    qtbot.waitUntil(lambda: window.controller.session_name == "after the stall")
    assert not window.strip.offer.isVisible()
    window.open_paths([str(tmp_path / "disk")])
    wait_rows(qtbot, window, 1)
    drive.answers.set()
    assert drive.ended.wait(60)
    qtbot.wait(50)
    assert window.controller.rows.caption == ["cup on the disk"]


def test_a_table_that_was_left_out_names_nothing_when_it_comes_late(
    features: Features, qtbot: QtBot, tmp_path: Path, drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = threading.Event()

    def read(path: str) -> CaptionTable:
        if Path(path).name == "late.csv":
            drive.answers.wait(60)
            ended.set()
        return read_caption_csv(path)

    monkeypatch.setattr(intake, "read_caption_csv", read)
    for name, caption in (("late", "wrong"), ("good", "a mug")):
        (tmp_path / f"{name}.csv").write_text(
            f"file,caption\ncup on the disk.png,{caption}\n", encoding="utf-8"
        )
    window = features.window
    window.open_paths([str(tmp_path / "late.csv")])
    qtbot.waitUntil(lambda: "“late.csv” does not answer" in window.strip.notice.text())
    qtbot.mouseClick(window.strip.offer, Qt.MouseButton.LeftButton)
    window.open_paths([str(tmp_path / "good.csv")])
    qtbot.waitUntil(lambda: len(features.intake.tables) == 1)
    drive.answers.set()
    assert ended.wait(60)
    qtbot.wait(50)
    window.open_paths([str(tmp_path / "disk")])
    wait_rows(qtbot, window, 1)
    assert window.controller.rows.caption == ["a mug"]


def test_a_silent_drive_interrupts_an_offer_and_gives_it_back(
    features: Features, qtbot: QtBot, tmp_path: Path, drive: Drive
) -> None:
    window = features.window
    undone: list[bool] = []
    window.say("3 photos were moved.", "Undo", lambda: undone.append(True))
    open_silent(window, qtbot, tmp_path)
    drive.answers.set()
    wait_rows(qtbot, window, 1)
    qtbot.waitUntil(lambda: window.strip.offer.text() == "Undo")
    assert window.strip.notice.text() == "3 photos were moved."
    window.strip.offer.click()
    assert undone == [True]
    assert not window.strip.offer.isVisible()


def test_a_window_closes_while_a_drive_is_silent(
    features: Features, qtbot: QtBot, tmp_path: Path, drive: Drive
) -> None:
    window = features.window
    open_silent(window, qtbot, tmp_path)
    window.close()
    assert not window.isVisible()
    assert not drive.ended.is_set()


def test_rows_show_while_a_large_folder_is_read(features: Features, qtbot: QtBot, tmp_path: Path) -> None:
    for number in range(1500):
        (tmp_path / f"{number:05}.png").write_bytes(b"")
    window = features.window
    seen: list[int] = []
    window.controller.rows_added.connect(lambda first, count: seen.append(first + count))
    drag(window, mime_of(tmp_path))
    wait_rows(qtbot, window, 1500)
    assert len(seen) > 3
    assert seen[0] < 400


def test_an_image_dragged_out_of_a_browser_is_saved_in_the_sessions_folder(
    features: Features, qtbot: QtBot
) -> None:
    window = features.window
    mime = mime_of("https://example.org/cup.png")
    mime.setHtml('<img src="https://example.org/cup.png">')
    mime.setData("image/png", QByteArray(png("blue")))
    assert drag(window, mime)
    wait_rows(qtbot, window, 1)
    saved = Path(window.controller.rows.path[0])
    assert saved.parent == session_folder(window.controller.session_id)
    assert saved.read_bytes() == png("blue")
    assert window.controller.rows.caption == [""]


def test_pixels_without_a_file_format_are_saved_too(features: Features, qtbot: QtBot) -> None:
    mime = QMimeData()
    picture = QImage(20, 10, QImage.Format.Format_RGB32)
    picture.fill(Qt.GlobalColor.green)
    mime.setImageData(picture)
    assert drag(features.window, mime)
    wait_rows(qtbot, features.window, 1)
    with Image.open(features.window.controller.rows.path[0]) as saved:
        assert saved.size == (20, 10)


def test_a_picture_inside_its_address_is_a_picture(features: Features, qtbot: QtBot) -> None:
    import base64

    address = "data:image/png;base64," + base64.b64encode(png()).decode()
    assert drag(features.window, mime_of(address))
    wait_rows(qtbot, features.window, 1)
    assert Path(features.window.controller.rows.path[0]).read_bytes() == png()


def test_a_web_address_alone_is_refused_in_a_sentence(features: Features, qtbot: QtBot) -> None:
    window = features.window
    assert drag(window, mime_of("https://example.org/photos/cup.jpg"))
    assert window.strip.notice.isVisible()
    assert "only a web address (example.org)" in window.strip.notice.text()
    assert len(window.controller.rows) == 0


def test_words_are_no_photos_and_are_not_taken(features: Features) -> None:
    mime = QMimeData()
    mime.setText("some words from a letter")
    assert not drag(features.window, mime)


def test_a_photo_dropped_on_the_search_box_is_a_photo(features: Features, qtbot: QtBot, tree: Path) -> None:
    window = features.window
    spot = window.head.search.mapTo(window, window.head.search.rect().center())
    mime = mime_of(tree / "tea bag.png")
    copy, left, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(window.windowHandle(), QDragEnterEvent(spot, copy, mime, left, none))
    drop = QDropEvent(QPointF(spot), copy, mime, left, none, QEvent.Type.Drop)
    QApplication.sendEvent(window.windowHandle(), drop)
    wait_rows(qtbot, window, 1)
    assert window.head.search.text() == ""


def test_paths_and_images_are_pasted(features: Features, qtbot: QtBot, tree: Path) -> None:
    window, clipboard = features.window, QGuiApplication.clipboard()
    clipboard.setText(f'"{tree / "tea bag.png"}"\n{QUrl.fromLocalFile(str(tree / "Monday")).toString()}\n')
    qtbot.keyClick(window, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    wait_rows(qtbot, window, 3)
    mime = QMimeData()
    mime.setData("image/jpeg", QByteArray(b"\xff\xd8 whatever the program gave"))
    clipboard.setMimeData(mime)
    window.actions_["paste"].trigger()
    wait_rows(qtbot, window, 4)
    assert Path(window.controller.rows.path[3]).suffix == ".jpg"
    clipboard.setText("just words")
    window.actions_["paste"].trigger()
    assert "no picture" in window.strip.notice.text()


def test_a_caption_table_dropped_on_top_fills_captions_and_can_be_undone(
    features: Features, qtbot: QtBot, tree: Path, tmp_path: Path
) -> None:
    window = features.window
    drag(window, mime_of(tree))
    wait_rows(qtbot, window, 3)
    table = tmp_path / "captions.csv"
    table.write_text("file,caption\nIMG_2041.png,old car battery\ntea bag.png,tea bag\nother.png,spoon\n")
    assert drag(window, mime_of(table))
    qtbot.waitUntil(lambda: window.controller.rows.caption[2] == "old car battery")
    assert window.strip.notice.text() == "captions.csv: captions for 2 photos of the list, 1 of them new."
    window.controller.undo_stack.undo()
    assert window.controller.rows.caption[2] == ""
    later = tmp_path / "other.png"
    later.write_bytes(png())
    drag(window, mime_of(later))
    wait_rows(qtbot, window, 4)
    assert window.controller.rows.caption[3] == "spoon"


def test_photos_and_their_table_may_come_together(
    features: Features, qtbot: QtBot, tree: Path, tmp_path: Path
) -> None:
    table = tmp_path / "captions.csv"
    table.write_text("path;text\nlate/IMG_2041.png;yoghurt cup\n")
    drag(features.window, mime_of(tree, table))
    wait_rows(qtbot, features.window, 3)
    assert features.window.controller.rows.caption[2] == "yoghurt cup"


def test_a_table_that_is_none_says_why(features: Features, qtbot: QtBot, tmp_path: Path) -> None:
    table = tmp_path / "prices.csv"
    table.write_text("item,price\ncup,2\n")
    drag(features.window, mime_of(table))
    qtbot.waitUntil(lambda: "prices.csv needs a column" in features.window.strip.notice.text())


def test_a_missing_file_is_a_row_with_its_reason(features: Features, qtbot: QtBot, tmp_path: Path) -> None:
    drag(features.window, mime_of(tmp_path / "gone.jpg"))
    wait_rows(qtbot, features.window, 1)
    assert features.window.controller.rows.error == ["there is no such file or folder"]

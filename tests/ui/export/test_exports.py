"""What leaves the app, on real files and a real store: tables, bin folders and their undo, the training set."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from features_kit import answer, photo, stored_window, wait_rows
from PySide6.QtWidgets import QFileDialog, QPushButton
from pytestqt.qtbot import QtBot
from window_kit import outcome

from gcdesk.engine.captions.caption_table import read_caption_csv
from gcdesk.engine.captions.rules import caption_from_path
from gcdesk.engine.evaluation.labelled_set import read_image_folder, read_text_table
from gcdesk.engine.labels import UNSURE
from gcdesk.store import Store, store_path
from gcdesk.ui.app.features import Features, install
from gcdesk.ui.export.dialogs import BinFoldersDialog, TrainingSetDialog
from gcdesk.ui.export.training_set import file_name
from gcdesk.ui.session.filtering import Show
from gcdesk.ui.theme.theme import Theme
from gcdesk.ui.widgets.dialogs import Question


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "line 2"
    for number, name in enumerate(("a/cup.png", "a/deep/lid.png", "b/cup.png", "b/can.png", "peel.png")):
        photo(folder / name, size=(40 + number, 30))
    (folder / "b" / "broken.jpg").write_bytes(b"")
    return folder


@pytest.fixture
def features(qtbot: QtBot, theme: Theme, photos: Path) -> Iterator[Features]:
    """Rows by name: peel Blue, a/cup Blue, lid to review, b/broken failed, b/can Blue corrected to TTR,
    b/cup unsure by hand.
    """
    window = stored_window(qtbot, theme)
    made = install(window)
    window.open_paths([str(photos)])
    wait_rows(qtbot, window, 6)
    rows = window.controller.rows
    failed = outcome()
    failed = type(failed)(None, None, -1, 0, float("nan"), float("nan"), True, error="The file is empty.")
    names = [Path(path).relative_to(photos).as_posix() for path in rows.path]
    assert names == [
        "peel.png", "a/cup.png", "a/deep/lid.png", "b/broken.jpg", "b/can.png", "b/cup.png",
    ]  # fmt: skip
    answer(qtbot, window, {2: outcome(review=True), 3: failed})
    window.controller.set_labels([4], 3)
    window.controller.set_labels([5], UNSURE)
    yield made
    window.close()


def said(features: Features) -> str:
    return features.window.strip.notice.text()


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


# --- tables


def test_csv_of_everything_says_models_and_operator(
    features: Features, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "results.csv"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_args: (str(target.with_suffix("")), ""))
    features.window.controller.set_captions([0], "=HYPERLINK(1)")
    features.window.actions_["export_csv"].trigger()
    qtbot.waitUntil(lambda: said(features) == "6 photos written to results.csv.")
    with target.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[0]["caption"] == "'=HYPERLINK(1)"
    assert (rows[4]["label"], rows[4]["operator_label"], rows[4]["final_label"]) == ("Blue", "TTR", "TTR")
    assert rows[4]["status"] == "corrected"
    assert rows[3]["error"] == "The file is empty."
    assert rows[3]["image_Black"] == ""
    assert float(rows[1]["text_Blue"]) == pytest.approx(0.8)
    assert [row["review"] for row in rows] == ["false", "false", "true", "false", "false", "false"]


def test_json_of_what_is_shown_only(
    features: Features, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window, target = features.window, tmp_path / "results.json"
    target.write_text("an older export")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_args: (str(target), ""))
    window.filter_bar.choose(Show.REVIEW)
    qtbot.waitUntil(lambda: len(window.visible_rows()) == 1)
    window.actions_["export_json"].trigger()
    question = next(one for one in features.dialogs.open_now() if isinstance(one, Question))
    assert question.heading.text() == "Export 1 photo or all 6?"
    question.findChildren(type(window.detail.accept))[-1].click()
    qtbot.waitUntil(lambda: said(features) == "1 photo written to results.json.")
    (row,) = json.loads(target.read_text(encoding="utf-8"))
    assert row["path"].endswith("lid.png")
    assert row["review"] is True


def test_a_folder_that_cannot_be_written_is_said(features: Features, qtbot: QtBot, tmp_path: Path) -> None:
    features.exports.write_table(tmp_path / "no" / "x.csv", "csv", np.arange(2))
    qtbot.waitUntil(lambda: "cannot be written" in said(features))


# --- bin folders


def test_photos_are_copied_into_bins_with_their_structure(
    features: Features, qtbot: QtBot, tmp_path: Path, photos: Path
) -> None:
    before = files(photos)
    bins = tmp_path / "bins"
    features.window.actions_["copy_to_bins"].trigger()
    (dialog,) = features.dialogs.open_now()
    assert isinstance(dialog, BinFoldersDialog)
    assert dialog.main.text() == "Copy 5 photos"
    assert "1 photo without an answer stays" in dialog.news.text()
    dialog._accept()
    assert dialog.news.text() == "Choose a folder first."
    dialog.folder.box.setText(str(bins))
    dialog._accept()
    qtbot.waitUntil(lambda: said(features) == "5 photos copied into bin folders.")
    assert files(bins) == [
        "Blue/a/cup.png", "Blue/peel.png", "TTR/b/can.png", "To review/a/deep/lid.png", "Unsure/b/cup.png",
    ]  # fmt: skip
    assert files(photos) == before


def test_nothing_is_overwritten_and_equal_photos_are_left(
    features: Features, qtbot: QtBot, tmp_path: Path, photos: Path
) -> None:
    bins = tmp_path / "bins"
    (bins / "Blue" / "a").mkdir(parents=True)
    (bins / "Blue" / "a" / "cup.png").write_bytes(b"somebody else's")
    (bins / "Blue" / "peel.png").write_bytes((photos / "peel.png").read_bytes())
    features.exports.sort(np.arange(6), bins, False, True)
    qtbot.waitUntil(lambda: "there already" in said(features))
    assert said(features) == "4 photos copied into bin folders. 1 was there already."
    assert (bins / "Blue" / "a" / "cup.png").read_bytes() == b"somebody else's"
    assert (bins / "Blue" / "a" / "cup (2).png").read_bytes() == (photos / "a" / "cup.png").read_bytes()
    assert (bins / "Blue" / "a" / "deep" / "lid.png").is_file()
    features.window.strip.offer.click()
    qtbot.waitUntil(lambda: "taken out of the bin folders again" in said(features))
    assert files(bins) == ["Blue/a/cup.png", "Blue/peel.png"]


def test_moved_photos_are_known_where_they_are_and_can_be_brought_back(
    features: Features, qtbot: QtBot, tmp_path: Path, photos: Path
) -> None:
    window, bins, before = features.window, tmp_path / "bins", files(photos)
    features.exports.sort(np.arange(6), bins, True, False)
    qtbot.waitUntil(lambda: said(features) == "5 photos moved into bin folders.")
    assert files(photos) == ["b/broken.jpg"]
    assert window.controller.rows.path[4] == str(bins / "TTR" / "b" / "can.png")
    window.controller.set_labels([4], 0)  # corrected once more, and sorted again
    features.exports.sort(np.array([4]), bins, True, False)
    qtbot.waitUntil(lambda: (bins / "Black" / "b" / "can.png").is_file())
    qtbot.waitUntil(lambda: said(features) == "1 photo moved into bin folders.")
    for words in ("1 photo moved back.", "5 photos moved back."):
        take_back_the_last(features, qtbot, "Move back")
        qtbot.waitUntil(lambda words=words: said(features) == words)
    assert files(photos) == before
    assert not bins.exists()
    assert window.controller.rows.path[4] == str(photos / "b" / "can.png")
    window.actions_["take_back_sorting"].trigger()
    qtbot.waitUntil(lambda: "nothing to take back" in said(features))
    window.close()
    with Store(store_path()) as store:
        assert store.load_rows(1).path[0] == str(photos / "peel.png")


def take_back_the_last(features: Features, qtbot: QtBot, answer: str) -> None:
    """Through the menu and its question."""
    features.window.actions_["take_back_sorting"].trigger()

    def asked() -> list[Question]:
        return [one for one in features.dialogs.open_now() if isinstance(one, Question)]

    qtbot.waitUntil(lambda: bool(asked()))
    button = next(one for one in asked()[0].findChildren(QPushButton) if one.text() == answer)
    button.click()


def test_labels_given_since_are_undone_without_touching_files(
    features: Features, qtbot: QtBot, tmp_path: Path
) -> None:
    """Ctrl+Z belongs to captions and labels: copies are not deleted by pressing it once too often."""
    window, bins = features.window, tmp_path / "bins"
    features.exports.sort(np.arange(6), bins, False, False)
    qtbot.waitUntil(lambda: "5 photos copied" in said(features))
    while window.controller.undo_stack.canUndo():
        window.controller.undo_stack.undo()
    qtbot.wait(200)
    assert len(files(bins)) == 5


def test_copies_whose_originals_are_gone_are_not_taken_back(
    features: Features, qtbot: QtBot, tmp_path: Path, photos: Path
) -> None:
    bins = tmp_path / "bins"
    features.exports.sort(np.arange(6), bins, False, False)
    qtbot.waitUntil(lambda: "5 photos copied" in said(features))
    (photos / "peel.png").unlink()
    photo(photos / "a" / "cup.png", "blue")
    take_back_the_last(features, qtbot, "Delete copies")
    qtbot.waitUntil(lambda: "3 photos taken out" in said(features))
    assert files(bins) == ["Blue/a/cup.png", "Blue/peel.png"]
    assert "2 could not be" in said(features)


def test_the_last_sorting_can_be_taken_back_after_a_restart(
    features: Features, qtbot: QtBot, theme: Theme, tmp_path: Path, photos: Path
) -> None:
    bins, before = tmp_path / "bins", files(photos)
    features.exports.sort(np.arange(6), bins, True, False)
    qtbot.waitUntil(lambda: "5 photos moved" in said(features))
    features.window.close()
    again = install(stored_window(qtbot, theme))
    qtbot.waitUntil(lambda: len(again.window.controller.rows) == 6)
    assert again.window.controller.rows.path[0] == str(bins / "Blue" / "peel.png")
    take_back_the_last(again, qtbot, "Move back")
    qtbot.waitUntil(lambda: said(again) == "5 photos moved back.")
    assert files(photos) == before
    assert again.window.controller.rows.path[0] == str(photos / "peel.png")
    again.window.close()


def test_closing_while_photos_are_moved_asks_first(
    features: Features, qtbot: QtBot, tmp_path: Path, photos: Path
) -> None:
    window, bins = features.window, tmp_path / "bins"
    features.exports.sort(np.arange(6), bins, True, False)
    assert not window.close()
    (question,) = (one for one in features.dialogs.open_now() if isinstance(one, Question))
    assert "being copied or moved" in question.heading.text()
    question.close()
    qtbot.waitUntil(lambda: "photos moved" in said(features))
    assert window.close()


def test_what_changed_since_is_left_by_undo(
    features: Features, qtbot: QtBot, tmp_path: Path, photos: Path
) -> None:
    bins = tmp_path / "bins"
    features.exports.sort(np.array([0, 1]), bins, False, False)
    qtbot.waitUntil(lambda: "2 photos copied" in said(features))
    (bins / "Blue" / "peel.png").write_bytes(b"edited since")
    features.window.strip.offer.click()
    qtbot.waitUntil(lambda: "1 could not be" in said(features))
    assert files(bins) == ["Blue/peel.png"]


def test_a_photo_that_is_gone_does_not_keep_the_others(
    features: Features, qtbot: QtBot, tmp_path: Path, photos: Path
) -> None:
    (photos / "peel.png").unlink()
    features.exports.sort(np.array([0, 1]), tmp_path / "bins", True, False)
    qtbot.waitUntil(lambda: "1 photo moved into bin folders. 1 could not be" in said(features))


# --- training set


def test_corrected_photos_become_an_image_folder_whose_names_are_captions(
    features: Features, qtbot: QtBot, tmp_path: Path
) -> None:
    window = features.window
    window.controller.set_captions([4], "Tin can: empty")
    window.controller.set_labels([0, 1], 1)
    window.controller.set_captions([1], "")
    window.actions_["save_training_set"].trigger()
    (dialog,) = features.dialogs.open_now()
    assert isinstance(dialog, TrainingSetDialog)
    assert dialog.main.text() == "Save 1 photo"
    dialog.both.setChecked(True)
    assert dialog.main.text() == "Save 3 photos"
    dialog.folder.box.setText(str(tmp_path / "sets"))
    dialog._accept()
    qtbot.waitUntil(lambda: "3 photos saved" in said(features))
    (folder,) = (tmp_path / "sets").iterdir()
    found = read_image_folder(folder)
    captions = {caption_from_path(item.path): item.label for item in found.items if item.path}
    assert captions == {"peel": 1, "": 1, "tin can empty": 3}
    assert {(item.caption, item.label) for item in read_text_table(folder / "captions.csv").items} == {
        ("peel", 1), ("Tin can: empty", 3),
    }  # fmt: skip
    table = read_caption_csv(folder / "captions.csv")
    assert {table.get(item.path) for item in found.items if item.path} == {"peel", "Tin can: empty", None}


def test_names_of_training_photos_survive_every_disk() -> None:
    assert file_name("coffee cup", 7, ".JPG") == "coffee cup_0007.jpg"
    assert file_name("", 7, ".png") == "IMG_0007.png"
    assert file_name('a "glass"/jar: lid?', 1, ".png") == "a glass jar lid_0001.png"
    assert file_name("photo", 3, ".png") == "IMG_0003.png"
    assert len(file_name("long " * 100, 1, ".png")) < 100

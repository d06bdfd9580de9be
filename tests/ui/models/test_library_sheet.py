"""The model library in the window: dropped files, checks, comparisons, switches, exports, deletion and undo."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from drag_kit import drag
from features_kit import stored_window
from PySide6.QtCore import QMimeData, Qt, QUrl
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot
from training_kit import install_small, write_captions

from gcdesk.config.folders import user_folders
from gcdesk.config.settings import Settings
from gcdesk.engine.library.library import Library
from gcdesk.ui.app.composition import make_controller
from gcdesk.ui.app.features import Features, install
from gcdesk.ui.models import jobs as model_jobs
from gcdesk.ui.models.compare_sheet import CompareSheet
from gcdesk.ui.models.import_sheet import ImportSheet
from gcdesk.ui.models.library_sheet import ModelsSheet
from gcdesk.ui.theme.theme import Theme
from gcdesk.ui.widgets.dialogs import Question
from gcdesk.ui.window.main_window import MainWindow

sys.path.append(str(Path(__file__).resolve().parents[2] / "engine"))
from course_modules import OriginalText, original_image, small_config

LONG = 120_000  # ms on a busy machine


@pytest.fixture
def features(qtbot: QtBot, theme: Theme) -> Iterator[Features]:
    install_small()
    made = install(stored_window(qtbot, theme))
    yield made
    made.window.close_unasked()


def press(qtbot: QtBot, button: QPushButton) -> None:
    qtbot.waitUntil(lambda: button.isVisible() and button.isEnabled(), timeout=LONG)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def shown(qtbot: QtBot, features: Features, name: str = "small") -> ModelsSheet:
    """The library with that model chosen."""
    sheet = features.models.show()
    qtbot.waitUntil(lambda: name in {listed.model.name for listed in sheet._found})
    sheet.select(name)
    assert sheet.chosen().model.name == name  # type: ignore[union-attr]
    return sheet


def visible(kind: type, features: Features) -> object:
    return next(one for one in QApplication.topLevelWidgets() if isinstance(one, kind) and one.isVisible())


def test_a_course_pair_is_imported_by_drop(features: Features, qtbot: QtBot, tmp_path: Path) -> None:
    torch.manual_seed(0)
    files = [tmp_path / "best_image_model.pth", tmp_path / "best_text_model.pth", tmp_path / "broken.pth"]
    torch.save(original_image().state_dict(), files[0])
    torch.save({"model_state_dict": OriginalText(small_config()).state_dict()}, files[1])
    files[2].write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(file)) for file in files])
    assert drag(features.window, mime)
    qtbot.waitUntil(lambda: len(features.models.import_files([]).cards) == 3)
    sheet = features.models.import_files([])
    assert isinstance(sheet, ImportSheet)
    image, text, broken = sheet.cards
    assert "is an image model" in image.words.text()
    assert "is a text model" in text.words.text()
    assert "LFS" in broken.words.text()
    assert not broken.ready
    assert image.class_order == ["Black", "Blue", "Green", "TTR"]
    image.orders[0].setCurrentText("Green")  # the file was trained with two bins the other way round
    image._keep_apart(0)
    assert image.class_order == ["Green", "Blue", "Black", "TTR"]
    assert sheet.main.text() == "Import 2 models"
    press(qtbot, sheet.main)
    qtbot.waitUntil(lambda: bool(image.installed and text.installed), timeout=LONG)
    qtbot.waitUntil(lambda: settings_of(features) == ("best_image_model", "best_text_model"))
    kept = Library().find("best_image_model").info.provenance.details  # type: ignore[union-attr]
    assert kept["class_order"] == ["Green", "Blue", "Black", "TTR"]
    assert kept["class_order_source"] == "given"
    library = shown(qtbot, features, "best_image_model")
    assert library.table.item(library.table.currentRow(), 4).text() == "course file"  # type: ignore[union-attr]


def settings_of(features: Features) -> tuple[str | None, str | None]:
    now = features.window.controller.settings
    return now.image_model, now.text_model


def test_switch_and_back_again(features: Features, qtbot: QtBot) -> None:
    sheet = shown(qtbot, features)
    assert sheet.back.isHidden()
    press(qtbot, sheet.use)
    qtbot.waitUntil(lambda: settings_of(features)[1] == "small")
    told = features.window.controller.client.asked
    qtbot.waitUntil(lambda: any(what[0] == "configure" and what[1].text_model == "small" for what in told))
    qtbot.waitUntil(lambda: sheet.back.isVisible())
    assert sheet.back.text() == "Back to starter-text"
    assert not sheet.use.isEnabled()
    press(qtbot, sheet.back)
    qtbot.waitUntil(lambda: settings_of(features)[1] is None)
    qtbot.waitUntil(lambda: sheet.back.text() == "Back to small")


def test_deleted_it_comes_back(
    features: Features, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "no trash of the user's"))
    sheet = shown(qtbot, features)
    press(qtbot, sheet.use)
    qtbot.waitUntil(lambda: settings_of(features)[1] == "small")
    sheet.select("starter-text")
    assert not sheet.delete.isEnabled()
    sheet.select("small")
    press(qtbot, sheet.delete)
    question = visible(Question, features)
    press(qtbot, next(b for b in question.findChildren(QPushButton) if b.text() == "Delete"))  # type: ignore[attr-defined]
    qtbot.waitUntil(lambda: not (user_folders().models / "small.gcmodel").exists())
    qtbot.waitUntil(lambda: settings_of(features)[1] is None)
    strip = features.window.strip
    qtbot.waitUntil(lambda: strip.offer.text() == "Undo")
    qtbot.mouseClick(strip.offer, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: settings_of(features)[1] == "small")
    assert Library().find("small").info is not None


def test_without_a_recycle_bin_there_is_a_folder_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_jobs.QFile, "moveToTrash", lambda _name: (False, ""))
    places = [model_jobs.move_to_trash(install_small()) for _ in range(2)]
    assert [Path(place).name for place in places] == ["small.gcmodel", "small (2).gcmodel"]
    assert all(Path(place).is_dir() for place in places)


def test_check_and_export(features: Features, qtbot: QtBot, tmp_path: Path) -> None:
    sheet = shown(qtbot, features)
    press(qtbot, sheet.check)
    qtbot.waitUntil(lambda: "of 15 sample photos right" in sheet.news.text(), timeout=LONG)
    for ending in (".gcmodel.zip", ".pth"):
        target = tmp_path / f"handed over{ending}"
        sheet.export_to("small", target)
        said = f"Written: {target}"
        qtbot.waitUntil(lambda said=said: sheet.news.text().startswith(said))
        assert target.stat().st_size > 1000


def test_compare_two_on_a_table(features: Features, qtbot: QtBot, tmp_path: Path) -> None:
    sheet = shown(qtbot, features)
    press(qtbot, sheet.compare)
    asked = visible(CompareSheet, features)
    assert isinstance(asked, CompareSheet)
    assert not asked.main.isEnabled()
    asked.data.setText(str(write_captions(tmp_path / "captions.csv", words=3)))
    press(qtbot, asked.main)
    qtbot.waitUntil(lambda: asked.view.isVisible(), timeout=LONG)
    assert "small is worse" in asked.view.verdict.text()
    assert asked.view.table.rowCount() > 10
    asked.data.setText(str(tmp_path / "gone.csv"))
    press(qtbot, asked.main)
    qtbot.waitUntil(lambda: "There is no such file" in asked.news.text(), timeout=LONG)
    asked.close()


def test_the_old_model_answers_until_the_new_one_is_loaded(qtbot: QtBot, theme: Theme, samples: Path) -> None:
    install_small()
    window = MainWindow(make_controller(Settings(threads=1, confirm_one_in=0, image_model="none")), theme)
    features = install(window)
    qtbot.addWidget(window)
    window.show()
    window.controller.start()
    rows, words = window.controller.rows, window.strip.models
    qtbot.waitUntil(lambda: "starter-text" in words.text(), timeout=LONG)
    window.open_paths([str(samples / "orange peel.jpg")])
    qtbot.waitUntil(lambda: len(rows) == 1 and rows.text[0].max() > 0.5, timeout=LONG)
    before = rows.text[0].copy()
    features.models.jobs.use("text", "small")
    window.controller.set_captions([0], "peel of an orange")
    qtbot.waitUntil(lambda: "small" in words.text(), timeout=LONG)
    window.controller.set_captions([0], "orange peel")
    qtbot.waitUntil(lambda: abs(rows.text[0] - before).max() > 0.1, timeout=LONG)
    window.close_unasked()


def test_what_the_sheets_load_later_is_no_runtime() -> None:
    heavy = ["torch", "transformers", "torchvision", "onnxruntime"]
    modules = [
        "library.library",
        "library.history",
        "evaluation.model_comparison",
        "library.import_sources",
        "evaluation.labelled_set",
    ]
    code = "import sys, trainer.text.preview, trainer.text.runs, " + ", ".join(
        f"gcdesk.engine.{m}" for m in modules
    )
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nprint([name for name in {heavy!r} if name in sys.modules])"],
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.stdout.strip() == "[]", done.stderr

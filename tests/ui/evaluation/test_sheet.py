"""The evaluation page with real tasks in their processes, real models, photos and store."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from features_kit import answer, stored_window, wait_rows
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication, QMenu, QPushButton
from pytestqt.qtbot import QtBot

from gcdesk.config.settings import Settings
from gcdesk.engine.library.library import Library
from gcdesk.jobs.task_client import IDLE
from gcdesk.store import Store, store_path
from gcdesk.ui.app.features import Features, install
from gcdesk.ui.evaluation.figure_card import Drawing
from gcdesk.ui.evaluation.items_sheet import ItemsSheet
from gcdesk.ui.evaluation.pair_sheet import PairSheet
from gcdesk.ui.evaluation.sheet import EvaluationSheet
from gcdesk.ui.session.ports import FoundPhoto
from gcdesk.ui.theme.theme import Theme
from gcdesk.ui.widgets.dialogs import Question
from gcdesk.worker.tasks.kept_evaluations import kept_evaluations, save_evaluation

sys.path.append(str(Path(__file__).resolve().parents[2] / "engine"))
from scored_kit import scored_set

BUSY = 120_000  # ms for a task on a busy machine
TRUTH = {
    "orange peel": "Green",
    "empty water bottle": "Blue",
    "green glass bottle": "Blue",
    "kitchen sponge": "Black",
    "old black sock": "TTR",
    "torn piece of cardboard": "Blue",
}


@pytest.fixture
def features(qtbot: QtBot, theme: Theme) -> Iterator[Features]:
    window = stored_window(qtbot, theme, Settings(threads=1, confirm_one_in=0))
    made = install(window)
    yield made
    window.close()


@pytest.fixture
def test_folder(samples: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "test split"
    for caption, bin_name in TRUTH.items():
        (folder / bin_name).mkdir(parents=True, exist_ok=True)
        shutil.copy(samples / f"{caption}.jpg", folder / bin_name)
    return folder


def opened(features: Features) -> EvaluationSheet:
    features.window.actions_["evaluation"].trigger()
    (sheet,) = features.dialogs.open_now()
    assert isinstance(sheet, EvaluationSheet)
    return sheet


def wait_idle(qtbot: QtBot, features: Features) -> None:
    qtbot.waitUntil(lambda: features.evaluation_jobs.client.state == IDLE, timeout=BUSY)


def measured(qtbot: QtBot, features: Features, folder: Path) -> EvaluationSheet:
    sheet = opened(features)
    sheet.start.set_folder(str(folder))
    qtbot.mouseClick(sheet.start.start, Qt.MouseButton.LeftButton)
    assert sheet.start.cancel.isVisible()
    assert not sheet.fit.isEnabled()
    wait_idle(qtbot, features)
    qtbot.waitUntil(lambda: sheet.page.analysis is not None, timeout=10_000)
    return sheet


@pytest.mark.slow
def test_a_folder_is_measured_and_its_figures_lead_to_items(
    features: Features, qtbot: QtBot, test_folder: Path, tmp_path: Path
) -> None:
    sheet = measured(qtbot, features, test_folder)
    analysis = sheet.page.analysis
    assert analysis is not None
    assert len(analysis.scored) == len(TRUTH)
    assert [one.name for one in kept_evaluations()] == [sheet.chosen().name]  # type: ignore[union-attr]
    assert all(card.drawing.is_drawn for card in sheet.page.cards)
    assert sheet.page.cards[0].table.item(0, 0).text() == "Image model"
    # A cell of the text model's matrix: Green that is Green.
    (card,) = [one for one in sheet.page.cards if one.figure.title.startswith("Text model: which")]
    scale = card.drawing.width() / 446
    place = QPointF((90 + 84 * 2.5) * scale, (56 + 84 * 2.5) * scale).toPoint()
    qtbot.mouseClick(card.drawing, Qt.MouseButton.LeftButton, pos=place)
    items = sheet.findChild(ItemsSheet)
    assert items.table.rowCount() == 1
    assert items.table.item(0, 1).text() == "orange peel (learned)"
    qtbot.mouseClick(items.show_photos, Qt.MouseButton.LeftButton)
    wait_rows(qtbot, features.window, 1)
    # The slider says what another threshold would do, and the button sets it.
    sheet.page.slider.setValue(95)
    assert sheet.page.says.text().startswith("At 0.95 you review ")
    qtbot.mouseClick(sheet.page.set_threshold, Qt.MouseButton.LeftButton)
    assert features.window.controller.settings.review_threshold == 0.95
    qtbot.waitUntil(lambda: sheet.page.analysis is not analysis and sheet.page.analysis is not None)
    assert sheet.page.analysis.in_use.at.threshold == 0.95
    # The report is written by a process of its own.
    target = tmp_path / "report.html"
    sheet.write_report(target)
    wait_idle(qtbot, features)
    assert "test split" in target.read_text(encoding="utf-8")
    sheet.start.set_folder(str(tmp_path / "nothing"))
    qtbot.mouseClick(sheet.start.start, Qt.MouseButton.LeftButton)
    wait_idle(qtbot, features)
    assert "no such file or folder" in sheet.start.news.text()
    sheet._ask_delete()
    question = sheet.findChild(Question)
    next(b for b in question.findChildren(QPushButton) if b.text() == "Delete").click()
    qtbot.waitUntil(lambda: not kept_evaluations(), timeout=10_000)


def test_measuring_can_be_cancelled(features: Features, qtbot: QtBot, shared_data: Path) -> None:
    sheet = opened(features)
    sheet.start.set_folder(str(shared_data / "images" / "test"))
    qtbot.mouseClick(sheet.start.start, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: sheet.start.bar.maximum() > 1, timeout=BUSY)
    qtbot.mouseClick(sheet.start.cancel, Qt.MouseButton.LeftButton)
    wait_idle(qtbot, features)
    assert "Stopped" in sheet.start.news.text()
    assert kept_evaluations() == []
    assert sheet.start.start.isVisible()


@pytest.mark.slow
def test_the_selection_is_fitted_used_and_given_up(
    features: Features, qtbot: QtBot, samples: Path, tmp_path: Path
) -> None:
    truth = {
        **TRUTH,
        "used toothbrush": "Black",
        "grocery store flyer": "Blue",
        "rose stem with leaves": "Green",
    }
    for number in range(5):
        for caption, bin_name in truth.items():
            (tmp_path / "many" / bin_name).mkdir(parents=True, exist_ok=True)
            shutil.copy(samples / f"{caption}.jpg", tmp_path / "many" / bin_name / f"{caption}_{number}.jpg")
    sheet = measured(qtbot, features, tmp_path / "many")
    qtbot.mouseClick(sheet.fit, Qt.MouseButton.LeftButton)
    wait_idle(qtbot, features)
    assert "Fitted on 45 items" in sheet.start.news.text()
    assert features.window.controller.settings.rule == "fitted"
    qtbot.waitUntil(
        lambda: sheet.page.analysis is not None and sheet.page.analysis.chosen == "fitted", timeout=10_000
    )
    qtbot.mouseClick(sheet.original, Qt.MouseButton.LeftButton)
    assert features.window.controller.settings.rule == "max_confidence"
    assert not sheet.original.isEnabled()


def test_too_few_items_to_fit_are_said(features: Features, qtbot: QtBot, test_folder: Path) -> None:
    sheet = measured(qtbot, features, test_folder)
    qtbot.mouseClick(sheet.fit, Qt.MouseButton.LeftButton)
    wait_idle(qtbot, features)
    assert "at least 40" in sheet.start.news.text()
    assert features.window.controller.settings.rule is None


@pytest.mark.slow
def test_corrections_are_measured_and_learned_from(features: Features, qtbot: QtBot, samples: Path) -> None:
    window = features.window
    captions = [f"{kind} carton" for kind in (
        "milk", "juice", "soy milk", "almond milk", "cream", "oat milk", "orange juice", "soup", "small milk",
        "empty milk", "flattened milk", "coconut milk",
    )]  # fmt: skip
    photos = sorted(samples.glob("*.jpg"))[: len(captions)]
    window.controller.add_items(
        [FoundPhoto(str(photo), caption) for photo, caption in zip(photos, captions, strict=True)]
    )
    wait_rows(qtbot, window, len(captions))
    answer(qtbot, window)  # the models said Blue
    window.controller.set_labels(list(range(len(captions))), 0)
    sheet = opened(features)
    qtbot.waitUntil(lambda: sheet.start.sessions.count() == 1, timeout=10_000)
    qtbot.mouseClick(sheet.start.start, Qt.MouseButton.LeftButton)
    wait_idle(qtbot, features)
    qtbot.waitUntil(lambda: sheet.page.analysis is not None, timeout=10_000)
    analysis = sheet.page.analysis
    assert analysis is not None
    assert analysis.shares[0].source == "corrected"
    held = np.array([item.held for item in analysis.scored.items])
    assert 0 < held.sum() < len(captions)
    qtbot.mouseClick(sheet.learn_text, Qt.MouseButton.LeftButton)
    wait_idle(qtbot, features)
    assert "starter-text learned" in sheet.start.news.text(), sheet.start.news.text()
    question = sheet.findChild(Question)
    next(button for button in question.findChildren(QPushButton) if button.text() == "Use it").click()
    learned = window.controller.settings.text_model
    assert learned is not None
    info = Library().find(learned).info
    assert info is not None
    assert info.metrics["corrections_cross_validation"]["items"] == int((~held).sum())


def test_the_sheet_follows_the_theme(features: Features, qtbot: QtBot) -> None:
    sheet = opened(features)
    features.preferences.change(theme="dark")
    assert sheet.theme.dark
    assert opened(features) is sheet


def test_what_is_set_aside_is_not_saved_as_a_training_set(
    features: Features, qtbot: QtBot, samples: Path, tmp_path: Path
) -> None:
    window = features.window
    photos = sorted(samples.glob("*.jpg"))[:3]
    window.controller.add_items(
        [FoundPhoto(str(photo), f"thing {letter}") for photo, letter in zip(photos, "abc", strict=True)]
    )
    wait_rows(qtbot, window, 3)
    answer(qtbot, window)
    window.controller.set_labels([0, 1, 2], 0)
    with Store(store_path()) as store:
        store.decide_station({"c:thing b": True})
    features.exports.write_training_set(np.array([0, 1, 2]), tmp_path)
    qtbot.waitUntil(lambda: "left out" in window.strip.notice.text(), timeout=10_000)
    saved = {path.stem.rpartition("_")[0] for path in tmp_path.rglob("*.jpg")}
    assert saved == {"thing a", "thing c"}


def test_two_kept_evaluations_are_compared(features: Features, qtbot: QtBot) -> None:
    for name, right, created in (("in May", 0.7, 1.78e9), ("in June", 0.9, 1.783e9)):
        save_evaluation(replace(scored_set(300, text=right, seed=1), name=name, created=created))
    sheet = opened(features)
    qtbot.waitUntil(lambda: sheet.page.analysis is not None, timeout=BUSY)
    assert sheet.chosen().name == "in June"  # type: ignore[union-attr]
    qtbot.mouseClick(sheet.compare, Qt.MouseButton.LeftButton)
    menu = sheet.findChild(QMenu)
    (entry,) = menu.actions()
    assert entry.text().startswith("in May, ")
    entry.trigger()
    menu.close()
    qtbot.waitUntil(lambda: sheet.findChild(PairSheet) is not None, timeout=BUSY)
    pair = sheet.findChild(PairSheet)
    assert pair.table.horizontalHeaderItem(1).text() == "in May"
    assert pair.table.item(1, 0).text() == "Text model"
    assert pair.table.item(1, 3).text().startswith("+")
    assert pair.table.item(1, 4).text().startswith("better, +")
    assert pair.remark.text() == "Both measured the same 300 items."


def test_the_pointer_finds_a_figures_values_in_its_table(features: Features, qtbot: QtBot) -> None:
    save_evaluation(scored_set(300))
    sheet = opened(features)
    qtbot.waitUntil(lambda: sheet.page.analysis is not None, timeout=BUSY)
    (card,) = [one for one in sheet.page.cards if one.figure.title.startswith("Text model: which")]
    hover(card.drawing, 90 + 84 * 1.5, 56 + 84 * 2.5)
    counts = sheet.page.analysis.contender("text").report.confusion  # type: ignore[union-attr]
    words = f"{counts[2, 1]} of {counts[2].sum()} answers for Green: Blue. Press to see them."
    assert card.drawing.toolTip() == words
    assert {index.row() for index in card.table.selectedIndexes()} == {2}
    hover(card.drawing, 4, 4)
    assert not card.table.selectedIndexes()
    assert card.drawing.toolTip() == ""
    hover(card.drawing, 90 + 84 * 3.5, 56 + 84 * 0.5)
    assert {index.row() for index in card.table.selectedIndexes()} == {0}
    QApplication.sendEvent(card.drawing, QEvent(QEvent.Type.Leave))
    assert not card.table.selectedIndexes()


def hover(drawing: Drawing, x: float, y: float) -> None:
    """Move the pointer to a place of the drawing. The offscreen screen gives moves to the window behind the sheet."""
    scale = drawing.width() / drawing._renderer.defaultSize().width()
    place = QPointF(x * scale, y * scale)
    move = QMouseEvent(
        QEvent.Type.MouseMove,
        place,
        drawing.mapToGlobal(place),
        Qt.MouseButton.NoButton,
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
    )
    QApplication.sendEvent(drawing, move)


def test_folders_by_other_names_count_when_the_box_is_ticked(
    features: Features, qtbot: QtBot, test_folder: Path
) -> None:
    (test_folder / "Green").rename(test_folder / "Compost")
    sheet = opened(features)
    sheet.start.set_folder(str(test_folder))
    sheet.start.usual.setChecked(True)
    qtbot.mouseClick(sheet.start.start, Qt.MouseButton.LeftButton)
    wait_idle(qtbot, features)
    qtbot.waitUntil(lambda: sheet.page.analysis is not None, timeout=10_000)
    analysis = sheet.page.analysis
    assert analysis is not None
    assert not any("Compost" in note for note in analysis.scored.notes)
    assert 2 in analysis.scored.labels

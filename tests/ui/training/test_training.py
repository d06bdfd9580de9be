"""The training's sheet with real processes: planned, run, stopped, killed and resumed, compared, used."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import leaks
import pytest
from features_kit import photo, stored_window
from processes import kill
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot
from training_kit import install_small, write_captions

from gcdesk.engine.modelfile.checkpoint import load_info
from gcdesk.ui.app.features import Features, install
from gcdesk.ui.theme.theme import Theme
from gcdesk.ui.training.sheet import TrainingSheet
from gcdesk.ui.training.sources_card import Chosen, gather
from gcdesk.ui.widgets.dialogs import Question
from trainer.text.runs import Run, find_runs, runs_folder

LONG = 120_000  # ms for a training on a busy machine


@pytest.fixture
def features(qtbot: QtBot, theme: Theme) -> Iterator[Features]:
    install_small()
    window = stored_window(qtbot, theme)
    made = install(window)
    yield made
    window.close_unasked()


def press(qtbot: QtBot, button: QPushButton) -> None:
    qtbot.waitUntil(lambda: button.isVisible() and button.isEnabled(), timeout=LONG)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def planned(qtbot: QtBot, features: Features, captions: Path, **fields: object) -> TrainingSheet:
    """The sheet with these captions and the small model as base, ready to start."""
    sheet = features.models.show_training()
    sheet.plan._measure_soon.setInterval(10_000_000)  # one process at a time is enough here
    sheet.add_source(captions)
    settings = sheet.plan.settings
    qtbot.waitUntil(lambda: settings.base.findText("small") >= 0)
    settings.base.setCurrentIndex(settings.base.findText("small"))
    for name, value in {"rate": 0.003, "batch": 8, **fields}.items():
        box = settings.epochs if name == "epochs" else settings._fields[name]
        box.setChecked(value) if isinstance(value, bool) else box.setValue(value)  # type: ignore[attr-defined]
    qtbot.waitUntil(lambda: sheet.plan.ready, timeout=20_000)
    return sheet


def wait_stage(qtbot: QtBot, features: Features, stage: str) -> None:
    training = features.models.training
    qtbot.waitUntil(lambda: training.stage == stage, timeout=LONG)


@pytest.mark.slow
def test_it_trains_compares_and_is_used(features: Features, qtbot: QtBot, tmp_path: Path) -> None:
    sheet = planned(qtbot, features, write_captions(tmp_path / "captions.csv"), epochs=2)
    assert not sheet.use.isVisible()
    sheet.plan.settings.name.setText("line 2")
    press(qtbot, sheet.start)
    training = features.models.training
    wait_stage(qtbot, features, "finished")
    assert training.progress is not None
    assert training.progress.total >= 60
    assert {name for point in training.points for name in point.values} == {"loss", "accuracy"}
    assert sheet.running.log.toPlainText().count("Epoch ") == 2
    comparison = training.comparison
    assert comparison is not None, training.why_not_compared
    assert comparison.first.name == "starter-text"
    assert comparison.second.name == "line 2"
    assert comparison.items == training.run.record.captions["test"]  # type: ignore[union-attr]
    assert sheet.ended.comparison.verdict.text() == comparison.verdict
    press(qtbot, sheet.use)
    qtbot.waitUntil(lambda: sheet.use.text() == "In use", timeout=LONG)
    window = features.window
    qtbot.waitUntil(lambda: window.controller.settings.text_model == "line 2")
    told = window.controller.client.asked
    qtbot.waitUntil(lambda: any(what[0] == "configure" and what[1].text_model == "line 2" for what in told))
    press(qtbot, sheet.again)
    qtbot.waitUntil(lambda: sheet.plan.runs.isVisible())


@pytest.mark.slow
def test_stopped_it_keeps_the_best_so_far(features: Features, qtbot: QtBot, tmp_path: Path) -> None:
    sheet = planned(qtbot, features, write_captions(tmp_path / "captions.csv"), epochs=50, patience=0)
    press(qtbot, sheet.start)
    training = features.models.training
    qtbot.waitUntil(lambda: training.best is not None, timeout=LONG)
    press(qtbot, sheet.stop)
    wait_stage(qtbot, features, "finished")
    assert training.stopped
    assert training.run is not None
    assert load_info(training.run.model).metrics["val"]["accuracy"] > 0
    assert "stopped early" in sheet.ended.problem.text()
    assert features.window.strip.notice.text().startswith("The text model is trained.")


def uninterrupted(run: Run, folder: Path) -> str:
    """The weights' hash of the same training in one go, as the command line does it."""
    folder.mkdir()
    words = [
        word.replace(str(run.folder), str(folder)) if word.endswith((".gcmodel", run.folder.name)) else word
        for word in run.arguments()
    ]
    base = words.index("--base") + 1
    words[base] = run.arguments()[base]
    subprocess.run(
        [sys.executable, "-m", "trainer", "text", *words], check=True, capture_output=True, timeout=200
    )
    return load_info(folder / run.model.name).weights_sha256


@pytest.mark.slow
def test_killed_in_an_epoch_it_resumes_to_the_same_weights(
    features: Features, qtbot: QtBot, tmp_path: Path
) -> None:
    sheet = planned(qtbot, features, write_captions(tmp_path / "captions.csv", words=8), epochs=8, patience=0)
    press(qtbot, sheet.start)
    training = features.models.training
    # Two epochs are told, so the first one's checkpoint stands; then into the middle of the third.
    qtbot.waitUntil(lambda: sum("accuracy" in p.values for p in training.points) == 2, timeout=LONG)
    qtbot.wait(50)
    kill(training.pid)
    wait_stage(qtbot, features, "failed")
    assert sheet.heading.text() == "The training has stopped"
    run = training.run
    assert run is not None
    assert run.begun
    assert not run.finished
    gone: list[bool] = []
    sheet.destroyed.connect(lambda: gone.append(True))
    sheet.close()
    qtbot.waitUntil(lambda: bool(gone))

    training.stage = ""  # as after a restart: the strip tells, the page lists what was cut short
    features.window.strip.clear_notice()
    features._start_over.setInterval(1)
    features.tell_cut_short()
    strip = features.window.strip
    qtbot.waitUntil(
        lambda: strip.notice.text().endswith("was cut short. It can go on where it was."), timeout=LONG
    )
    assert run.record.name in strip.notice.text()
    press(qtbot, strip.offer)
    again = features.models.show_training()
    assert again.isVisible()
    qtbot.waitUntil(lambda: again.plan.runs.isVisible(), timeout=10_000)
    assert [found.folder for found in find_runs()] == [run.folder]
    resume = next(b for b in again.plan.runs.findChildren(QPushButton) if b.text() == "Resume")
    press(qtbot, resume)
    wait_stage(qtbot, features, "finished")
    epochs = [line.split(":")[0] for line in training.lines if line.startswith("Epoch ")]
    assert epochs[-1] == "Epoch 8 of 8"
    assert "Epoch 1 of 8" not in epochs
    assert load_info(run.model).weights_sha256 == uninterrupted(run, tmp_path / "whole")


@pytest.mark.slow
def test_closing_the_window_asks_and_ends_the_process(
    features: Features, qtbot: QtBot, tmp_path: Path
) -> None:
    sheet = planned(qtbot, features, write_captions(tmp_path / "captions.csv"), epochs=50, patience=0)
    press(qtbot, sheet.start)
    training, window = features.models.training, features.window
    qtbot.waitUntil(lambda: bool(training.points), timeout=LONG)
    pid = training.pid
    assert not window.close()
    question = window.findChild(Question)
    press(qtbot, next(b for b in question.findChildren(QPushButton) if b.text() == "Go on training"))
    assert window.isVisible()
    assert training.busy
    window.close()
    question = next(q for q in window.findChildren(Question) if q.isVisible())
    press(qtbot, next(b for b in question.findChildren(QPushButton) if b.text() == "Close"))
    qtbot.waitUntil(lambda: not window.isVisible())
    qtbot.waitUntil(lambda: not leaks.is_alive(pid), timeout=5000)


def test_the_plan_says_what_the_captions_come_to(features: Features, qtbot: QtBot, tmp_path: Path) -> None:
    sheet = features.models.show_training()
    sheet.plan._measure_soon.setInterval(10_000_000)
    sources = sheet.plan.sources
    assert not sheet.start.isEnabled()
    sheet.add_source(tmp_path / "gone.csv")
    qtbot.waitUntil(lambda: "does not exist" in sources.news.text(), timeout=5000)
    sources.remove(0)
    table = write_captions(tmp_path / "captions.csv")
    with table.open("a", encoding="utf-8") as file:
        file.write("old hat,Blue\nold hat,TTR\n,Green\n")
    sheet.add_source(table)
    qtbot.waitUntil(lambda: sheet.plan.ready, timeout=10_000)
    assert sources.counts.item(0, 5).text() == f"{len(sheet.plan.prepared.train)}"  # type: ignore[union-attr]
    assert "1 row has no caption" in sources.facts.text()
    assert sources.conflicts.text() == "1 caption has several bins"
    sources.conflicts.setChecked(True)
    assert "old hat: Blue, TTR → left out" in sources.conflict_list.text()
    sheet.plan.settings.name.setText(" ")
    assert not sheet.start.isEnabled()


@pytest.mark.parametrize(("answer", "photos"), [("Count them", 4), ("Leave them out", 2)])
def test_folders_by_other_names_are_asked_about(
    features: Features, qtbot: QtBot, tmp_path: Path, answer: str, photos: int
) -> None:
    for name in ("Black/old sock.jpg", "Blue/glass jar.jpg", "Compost/peel.jpg", "Landfill/rag.jpg"):
        (tmp_path / "photos" / name).parent.mkdir(parents=True)
        (tmp_path / "photos" / name).touch()
    sheet = features.models.show_training()
    sources = sheet.plan.sources
    sheet.add_source(tmp_path / "photos")
    qtbot.waitUntil(lambda: bool(sheet.findChildren(Question)), timeout=5000)
    (question,) = sheet.findChildren(Question)
    assert not sources.chosen
    press(qtbot, next(b for b in question.findChildren(QPushButton) if b.text() == answer))
    (chosen,) = sources.chosen
    assert chosen.usual_names == (answer == "Count them")
    made = gather(sources.chosen, tmp_path)
    assert made.sources[0].captions == photos


def test_corrected_photos_are_a_source_and_the_station_set_never_teaches(
    features: Features, qtbot: QtBot, tmp_path: Path
) -> None:
    window = features.window
    words = [f"{'abcdefgh'[n % 8]}{'abcdefgh'[n // 8]} thing" for n in range(64)]
    for word in words:
        photo(tmp_path / f"{word}.jpg")
    sheet = features.models.show_training()
    sheet.plan._measure_soon.setInterval(10_000_000)
    sheet.add_corrections()
    news = sheet.plan.sources.news
    qtbot.waitUntil(lambda: "none to learn from yet" in news.text(), timeout=LONG)
    window.open_paths([str(tmp_path)])
    rows = window.controller.rows
    qtbot.waitUntil(lambda: len(rows) == 64, timeout=10_000)
    for path in rows.path:
        Path(path).unlink()  # alike as they are they would be one group: captions alone tell them apart
    window.controller.set_labels(list(range(64)), 3)
    window.controller.set_labels(list(range(0, 64, 2)), 1)
    sheet.plan.sources.add_source(Chosen("Today", None, (window.controller.session_id,)))
    sheet.plan.sources.remove(0)
    qtbot.waitUntil(lambda: sheet.plan.prepared is not None, timeout=LONG)
    made = sheet.plan.prepared
    assert made is not None
    assert len(made.sources) == 2  # what may be learned, and the station test set
    assert made.sources[0].captions + made.sources[1].captions == 64
    learned = {row.text for row in (*made.train, *made.val)}
    assert window.controller.ledger.store is not None  # type: ignore[attr-defined]
    fates = window.controller.ledger.store.station_fates([f"c:{word}" for word in words])  # type: ignore[attr-defined]
    held = {key[2:] for key, aside in fates.items() if aside}
    assert len(fates) == 64
    assert held
    assert not held & learned
    assert held <= {row.text for row in made.test}


def test_a_training_that_was_cut_short_is_told_at_the_start(features: Features, qtbot: QtBot) -> None:
    """A run with a checkpoint and no model; other news stays before it, and one of last month is not told."""
    folder = runs_folder() / "2026-11-23 1700"
    folder.mkdir(parents=True)
    record = {
        "name": "line 7",
        "base": "starter",
        "settings": {},
        "sources": [],
        "captions": {},
        "created": 1.8e9,
    }
    (folder / "run.json").write_text(json.dumps(record))
    (folder / "checkpoint.safetensors").write_bytes(b"as far as it came")
    strip, file_tasks = features.window.strip, features.file_tasks
    features._start_over.setInterval(1)
    for file in folder.iterdir():
        os.utime(file, (1.7e9, 1.7e9))
    features.tell_cut_short()
    qtbot.wait(100)
    file_tasks.run(lambda: None, lambda _none: None)  # what was asked before it has been answered
    qtbot.wait(300)
    assert not strip.notice.isVisible()
    for file in folder.iterdir():
        os.utime(file)
    features.window.say("Something else.", "Look", lambda: None)
    features.tell_cut_short()
    qtbot.waitUntil(lambda: features._start_over.isActive() and features._start_over.interval() > 1)
    assert strip.notice.text() == "Something else."
    strip.clear_notice()
    qtbot.waitUntil(lambda: "“line 7”" in strip.notice.text() and strip.notice.isVisible(), timeout=10_000)
    assert "was cut short" in strip.notice.text()
    press(qtbot, strip.offer)
    qtbot.waitUntil(lambda: features.models.show_training().plan.runs.isVisible())
    (resume,) = [
        b for b in features.models.show_training().plan.runs.findChildren(QPushButton) if b.text() == "Resume"
    ]
    assert resume.isEnabled()

"""The wizard and the page of cluster jobs: what is missing is said, nothing is lost, nothing blocks."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import leaks
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot
from tiny_photos import tiny_folder

from gcdesk.cluster.diagnosis import Diagnosis
from gcdesk.cluster.job_registry import JobRecord, job_record, job_records, save_record
from gcdesk.cluster.results.import_record import Arrival, Figure, write_arrival
from gcdesk.config.settings import load_settings
from gcdesk.ui.app.features import Features, install
from gcdesk.ui.cluster.jobs_dialog import JobsDialog
from gcdesk.ui.cluster.wizard import ClusterWizard
from gcdesk.ui.theme.theme import Theme
from gcdesk.ui.window.main_window import MainWindow


@pytest.fixture
def features(quiet_window: MainWindow) -> Iterator[Features]:
    """The quiet window with everything installed in it; its own fixture closes it."""
    return install(quiet_window)


def open_wizard(features: Features) -> ClusterWizard:
    features.window.actions_["talc_export"].trigger()
    (wizard,) = features.dialogs.open_now()
    assert isinstance(wizard, ClusterWizard)
    return wizard


def open_page(features: Features) -> JobsDialog:
    features.window.actions_["talc_jobs"].trigger()
    (page,) = features.dialogs.open_now()
    assert isinstance(page, JobsDialog)
    return page


def next_page(qtbot: QtBot, wizard: ClusterWizard) -> None:
    qtbot.mouseClick(wizard.next, Qt.MouseButton.LeftButton)


def test_a_course_goes_through_and_the_text_is_shown_before_it_is_saved(
    features: Features, qtbot: QtBot, tmp_path: Path
) -> None:
    wizard = open_wizard(features)
    assert wizard.photos.course.currentText() == "ENEL 645, fall 2024"
    next_page(qtbot, wizard)
    wizard.model.name.setText("line 2")
    next_page(qtbot, wizard)
    assert wizard.resources.hours.value() == 11
    wizard.resources.hours.setValue(30)
    next_page(qtbot, wizard)
    text = wizard.review.text.toPlainText()
    assert "#SBATCH --time=1-06:00:00\n" in text
    assert "#SBATCH --mem=16384M\n" in text
    assert wizard.job is not None
    assert wizard.job.run.startswith("line-2-")
    run = wizard.job.run
    target = tmp_path / "line 2"
    wizard.save(target)
    written = target.with_name("line 2.tar.gz")
    qtbot.waitUntil(lambda: written.is_file() and job_record(run) is not None, timeout=20_000)
    qtbot.waitUntil(lambda: "Its README.md says what to copy" in features.window.strip.notice.text())
    job = job_record(run)
    assert job is not None
    assert job.bundle == str(written)


def test_what_is_missing_is_said_and_the_page_stays(
    features: Features, qtbot: QtBot, samples: Path, tmp_path: Path
) -> None:
    wizard = open_wizard(features)
    wizard.photos.on_cluster.setChecked(True)
    next_page(qtbot, wizard)
    assert "Write where the photos" in wizard.news.text()
    for split in ("train", "val"):
        wizard.photos.paths[split].setText(f"photos/{split}")
    next_page(qtbot, wizard)
    assert "begin with a slash" in wizard.news.text()
    wizard.photos.packed_here.setChecked(True)
    next_page(qtbot, wizard)
    assert wizard.news.text() == "Choose the folder to pack."
    wizard.photos.folder.box.setText(str(tmp_path))
    next_page(qtbot, wizard)
    qtbot.waitUntil(lambda: "has no folder train" in wizard.news.text())
    assert wizard.page_index == 0
    qtbot.waitUntil(wizard.next.isEnabled)
    wizard.photos.folder.box.setText(str(tiny_folder(samples, tmp_path / "photos")))
    next_page(qtbot, wizard)
    qtbot.waitUntil(lambda: wizard.page_index == 1)
    wizard.model.name.setText("a/b")
    next_page(qtbot, wizard)
    next_page(qtbot, wizard)
    assert "cannot be a model's name" in wizard.news.text()
    assert wizard.page_index == 2
    qtbot.mouseClick(wizard.back, Qt.MouseButton.LeftButton)
    wizard.model.name.setText("fine")
    next_page(qtbot, wizard)
    wizard.resources.partition.setText("gpu; id")
    next_page(qtbot, wizard)
    assert "only letters, digits" in wizard.news.text()
    wizard.close()


def test_a_profile_from_a_file(features: Features, tmp_path: Path) -> None:
    wizard = open_wizard(features)
    file = tmp_path / "mine.toml"
    file.write_text('name = "Mine"\nlogin = "login.example.org"\npartition = "big"\nmemry = "1GB"\n')
    wizard.photos.add_profile(file)
    assert "unknown key 'memry'; there are name, login" in wizard.photos.news.text()
    file.write_text('name = "Mine"\nlogin = "login.example.org"\npartition = "big"\n')
    wizard.photos.add_profile(file)
    assert wizard.photos.site.currentText() == "Mine"
    assert wizard.resources.partition.text() == "big"
    assert not wizard.photos.of_course.isEnabled()
    wizard.close()


def test_a_sweep_becomes_an_array_and_nonsense_is_said(features: Features, qtbot: QtBot) -> None:
    wizard = open_wizard(features)
    next_page(qtbot, wizard)
    wizard.model.sweep.setText("lr=1e-4,5e-4 speed=1,2")
    next_page(qtbot, wizard)
    next_page(qtbot, wizard)
    assert "unknown setting 'speed'" in wizard.news.text()
    qtbot.mouseClick(wizard.back, Qt.MouseButton.LeftButton)
    wizard.model.sweep.setText("lr=1e-4,5e-4 seed=0,1,2")
    next_page(qtbot, wizard)
    next_page(qtbot, wizard)
    assert "#SBATCH --array=0-5%4\n" in wizard.review.text.toPlainText()
    wizard.close()


def test_the_page_shows_a_sweeps_ranking(features: Features, qtbot: QtBot) -> None:
    figures = (Figure("test", 0.8125, 64, None, 0),)
    arrival = Arrival("", "starter-image", "starter-image", figures, (), None, ())
    keep_result(
        "grid", arrival, JobRecord("grid", "x", state="done", imported=1.0, installed="starter-image")
    )
    folder = job_records()[0].folder / "result"
    (folder / "tasks").mkdir()
    words = (["rate=1e-4"], ["rate=5e-4"])
    for task in range(2):
        (folder / "tasks" / f"task-{task}.jsonl").write_text('{"type": "epoch", "epoch": 1, "val": 0.5}\n')
    groups = [{"words": w, "mean": 0.9 - n / 10, "half": 0.01, "tasks": [n]} for n, w in enumerate(words)]
    tasks = [{"task": n, "val": 0.5} for n in range(2)]
    (folder / "sweep.json").write_text(json.dumps({"groups": groups, "tasks": tasks}))
    page = open_page(features)
    qtbot.waitUntil(lambda: page.table.rowCount() == 1)
    shown = [label.text() for label in page.pane.findChildren(QLabel)]
    assert "1. rate=1e-4" in shown
    assert "90.0% ± 1.0%" in shown
    assert "81.2% of 64" in shown
    assert "rate=5e-4 from 0.50" in page.pane.curves.accessibleName()
    page.close()


def keep_result(run: str, arrival: Arrival, job: JobRecord) -> None:
    kept = save_record(job)
    (kept.folder / "result").mkdir()
    lines = [{"type": "epoch", "epoch": n, "loss": 1 / n, "val": n / 9, "best": True} for n in (1, 2, 3)]
    (kept.folder / "result" / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    write_arrival(kept.folder, replace(arrival, run=run))


def test_the_page_shows_figures_curves_and_the_proof_of_a_failure(
    features: Features, qtbot: QtBot, starter_image: Path
) -> None:
    figures = (Figure("test", 0.81, 100, 0.94, 663), Figure("other", 0.5, 10, None, 0))
    fine = Arrival(
        "", "starter-image", "starter-image", figures, (), None, ("Made by gcdesk 7; this is 0.1.0.",)
    )
    keep_result(
        "fine", fine, JobRecord("fine", "x", "TALC", state="done", imported=3.0, installed="starter-image")
    )
    failed = Arrival("", "", "", (), (), Diagnosis("memory", "It ran out of memory.", ("oom_kill",)), ())
    keep_result("bad", failed, JobRecord("bad", "x", "TALC", state="failed", message="…", imported=2.0))
    save_record(JobRecord("out", "x", "TALC", bundle="/somewhere/out.tar.gz", exported=1.0))
    page = open_page(features)
    qtbot.waitUntil(lambda: page.table.rowCount() == 3)
    assert [page.table.item(row, 2).text() for row in range(3)] == ["came back", "failed", "exported"]
    assert "starter-image is installed" in page.pane.words.text()
    assert "loss from 1.00" in page.pane.curves.accessibleName()
    assert page.pane.notes.text() == "Made by gcdesk 7; this is 0.1.0."
    assert page.use.isEnabled()
    page.table.selectRow(1)
    assert page.pane.words.text() == "It ran out of memory."
    assert page.pane.proof.toPlainText() == "oom_kill"
    assert not page.use.isEnabled()
    page.table.selectRow(2)
    assert "/somewhere/out.tar.gz" in page.pane.words.text()
    assert not page.pane.proof.isVisible()
    for look in ("dark", "light"):
        page.set_theme(Theme(look, 1.5))
        assert not page.grab().isNull()
    qtbot.mouseClick(page.remove, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: page.table.rowCount() == 2)
    assert [job.run for job in job_records()] == ["fine", "bad"]
    page.close()


@pytest.fixture
def squeue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """A Slurm client of our own: real ones wait 9 s for a controller that is not there."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")

    def write(script: str) -> None:
        program = tmp_path / "bin" / "squeue"
        program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        program.chmod(0o755)

    return write


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script")
def test_the_page_waits_for_no_queue(
    features: Features, qtbot: QtBot, tmp_path: Path, squeue: Callable[[str], None]
) -> None:
    squeue(f"echo $$ > {tmp_path / 'pid'}; exec sleep 600")
    save_record(JobRecord("out", "x", "TALC", bundle="/somewhere/out.tar.gz", exported=1.0))
    page = open_page(features)
    qtbot.waitUntil(lambda: page.table.rowCount() == 1)
    qtbot.waitUntil(lambda: (tmp_path / "pid").is_file() and bool((tmp_path / "pid").read_text()))
    page.close()
    pid = int((tmp_path / "pid").read_text())
    qtbot.waitUntil(lambda: not leaks.is_alive(pid))


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script")
def test_the_page_counts_what_the_queue_holds(
    features: Features, qtbot: QtBot, squeue: Callable[[str], None]
) -> None:
    lines = ["gcdesk-out|12|RUNNING|1:05", "gcdesk-out|12|RUNNING|0:07", "merge-out|13|PENDING|0:00"]
    squeue(
        "\n".join(
            f"echo '{line}'" for line in [*lines, "gcdesk-single|14|RUNNING|1:05", "other|15|RUNNING|1"]
        )
    )
    for run, model in (("out", ""), ("single", "x"), ("gone", "x")):
        save_record(JobRecord(run, model, "TALC", bundle=f"/somewhere/{run}.tar.gz", exported=1.0))
    page = open_page(features)
    qtbot.waitUntil(lambda: page.table.rowCount() == 3)

    def states() -> dict[str, str]:
        return {page.table.item(row, 0).text(): page.table.item(row, 2).text() for row in range(3)}

    qtbot.waitUntil(lambda: states()["single"] == "running 1:05 (job 14)")
    assert states()["out"] == "2 running, 1 pending (jobs 12, 13)"
    assert states()["gone"] == "exported"
    page.close()


def test_a_dropped_archive_that_is_no_result_is_refused_in_a_line(
    features: Features, qtbot: QtBot, tmp_path: Path
) -> None:
    file = tmp_path / "holiday.tar.gz"
    file.write_bytes(b"no archive")
    features.window.open_paths([str(file)])
    qtbot.waitUntil(lambda: "damaged or no .tar.gz" in features.window.strip.notice.text(), timeout=60_000)
    assert len(features.window.controller.rows) == 0
    assert load_settings().image_model is None

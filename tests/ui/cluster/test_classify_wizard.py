"""The wizard's other kind of job: a large folder on the cluster, the same bundle as from the command line."""

from __future__ import annotations

import json
import re
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from gcdesk.cli.main import main
from gcdesk.cluster.classify_bundle import ClassifyJob
from gcdesk.cluster.job_registry import record_rows
from gcdesk.ui.app.features import Features, install
from gcdesk.ui.cluster.jobs_dialog import JobsDialog
from gcdesk.ui.cluster.wizard import ClusterWizard
from gcdesk.ui.window.main_window import MainWindow

FOLDER = "/work/photos of the line"


@pytest.fixture
def features(quiet_window: MainWindow) -> Iterator[Features]:
    return install(quiet_window)


def open_wizard(features: Features, qtbot: QtBot) -> ClusterWizard:
    features.window.actions_["talc_classify"].trigger()
    (wizard,) = features.dialogs.open_now()
    assert isinstance(wizard, ClusterWizard)
    qtbot.waitUntil(lambda: wizard.classify.in_use is not None)
    return wizard


def contents(archive: Path) -> dict[str, bytes]:
    """The files of a bundle below its own folder; the manifest without the day it was made."""
    with tarfile.open(archive) as opened:
        files = {
            item.name.partition("/")[2]: opened.extractfile(item).read()  # type: ignore[union-attr]
            for item in opened.getmembers()
        }
    manifest = json.loads(files.pop("manifest.json"))
    files["manifest.json"] = json.dumps({**manifest, "made": ""}).encode()
    return files


def check_the_page(features: Features, qtbot: QtBot, job: ClassifyJob, written: Path) -> None:
    """The page of cluster jobs shows the folder as exported, then as come back."""
    features.window.actions_["talc_jobs"].trigger()
    (page,) = [one for one in features.dialogs.open_now() if isinstance(one, JobsDialog)]
    qtbot.waitUntil(lambda: page.table.rowCount() == 1)
    cells = [page.table.item(0, column).text() for column in range(3)]
    assert cells == [job.config.run, job.site.name, "exported"]
    assert str(written) in page.pane.words.text()
    record_rows(job.config.run, "9 photos are in the session.")
    page.refresh(job.config.run)
    qtbot.waitUntil(lambda: page.table.item(0, 2).text() == "came back")
    assert page.pane.words.text() == "9 photos are in the session."
    assert not page.use.isEnabled()
    page.close()


def test_a_folder_goes_through_the_wizard_to_the_bundle_of_the_command_line(
    features: Features, qtbot: QtBot, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wizard = open_wizard(features, qtbot)
    assert wizard.photos.purpose.currentText() == "Classify a large folder"
    assert wizard.photos.large.isVisible()
    assert not wizard.photos.course.isVisible()
    qtbot.mouseClick(wizard.next, Qt.MouseButton.LeftButton)
    assert "it begins with a slash" in wizard.news.text()
    qtbot.keyClicks(wizard.photos.large, FOLDER)
    qtbot.mouseClick(wizard.next, Qt.MouseButton.LeftButton)
    assert wizard.page_index == 1
    assert "starter-image and starter-text" in wizard.classify.models.text()
    wizard.classify.name.setText("old photos")
    for box, value in (
        (wizard.classify.tasks, 64),
        (wizard.classify.at_once, 16),
        (wizard.classify.shard_size, 500),
    ):
        box.setValue(value)
    wizard.classify.table.setCurrentText("CSV and Parquet")
    qtbot.mouseClick(wizard.next, Qt.MouseButton.LeftButton)
    assert wizard.page_index == 2
    assert wizard.resources.gpus.text() == "none"
    assert not wizard.resources.allow_cpu.isVisible()
    wizard.resources.cpus.setValue(8)
    wizard.resources.hours.setValue(6)
    qtbot.mouseClick(wizard.next, Qt.MouseButton.LeftButton)
    assert wizard.page_index == 3, wizard.news.text()
    job = wizard.job
    assert isinstance(job, ClassifyJob)
    assert re.fullmatch(r"old-photos-\d{8}-\d{6}", job.config.run)
    text = wizard.review.text.toPlainText()
    assert "#SBATCH --cpus-per-task=8\n" in text
    assert "--gres" not in text
    assert f"{FOLDER} in 64 tasks" in wizard.review.said.text()
    wizard.save(tmp_path / "mine")
    written = tmp_path / "mine.tar.gz"
    qtbot.waitUntil(written.is_file, timeout=20_000)
    qtbot.waitUntil(lambda: "Its README.md says what to copy" in features.window.strip.notice.text())

    check_the_page(features, qtbot, job, written)

    words = ["--run", job.config.run, "--tasks", "64", "--at-once", "16", "--shard-size", "500"]
    words += ["--format", "parquet", "--cpus", "8", "--memory", "16GB", "--time", "0-06:00:00"]
    assert main(["talc", "export", "--classify", FOLDER, *words, "--out", str(tmp_path / "cli.tar.gz")]) == 0
    mine, other = contents(written), contents(tmp_path / "cli.tar.gz")
    assert mine.keys() == other.keys()
    assert [name for name in mine if mine[name] != other[name]] == []
    assert b"\npyarrow==" in mine["src/requirements.lock"]
    capsys.readouterr()
    assert main(["talc", "jobs"]) == 0
    assert re.search(rf"{job.config.run} +exported .*cli.tar.gz", capsys.readouterr().out)
    assert main(["talc", "export", "--classify", FOLDER, *words, "--show"]) == 0
    assert capsys.readouterr().out.endswith(text)


def test_back_to_a_training_and_what_is_wrong_is_said(features: Features, qtbot: QtBot) -> None:
    wizard = open_wizard(features, qtbot)
    wizard.photos.large.setText("/photos")
    qtbot.mouseClick(wizard.next, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(wizard.next, Qt.MouseButton.LeftButton)
    wizard.resources.partition.setText("gpu; id")
    qtbot.mouseClick(wizard.next, Qt.MouseButton.LeftButton)
    assert "only letters, digits" in wizard.news.text()
    for _ in range(2):
        qtbot.mouseClick(wizard.back, Qt.MouseButton.LeftButton)
    assert wizard.page_index == 0
    wizard.photos.purpose.setCurrentText("Train the image model")
    assert wizard.photos.course.isVisible()
    qtbot.mouseClick(wizard.next, Qt.MouseButton.LeftButton)
    assert wizard.heading.text() == "How is it trained?"
    assert wizard.resources.gpus.value() == 1
    assert wizard.resources.partition.text() == "gpu"
    wizard.close()

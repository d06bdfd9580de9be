"""The whole way, nothing played: wizard, real Slurm, a signal in mid-epoch, the result dropped, a photo classified."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from drag_kit import drag
from PySide6.QtCore import QMimeData, Qt, QUrl
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from talc_kit import (
    assert_same_run,
    call,
    log,
    result_of,
    status,
    submit,
    wait_gone,
    wait_step,
)

from gcdesk.cluster.job_registry import queue_states
from gcdesk.config.settings import Settings
from gcdesk.store import Status
from gcdesk.ui.app.composition import make_controller
from gcdesk.ui.app.features import Features, install
from gcdesk.ui.cluster.jobs_dialog import JobsDialog
from gcdesk.ui.cluster.wizard import ClusterWizard
from gcdesk.ui.theme.theme import Theme
from gcdesk.ui.window.main_window import MainWindow

START = 60_000
PROFILE = f"""
name = "The cluster next door"
login = "login.example.org"
partition = "gpu"
cpus = 1
memory = "3GB"
time = "0-01:00:00"
[environment]
kind = "python"
path = "{sys.executable}"
"""


@pytest.fixture
def features(qtbot: QtBot, theme: Theme, starter_image: Path, starter_text: Path) -> Iterator[Features]:
    window = MainWindow(make_controller(Settings(threads=1, confirm_one_in=0)), theme)
    made = install(window)
    qtbot.addWidget(window)
    window.show()
    window.controller.start()
    qtbot.waitUntil(lambda: window.controller.session_id > 0, timeout=START)
    yield made
    window.close()


def export(qtbot: QtBot, features: Features, photos: Path, target: Path) -> str:
    """Go through the wizard as a supervisor does; returns the run's name."""
    features.window.actions_["talc_export"].trigger()
    (wizard,) = features.dialogs.open_now()
    assert isinstance(wizard, ClusterWizard)
    (target.parent / "profile.toml").write_text(PROFILE)
    wizard.photos.add_profile(target.parent / "profile.toml")
    wizard.photos.folder.box.setText(str(photos))
    qtbot.mouseClick(wizard.next, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: wizard.page_index == 1)
    assert "56 photos (train 32, val 12, test 12)" in wizard.news.text()
    qtbot.waitUntil(lambda: wizard.model.base.findText("starter-image") > 0)
    wizard.model.base.setCurrentText("starter-image")
    wizard.model.name.setText("line2")
    for box, value in (
        (wizard.model.epochs, 3),
        (wizard.model.unfreeze, 2),
        (wizard.model.batch, 4),
        (wizard.model.side, 64),
    ):
        box.setValue(value)
    qtbot.mouseClick(wizard.next, Qt.MouseButton.LeftButton)
    wizard.resources.allow_cpu.setChecked(True)
    qtbot.mouseClick(wizard.next, Qt.MouseButton.LeftButton)
    assert wizard.page_index == 3, wizard.news.text()
    assert "#SBATCH --signal=B:USR2@120" in wizard.review.text.toPlainText()
    assert wizard.job is not None
    run = wizard.job.run
    wizard.save(target)
    qtbot.waitUntil(target.is_file, timeout=20_000)
    qtbot.waitUntil(lambda: "is written" in features.window.strip.notice.text())
    return run


@pytest.mark.slow
def test_a_wizards_job_survives_a_signal_and_its_model_classifies_a_photo(
    features: Features, qtbot: QtBot, whole_run: Path, photo_set: Path, samples: Path, tmp_path: Path
) -> None:
    run = export(qtbot, features, photo_set, tmp_path / "my job.tar.gz")
    subprocess.run(["tar", "xzf", "my job.tar.gz"], cwd=tmp_path, check=True)
    bundle = tmp_path / f"gcdesk-{run}"
    job = submit(bundle)
    wait_step(bundle, 2, 3)
    assert "running" in queue_states([run, "another"])[run]
    subprocess.run(["scancel", "--batch", "--signal=USR2", job], check=True)
    wait_gone(job)
    told = log(bundle)
    assert "Asked to stop" in told
    assert "Back in the queue" in told or "DUE TO JOB REQUEUE" in told
    assert "of epoch 2" in told.split(f"Job {job}, start 2")[1]
    assert (status(bundle)["state"], status(bundle)["restarts"]) == ("done", 1)
    assert_same_run(whole_run, bundle)
    again = call(bundle, "submit.sh")
    assert again.returncode == 3
    assert f"handed in before, as job {job}" in again.stderr

    window = features.window
    result = shutil.copyfile(result_of(bundle), tmp_path / "result.tar.gz")
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(result))])
    assert drag(window, mime)
    qtbot.waitUntil(lambda: "line2 came back" in window.strip.notice.text(), timeout=START)
    (page,) = (dialog for dialog in features.dialogs.open_now() if isinstance(dialog, JobsDialog))
    qtbot.waitUntil(lambda: page.use.isEnabled(), timeout=10_000)
    assert "line2 is installed" in page.pane.words.text()
    assert page.pane.curves.isVisible()
    qtbot.mouseClick(page.use, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "line2" in window.strip.models.text(), timeout=START)
    window.open_paths([str(samples / "orange peel.jpg")])
    rows = window.controller.rows
    qtbot.waitUntil(lambda: len(rows) == 1 and bool((rows.status >= Status.DONE).all()), timeout=START)
    assert rows.status[0] == Status.DONE
    assert rows.image[0].sum() == pytest.approx(1.0, abs=1e-3)
    page.close()
    QApplication.processEvents()

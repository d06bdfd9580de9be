"""A window that dies inside a library leaves a report, and the next window says so."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gcdesk.config.crash_reports import reports
from gcdesk.ui.app.crash_trace import CrashTrace

ROOT = Path(__file__).resolve().parents[3]
START = """
import faulthandler, sys
sys.path.insert(0, {here!r})
from window_kit import QuietWorker
from PySide6.QtCore import QTimer
from gcdesk.ui.app.app import run
from gcdesk.ui.session.controller import Controller
from gcdesk.ui.session.store_ledger import StoreLedger

def look(window):
    def act():
        print(window.strip.notice.text(), flush=True)
        faulthandler._sigsegv() if {dies} else window.close()
    QTimer.singleShot(200, act)

sys.exit(run((), lambda settings: Controller(StoreLedger(None), QuietWorker(), settings), look))
"""


def start(dies: bool) -> subprocess.CompletedProcess[str]:
    code = START.format(here=str(Path(__file__).parents[1]), dies=dies)
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=200, check=False
    )


@pytest.mark.skipif(sys.platform == "win32", reason="ends by a signal")
@pytest.mark.posix("a crash there is no signal")
def test_a_crash_is_reported_and_told_once(gcdesk_home: Path) -> None:
    assert start(dies=True).returncode == -signal.SIGSEGV
    assert reports() == []
    assert "ended unexpectedly" in start(dies=False).stdout
    (report,) = reports()
    assert "Segmentation fault" in report.read_text()
    assert "in act" in report.read_text()
    assert "ended unexpectedly" not in start(dies=False).stdout
    assert list((gcdesk_home / "log").glob("*.trace")) == []


@pytest.mark.not_under_wine("Python asks for its parent by a function that Wine lacks")
def test_a_window_that_is_open_is_left_alone(gcdesk_home: Path) -> None:
    log = gcdesk_home / "log"
    log.mkdir()
    living = log / f"running-{os.getppid()}.trace"
    living.write_text("so far nothing")
    code = "from gcdesk.ui.app.crash_trace import CrashTrace; gasp = CrashTrace(); print(gasp.earlier); gasp.close()"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "None"
    assert living.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_a_log_folder_that_cannot_be_made(gcdesk_home: Path) -> None:
    (gcdesk_home / "log").write_text("a file where the folder should be")
    gasp = CrashTrace()
    assert gasp.earlier is None
    gasp.close()

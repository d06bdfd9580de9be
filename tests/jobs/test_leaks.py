"""The watch over what tests leave behind sees threads, processes, timers and windows."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator

import leaks
import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QLabel


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(leaks, "PATIENCE", 0.1)
    return


def test_a_thread_is_seen() -> None:
    end = threading.Event()
    thread = threading.Thread(target=end.wait, name="forgotten")
    with (
        pytest.raises(AssertionError, match=r"the thread forgotten \(begun in .*test_leaks.py:\d+\)"),
        leaks.watch(),
    ):
        thread.start()
    end.set()
    thread.join()


def test_a_child_process_is_seen() -> None:
    with (
        pytest.raises(AssertionError, match=r"the process \d+ .*sleep\(60\) \(begun in .*test_leaks.py"),
        leaks.watch(),
    ):
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    child.kill()
    child.wait()


def test_a_running_timer_is_seen(qapp: QApplication) -> None:
    timer = QTimer(interval=1000)
    with pytest.raises(AssertionError, match="a timer of 1000 ms"), leaks.watch(qt=True):
        timer.start()
    timer.stop()


def test_a_window_is_seen(qapp: QApplication) -> None:
    window = QLabel("forgotten")
    with pytest.raises(AssertionError, match="the window"), leaks.watch(qt=True):
        window.show()
    window.close()


def test_what_was_there_before_and_what_ended_do_not_count(qapp: QApplication) -> None:
    end = threading.Event()
    old = threading.Thread(target=end.wait)
    old.start()
    with leaks.watch(qt=True):
        thread = threading.Thread(target=lambda: None)
        thread.start()
        timer = QTimer(interval=1000)
        timer.start()
        timer.stop()
        subprocess.run([sys.executable, "-c", ""], check=True)
    assert old.is_alive()  # and yet it was no reason to complain
    end.set()
    old.join()

"""The command as a whole: help, exit codes, one line instead of a traceback."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gcdesk.cli.main import VERBS
from gcdesk.cli.window import NO_DISPLAY


def gcdesk(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gcdesk", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
        env={**os.environ, **more},
    )


def test_help_is_there_at_once_and_names_every_verb() -> None:
    before = _seconds_of_children()
    shown = gcdesk("--help")
    assert _seconds_of_children() - before < 0.5  # of the processor: other programs' work is not ours
    assert shown.returncode == 0
    assert all(verb in shown.stdout for verb in VERBS)


def _seconds_of_children() -> float:
    spent = os.times()
    return spent.children_user + spent.children_system


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from gcdesk.cli.main import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "print([m for m in ('numpy', 'onnxruntime', 'torch', 'PIL', 'PySide6') if m in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown.splitlines()[-1] == "[]"


@pytest.mark.posix("Windows always has a display")
def test_without_a_display_it_says_so_and_classifies_the_samples(samples: Path) -> None:
    shown = gcdesk(DISPLAY="", WAYLAND_DISPLAY="", QT_QPA_PLATFORM="")
    assert shown.returncode == 0, shown.stderr
    assert NO_DISPLAY in shown.stderr
    for photo in samples.glob("*.jpg"):
        assert photo.stem in shown.stdout


@pytest.mark.posix("Windows sends a process no such signal")
def test_with_one_it_opens_the_window_once_and_ends_politely(samples: Path) -> None:
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    first = subprocess.Popen(
        [sys.executable, "-m", "gcdesk"], env=environment, stderr=subprocess.PIPE, text=True
    )
    try:
        database = Path(environment["GCDESK_HOME"]) / "data"
        deadline = time.monotonic() + 60
        while not any(database.glob("*")) and time.monotonic() < deadline:
            time.sleep(0.1)
        second = gcdesk(str(samples))
        assert second.returncode == 0, second.stderr
        assert first.poll() is None, "the window that was open stays"
        first.send_signal(signal.SIGTERM)
        _, errors = first.communicate(timeout=200)
        assert first.returncode == 0, errors
    finally:
        first.kill()
        first.communicate()


def test_an_unknown_verb_is_refused() -> None:
    shown = gcdesk("juggle")
    assert shown.returncode == 2
    assert "juggle" in shown.stderr
    assert "Traceback" not in shown.stderr


@pytest.mark.parametrize("verb", [v for v in VERBS if v != "train"])
def test_each_verb_explains_itself(verb: str) -> None:
    shown = gcdesk(verb, "--help")
    assert shown.returncode == 0, shown.stderr
    assert f"gcdesk {verb}" in shown.stdout


def test_errors_are_one_line(tmp_path: Path, samples: Path) -> None:
    shown = gcdesk("classify", str(samples), "--image-model", "nonesuch", GCDESK_HOME=str(tmp_path))
    assert shown.returncode == 2
    assert len(shown.stderr.splitlines()) == 1
    assert "nonesuch" in shown.stderr
    assert shown.stdout == ""


@pytest.mark.posix("no such command there")
def test_a_reader_that_has_enough_is_no_error(samples: Path) -> None:
    command = f"{sys.executable} -m gcdesk classify '{samples}' --quiet | head -1"
    shown = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)  # noqa: S602
    assert "photo" in shown.stdout
    assert "Traceback" not in shown.stderr

"""A child that speaks in lines: read as it comes, asked to stop, and ended with all that it started."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import leaks
import pytest
from client_kit import turn_until
from processes import CRASH

from gcdesk.config.folders import user_folders
from gcdesk.config.settings import Settings
from gcdesk.jobs import line_process as process_module
from gcdesk.jobs.commands import own_command, own_environment, worker_command
from gcdesk.jobs.configuration import configuration_of
from gcdesk.jobs.line_process import LineProcess

Run = Callable[..., "Running"]


class Running:
    """A child that runs this Python code, and what it says."""

    def __init__(self, code: str, max_line: int = 10_000, shutdown_message: bytes = b"") -> None:
        self.process = LineProcess((sys.executable, "-c", code), max_line, shutdown_message)
        self.lines: list[bytes] = []
        self.ends: list[str] = []
        self.process.line.connect(self.lines.append)
        self.process.ended.connect(self.ends.append)
        self.process.start()

    def wait(self) -> str:
        turn_until(lambda: bool(self.ends))
        return self.ends[0]


@pytest.fixture
def run(qapp: object) -> Iterator[Run]:
    made: list[Running] = []

    def start(*args: object, **values: object) -> Running:
        made.append(Running(*args, **values))  # type: ignore[arg-type]
        return made[-1]

    yield start
    for one in made:
        one.process.close(500)
        one.process.deleteLater()


def test_lines_come_whole_and_the_last_ones_too(run: Run) -> None:
    child = run("import os\nos.write(1, b'one\\ntw')\nos.write(1, b'o\\nthree\\nhalf')")
    assert child.wait() == "it ended by itself with code 0"
    assert child.lines == [b"one", b"two", b"three"]
    assert not child.process.running
    assert child.process.pid == 0


def test_an_endless_line_ends_the_child(run: Run) -> None:
    child = run("while True: print('x' * 10000, end='')")
    assert "line of more than 10000 bytes" in child.wait()


def test_what_it_says_on_standard_error_goes_to_the_log(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    child = run("import sys\nsys.exit('something is missing')")
    assert child.wait() == "it ended by itself with code 1"
    assert child.process.stderr_tail == "something is missing"
    assert "something is missing" in caplog.text


def test_a_crash_is_told_from_an_end(run: Run) -> None:
    crash = (
        f"import os, signal\nos.kill(os.getpid(), {CRASH if sys.platform == 'win32' else 'signal.SIGSEGV'})"
    )
    assert "crashed" in run(crash).wait()


def test_a_polite_child_hears_the_farewell_and_goes(run: Run) -> None:
    child = run(
        "import os, sys\nfor line in sys.stdin: os.write(1, b'heard ' + line.encode())",
        shutdown_message=b"bye\n",
    )
    child.process.stop()
    child.process.stop()
    assert child.wait() == ""
    assert child.lines == [b"heard bye"]


def test_a_deaf_child_is_ended_with_its_children(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_module, "PATIENCE_MS", 300)
    child = run(
        "import subprocess, sys, time\n"
        "grandchild = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(300)'])\n"
        "print(grandchild.pid, flush=True)\n"
        "time.sleep(300)"
    )
    turn_until(lambda: bool(child.lines))
    grandchild = int(child.lines[0])
    child.process.stop()
    assert child.wait() == ""
    turn_until(lambda: not leaks.is_alive(grandchild), 30)


@pytest.mark.posix("Windows has no sessions of processes")
def test_it_is_out_of_reach_of_ctrl_c_in_the_terminal(run: Run) -> None:
    child = run("import os\nprint(os.getsid(0) == os.getpid())")
    child.wait()
    assert child.lines == [b"True"]


def test_a_child_that_does_not_read_holds_up_nobody(run: Run) -> None:
    child = run("import time; time.sleep(300)")
    started = time.monotonic()
    for _ in range(100):
        child.process.write(b"x" * 100_000 + b"\n")
    child.process.close(200)
    assert time.monotonic() - started < 60  # it sleeps for 300
    assert child.ends == []


def test_the_worker_is_this_gcdesk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert worker_command() == (sys.executable, "-P", "-m", "gcdesk.worker")
    assert own_command("train", "text") == (sys.executable, "-P", "-m", "gcdesk", "train", "text")
    assert own_environment()["PYTHONPATH"].startswith(str(Path(__file__).resolve().parents[2]))
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "gcdesk.exe"))
    assert worker_command() == (str(tmp_path / "gcdesk.exe"), "worker", "serve")
    (tmp_path / "gcdesk-console.exe").touch()
    assert worker_command() == (str(tmp_path / "gcdesk-console.exe"), "worker", "serve")
    assert own_environment() == {}


def test_settings_become_what_the_worker_is_told() -> None:
    told = configuration_of(Settings(rule="mean", text_weight=0.7, threads=1, image_model="line2"))
    assert (told.rule, told.weight, told.threads, told.image_model) == ("mean", 0.7, 1, "line2")
    assert told.pictures_folder == str(user_folders().cache / "pictures")

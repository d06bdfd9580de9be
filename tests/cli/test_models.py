"""`gcdesk models` and `gcdesk doctor`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from leaks import child_processes, is_alive
from processes import kill

from gcdesk.cli.main import main
from gcdesk.worker.process.sandbox import landlock_version

Captured = pytest.CaptureFixture[str]


def test_list_import_use_export_remove(starter_text: Path, tmp_path: Path, capsys: Captured) -> None:
    assert main(["models", "import", str(starter_text), "--name", "mine", "--use"]) == 0
    assert "mine is the text model in use" in capsys.readouterr().out
    assert main(["models", "list"]) == 0
    lines = {line[2:].split()[0]: line for line in _rows(capsys)}
    assert lines["mine"].startswith("*")
    assert not lines["starter-text"].startswith("*")
    assert main(["models", "export", "mine", str(tmp_path / "out.zip")]) == 0
    assert (tmp_path / "out.zip").stat().st_size > 1_000_000
    assert main(["models", "remove", "mine"]) == 0
    assert "starter model is used again" in capsys.readouterr().out
    assert main(["models", "remove", "mine"]) == 2


def _rows(capsys: Captured) -> list[str]:
    return capsys.readouterr().out.splitlines()[1:]


def test_a_course_checkpoint_goes_out_and_comes_back(
    starter_image: Path, samples: Path, tmp_path: Path, capsys: Captured
) -> None:
    course = tmp_path / "best_image_model.pth"
    assert main(["models", "export", "starter-image", str(course)]) == 0
    assert main(["models", "import", str(course), "--name", "course", "--use"]) == 0
    assert "image model" in capsys.readouterr().err
    photo = str(samples / "orange peel.jpg")
    assert main(["classify", photo, "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["image_label"]


def test_a_class_order_must_name_every_bin(tmp_path: Path, capsys: Captured) -> None:
    path = tmp_path / "x.pth"
    path.write_bytes(b"x")
    for order in ("Black,Blue", "Black,Blue,Green,Green", "Red,Blue,Green,TTR"):
        assert main(["models", "import", str(path), "--class-order", order]) == 2
        assert "Traceback" not in capsys.readouterr().err


def is_confined(reader: int, thread: Path) -> bool:
    """By the kernel's own account: no dump of its memory, a limit that nobody raises again, and the thread's fence."""
    limits = Path(f"/proc/{reader}/limits").read_text().splitlines()
    core = next(line for line in limits if line.startswith("Max core file size"))
    fenced = "NoNewPrivs:\t1" in thread.read_text() or not landlock_version()
    return core.split()[5] == "0" and fenced


def importing(source: Path, name: str) -> tuple[subprocess.Popen[str], int]:
    """`gcdesk models import` and the process that reads the file, once that one has fenced itself in."""
    command = [sys.executable, "-m", "gcdesk", "models", "import", str(source), "--name", name]
    importer = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and importer.poll() is None:
        for reader in child_processes(importer.pid):
            for thread in Path(f"/proc/{reader}/task").glob("*/status"):
                try:
                    if is_confined(reader, thread):
                        return importer, reader
                except (OSError, StopIteration):  # the thread has ended meanwhile
                    continue
        time.sleep(0.002)
    pytest.fail(f"no confined process was seen: {importer.communicate()}")


@pytest.mark.skipif(sys.platform != "linux", reason="Landlock and /proc are Linux's")
@pytest.mark.posix("reads /proc")
def test_a_strangers_file_is_read_by_a_confined_process_alone(starter_image: Path, gcdesk_home: Path) -> None:
    importer, reader = importing(starter_image, "mine")
    said, errors = importer.communicate(timeout=120)
    assert importer.returncode == 0, errors
    assert said == f"mine is installed in {gcdesk_home / 'data' / 'models' / 'mine.gcmodel'}\n"
    assert not is_alive(reader)


@pytest.mark.skipif(sys.platform != "linux", reason="Landlock and /proc are Linux's")
@pytest.mark.posix("reads /proc")
def test_a_reader_that_dies_installs_nothing_and_is_told(starter_image: Path, capsys: Captured) -> None:
    importer, reader = importing(starter_image, "mine")
    kill(reader)
    said, errors = importer.communicate(timeout=60)
    assert importer.returncode == 2
    assert not said
    assert errors.strip().endswith("there may be too little memory.")
    assert main(["models", "list"]) == 0
    assert "mine" not in capsys.readouterr().out


def test_what_cannot_be_imported_is_told_as_by_the_library(tmp_path: Path, capsys: Captured) -> None:
    gone = tmp_path / "gone.pth"
    whole = tmp_path / "-x.pth"
    whole.write_bytes(b"version https://git-lfs.github.com/spec/v1\n" + b"x" * 90)
    for path, words in ((gone, "no such file"), (whole, "Git LFS")):
        assert main(["models", "import", str(path)]) == 2
        said = capsys.readouterr().err
        assert said.startswith("gcdesk: ")
        assert words in said
        assert "Traceback" not in said


def test_verify_says_which_model_is_damaged(starter_image: Path, gcdesk_home: Path, capsys: Captured) -> None:
    main(["models", "import", str(starter_image), "--name", "mine"])
    weights = gcdesk_home / "data" / "models" / "mine.gcmodel" / "weights.safetensors"
    with weights.open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(b"\x01")
    capsys.readouterr()
    assert main(["models", "verify"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert sum("sound" in line for line in lines) == 2
    assert sum("mine: FAILED" in line for line in lines) == 1


def test_doctor_says_what_a_bug_report_needs(gcdesk_home: Path, capsys: Captured) -> None:
    assert main(["doctor"]) == 0
    shown = capsys.readouterr().out
    for word in ("Python", "onnxruntime", "CUDA", "starter-image", "starter-text", "ms", str(gcdesk_home)):
        assert word in shown
    assert not list(gcdesk_home.iterdir())


def test_two_models_are_compared(starter_text: Path, tmp_path: Path, capsys: Captured) -> None:
    main(["models", "import", str(starter_text), "--name", "mine"])
    table = tmp_path / "captions.csv"
    table.write_text(
        "text,bin\norange peel,Green\nold black sock,TTR\nwater bottle,Black\n", encoding="utf-8"
    )
    capsys.readouterr()
    written = tmp_path / "found.json"
    words = ["models", "compare", "starter-text", "mine", "--data", str(table), "--json", str(written)]
    assert main(words) == 0
    shown = capsys.readouterr().out
    assert "starter-text" in shown
    assert "66.7%" in shown
    assert "nothing to choose between them" in shown
    assert json.loads(written.read_text(encoding="utf-8"))["p"] == 1.0
    assert main(["models", "compare", "starter-text", "starter-image", "--data", str(table)]) == 2
    assert "cannot be compared" in capsys.readouterr().err

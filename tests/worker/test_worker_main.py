"""The worker process: its pipe carries the protocol alone, and it ends with its window."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from worker_kit import Worker, configure, item, running

from gcdesk.worker.protocol.messages import (
    Classify,
    Fatal,
    Heartbeat,
    Notice,
    Ready,
    Result,
    Shutdown,
    Started,
)


def test_it_says_that_it_lives_before_anything_is_loaded(worker: Worker) -> None:
    worker.wait_for(Heartbeat)
    worker.wait_for(Heartbeat)  # and goes on saying it
    assert worker.seen == []


def test_photos_are_answered(worker: Worker, sample_files: list[Path], tmp_path: Path) -> None:
    worker.send(configure(tmp_path), Classify(tuple(item(n, file) for n, file in enumerate(sample_files))))
    ready = worker.wait_for(Ready)
    assert (ready.image_model, ready.text_model) == ("starter-image", "starter-text")
    assert ready.image_sha256 is not None
    results = worker.many(Result, len(sample_files))
    assert sorted(one.id for one in results) == list(range(len(sample_files)))
    assert all(one.ticket == one.id + 1000 for one in results)
    assert [one for one in worker.seen if isinstance(one, Started)]


@pytest.mark.parametrize("moment", ["at once", "while it loads", "while it works"])
def test_it_ends_when_its_input_does(
    worker: Worker, sample_files: list[Path], tmp_path: Path, moment: str
) -> None:
    if moment != "at once":
        worker.send(configure(tmp_path), Classify(tuple(item(n, sample_files[0]) for n in range(40))))
        worker.wait_for(Heartbeat)
    if moment == "while it works":
        worker.wait_for(Result)
    worker.close()
    assert worker.process.returncode == 0


def test_it_ends_when_it_is_asked_to(worker: Worker) -> None:
    worker.send(Shutdown())
    assert worker.process.wait(60) == 0


def test_it_ends_when_nobody_listens() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "gcdesk.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(60) == 0
    process.stdin.close()


def test_a_request_that_is_none_is_told_and_passed_over(
    worker: Worker, sample_files: list[Path], tmp_path: Path
) -> None:
    worker.write(b"rubbish\n")
    worker.write(b"x" * 5_000_000 + b"\n")
    worker.send(configure(tmp_path), Classify((item(1, sample_files[0]),)))
    assert "do not understand" in worker.wait_for(Notice).text
    assert worker.wait_for(Result).label is not None
    assert "rubbish" in worker.close()


@pytest.mark.posix("the C library is not asked for like this there")
def test_what_libraries_print_stays_out_of_the_pipe(sample_files: list[Path], tmp_path: Path) -> None:
    """Python, C and a child process print while a photo is decoded."""
    chatty = (
        "import ctypes, os, subprocess\n"
        "import gcdesk.worker.serve.picture_cache as pictures\n"
        "from gcdesk.worker.main import main\n"
        "decode = pictures.decode_photo\n"
        "def loud(path, target, data):\n"
        "    print('from Python', flush=True)\n"
        "    ctypes.CDLL(None).puts(b'from C')\n"
        "    ctypes.CDLL(None).fflush(None)\n"
        "    subprocess.run(['echo', 'from a child'])\n"
        "    return decode(path, target, data)\n"
        "pictures.decode_photo = loud\n"
        "main(['serve'])\n"
    )
    with running(sys.executable, "-c", chatty) as worker:
        worker.send(configure(tmp_path), Classify((item(1, sample_files[0]),)))
        worker.wait_for(Result)
        said = worker.close()
    assert {"from Python", "from C", "from a child"} <= set(said.splitlines())


@pytest.mark.parametrize("what", ["serve", "task"])
def test_only_the_protocols_reader_has_the_pipe_from_the_window(what: str) -> None:
    """A library that looks at its standard input while it loads finds the null device, never the blocked pipe."""
    script = (
        "import os, sys, threading\n"
        "from gcdesk.worker.main import main\n"
        "def look():\n"  # once the main thread reads requests, as a library does that loads then
        "    threading.Event().wait(0.5)\n"
        "    import numpy\n"
        "    print('nothing' if os.read(0, 1) == b'' and sys.stdin.read() == '' else 'the pipe', flush=True)\n"
        "threading.Thread(target=look, daemon=True).start()\n"
        "main(sys.argv[1:])\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, what],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stderr is not None
    stuck = threading.Timer(60, process.kill)
    stuck.start()
    said = process.stderr.readline()
    stuck.cancel()
    process.communicate(timeout=60)
    assert (said.strip(), process.returncode) == (b"nothing", 0)


def test_a_childs_standard_input_is_not_the_pipe() -> None:
    """What the worker starts cannot take a request away."""
    script = (
        "import subprocess, sys\n"
        "from gcdesk.worker.process import lifecycle\n"
        "pipes = lifecycle.take_pipes()\n"
        "child = [sys.executable, '-c', 'import sys; print(repr(sys.stdin.read()), flush=True)']\n"
        "subprocess.run(child, timeout=60)\n"
        "print(pipes.requests.readline(), flush=True)\n"
    )
    said = subprocess.run(
        [sys.executable, "-c", script], input=b"a request\n", capture_output=True, check=True, timeout=120
    )
    assert said.stderr.split() == [b"''", b"b'a", b"request\\n'"]
    assert said.stdout == b""


def test_one_model_that_is_damaged_leaves_the_other(
    worker: Worker, sample_files: list[Path], tmp_path: Path, starter_text: Path
) -> None:
    damaged = tmp_path / "damaged.gcmodel"
    damaged.mkdir()
    for file in starter_text.iterdir():
        os.link(file, damaged / file.name)
    (damaged / "weights.safetensors").unlink()
    (damaged / "weights.safetensors").write_bytes(b"nothing")
    worker.send(configure(tmp_path, text_model=str(damaged)), Classify((item(1, sample_files[0]),)))
    assert "damaged.gcmodel" in worker.wait_for(Notice).text
    assert worker.wait_for(Ready).text_model is None
    result = worker.wait_for(Result)
    assert result.text is None
    assert result.winner == "image"


def test_no_model_at_all_is_fatal_in_a_sentence(worker: Worker, tmp_path: Path) -> None:
    worker.send(configure(tmp_path, image_model="none", text_model="none"))
    fatal = worker.wait_for(Fatal)
    assert "no model" in fatal.text


def test_an_error_of_our_own_is_one_rows_error(sample_files: list[Path], tmp_path: Path) -> None:
    faulty = (
        "import gcdesk.worker.serve.scoring as scoring\n"
        "from gcdesk.worker.main import main\n"
        "prepare = scoring.preprocess\n"
        "def fail(image, preprocessing):\n"
        "    if image.width == image.height: raise ZeroDivisionError('a fault')\n"
        "    return prepare(image, preprocessing)\n"
        "scoring.preprocess = fail\n"
        "main(['serve'])\n"
    )
    with running(sys.executable, "-c", faulty) as worker:
        worker.send(
            configure(tmp_path), Classify(tuple(item(n, file) for n, file in enumerate(sample_files)))
        )
        results = worker.many(Result, len(sample_files))
        said = worker.close()
    errors = [one.error for one in results if one.error]
    assert 0 < len(errors) < len(results)
    assert "ZeroDivisionError: a fault" in errors[0]
    assert "Traceback" in said


def test_the_worker_loads_neither_torch_nor_qt() -> None:
    probe = "import sys, json, gcdesk.worker.serve.server; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in json.loads(done.stdout)}
    assert not loaded & {"torch", "torchvision", "transformers", "PySide6"}

"""What libraries print by themselves reaches neither the operator nor a table."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

# A library that prints on both descriptors while the photos are classified, and a child that does.
CHATTY = """
import os, subprocess, sys
import gcdesk.cli.classify as classify
real = classify.run
def loud(args):
    os.write(1, b"chatter on the output\\n")
    os.write(2, "chatter on the error\\n".encode("utf-16-le"))
    subprocess.run([sys.executable, "-c", "print('chatter of a child')"], check=True)
    return real(args)
classify.run = loud
from gcdesk.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


def classified(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", CHATTY, "classify", *words],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def test_a_table_is_clean_and_the_chatter_in_the_log(samples: Path, gcdesk_home: Path) -> None:
    done = classified("--format", "csv", str(samples / "orange peel.jpg"))
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 2
    assert "chatter" not in done.stdout + done.stderr
    log = (gcdesk_home / "log" / "libraries.log").read_text(encoding="utf-8")
    for words in ("on the output", "on the error", "of a child"):
        assert f"chatter {words}" in log


def test_our_own_words_come_out(gcdesk_home: Path) -> None:
    done = classified(str(gcdesk_home / "gone.jpg"))
    assert done.returncode != 0
    assert "gone.jpg" in done.stdout + done.stderr


@pytest.mark.posix("a pipe that breaks is a signal or an error number there")
def test_a_reader_that_has_enough_ends_it_in_peace(samples: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-c", CHATTY, "classify", "--format", "csv", str(samples / "orange peel.jpg")],
        stdout=write, stderr=subprocess.PIPE, text=True, timeout=240, check=False,
    )  # fmt: skip
    os.close(write)
    assert (done.returncode, done.stderr.strip()) == (0, "")

"""A drive that stalls, as a pipe that nobody writes to: opening it waits without end."""

from __future__ import annotations

import gc
import os
import threading
import time
import weakref
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gcdesk.engine.errors import PhotoError, PhotoProblem
from gcdesk.worker.serve.stalled_drives import Drives

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with a name are POSIX's")


@pytest.fixture
def stalled(tmp_path: Path) -> Path:
    (tmp_path / "share").mkdir()
    os.mkfifo(tmp_path / "share" / "a.jpg")
    return tmp_path / "share" / "a.jpg"


def read(path: Path) -> Callable[[Callable[[], None]], bytes]:
    return lambda _step: path.read_bytes()


def refused(drives: Drives, path: Path) -> float:
    """Seconds until the read is refused because the drive is silent."""
    began = time.monotonic()
    with pytest.raises(PhotoError) as error:
        drives.run(str(path), read(path))
    assert error.value.problem is PhotoProblem.SILENT
    return time.monotonic() - began


def test_a_silent_drive_holds_nobody_up_and_is_used_again_when_it_answers(
    stalled: Path, tmp_path: Path
) -> None:
    drives = Drives(5)
    (tmp_path / "b.jpg").write_bytes(b"b")
    neighbour = stalled.with_name("c.jpg")
    neighbour.write_bytes(b"c")
    assert 5 <= refused(drives, stalled) < 60
    assert refused(drives, neighbour) < 4, "its folder is known to be silent"
    assert drives.run(str(tmp_path / "b.jpg"), read(tmp_path / "b.jpg")) == b"b"
    with stalled.open("wb") as back:
        back.write(b"a")
    deadline = time.monotonic() + 60
    while True:
        try:
            assert drives.run(str(neighbour), read(neighbour)) == b"c"
            return
        except PhotoError:
            assert time.monotonic() < deadline
            time.sleep(0.02)


def test_a_slow_drive_that_comes_forward_is_waited_for(tmp_path: Path) -> None:
    def slowly(step: Callable[[], None]) -> str:
        for _ in range(6):
            time.sleep(1)
            step()
        return "whole"

    assert Drives(5).run(str(tmp_path / "a.jpg"), slowly) == "whole"


def test_what_goes_wrong_on_the_drive_is_raised_where_it_was_asked(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Drives(5).run(str(tmp_path / "a.jpg"), read(tmp_path / "a.jpg"))


def test_what_is_read_too_late_is_let_go(tmp_path: Path) -> None:
    answers, kept = threading.Event(), []

    def late(_step: Callable[[], None]) -> np.ndarray:
        answers.wait()
        content = np.zeros(8)
        kept.append(weakref.ref(content))
        return content

    drives = Drives(0.1)
    with pytest.raises(PhotoError):
        drives.run(str(tmp_path / "a.jpg"), late)
    answers.set()
    deadline = time.monotonic() + 60
    while not kept or kept[0]() is not None:
        gc.collect()
        assert time.monotonic() < deadline
        time.sleep(0.02)

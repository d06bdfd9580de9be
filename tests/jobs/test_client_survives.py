"""The worker is killed, hangs, is stopped, cannot start; the window is killed. Nothing is lost, nothing is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import leaks
import pytest
from client_kit import HERE, Listener, copies, deadly_worker, turn_until
from processes import kill

from gcdesk.jobs import worker_client as client_module

Listen = Callable[..., Listener]


@pytest.mark.not_under_wine("a worker takes half a minute to start there")
def test_ten_kills_in_a_batch_of_300_lose_and_double_nothing(
    listen: Listen, sample_files: list[Path], tmp_path: Path
) -> None:
    listener = listen()
    listener.start_and_wait()
    items = copies(tmp_path / "photos", sample_files, 300)
    listener.client.classify(items)
    for death in range(10):
        listener.wait(lambda death=death: len(listener.results) >= 25 * (death + 1))
        pid = listener.client.worker_pid
        kill(pid)
        listener.wait(lambda pid=pid: listener.client.worker_pid not in (0, pid))
    listener.wait(lambda: listener.client.waiting == 0)
    assert listener.times_answered() == dict.fromkeys(range(300), 1)
    assert not [one for one in listener.results if one.error]
    assert listener.states == ["starting", "ready", *["restarting", "ready"] * 10]
    assert len(listener.notices) == 10
    assert "Nothing is lost" in listener.notices[0]


@pytest.mark.parametrize("way", ["exit", "segfault"])
def test_a_photo_that_kills_its_worker_is_set_aside(
    listen: Listen, sample_files: list[Path], tmp_path: Path, way: str
) -> None:
    items = copies(tmp_path / "photos", sample_files, 8)
    deadly = tmp_path / "photos" / "deadly.jpg"
    os.link(sample_files[0], deadly)
    items.insert(3, (99, str(deadly), None))
    listener = listen(command=deadly_worker(way))
    listener.start()
    listener.client.classify(items)
    listener.wait(lambda: listener.client.waiting == 0)
    assert listener.times_answered() == dict.fromkeys([*range(8), 99], 1)
    (aside,) = [one for one in listener.results if one.error]
    assert aside.id == 99
    assert "set aside" in (aside.error or "")
    listener.client.preview(99, str(deadly))
    assert [item for item, _ in listener.failures] == [99]
    deadly.unlink()
    os.link(sample_files[0], deadly.with_name("harmless.jpg"))
    listener.client.classify([(99, str(deadly.with_name("harmless.jpg")), None)])  # Retry
    listener.wait(lambda: listener.client.waiting == 0)
    assert listener.results[-1].label is not None


def test_a_photo_that_hangs_the_decoder_is_set_aside(
    listen: Listen, sample_files: list[Path], tmp_path: Path
) -> None:
    items = copies(tmp_path / "photos", sample_files, 5)
    deadly = tmp_path / "deadly.jpg"
    os.link(sample_files[0], deadly)
    listener = listen(command=deadly_worker("hang"), stuck_limit=5)
    listener.start()
    listener.client.classify([(99, str(deadly), None), *items])
    listener.wait(lambda: listener.client.waiting == 0)
    assert listener.times_answered() == dict.fromkeys([*range(5), 99], 1)
    assert [one.id for one in listener.results if one.error] == [99]


@pytest.mark.posix("Windows stops no process")
def test_a_worker_that_is_silent_is_started_again(
    listen: Listen, sample_files: list[Path], tmp_path: Path
) -> None:
    listener = listen(heartbeat_limit=6)
    listener.start_and_wait()
    listener.client.classify(copies(tmp_path / "photos", sample_files, 60))
    listener.wait(lambda: len(listener.results) >= 5)
    stopped = listener.client.worker_pid
    os.kill(stopped, signal.SIGSTOP)
    listener.wait(lambda: listener.client.waiting == 0)
    assert not leaks.is_alive(stopped)
    assert set(listener.times_answered().values()) == {1}
    assert not [one for one in listener.results if one.error]


def test_a_worker_that_cannot_start_is_told(listen: Listen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "_RESTART_PAUSES_MS", (0, 0))
    listener = listen(command=deadly_worker("broken"))
    listener.start()
    listener.wait(lambda: bool(listener.fatal))
    assert listener.fatal == [
        "Photos cannot be classified, the worker does not start: ImportError: a library of the worker is missing."
    ]
    assert listener.states == ["starting", "restarting", "failed"]
    listener.client.retry()
    listener.wait(lambda: len(listener.fatal) == 2)
    missing = listen(command=("/nowhere/python",))
    missing.start()
    missing.wait(lambda: bool(missing.fatal))
    assert "could not be started" in missing.fatal[0]


@pytest.mark.parametrize("state", ["young", "loading", "ready", "busy", "stopped", "mute"])
@pytest.mark.posix("Windows stops no process")
def test_closing_ends_the_worker_whatever_it_does(
    listen: Listen, sample_files: list[Path], tmp_path: Path, state: str
) -> None:
    listener = listen(command=deadly_worker("mute") if state == "mute" else None)
    listener.start()
    if state == "loading":
        ended = time.monotonic() + 0.4
        listener.wait(lambda: time.monotonic() > ended)
    elif state != "young":
        listener.wait(lambda: bool(listener.ready) or state == "mute")
        listener.client.classify(copies(tmp_path / "photos", sample_files, 50))
        if state != "ready":
            listener.wait(lambda: len(listener.results) > 2 or state == "mute")
    pid = listener.client.worker_pid
    assert pid
    if state == "stopped":
        os.kill(pid, signal.SIGSTOP)
    listener.client.close()
    assert not leaks.is_alive(pid)
    assert listener.client.worker_pid == 0
    listener.client.close()


def test_closing_while_a_restart_is_due(listen: Listen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "_RESTART_PAUSES_MS", (60_000,))
    listener = listen()
    listener.start_and_wait()
    kill(listener.client.worker_pid)
    listener.wait(lambda: listener.client.state == "restarting")
    listener.client.close()
    assert listener.client.state == "stopped"


@pytest.mark.parametrize("worker", ["busy", "stopped"])
@pytest.mark.posix("Windows stops no process")
def test_killing_the_window_ends_the_worker_within_two_seconds(
    sample_files: list[Path], tmp_path: Path, worker: str
) -> None:
    copies(tmp_path / "photos", sample_files, 100)
    window = subprocess.Popen(
        [
            sys.executable,
            str(HERE / "window_of_test.py"),
            str(tmp_path / "photos"),
            str(tmp_path / "pictures"),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert window.stdout is not None
    pid = int(window.stdout.readline())  # said when the first results are there
    assert leaks.is_alive(pid)
    if worker == "stopped":
        os.kill(pid, signal.SIGSTOP)
    window.kill()
    turn_until(lambda: not leaks.is_alive(pid), timeout=2)
    window.wait()
    window.stdout.close()


def test_silence_while_the_window_itself_was_held_up_is_none(
    listen: Listen, sample_files: list[Path]
) -> None:
    listener = listen(heartbeat_limit=6)
    listener.start_and_wait()
    pid = listener.client.worker_pid
    time.sleep(8)  # the event loop stands still
    listener.client.classify([(1, str(sample_files[0]), None)])
    listener.wait(lambda: bool(listener.results))
    assert listener.client.worker_pid == pid
    assert listener.states == ["starting", "ready"]

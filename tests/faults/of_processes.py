"""Faults of processes: killed, stopped, out of memory, started twice."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import time
from pathlib import Path

import numpy as np
from client_kit import deadly_worker
from killed_window_kit import done_until, start, stored
from kit import SAMPLES, Fault, Skipped, all_answered_once, listener, photos, profile, sentence
from PIL import Image

from gcdesk.store import Status


def worker_killed(folder: Path, short: bool) -> str:
    kills, count = (10, 60) if short else (100, 500)
    with listener(folder) as heard:
        heard.start_and_wait()
        heard.client.classify(photos(folder, count))
        for _ in range(kills):
            answers = len(heard.results)
            heard.wait(lambda answers=answers: len(heard.results) > answers and heard.client.worker_pid > 0)
            os.kill(heard.client.worker_pid, signal.SIGKILL)
            heard.wait(lambda: heard.client.state != "ready")
        heard.wait(lambda: heard.client.waiting == 0, 600)
        all_answered_once(heard, count)
        assert not [one for one in heard.results if one.error]
        assert len(heard.ready) == kills + 1
        return f"{kills} kills, {count} photos answered once each. {sentence(heard.notices[-1])}"


def worker_stopped(folder: Path, short: bool) -> str:
    limit, count = (6.0, 40) if short else (20.0, 400)
    with listener(folder, heartbeat_limit=limit) as heard:
        heard.start_and_wait()
        heard.client.classify(photos(folder, count))
        heard.wait(lambda: len(heard.results) > 3)
        pid, stopped = heard.client.worker_pid, time.monotonic()
        os.kill(pid, signal.SIGSTOP)
        heard.wait(lambda: heard.client.worker_pid not in (0, pid), limit + 120)
        waited = time.monotonic() - stopped
        heard.wait(lambda: heard.client.waiting == 0 and time.monotonic() - stopped > 3 * limit, 600)
        all_answered_once(heard, count)
        return (
            f"replaced after {waited:.0f} s, {count} photos answered once each. {sentence(heard.notices[-1])}"
        )


def worker_hangs(folder: Path, short: bool) -> str:
    """A read that never returns, as from a network drive that is gone."""
    stalled = folder / "deadly.jpg"
    os.link(SAMPLES[0], stalled)
    with listener(folder, command=deadly_worker("hang"), stuck_limit=5.0 if short else 30.0) as heard:
        heard.start()
        heard.client.classify([*photos(folder, 8), (8, str(stalled), None)])
        heard.wait(lambda: heard.client.waiting == 0, 500)
        all_answered_once(heard, 9)
        (aside,) = [one for one in heard.results if one.error]
        assert aside.id == 8
        return f"8 of 9 classified, the one that stalls is set aside. {sentence(aside.error or '')}"


def worker_without_memory(folder: Path, short: bool) -> str:
    """The limit that `ulimit -d` sets, far below what the large photo needs."""
    if not hasattr(resource, "prlimit"):
        raise Skipped("limits of another process are set on Linux only")
    large = folder / "large.png"
    noise = np.random.default_rng(0).integers(0, 255, (500, 700, 3), dtype=np.uint8)
    Image.fromarray(noise).resize((6000, 5000)).save(large, compress_level=1)
    with listener(folder) as heard:
        heard.start_and_wait()
        pid = heard.client.worker_pid
        used = next(
            line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmData")
        )
        limit = int(used.split()[1]) * 1024 + 24 * 1024**2
        resource.prlimit(pid, resource.RLIMIT_DATA, (limit, resource.prlimit(pid, resource.RLIMIT_DATA)[1]))
        heard.client.classify(
            [(0, str(large), "poster"), *[(n + 1, path, c) for n, path, c in photos(folder, 8)]]
        )
        heard.wait(lambda: heard.client.waiting == 0, 500)
        all_answered_once(heard, 9)
        assert not [one for one in heard.results if one.error and one.id]
        (answer,) = [one for one in heard.results if one.id == 0]
        if answer.error is None:
            return f"9 of 9 classified, the large one by a new worker. {sentence(heard.notices[-1])}"
        return f"8 of 9 classified, the large one is told. {sentence(answer.error)}"


def window_killed(folder: Path, short: bool) -> str:
    kills, count = (2, 40) if short else (20, 200)
    taken = folder / "photos"
    taken.mkdir()
    for number in range(count):
        photo = SAMPLES[number % len(SAMPLES)]
        shutil.copy(photo, taken / f"{number:03} {photo.name}")
    with profile(folder / "home"):
        done = 0
        for kill in range(kills):
            window = start(*([taken] if kill == 0 else []))
            done_until(window, min(done + max(1, count // (2 * kills)), count - 1))
            time.sleep(0.6)  # results are committed at most half a second after they came
            window.kill()
            window.wait(60)
            window.stdout.close()
            rows = stored()
            assert len(rows) == len({path for path, _ in rows}) == count
            now = sum(status == Status.DONE for _, status in rows)
            assert now >= done, f"{done} photos were done, {now} are"
            done = now
        window = start()
        done_until(window, count)
        window.terminate()
        assert window.wait(120) == 0
        window.stdout.close()
        rows = stored()
    assert len(rows) == len({path for path, _ in rows}) == count
    assert {status for _, status in rows} == {Status.DONE}
    return f"{kills} kills, {count} of {count} photos in the list and done, none twice."


def two_windows(folder: Path, short: bool) -> str:
    taken = folder / "photos"
    taken.mkdir()
    for number in range(6):
        shutil.copy(SAMPLES[number], taken / f"{number} {SAMPLES[number].name}")
    with profile(folder / "home"):
        first = start(taken / f"0 {SAMPLES[0].name}")
        try:
            done_until(first, 1)
            began = time.monotonic()
            second = start(taken)
            assert second.wait(120) == 0, "the second window did not leave"
            seconds = time.monotonic() - began
            second.stdout.close()
            done_until(first, 6)
        finally:
            first.terminate()
            first.wait(120)
            first.stdout.close()
        rows = stored()
    assert sorted(Path(path).name for path, _ in rows) == sorted(one.name for one in taken.iterdir())
    return f"The second hands its photos to the first and leaves ({seconds:.1f} s); 6 of 6 there once."


FAULTS = (
    Fault("worker killed (kill -9)", worker_killed),
    Fault("worker stopped (SIGSTOP)", worker_stopped),
    Fault("a photo's drive stalls for ever", worker_hangs),
    Fault("worker out of memory (ulimit)", worker_without_memory),
    Fault("window killed (kill -9)", window_killed),
    Fault("two windows on one profile", two_windows),
)

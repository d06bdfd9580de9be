"""A photo that ends its process, or makes it hang: real workers, really killed while they are on it."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image
from talc_kit import local_site

from gcdesk.cli.main import main
from gcdesk.cluster.classify_bundle import ClassifyJob, write_classify_bundle
from trainer.shards.config import ShardsConfig, read_shards
from trainer.shards.files import (
    Marker,
    list_photos,
    part_of,
    read_marker,
    read_states,
    shards_of,
    write_marker,
)
from trainer.shards.merge import merge, told

PHOTO_SECONDS = 20


@pytest.fixture
def bundle(samples: Path, starter_image: Path, starter_text: Path, tmp_path: Path) -> Path:
    """Six photos, listed; the third takes so long that a worker can be caught on it."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number, photo in enumerate(sorted(samples.glob("*.jpg"))[:6]):
        shutil.copyfile(photo, folder / f"{number} {photo.name}")
    Image.effect_noise((5000, 4000), 60).save(folder / "1b cardboard box.png", compress_level=1)
    config = ShardsConfig(
        run="many", folder=str(folder), tasks=1, image_model=starter_image.name, text_model=starter_text.name,
        cpus=1, photo_seconds=PHOTO_SECONDS,
    )  # fmt: skip
    job = ClassifyJob(local_site(), config, (starter_image, starter_text), "cpu", "2GB", "0-00:20:00")
    made = write_classify_bundle(job, tmp_path / "bundle")
    list_photos(config, config.place(made))
    return made


def start(bundle: Path) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(bundle / "src" / "lib"), "SLURM_CPUS_PER_TASK": "1"}
    words = [sys.executable, "-P", "-m", "trainer.shards", "run", "--task", "0"]
    return subprocess.Popen(words, cwd=bundle, env=environment)


def place_of(bundle: Path) -> Path:
    return read_shards(bundle).place(bundle)


def hit(bundle: Path, task: subprocess.Popen[bytes], how: signal.Signals, alone: int | None) -> Marker:
    """Send a signal to the worker once it is on the shard, or on that photo alone; returns its note.

    Returns when another worker has begun after it, or the task has ended.
    """
    place, end = place_of(bundle), time.monotonic() + 120
    while True:
        assert time.monotonic() < end
        note = read_marker(place, 0)
        if note and note.shard and (note.photo == alone and note.opened if alone is not None else True):
            break
        assert task.poll() is None
        time.sleep(0.002)
    os.kill(note.pid, how)
    while task.poll() is None and (now := read_marker(place, 0)) is not None and now.pid == note.pid:
        assert time.monotonic() < end
        time.sleep(0.01)
    return note


@pytest.mark.slow
@pytest.mark.posix("Windows stops no process")
def test_a_photo_that_kills_and_hangs_workers_becomes_a_row_with_the_reason(
    bundle: Path, tmp_path: Path, starter_image: Path, starter_text: Path
) -> None:
    task = start(bundle)
    hit(bundle, task, signal.SIGKILL, None)  # as the kernel does where memory is short
    assert hit(bundle, task, signal.SIGSTOP, 2).crash_count == 0  # hangs
    assert hit(bundle, task, signal.SIGSEGV, 2).crash_count == 1
    assert task.wait(120) == 0
    place = place_of(bundle)
    assert read_marker(place, 0) is None
    assert merge(read_shards(bundle), place)["photos"] == 7
    local = tmp_path / "local.csv"
    words = ["--image-model", str(starter_image), "--text-model", str(starter_text), "--device", "cpu"]
    assert main(["classify", str(tmp_path / "photos"), "--out", str(local), "--quiet", *words]) == 0
    found, expected = (
        list(csv.DictReader(file.read_text(encoding="utf-8-sig").splitlines()))
        for file in (place / "rows.csv", local)
    )
    assert found.pop(2)["path"] == expected[2]["path"]
    poisoned = expected.pop(2)
    assert found == expected
    row = json.loads((place / "results" / "000000.jsonl").read_text().splitlines()[2])
    assert row["error"].startswith("The program ended or hung while it read this photo")
    assert row["review"]
    # Its name still decides, as for any photo that cannot be read.
    assert (row["image_label"], row["caption"]) == (None, poisoned["caption"])
    assert row["text_label"] == poisoned["text_label"]


def test_a_worker_that_dies_before_any_photo_fails_the_task(bundle: Path) -> None:
    task, place = start(bundle), place_of(bundle)
    killed: set[int] = set()
    while task.poll() is None:
        note = read_marker(place, 0)
        if note is not None and note.pid not in killed:
            killed.add(note.pid)
            os.kill(note.pid, signal.SIGKILL)
        time.sleep(0.002)
    assert (task.returncode, len(killed)) == (1, 2)
    assert not part_of(place, shards_of(place)[0]).exists()
    (state,) = read_states(place, 1)
    assert state is not None
    assert state.message == "the worker is ended by signal 9 whenever it starts: is the memory too little?"
    lines = list(told(read_shards(bundle), place))
    assert lines[:2] == [
        "tasks: 0 done, 0 running, 1 failed",
        f"  task 0: failed: {state.message}",
    ]


def test_a_note_of_an_earlier_worker_does_not_start_others_without_end(bundle: Path) -> None:
    """The last worker died alone on a photo; since then none comes as far as to say where it is."""
    place = place_of(bundle)
    write_marker(place, 0, Marker(1, shards_of(place)[0].name, 2, 0, True))
    library = bundle / "src" / "lib" / "onnxruntime.py"  # found before the real one, which every worker loads
    library.write_text("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n")
    assert start(bundle).wait(60) == 1
    (state,) = read_states(place, 1)
    assert state is not None
    assert "signal 11 whenever it starts" in state.message

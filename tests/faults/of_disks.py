"""Faults of disks and files: full, read-only, gone, replaced, locked, not what they seem; and of the clock."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from kit import (
    ROOT,
    SAMPLES,
    Fault,
    Skipped,
    all_answered_once,
    fill,
    listener,
    photos,
    profile,
    sentence,
    small_disk,
)
from PIL import Image

from gcdesk.config.settings import Settings, load_settings, save_settings
from gcdesk.engine.captions.caption_table import read_caption_csv
from gcdesk.engine.errors import CaptionFileError, GcdeskError, ModelFileError, PhotoError
from gcdesk.engine.library.library import Library
from gcdesk.engine.modelfile.checkpoint import load_info
from gcdesk.engine.os_errors import in_a_sentence
from gcdesk.engine.photos.decoding import decode_photo
from gcdesk.engine.photos.discovery import find_photos
from gcdesk.store import NewPhoto, Store, StoredResult, StoreError, StoreWriter
from gcdesk.ui.export.row_table import write_table
from gcdesk.ui.session.rows import Rows
from gcdesk.worker.serve.picture_cache import Pictures, open_photo
from gcdesk.worker.serve.stalled_drives import Drives


def _result(number: int) -> StoredResult:
    probabilities = (0.1, 0.2, 0.3, 0.4)
    return StoredResult(number, probabilities, probabilities, 3, 1, 0.4, 0.1, False, reason="x" * 2000)


def _refused(work: Callable[[], object], kind: type[Exception] = GcdeskError) -> str:
    """What is said when `work` is refused."""
    try:
        work()
    except kind as error:
        return sentence(str(error))
    raise AssertionError("it was not refused")


def full_disk_saving(folder: Path, short: bool) -> str:
    with small_disk(folder, 12) as disk:
        store = Store(disk / "sessions.sqlite")
        session = store.create_session()
        ids = [one.item_id for one in store.add_items(session, [NewPhoto(f"/{n}.jpg") for n in range(500)])]
        ballast = fill(disk)
        told: list[StoreError] = []
        writer = StoreWriter(store, told.append, retry_seconds=0.2)
        for number in ids:
            writer.record_results([_result(number)])
        assert not writer.flush(2)
        ballast.unlink()
        assert writer.flush(20)
        assert writer.close()
        rows = store.load_rows(session)
        store.close()
        assert (rows.label == 3).all()
        assert len(rows) == len(ids)
        assert len(told) == 1
        return f"500 of 500 answers kept and written once there was space. {sentence(str(told[0]))}"


def full_disk_exporting(folder: Path, short: bool) -> str:
    with small_disk(folder, 2) as disk:
        rows = Rows()
        with Store(folder / "sessions.sqlite") as store:
            session = store.create_session()
            store.add_items(session, [NewPhoto(f"/{n}.jpg", "x" * 500) for n in range(5000)])
            rows.fill(store.load_rows(session))
        (disk / "table.csv").write_text("old")
        said = _refused(lambda: write_table(rows, disk / "table.csv", "csv"))
        assert (disk / "table.csv").read_text() == "old"
        assert [one.name for one in disk.iterdir()] == ["table.csv"]
        model = _refused(lambda: Library().export("starter-text", disk / "m.gcmodel.zip"))
        folder_of = _refused(lambda: Library().export("starter-text", disk / "m.gcmodel"))
        course = _refused(lambda: Library().export("starter-text", disk / "m.pth"))
        assert [one.name for one in disk.iterdir()] == ["table.csv"], [*disk.iterdir()]
        assert len({model, folder_of, course}) >= 1
        return f"The older file is untouched, nothing half-written stays. {said} {model}"


def full_disk_importing(folder: Path, short: bool) -> str:
    Library().export("starter-text", folder / "m.gcmodel.zip")
    with small_disk(folder, 8) as disk, profile(disk):
        said = _refused(lambda: Library().import_model(folder / "m.gcmodel.zip", "mine"))
        assert [one.name for one in Library().models() if not one.starter] == []
        left = [*(disk / "data" / "models").iterdir()]
        assert not left, left
        return f"No half model in the list. {said}"


def full_disk_caching(folder: Path, short: bool) -> str:
    with small_disk(folder, 1) as disk:
        fill(disk)
        with listener(disk) as heard:
            heard.start_and_wait()
            heard.client.classify(photos(folder, 6))
            heard.wait(lambda: heard.client.waiting == 0)
            all_answered_once(heard, 6)
            errors = [one.error for one in heard.results if one.error]
            assert not errors, errors
            thumbnails = {one.thumbnail for one in heard.results}
            assert thumbnails == {None}, thumbnails
            heard.client.preview(0, str(SAMPLES[0]))
            heard.wait(lambda: bool(heard.failures))
            return f"6 of 6 classified, without thumbnails. {sentence(heard.failures[0][1])}"


def full_disk_training(folder: Path, short: bool) -> str:
    items = {"Black": "plastic bag", "Blue": "soda can", "Green": "banana peel", "TTR": "old battery"}
    words = ("red", "blue", "wet", "dry", "new")
    table = folder / "captions.csv"
    table.write_text("text,bin\n" + "".join(f"{w} {item},{b}\n" for b, item in items.items() for w in words))
    with small_disk(folder, 3) as disk:
        command = [
            sys.executable,
            "-m",
            "trainer",
            "text",
            "--train",
            str(table),
            "--out",
            str(disk / "x.gcmodel"),
        ]
        settings = [part for one in ("epochs=1", "batch=8", "patience=0") for part in ("--set", one)]
        ran = subprocess.run([*command, *settings], capture_output=True, text=True, cwd=ROOT)
        assert ran.returncode == 2, ran.stderr[-500:]
        files = [
            one.name
            for one in disk.rglob("*")
            if one.is_file() and one.suffix in (".gcmodel", ".tmp", ".safetensors")
        ]
        assert not files, files
        return f"It ends with a sentence and nothing half-written. {sentence(ran.stderr.splitlines()[-1])}"


def full_disk_settings(folder: Path, short: bool) -> str:
    with small_disk(folder, 1) as disk, profile(disk):
        save_settings(Settings(threads=2))
        fill(disk)
        try:
            save_settings(Settings(threads=3))
        except OSError as error:
            said = sentence(in_a_sentence(error))
        else:
            raise AssertionError("it was not refused")
        assert load_settings().threads == 2
        assert [one.name for one in (disk / "config").iterdir()] == ["settings.json"]
        return f"The settings of before hold. {said}"


def read_only_folders(folder: Path, short: bool) -> str:
    """As another user, because root may write everywhere."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        raise Skipped("only root can become another user")
    home = folder / "home"
    with profile(home):
        Store(home / "data" / "sessions.sqlite").close()
        save_settings(Settings())
        hidden = folder / "hidden"
        hidden.mkdir()
        shutil.copy(SAMPLES[0], hidden / "a.jpg")
        hidden.chmod(0o700)
        photo = open_photo(str(SAMPLES[0]), 64, Drives())
        for place in (folder, *folder.parents):
            if place.stat().st_uid == 0 and place != Path("/") and not place.stat().st_mode & 0o005:
                place.chmod(place.stat().st_mode | 0o055)
        os.seteuid(65534)
        try:
            said = [
                _refused(lambda: _write_into(Store(home / "data" / "sessions.sqlite"))),
                _refused(lambda: write_table(Rows(), home / "table.csv", "csv")),
                _refused(lambda: decode_photo(hidden / "a.jpg", 64)),
            ]
            assert Pictures(home / "cache").thumbnail(photo) == ""
            (found,) = find_photos([hidden])
            assert found.error == "this folder cannot be read: you have no permission"
        finally:
            os.seteuid(0)
    return f"Said where it is met, and the rest goes on. {said[0]} {said[2]}"


def _write_into(store: Store) -> None:
    with store:
        store.create_session()


def photo_gone_or_replaced(folder: Path, short: bool) -> str:
    with listener(folder) as heard:
        heard.start_and_wait()
        heard.client.pause()
        items = photos(folder, 6)
        heard.client.classify(items)
        Path(items[1][1]).unlink()
        for number, content in ((2, SAMPLES[5].read_bytes()), (3, b""), (4, SAMPLES[4].read_bytes()[:900])):
            path = Path(items[number][1])
            path.unlink()
            path.write_bytes(content)
        heard.client.resume()
        heard.wait(lambda: heard.client.waiting == 0)
        all_answered_once(heard, 6)
        errors = {one.id: sentence(one.error) for one in heard.results if one.error}
        assert set(errors) == {1, 3, 4}
        replaced = next(one for one in heard.results if one.id == 2)
        with Image.open(SAMPLES[5]) as there:
            assert (replaced.width, replaced.height) == there.size
        return f"The new content counts, the rest goes on. {errors[1]} {errors[3]} {errors[4]}"


def pipe_in_place_of_a_file(folder: Path, short: bool) -> str:
    """What reads from a pipe without a writer waits for ever."""
    if not hasattr(os, "mkfifo"):
        raise Skipped("there are no pipes in folders here")
    model = folder / "m.gcmodel"
    model.mkdir()
    for name in ("a.jpg", "captions.csv", "settings.json", "m.gcmodel/model.json"):
        os.mkfifo(folder / name)
    said: list[str] = []

    def look() -> None:
        said.append(_refused(lambda: decode_photo(folder / "a.jpg", 64), PhotoError))
        said.append(_refused(lambda: read_caption_csv(folder / "captions.csv"), CaptionFileError))
        said.append(_refused(lambda: load_info(model), ModelFileError))
        load_settings(folder / "settings.json")
        said.append("end")

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    thread.join(10)
    assert said[-1:] == ["end"], f"waits for ever after {said}"
    return f"Nothing waits. {said[0]} {said[1]}"


def clock_back(folder: Path, short: bool) -> str:
    """The computer's clock is an hour behind from one moment to the next (time.time, which all of gcdesk asks)."""
    with Store(folder / "sessions.sqlite") as store:
        first = store.create_session("before")
        (row,) = store.add_items(first, [NewPhoto("/a.jpg")])
        store.open_session(first)
        real = time.time
        time.time = lambda: real() - 3600
        try:
            second = store.create_session("after")
            store.open_session(second)
            store.set_captions([row.item_id], ["one"])
            store.set_captions([row.item_id], ["two"])
            last = store.last_session()
            assert last is not None
            assert last.id == second
            assert store.past_captions() == ["two"]
            assert [one.caption for one in store.caption_history(row.item_id)] == ["", "one"]
        finally:
            time.time = real
    return "The session opened last is still the last; captions keep their order."


_LOCK = """
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.readline()
"""


def database_locked(folder: Path, short: bool) -> str:
    store = Store(folder / "sessions.sqlite")
    session = store.create_session()
    ids = [one.item_id for one in store.add_items(session, [NewPhoto(f"/{n}.jpg") for n in range(50)])]
    other = subprocess.Popen(
        [sys.executable, "-c", _LOCK, str(store.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert other.stdout.readline() == "locked\n"
        told: list[StoreError] = []
        writer = StoreWriter(store, told.append, retry_seconds=0.2)
        for number in ids:
            writer.record_results([_result(number)])
        assert not writer.flush(6)  # a statement waits 5 s by itself
        assert len(store.load_rows(session)) == 50, "reading goes on"
    finally:
        other.communicate("\n", timeout=10)
    assert writer.flush(20)
    assert writer.close()
    rows = store.load_rows(session)
    store.close()
    assert (rows.label == 3).all()
    assert np.unique(rows.item_id).size == 50
    return f"50 of 50 answers kept and written when it was free. {sentence(str(told[0]))}"


FAULTS = (
    Fault("disk full while saving", full_disk_saving),
    Fault("disk full while exporting", full_disk_exporting),
    Fault("disk full while importing a model", full_disk_importing),
    Fault("disk full while caching", full_disk_caching),
    Fault("disk full while training", full_disk_training),
    Fault("disk full while saving settings", full_disk_settings),
    Fault("folders that may not be written or read", read_only_folders),
    Fault("photo deleted or replaced while queued", photo_gone_or_replaced),
    Fault("a pipe in place of a file", pipe_in_place_of_a_file),
    Fault("clock an hour back", clock_back),
    Fault("database locked by another process", database_locked),
)

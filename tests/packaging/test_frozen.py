"""The frozen station app in homes, on disks and displays as workstations have them. `make package-test` runs this."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tarfile
import time
import zipfile
from pathlib import Path

import pillow_heif
import pytest
from frozen_kit import ROOT, Frozen, may_make
from PIL import Image

from gcdesk.engine.course.export import export_legacy

sys.path.insert(0, str(ROOT / "packaging"))
import no_encoder
import sbom

pytestmark = pytest.mark.package
OFFSCREEN = {"QT_QPA_PLATFORM": "offscreen"}


def test_six_photos_and_a_killed_worker_under_x(installed: Frozen, display: str, tmp_path: Path) -> None:
    code, report = installed.smoke(tmp_path / "report.json", variables={"DISPLAY": display})
    assert (code, report["problem"]) == (0, "")
    assert report["display"] == "xcb"
    assert report["flavour"] == "station"
    assert len(report["commit"]) >= 40
    assert report["saved"] is True
    assert len(report["results"]) == 6
    assert {one["bin"] for one in report["results"]} >= {"Blue", "Green"}
    assert report["killed_worker"] != report["next_worker"] > 0
    # What the user keeps lies in the usual places of this home, and a report tells of the worker's end.
    assert (installed.home / ".local/share/gcdesk/sessions.sqlite").is_file()
    deaths = list((installed.home / ".local/state/gcdesk/log").glob("crash-*-worker.txt"))
    assert len(deaths) == 1
    # The test's own session is gone again.
    with sqlite3.connect(installed.home / ".local/share/gcdesk/sessions.sqlite") as store:
        assert store.execute("SELECT count(*) FROM sessions WHERE name = 'SelfTest test'").fetchone() == (0,)


@pytest.mark.skipif(not may_make("-m"), reason="this machine allows no mounts of one's own")
def test_python_and_the_checkout_are_hidden_from_the_app(installed: Frozen) -> None:
    """What the other tests build on: in the app's namespace there is neither."""
    *start, _program = installed.command()
    looked = "; ".join(f'ls -A "{folder}" 2>/dev/null || :' for folder in (ROOT, sys.prefix, sys.base_prefix))
    told = subprocess.run(
        [*start[:-1], "sh", "sh", "-c", looked], env=installed.environment(), capture_output=True, text=True
    )
    assert (told.returncode, told.stdout) == (0, ""), told.stderr


def test_doctor_and_version(installed: Frozen) -> None:
    done = installed.run("doctor")
    assert done.returncode == 0, done.stderr
    assert "starter-image: image" in done.stdout
    assert "torch -" in done.stdout
    assert done.stdout.count("sound, loaded") == 2
    assert installed.run("--version").stdout.startswith("gcdesk 0.")
    assert "station, commit" in installed.run("--version").stdout


def test_training_says_which_package_has_it(installed: Frozen) -> None:
    done = installed.run("train", "text")
    assert done.returncode == 2
    assert "gcdesk-full" in done.stderr


def test_a_course_checkpoint_is_imported_without_torch(
    elsewhere: Frozen, starter_text: Path, tmp_path: Path
) -> None:
    course = tmp_path / "best_text_model.pth"
    export_legacy(starter_text, course)
    done = elsewhere.run("models", "import", str(course), "--pooling", "mean")
    assert done.returncode == 0, done.stderr
    assert "best_text_model" in elsewhere.run("models", "list").stdout


def test_without_any_network(elsewhere: Frozen, tmp_path: Path) -> None:
    code, report = elsewhere.smoke(tmp_path / "report.json", variables=OFFSCREEN, namespaces=["-n"])
    assert (code, report["problem"]) == (0, "")


def test_from_a_folder_that_cannot_be_written(elsewhere: Frozen, tmp_path: Path) -> None:
    folder = elsewhere.program
    setup = f'mount --bind "{folder}" "{folder}"; mount -o remount,ro,bind "{folder}"'
    code, report = elsewhere.smoke(tmp_path / "report.json", variables=OFFSCREEN, setup=setup)
    assert (code, report["problem"]) == (0, "")


def test_home_on_a_full_disk(elsewhere: Frozen, tmp_path: Path) -> None:
    home = elsewhere.home
    fill = f'mount -t tmpfs -o size=1m none "{home}"; dd if=/dev/zero of="{home}/full" bs=4k 2>/dev/null || :'
    code, report = elsewhere.smoke(tmp_path / "report.json", variables=OFFSCREEN, setup=fill)
    assert (code, report["problem"]) == (0, "")
    assert report["saved"] is False
    assert any("not saved" in line for line in report["news"]), report["news"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_home_that_may_not_be_written(elsewhere: Frozen, tmp_path: Path) -> None:
    elsewhere.home.chmod(0o555)
    reports = tmp_path / "reports"
    reports.mkdir()
    reports.chmod(0o777)
    code, report = elsewhere.smoke(
        reports / "report.json",
        variables=OFFSCREEN,
        wrapper="setpriv --reuid 65534 --regid 65534 --clear-groups",
    )
    assert (code, report["problem"]) == (0, "")
    assert report["saved"] is False
    assert any("not saved" in line for line in report["news"]), report["news"]
    assert list(elsewhere.home.iterdir()) == []


def test_no_display_classifies_in_the_terminal(elsewhere: Frozen) -> None:
    done = elsewhere.run()
    assert done.returncode == 0
    assert "no display" in done.stderr
    assert "15 items" in done.stdout + done.stderr


def test_a_display_that_does_not_answer(elsewhere: Frozen) -> None:
    done = elsewhere.run(variables={"DISPLAY": ":7791"}, console=False)
    assert done.returncode == 2
    assert "the window cannot be opened" in done.stderr


@pytest.mark.parametrize("scale", ["1.25", "2"])
def test_scaled_screens(elsewhere: Frozen, display: str, tmp_path: Path, scale: str) -> None:
    code, report = elsewhere.smoke(
        tmp_path / "report.json", variables={"DISPLAY": display, "QT_SCALE_FACTOR": scale}
    )
    assert (code, report["problem"]) == (0, "")


def test_under_wayland(elsewhere: Frozen, wayland: dict[str, str], tmp_path: Path) -> None:
    code, report = elsewhere.smoke(tmp_path / "report.json", variables=wayland)
    assert (code, report["problem"], report["display"]) == (0, "", "wayland")


def test_streams_that_are_closed(elsewhere: Frozen, tmp_path: Path) -> None:
    """As a windowed program on Windows has none: nothing that is printed may end the window or the worker."""
    report = tmp_path / "report.json"
    done = subprocess.run(
        [
            "sh",
            "-c",
            'exec "$@" <&- >&- 2>&-',
            "sh",
            *elsewhere.command("--smoke", str(report), console=False),
        ],
        env=elsewhere.environment(OFFSCREEN),
        check=False,
    )
    assert (done.returncode, json.loads(report.read_text())["problem"]) == (0, "")


def test_a_window_that_dies_is_told_of_at_the_next_start(elsewhere: Frozen, tmp_path: Path) -> None:
    """And what it started had the user's own library path, not the package's."""
    window = subprocess.Popen(
        elsewhere.command(console=False),
        env=elsewhere.environment({**OFFSCREEN, "LD_LIBRARY_PATH": "/home/somebody/lib"}),
        cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        worker = worker_of(window.pid)
        given = dict(
            entry.split("=", 1)
            for entry in Path(f"/proc/{worker}/environ").read_text().split("\0")
            if "=" in entry
        )
        # The worker's own starter keeps what it was given under this name.
        assert given["LD_LIBRARY_PATH_ORIG"] == "/home/somebody/lib"
    finally:
        window.send_signal(signal.SIGSEGV)
        assert window.wait(timeout=30) == -signal.SIGSEGV
    code, report = elsewhere.smoke(tmp_path / "report.json", variables=OFFSCREEN)
    assert (code, report["problem"]) == (0, "")
    assert any("ended unexpectedly" in line for line in report["news"]), report["news"]
    (told,) = (elsewhere.home / ".local/state/gcdesk/log").glob("crash-*-window.txt")
    assert "Segmentation fault" in told.read_text()


def worker_of(window: int) -> int:
    """The process that a window started, once it runs its own program."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        for number in Path(f"/proc/{window}/task/{window}/children").read_text().split():
            # Before the window there are short-lived children of the shell that hides Python.
            with contextlib.suppress(OSError):
                if "_ORIG=" in Path(f"/proc/{number}/environ").read_text(errors="replace"):
                    return int(number)
        time.sleep(0.05)
    raise AssertionError("no worker within a minute")


def test_photos_of_phones_are_read_without_an_encoder(elsewhere: Frozen, tmp_path: Path) -> None:
    photo = tmp_path / "banana peel.heic"
    with Image.open(next((ROOT / "resources" / "samples").glob("*.jpg"))) as sample:
        pillow_heif.from_pillow(sample).save(photo)
    done = elsewhere.run("classify", str(photo), "--format", "json")
    assert done.returncode == 0, done.stderr
    assert "banana peel" in done.stdout
    (library,) = (
        path for path in (elsewhere.program / "_internal").rglob("libx265*") if not path.is_symlink()
    )
    assert library.stat().st_size < 20_000
    defined = subprocess.run(
        ["nm", "-D", "--defined-only", library], capture_output=True, text=True, check=True
    ).stdout
    (heif,) = (elsewhere.program / "_internal" / "pillow_heif.libs").glob("libheif*")
    assert {line.split()[-1] for line in defined.splitlines()} == no_encoder.wanted(heif)


def test_an_older_store_is_taken_over(elsewhere: Frozen, tmp_path: Path) -> None:
    data = elsewhere.home / ".local/share/gcdesk"
    data.mkdir(parents=True)
    shutil.copy(Path(__file__).parents[1] / "data" / "store-v1.sqlite", data / "sessions.sqlite")
    code, report = elsewhere.smoke(tmp_path / "report.json", variables=OFFSCREEN)
    assert (code, report["saved"]) == (0, True)


def test_a_newer_store_and_newer_settings_are_left_alone(elsewhere: Frozen, tmp_path: Path) -> None:
    store = elsewhere.home / ".local/share/gcdesk/sessions.sqlite"
    store.parent.mkdir(parents=True)
    shutil.copy(Path(__file__).parents[1] / "data" / "store-v1.sqlite", store)
    with sqlite3.connect(store) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    settings = elsewhere.home / ".config/gcdesk/settings.json"
    settings.parent.mkdir(parents=True)
    settings.write_text(json.dumps({"format": 99, "theme": "dark", "of_tomorrow": 1}))
    before = store.read_bytes(), settings.read_bytes()
    code, report = elsewhere.smoke(tmp_path / "report.json", variables=OFFSCREEN)
    assert (code, report["saved"]) == (0, False)
    assert any("newer gcdesk" in line for line in report["news"]), report["news"]
    assert (store.read_bytes(), settings.read_bytes()) == before


def test_licences_and_bill_of_materials(installed: Frozen) -> None:
    folder = installed.program / "_internal" / "resources" / "licences"
    assert sbom.problems(folder / "sbom.cdx.json") == ""
    bill = json.loads((folder / "sbom.cdx.json").read_text())
    names = {part["name"] for part in bill["components"]}
    assert names >= {"PySide6_Essentials", "numpy", "onnxruntime", "CPython", "starter-text"}
    assert not names & {"torch", "transformers", "PySide6_Addons"}
    texts = (folder / "third-party.txt").read_text()
    for words in ("GNU LESSER GENERAL PUBLIC LICENSE", "PYTHON SOFTWARE FOUNDATION LICENSE", "OpenBLAS",
        "no part of x265",
    ):  # fmt: skip
        assert words in texts


def test_a_job_bundle_is_made_by_the_package(elsewhere: Frozen, tmp_path: Path) -> None:
    """It carries the sources of engine and trainer, so those must be in the package, as must the templates."""
    bundle = tmp_path / "job.tar.gz"
    photos = [word for split in ("train", "val", "test") for word in (f"--{split}", f"/work/photos/{split}")]
    done = elsewhere.run("talc", "export", "--out", str(bundle), "--start-from", "in-use", *photos)
    assert done.returncode == 0, done.stderr
    with tarfile.open(bundle) as tar:
        names = tar.getnames()
        (wheel,) = [name for name in names if name.endswith(".whl")]
        packed = tar.extractfile(wheel)
        assert packed is not None
        with zipfile.ZipFile(io.BytesIO(packed.read())) as archive:
            assert {"gcdesk/engine/labels.py", "trainer/job/run.py"} <= set(archive.namelist())

"""Bundles as they arrive on a cluster: whole, unchanged, with run bits and LF endings, wherever they were made."""

from __future__ import annotations

import getpass
import json
import shutil
import socket
import subprocess
import sys
import tarfile
import threading
from pathlib import Path

import pytest
from talc_kit import local_site, small_job
from tiny_photos import tiny_folder

from gcdesk.cluster import script_templates as texts_module
from gcdesk.cluster import training_bundle as bundle_module
from gcdesk.cluster.errors import BundleError
from gcdesk.cluster.image_folder import list_photos
from gcdesk.cluster.job import Job, Resources
from gcdesk.cluster.script_templates import SCRIPTS
from gcdesk.cluster.sites import load_site
from gcdesk.cluster.training_bundle import ExportStopped, write_bundle
from gcdesk.cluster.wheel import make_wheel, wheel_name
from trainer.image.settings import ImageSettings
from trainer.job.config import Folders, config_text, parse_config


@pytest.fixture
def photos(samples: Path, tmp_path: Path) -> Path:
    return tiny_folder(samples, tmp_path / "a set of photos")


def test_an_archive_keeps_names_with_spaces_run_bits_and_checksums(
    photos: Path, starter_image: Path, tmp_path: Path
) -> None:
    archive = write_bundle(small_job("trip", photos, starter_image), tmp_path / "trip.tar.gz")
    with tarfile.open(archive) as opened:
        members = opened.getmembers()
    assert all(item.isreg() and item.name.startswith("gcdesk-trip/") for item in members)
    assert not any(item.uname or item.gname or item.uid or item.gid for item in members)
    place = tmp_path / "on the cluster"
    place.mkdir()
    with tarfile.open(archive) as opened:
        opened.extractall(place, filter="tar")
    folder = place / "gcdesk-trip"
    modes = {item.name.rpartition("/")[2]: item.mode for item in members}
    assert all(modes[script] & 0o111 for script in SCRIPTS)
    assert (folder / "data/train/Blue/clear plastic fruit container_000.jpg").is_file()
    assert (folder / "init/starter-image.gcmodel/weights.safetensors").is_file()
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["run"] == "trip"
    found = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()} - {"manifest.json"}
    assert set(manifest["files"]) == found
    config = parse_config((folder / "config.toml").read_text())
    assert config == small_job("trip", photos, starter_image).config
    assert config.folders == Folders("data/train", "data/val", "data/test")


def test_nothing_of_this_computer_or_its_user_travels(
    photos: Path, starter_image: Path, tmp_path: Path
) -> None:
    job = small_job("clean", photos, starter_image, site=load_site("talc"))
    folder = write_bundle(job, tmp_path / "clean")
    words = [str(Path.home()), str(photos), str(tmp_path), socket.gethostname() + ".", "password"]
    words += [getpass.getuser() + "@"]
    for file in folder.rglob("*"):
        if file.is_file() and file.suffix not in (".jpg", ".safetensors", ".whl"):
            text = file.read_text()
            assert not [word for word in words if word in text], file
            assert "\r" not in text, file


def test_windows_line_endings_never_reach_the_cluster(
    photos: Path, starter_image: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a checkout on Windows that turns every LF into CRLF."""
    slurm = shutil.copytree(Path(texts_module.slurm_path()), tmp_path / "slurm")
    for file in slurm.rglob("*"):
        if file.is_file():
            file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    for module in (texts_module, bundle_module):
        monkeypatch.setattr(module, "slurm_path", lambda *parts: slurm.joinpath(*parts))
    folder = write_bundle(small_job("crlf", photos, starter_image), tmp_path / "crlf")
    for file in (*SCRIPTS, "env.sh", "train.sbatch", "README.md", "src/requirements.lock", "manifest.json"):
        assert b"\r" not in (folder / file).read_bytes(), file


def test_a_folder_or_nothing(photos: Path, starter_image: Path, tmp_path: Path) -> None:
    job = small_job("once", photos, starter_image)
    target = tmp_path / "once.tar.gz"
    stop = threading.Event()
    stop.set()
    with pytest.raises(ExportStopped):
        write_bundle(job, target, stop=stop)
    write_bundle(job, target)
    with pytest.raises(BundleError, match="exists and is left alone"):
        write_bundle(job, target)
    with pytest.raises(BundleError, match="is not a folder"):
        write_bundle(job, tmp_path / "none" / "x.tar.gz")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a set of photos", "once.tar.gz"]


def test_photos_to_pack_are_looked_through(photos: Path, tmp_path: Path) -> None:
    (photos / "train" / "notes.txt").write_text("no photo")
    odd = photos / "train" / "Blue" / 'a "quoted" name.jpg'
    shutil.copyfile(photos / "train" / "Blue" / "green glass bottle_000.jpg", odd)
    packed = list_photos(photos)
    assert packed.splits == ("train", "val", "test")
    assert packed.size == sum(photo.size for photo in packed.photos)
    assert any("its name cannot travel" in line for line in packed.notes)
    assert not any('"' in photo.place for photo in packed.photos)
    shutil.rmtree(photos / "val")
    with pytest.raises(BundleError, match="has no folder val"):
        list_photos(photos)


def test_a_job_is_either_packed_or_on_the_cluster(photos: Path, starter_image: Path) -> None:
    site = local_site()
    with pytest.raises(BundleError, match="either"):
        Job("x", "x", site, Resources.of_site(site), ImageSettings())
    with pytest.raises(BundleError, match="is not there"):
        small_job("x", photos, starter_image.with_name("gone"))


def test_the_settings_survive_as_toml(photos: Path, starter_image: Path) -> None:
    config = small_job("round-trip", photos, starter_image).config
    assert parse_config(config_text(config)) == config


def test_the_wheel_trains_alone_and_pip_takes_it(tmp_path: Path) -> None:
    """From the wheel as it stands, without Qt; and the same bytes each time."""
    wheel = tmp_path / wheel_name()
    wheel.write_bytes(make_wheel())
    assert make_wheel() == wheel.read_bytes()
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]);"
        "import trainer.job.run, trainer.job.preflight, trainer.job.collect, trainer.image.command, gcdesk;"
        "assert gcdesk.__file__.startswith(sys.argv[1]), gcdesk.__file__;"
        "bad = [n for n in ('PySide6', 'onnxruntime', 'tokenizers') if n in sys.modules]; assert not bad, bad;"
        "import importlib.util; assert importlib.util.find_spec('gcdesk.ui') is None"
    )
    subprocess.run([sys.executable, "-P", "-c", code, str(wheel)], check=True, cwd=tmp_path, timeout=300)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target"]
    subprocess.run([*pip, str(tmp_path / "site"), str(wheel)], check=True, cwd=tmp_path, timeout=300)
    assert (tmp_path / "site" / "trainer" / "job" / "run.py").is_file()

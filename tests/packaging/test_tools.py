"""The tools that make packages, on real libraries and files."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from frozen_kit import ROOT
from PIL import Image

sys.path.insert(0, str(ROOT / "packaging"))
import freeze
import icons
import linux_packages
import needs
import no_encoder
import sbom
import trimming
from contents import Part

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="packages of Linux")


def libraries() -> list[Path]:
    import numpy
    import PySide6

    folder = Path(PySide6.__file__).parent
    return [
        folder / "Qt/lib/libQt6Gui.so.6",
        folder / "Qt/plugins/platforms/libqxcb.so",
        *Path(numpy.__file__).parent.glob("_core/*.so"),
    ]


def test_needed_reads_what_readelf_reads() -> None:
    for library in libraries():
        told = subprocess.run(["readelf", "-d", library], capture_output=True, text=True, check=True).stdout
        expected = [line.split("[")[1].split("]")[0] for line in told.splitlines() if "(NEEDED)" in line]
        assert needs.needed(library) == expected


def test_a_library_that_nothing_links_to_stays_out() -> None:
    gui, xcb = libraries()[:2]
    table = [
        ("PySide6/Qt/plugins/platforms/libqxcb.so", str(xcb), "BINARY"),
        ("PySide6/Qt/lib/libQt6Gui.so.6", str(gui), "BINARY"),
        ("PySide6/Qt/lib/libQt6Quick.so.6", str(gui.with_name("libQt6Quick.so.6")), "BINARY"),
        ("libQt6Quick.so.6", "PySide6/Qt/lib/libQt6Quick.so.6", "SYMLINK"),
    ]
    assert [entry[0] for entry in needs.reached(table)] == [table[0][0], table[1][0]]


def test_what_is_loaded_by_name_stays() -> None:
    cudnn = ("nvidia/cudnn/lib/libcudnn_ops.so.9", str(libraries()[0]), "BINARY")
    bridge = ("onnxruntime/capi/libonnxruntime_providers_shared.so", str(libraries()[0]), "BINARY")
    assert needs.reached([cudnn, bridge]) == [cudnn, bridge]


def heif_libraries() -> list[tuple[str, str, str]]:
    import pillow_heif

    folder = Path(pillow_heif.__file__).parent.with_name("pillow_heif.libs")
    table = [(f"pillow_heif.libs/{file.name}", str(file), "BINARY") for file in sorted(folder.iterdir())]
    return [*table, (Path(table[-1][0]).name, table[-1][0], "SYMLINK")]


def test_the_encoder_is_replaced_and_photos_are_still_read(tmp_path: Path) -> None:
    """The wheel's files with the stand-in among them, in a process of their own."""
    import pillow_heif

    photo = tmp_path / "photo.heic"
    pillow_heif.from_pillow(Image.new("RGB", (64, 48), (0, 128, 1))).save(photo)
    before = heif_libraries()
    after = no_encoder.without_encoder(before, tmp_path)
    changed = [new[0] for old, new in zip(before, after, strict=True) if old != new]
    assert len(changed) == 1
    assert "libx265" in changed[0]
    (tmp_path / "pillow_heif.libs").mkdir()
    for target, source, kind in after:
        if kind == "BINARY":
            (tmp_path / target).symlink_to(source)
    site = Path(pillow_heif.__file__).parent.parent
    for entry in (*site.glob("_pillow_heif*"), site / "pillow_heif"):
        (shutil.copytree if entry.is_dir() else shutil.copy)(entry, tmp_path / entry.name)
    code = (
        "import pillow_heif; from PIL import Image; pillow_heif.register_heif_opener()\n"
        f"image = Image.open({str(photo)!r}); print(image.convert('RGB').getpixel((5, 5)))\n"
        "try: image.save('again.heic')\nexcept RuntimeError as error: print(error)\n"
        "print(pillow_heif.__file__)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    colour, refused, where = done.stdout.splitlines()
    assert colour == "(0, 128, 1)"
    assert "not supported by x265" in refused
    assert Path(where).is_relative_to(tmp_path)


def test_a_libheif_that_asks_for_more_of_the_encoder_ends_the_build(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="x265_encoder_open"):
        no_encoder.stand_in("libx265.so.217", "217", {"x265_api_get_217", "x265_encoder_open_217"}, tmp_path)


def test_the_bill_of_materials_keeps_to_its_schema(tmp_path: Path) -> None:
    parts = [
        Part("numpy", "2.4.6", "pypi", "BSD-3-Clause AND 0BSD AND MIT"),
        Part("libxcb1", "1.15-1", "deb", "see copyright, or not"),
        Part("CPython", "3.11.7", "generic", "PSF-2.0"),
        Part("starter-text", "0123456789ab", "model", "Apache-2.0", [], 7, "0" * 64),
    ]
    stamp = {"version": "0.1.0", "commit": "abc", "flavour": "station", "torch": ""}
    files = [tmp_path / "one.json", tmp_path / "two.json"]
    for file in files:
        sbom.write_sbom(parts, stamp, 1_700_000_000, file)
    assert sbom.problems(files[0]) == ""
    assert files[0].read_bytes() == files[1].read_bytes()
    told = json.loads(files[0].read_text())
    assert [part["purl"] for part in told["components"] if part["name"] == "libxcb1"] == [
        "pkg:deb/debian/libxcb1@1.15-1"
    ]
    told["components"][0]["type"] = "something"
    files[1].write_text(json.dumps(told))
    assert "something" in sbom.problems(files[1])


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("PySide6/QtWidgets.abi3.so", True),
        ("PySide6/QtQml.abi3.so", False),
        ("PySide6/Qt/lib/libQt6Widgets.so.6", True),
        ("PySide6/Qt/plugins/platforms/libqxcb.so", True),
        ("PySide6/Qt/plugins/platforms/libqvnc.so", False),
        ("PySide6\\plugins\\platforms\\qwindows.dll", True),
        ("PySide6\\plugins\\imageformats\\qpdf.dll", False),
        ("PySide6/Qt/translations/qtbase_de.qm", False),
        ("onnxruntime/capi/libonnxruntime.so.1.32.0", False),
        ("onnxruntime/capi/onnxruntime_pybind11_state.so", True),
    ],
)
def test_what_is_kept(name: str, kept: bool) -> None:
    assert bool(trimming.kept([(name, "", "BINARY")])) is kept


def test_the_window_uses_no_qt_module_that_is_left_out() -> None:
    asked = subprocess.run(
        ["grep", "-rhoE", r"PySide6\.Qt[A-Za-z0-9]+", ROOT / "gcdesk"],
        capture_output=True,
        text=True,
        check=True,
    )
    used = {line.partition(".")[2] for line in asked.stdout.split()}
    assert used <= set(trimming.QT_MODULES)


def test_the_station_package_leaves_out_what_only_training_needs() -> None:
    station, full = trimming.modules_left_out("station"), trimming.modules_left_out("full")
    assert {"torch", "transformers", "torchvision"} <= set(station)
    assert not {"torch", "transformers", "torchvision"} & set(full)
    assert not {"trainer", "gcdesk"} & {*station, *full}


def test_depends_name_what_the_window_needs() -> None:
    found = linux_packages.depends("2.34")
    assert found[0] == "libc6 (>= 2.34)"
    assert {"libxcb-cursor0", "libegl1", "libxkbcommon-x11-0"} <= set(found)
    assert not {"xvfb", "xdotool", "fonts-dejavu-core"} & set(found)


def test_the_glibc_floor_is_the_newest_symbol_version(tmp_path: Path) -> None:
    (tmp_path / "one.so").write_bytes(b"\x7fELF GLIBC_2.17 GLIBC_2.34 GLIBC_2.4")
    (tmp_path / "no.txt").write_bytes(b"GLIBC_2.99")
    assert linux_packages.glibc_floor(tmp_path) == "2.34"


def test_archives_have_neither_times_nor_owners_of_the_builder(tmp_path: Path) -> None:
    made = []
    for name in ("a", "b"):
        folder = tmp_path / name / "gcdesk"
        folder.mkdir(parents=True)
        (folder / "program").write_text("same")
        (folder / "program").chmod(0o700)
        (folder / "link").symlink_to("program")
        archive = tmp_path / f"{name}.tar.gz"
        linux_packages._tar(folder, archive, 1_700_000_000)
        made.append(archive.read_bytes())
    assert made[0] == made[1]
    with tarfile.open(fileobj=io.BytesIO(made[0])) as tar:
        entry = tar.getmember("gcdesk/program")
        assert (entry.mtime, entry.uid, entry.uname, entry.mode) == (1_700_000_000, 0, "root", 0o755)


def test_the_icon_is_drawn(qapp: object) -> None:
    image = Image.open(io.BytesIO(icons.png(64)))
    assert image.size == (64, 64)
    assert image.getpixel((0, 0))[3] == 0
    assert image.getpixel((44, 20))[:3] == (0x1D, 0x5F, 0xC4)


@pytest.fixture
def unstamped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that freeze.py takes for the checkout; no time is set from outside."""
    monkeypatch.setattr(freeze, "ROOT", tmp_path)
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    return tmp_path


@pytest.mark.parametrize("has_git", [True, False])
def test_an_unpacked_archive_can_be_packed(
    unstamped: Path, has_git: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not has_git:
        monkeypatch.setenv("PATH", str(unstamped))
    assert freeze.stamp_of("station")["commit"] == "unknown"
    assert freeze.epoch() == freeze.NO_COMMIT_EPOCH


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_checkout_of_another_user_can_be_packed(unstamped: Path) -> None:
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    for words in (["init", "--quiet"], [*who, "commit", "--quiet", "--allow-empty", "--message", "a"]):
        subprocess.run(["git", *words], cwd=unstamped, check=True)
    for path in (unstamped, *unstamped.rglob("*")):
        os.chown(path, 65534, 65534)
    assert len(freeze.stamp_of("station")["commit"]) == 40
    assert freeze.epoch() != freeze.NO_COMMIT_EPOCH

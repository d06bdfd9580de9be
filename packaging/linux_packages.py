"""Linux: a tar.gz with install.sh, and a .deb to /opt/gcdesk. Both byte for byte the same for the same folder."""

from __future__ import annotations

import gzip
import os
import platform
import re
import shutil
import subprocess
import tarfile
from pathlib import Path

import icons

HERE = Path(__file__).resolve().parent
LINUX = HERE / "linux"
_GLIBC = re.compile(rb"GLIBC_(\d+)\.(\d+)")
_ICON_SIZES = (48, 128, 256)
# What a desktop has and a minimal system may lack; only for Wayland, only for text without our font.
_RECOMMENDED = ("fonts-dejavu-core", "libwayland-cursor0", "libwayland-egl1", "shared-mime-info")


def glibc_floor(folder: Path) -> str:
    """The oldest glibc that has every symbol version that a file in the folder asks for, such as "2.34"."""
    floor = (2, 17)
    for file in folder.rglob("*"):
        if file.is_symlink() or not file.is_file():
            continue
        with file.open("rb") as opened:
            if opened.read(4) == b"\x7fELF":
                found = _GLIBC.findall(opened.read())
                floor = max([floor, *((int(major), int(minor)) for major, minor in found)])
    return f"{floor[0]}.{floor[1]}"


def make_tar(folder: Path, stamp: dict[str, str], name: str, target: Path, epoch: int) -> Path:
    """gcdesk-<version>-<name>-linux-<machine>.tar.gz."""
    stem = f"gcdesk-{stamp['version']}-{name}-linux-{platform.machine()}"
    stage = target / "stage-tar" / stem
    shutil.rmtree(stage.parent, ignore_errors=True)
    shutil.copytree(folder, stage / "gcdesk", symlinks=True)
    share = stage / "gcdesk" / "share"
    share.mkdir()
    for file in ("gcdesk.desktop", "gcdesk-mime.xml", "uninstall.sh"):
        shutil.copy(LINUX / file, share / file)
    for size in _ICON_SIZES:
        (share / f"gcdesk-{size}.png").write_bytes(icons.png(size))
    shutil.copy(icons.DRAWING, share / "gcdesk.svg")
    shutil.copy(LINUX / "install.sh", stage / "install.sh")
    archive = target / f"{stem}.tar.gz"
    _tar(stage, archive, epoch)
    shutil.rmtree(stage.parent)
    return archive


def _tar(folder: Path, archive: Path, epoch: int) -> None:
    def level(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = "root"
        entry.mtime = epoch
        entry.mode = 0o755 if entry.isdir() or entry.mode & 0o100 else 0o644
        return entry

    with (
        archive.open("wb") as raw,
        gzip.GzipFile("", "wb", 6, raw, epoch) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for path in [folder, *sorted(folder.rglob("*"))]:
            tar.add(path, str(path.relative_to(folder.parent)), recursive=False, filter=level)


def make_deb(folder: Path, stamp: dict[str, str], name: str, target: Path, epoch: int) -> Path:
    """gcdesk-<flavour>_<version>_<architecture>.deb."""
    architecture = _output("dpkg", "--print-architecture")
    package = f"gcdesk-{stamp['flavour']}"
    stage = target / "stage-deb"
    shutil.rmtree(stage, ignore_errors=True)
    shutil.copytree(folder, stage / "opt" / "gcdesk", symlinks=True)
    _share(stage / "usr" / "share", package)
    links = stage / "usr" / "bin"
    links.mkdir(parents=True)
    for program in ("gcdesk", "gcdesk-console"):
        (links / program).symlink_to(f"../../opt/gcdesk/{program}")
    size = sum(f.lstat().st_size for f in stage.rglob("*") if f.is_file()) // 1024
    (stage / "DEBIAN").mkdir()
    (stage / "DEBIAN" / "control").write_text(
        f"Package: {package}\nVersion: {stamp['version']}\nArchitecture: {architecture}\n"
        "Maintainer: The gcdesk developers <gcdesk@localhost>\nSection: science\nPriority: optional\n"
        f"Installed-Size: {size}\nDepends: {', '.join(depends(glibc_floor(folder)))}\n"
        f"Recommends: {', '.join(_RECOMMENDED)}\n"
        "Conflicts: gcdesk\nProvides: gcdesk\nReplaces: gcdesk\n"
        "Description: tells which bin a piece of garbage goes into\n"
        f" From a photo and a caption, and shows why. This is the {name} package,\n"
        f" of commit {stamp['commit'][:12]}.\n"
    )
    _level(stage, epoch)
    archive = target / f"{package}_{stamp['version']}_{architecture}.deb"
    subprocess.run(
        ["dpkg-deb", "--root-owner-group", "-Zxz", "-z2", "--build", str(stage), str(archive)],
        check=True, stdout=subprocess.DEVNULL, env={**os.environ, "SOURCE_DATE_EPOCH": str(epoch)},
    )  # fmt: skip
    shutil.rmtree(stage)
    return archive


def depends(floor: str) -> list[str]:
    """The libraries of the first block of debian-packages.txt that are no font, and glibc from its floor on."""
    first_block = (HERE / "debian-packages.txt").read_text().partition("\n\n")[0]
    names = [line for line in first_block.splitlines() if line and not line.startswith(("#", "fonts-"))]
    renamed = {"libglib2.0-0": "libglib2.0-0t64 | libglib2.0-0"}
    return [f"libc6 (>= {floor})", *(renamed.get(name, name) for name in names)]


def _share(share: Path, package: str) -> None:
    for place in ("applications", "mime/packages", "icons/hicolor/scalable/apps", f"doc/{package}"):
        (share / place).mkdir(parents=True)
    desktop = (LINUX / "gcdesk.desktop").read_text().replace("@EXEC@", "/opt/gcdesk/gcdesk")
    (share / "applications" / "gcdesk.desktop").write_text(desktop)
    shutil.copy(LINUX / "gcdesk-mime.xml", share / "mime" / "packages" / "gcdesk.xml")
    shutil.copy(icons.DRAWING, share / "icons/hicolor/scalable/apps/gcdesk.svg")
    for size in _ICON_SIZES:
        place = share / f"icons/hicolor/{size}x{size}/apps"
        place.mkdir(parents=True)
        (place / "gcdesk.png").write_bytes(icons.png(size))
    shutil.copy(HERE.parent / "NOTICE", share / "doc" / package / "copyright")


def _level(stage: Path, epoch: int) -> None:
    """The same rights and times whoever builds."""
    for path in [stage, *stage.rglob("*")]:
        if path.is_symlink():
            os.utime(path, (epoch, epoch), follow_symlinks=False)
            continue
        executable = path.is_dir() or path.stat().st_mode & 0o100
        path.chmod(0o755 if executable else 0o644)
        os.utime(path, (epoch, epoch))


def _output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

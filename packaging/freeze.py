"""Makes the packages: `python packaging/freeze.py --flavour station`, or `make package FLAVOUR=station`.

Run it with the Python of a virtual environment that holds what is to be frozen (the Makefile makes one). The frozen
folder and its archives come to dist/<flavour>/; the same commit gives the same bytes (packaging/reproduce.py).
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import icons
import linux_packages
import windows_packages
from contents import parts_of, third_party_texts
from sbom import write_sbom

ROOT = Path(__file__).resolve().parent.parent
# The time that goes into the package where no commit says one: that of gcdesk's first, in seconds since 1970.
NO_COMMIT_EPOCH = 1_795_532_548


def main() -> int:
    parser = argparse.ArgumentParser(description="Freeze gcdesk and pack it.")
    parser.add_argument("--flavour", choices=("station", "full"), default="station")
    parser.add_argument("--dist", type=Path, default=ROOT / "dist")
    parser.add_argument("--folder-only", action="store_true", help="no archive, no installer")
    args = parser.parse_args()
    stamp = stamp_of(args.flavour)
    name = f"{args.flavour}-{stamp['torch'].replace(' ', '')}" if args.flavour == "full" else args.flavour
    target = (args.dist / name).absolute()
    folder = freeze(args.flavour, stamp, target)
    print(f"frozen: {folder} ({size_of(folder) / 1e6:.0f} MB)")
    if not args.folder_only:
        for file in packed(folder, stamp, name, target):
            print(f"packed: {file} ({file.stat().st_size / 1e6:.0f} MB, sha256 {sha256_of(file)})")
    return 0


def stamp_of(flavour: str) -> dict[str, str]:
    """What gcdesk/config/build.py reads from the package."""
    # Where a build has the files alone, without git, its maker may say which commit they are.
    commit = git("rev-parse", "HEAD") or os.environ.get("GCDESK_COMMIT") or "unknown"
    if git("status", "--porcelain", "--untracked-files=no"):
        commit += "-changed"
    return {"version": version("gcdesk"), "commit": commit, "flavour": flavour, "torch": torch_kind(flavour)}


def torch_kind(flavour: str) -> str:
    """Which torch the full package gets: "cpu" or such as "cuda 13.0"."""
    if flavour != "full":
        if importlib.util.find_spec("torch") is not None:
            print("torch is installed here; the station package leaves it out.", file=sys.stderr)
        return ""
    if importlib.util.find_spec("torch") is None:
        raise SystemExit("The full package needs torch, which is not installed in this environment.")
    import torch

    return f"cuda {torch.version.cuda}" if torch.version.cuda else "cpu"


def git(*words: str) -> str:
    """What it prints; "" without git or outside of a repository, such as in an unpacked archive of the source."""
    if shutil.which("git") is None:
        return ""
    # A checkout may be another user's than who packs it, as in a container.
    command = ["git", "-c", "safe.directory=*", *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else ""


def epoch() -> int:
    """The time that goes into the package: $SOURCE_DATE_EPOCH, else that of the commit, else a fixed one."""
    return int(os.environ.get("SOURCE_DATE_EPOCH") or git("log", "-1", "--format=%ct") or NO_COMMIT_EPOCH)


def freeze(flavour: str, stamp: dict[str, str], target: Path) -> Path:
    """Run PyInstaller, add licences and the bill of materials. Returns the folder."""
    work = ROOT / "build" / f"freeze-{flavour}"
    shutil.rmtree(work, ignore_errors=True)
    shutil.rmtree(target, ignore_errors=True)
    (work / "stamp").mkdir(parents=True)
    (work / "stamp" / "build.json").write_text(json.dumps(stamp, indent=1) + "\n")
    icons.write_icons(work / "stamp")
    variables = {
        **os.environ,
        "GCDESK_FLAVOUR": flavour,
        "GCDESK_STAMP": str(work / "stamp"),
        "PYTHONHASHSEED": "0",
        "SOURCE_DATE_EPOCH": str(epoch()),
    }
    command = [sys.executable, "-m", "PyInstaller", "--noconfirm", "--clean", "--log-level", "WARN"]
    command += ["--distpath", str(target), "--workpath", str(work), str(ROOT / "packaging" / "gcdesk.spec")]
    subprocess.run(command, cwd=ROOT, env=variables, check=True)
    folder = target / "gcdesk"
    strip_python(folder / "_internal")
    parts = parts_of(work / "stamp" / "contents.json")
    licences = folder / "_internal" / "resources" / "licences"
    licences.mkdir()
    (licences / "third-party.txt").write_text(third_party_texts(parts), encoding="utf-8")
    write_sbom(parts, stamp, epoch(), licences / "sbom.cdx.json")
    return folder


def strip_python(internal: Path) -> None:
    """Take debugging symbols out of a Python that was built with them (30 MB). The libraries of wheels are left as
    they are: their makers moved sections about, which strip does not always survive.
    """
    strip = shutil.which("strip")
    if sys.platform == "linux" and strip:
        own = [*internal.glob("libpython3*.so*"), *internal.glob("python3.*/lib-dynload/*.so")]
        subprocess.run([strip, "--strip-unneeded", *map(str, own)], check=True)


def packed(folder: Path, stamp: dict[str, str], name: str, target: Path) -> list[Path]:
    """The archives and installers that this platform can make."""
    if sys.platform == "linux":
        made = [linux_packages.make_tar(folder, stamp, name, target, epoch())]
        if shutil.which("dpkg-deb"):
            made.append(linux_packages.make_deb(folder, stamp, name, target, epoch()))
        return made
    if sys.platform == "win32":
        made = [windows_packages.make_zip(folder, stamp, name, target, epoch())]
        if shutil.which("iscc"):
            made.append(windows_packages.make_installer(stamp, name, target))
        return made
    subprocess.run(
        [str(ROOT / "packaging" / "macos" / "package.sh"), str(target), stamp["version"]], check=True
    )
    return sorted(target.glob("*.dmg"))


def size_of(folder: Path) -> int:
    """Bytes of all files; links count nothing."""
    return sum(f.stat().st_size for f in folder.rglob("*") if f.is_file() and not f.is_symlink())


def sha256_of(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


if __name__ == "__main__":
    sys.exit(main())

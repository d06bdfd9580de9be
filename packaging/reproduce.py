"""Builds the same commit twice and says which files differ. Exit code 0 where none does.

The two builds have different hash seeds, times of day and folders; what they may share is the environment. The time
that goes into files is the commit's ($SOURCE_DATE_EPOCH), so the archives are compared too.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from freeze import sha256_of

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    parser = argparse.ArgumentParser(description="Build twice and compare.")
    parser.add_argument("--flavour", choices=("station", "full"), default="station")
    parser.add_argument("--folder-only", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=ROOT / "build") as folder:
        builds = []
        for number in (1, 2):
            target = Path(folder) / f"number{number}"
            command = [sys.executable, str(ROOT / "packaging" / "freeze.py"), "--flavour", args.flavour]
            command += ["--dist", str(target), *(["--folder-only"] if args.folder_only else [])]
            subprocess.run(command, env={**os.environ, "PYTHONHASHSEED": str(number)}, check=True)
            builds.append(table(target))
    different = sorted(name for name in builds[0] | builds[1] if builds[0].get(name) != builds[1].get(name))
    print(f"{len(builds[0])} files, {len(different)} of them differ")
    for name in different:
        print(f"  {name}")
    return 1 if different else 0


def table(folder: Path) -> dict[str, str]:
    """Every file's sha256, and where links point to."""
    return {
        str(path.relative_to(folder)): f"-> {os.readlink(path)}" if path.is_symlink() else sha256_of(path)
        for path in sorted(folder.rglob("*"))
        if path.is_symlink() or path.is_file()
    }


if __name__ == "__main__":
    sys.exit(main())

"""The table of docs/packaging.md: sizes by part, and times and memory of the frozen apps in dist/.

`make package-figures`, or `python packaging/measure.py [--runs N]`. Each time is that of warm starts (one start
before them is trashed away), on the offscreen platform; the least and the median of the runs are printed, because
other programs on the computer can only make a start slower.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from freeze import size_of
from linux_packages import glibc_floor

ROOT = Path(__file__).resolve().parent.parent
# What a part is made of: the first words of paths below _internal.
PARTS = {
    "models, graphs, samples, icons": ("resources/",),
    "Qt": ("PySide6/", "shiboken6/"),
    "of that ICU, which Qt links to": ("PySide6/Qt/lib/libicu",),
    "ONNX Runtime": ("onnxruntime/",),
    "numpy and its BLAS": ("numpy",),
    "photo formats (Pillow, HEIF)": ("PIL/", "pillow", "_pillow_heif"),
    "tokenizers, safetensors": ("tokenizers", "safetensors"),
    "torch": ("torch/", "torchgen/", "functorch/", "torchvision", "triton"),
    "CUDA libraries": ("nvidia",),
}


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure the frozen apps in dist/.")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--dist", type=Path, default=ROOT / "dist")
    args = parser.parse_args()
    apps = {path.parent.name: path for path in sorted(args.dist.glob("*/gcdesk"))}
    if not apps:
        raise SystemExit(f"There is no frozen app in {args.dist}: run `make package`.")
    columns = {name: figures(folder, args.runs) for name, folder in apps.items()}
    print_table(columns)
    return 0


def figures(folder: Path, runs: int) -> dict[str, str]:
    """A column of the table."""
    column = sizes(folder)
    reports = smoke_runs(folder, runs)
    for words, key in (
        ("start to window, s", "window_seconds"),
        ("start to first result, s", "first_result_seconds"),
        ("worker killed to three more results, s", "after_kill_seconds"),
        ("memory of the window, MB", "window_memory"),
        ("memory of the worker, MB", "worker_memory"),
    ):
        found = [float(report[key]) for report in reports]
        digits = 0 if key.endswith("memory") else 2
        column[words] = f"{min(found):.{digits}f} (median {statistics.median(found):.{digits}f})"
    return column


def sizes(folder: Path) -> dict[str, str]:
    """Megabytes of each part, and of the archives beside the folder."""
    internal = folder / "_internal"
    counted = [
        (str(path.relative_to(internal)), path.stat().st_size)
        for path in internal.rglob("*")
        if path.is_file() and not path.is_symlink()
    ]
    whole = size_of(folder)
    column = {"unpacked, MB": f"{whole / 1e6:.0f}"}
    named = 0
    for words, starts in PARTS.items():
        size = sum(size for name, size in counted if name.startswith(starts))
        column[f"- {words}"] = f"{size / 1e6:.0f}"
        named += 0 if words.startswith("of that") else size
    column["- Python, system libraries, the rest"] = f"{(whole - named) / 1e6:.0f}"
    for words, pattern in (("tar.gz, MB", "*.tar.gz"), (".deb, MB", "*.deb")):
        found = sorted(folder.parent.glob(pattern))
        column[words] = f"{found[-1].stat().st_size / 1e6:.0f}" if found else "-"
    if sys.platform == "linux":
        column["glibc, at least"] = glibc_floor(folder)
    return column


def smoke_runs(folder: Path, runs: int) -> list[dict[str, Any]]:
    """Reports of warm starts."""
    program = folder / ("gcdesk.exe" if sys.platform == "win32" else "gcdesk")
    reports = []
    with tempfile.TemporaryDirectory() as home:
        variables = {**os.environ, "GCDESK_HOME": home, "QT_QPA_PLATFORM": "offscreen"}
        target = Path(home) / "report.json"
        for number in range(runs + 1):
            subprocess.run(
                [str(program), "--smoke", str(target)], env=variables, capture_output=True, check=True
            )
            if number:
                reports.append(json.loads(target.read_text()))
    return reports


def print_table(columns: dict[str, dict[str, str]]) -> None:
    """As Markdown."""
    names = list(columns)
    print(f"| | {' | '.join(names)} |")
    print("|---|" + "---:|" * len(names))
    for words in columns[names[0]]:
        print(f"| {words} | {' | '.join(columns[name][words] for name in names)} |")


if __name__ == "__main__":
    sys.exit(main())

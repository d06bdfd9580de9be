"""`python tests/fuzz/fuzz.py --seconds 60`: feed damaged input to every reader, and print what came of it.

Each target runs in a child that may write to its own folder only, has a cap on its memory and a few seconds an
input. An exception that is no refusal, a crash, a hang, a file outside the folder and memory beyond the cap are
findings: the input is kept, and the exit status is 1. The same seed gives the same inputs (how many depends on time).
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import unicodedata
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]

from targets import Target, targets  # noqa: E402

from gcdesk.worker.process.sandbox import confine  # noqa: E402

# Of the processor, so that a busy machine finds nothing; and by the clock, for what waits without working.
SECONDS_AN_INPUT = 10
SECONDS_OF_WAITING = 180  # by the clock, on a machine that may be busy with other things
FEWEST = 8  # inputs that each reader gets, however slow the machine is
# The largest photo allowed takes 270 MB as RGB, and twice that while it is converted.
MEMORY = 1536 * 1024**2
_ATTEMPTS = 30
# Where a commit of a database costs nothing.
_IN_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=60, help="for all targets together (default: 60)")
    parser.add_argument("--target", action="append", choices=list(targets()), help="default: all of them")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, default=Path(tempfile.gettempdir()) / "gcdesk-findings")
    parser.add_argument("--json", action="store_true", help="one line instead of the table")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        return _child(args.child, args.seconds, args.seed, args.keep)
    names = args.target or list(targets())
    reports = [_run(name, args.seconds / len(names), args.seed, args.keep) for name in names]
    if args.json:
        print(json.dumps(reports))
    else:
        _print(reports)
    return 1 if any(report["findings"] for report in reports) else 0


def _run(name: str, seconds: float, seed: int, keep: Path) -> dict[str, object]:
    """A child, and another one for the rest of the time where one has died."""
    total: dict[str, object] = {
        "target": name,
        "inputs": 0,
        "read": 0,
        "refused": 0,
        "peak_mb": 0,
        "findings": [],
    }
    deadline = time.monotonic() + seconds
    for attempt in range(_ATTEMPTS):
        left = deadline - time.monotonic()
        if left <= 0.05 * seconds and attempt:
            break
        folder = Path(
            tempfile.mkdtemp(prefix="gcdesk-fuzz-", dir=_IN_MEMORY if _IN_MEMORY.is_dir() else None)
        )
        command = [sys.executable, __file__, "--child", name, "--seconds", str(left), "--keep", str(folder)]
        child = subprocess.run(
            [*command, "--seed", str(seed + 1000 * attempt)], capture_output=True, text=True
        )
        told = folder / "report.json"
        report = json.loads(told.read_text()) if told.exists() else {"inputs": 0, "findings": []}
        for key in ("inputs", "read", "refused"):
            total[key] += report.get(key, 0)
        total["peak_mb"] = max(total["peak_mb"], report.get("peak_mb", 0))
        findings = report["findings"]
        if child.returncode:
            hung = child.returncode in (-signal.SIGPROF, -signal.SIGALRM)
            words = "hung" if hung else f"died ({child.returncode}): {child.stderr[-2000:]}"
            findings.append({"said": words, "file": "input"})
        for finding in findings:
            finding["file"] = _kept(folder / finding["file"], keep, name)
        total["findings"] += findings
        shutil.rmtree(folder, ignore_errors=True)
        if not child.returncode:
            break
    return total


def _kept(file: Path, keep: Path, name: str) -> str:
    if not file.exists():
        return ""
    keep.mkdir(parents=True, exist_ok=True)
    number = sum(1 for _ in keep.iterdir())
    target = keep / f"{name.replace(' ', '-').replace(chr(39), '')}-{number:03}"
    shutil.copy(file, target)
    return str(target)


def _child(name: str, seconds: float, seed: int, folder: Path) -> int:
    target = targets()[name]
    seeds = list(target.seeds())
    # The temporary folder is the child's own too, so that a file anywhere else is refused by the kernel.
    tempfile.tempdir = str(folder)
    confine([folder])
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    rng = random.Random(seed)
    report = {"inputs": 0, "read": 0, "refused": 0, "findings": []}
    seen: set[str] = set()
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline or report["inputs"] < FEWEST:
        data = (
            target.damage(rng.choice(seeds), seeds, rng)
            if report["inputs"] >= len(seeds)
            else seeds[report["inputs"]]
        )
        (folder / "input").write_bytes(data)
        said = _try(target, data, folder, report)
        report["inputs"] += 1
        if said and said not in seen:
            seen.add(said)
            shutil.copy(folder / "input", folder / f"finding{len(seen)}")
            report["findings"].append({"said": said, "file": f"finding{len(seen)}"})
        if said or report["inputs"] % 100 == 1:
            _tell(folder, report)
    _tell(folder, report)
    return 0


def _tell(folder: Path, report: dict[str, object]) -> None:
    report["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    (folder / "report.json").write_text(json.dumps(report))


def _try(target: Target, data: bytes, folder: Path, report: dict[str, int]) -> str:
    """Hand one input over. Returns what is wrong, "" for nothing."""
    place = folder / "place"
    place.mkdir()
    signal.setitimer(signal.ITIMER_PROF, SECONDS_AN_INPUT)
    signal.setitimer(signal.ITIMER_REAL, SECONDS_OF_WAITING)
    try:
        target.run(data, place)
        report["read"] += 1
    except target.refusals as refusal:
        report["refused"] += 1
        return _unreadable(str(refusal))
    except BaseException as error:  # a panic of a library in Rust is no Exception
        frames = traceback.extract_tb(error.__traceback__)
        where = next((f for f in reversed(frames) if "gcdesk" in f.filename), frames[-1])
        place_of = f"{Path(where.filename).name}:{where.lineno}"
        return f"{type(error).__name__} at {place_of}: {str(error)[:200]}"
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        shutil.rmtree(place)
    return ""


def _unreadable(words: str) -> str:
    """What is wrong with a refusal: it must be one line that can be shown as it stands."""
    if not words.strip() or any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in words):
        return "a refusal that cannot be shown: " + ascii(words[:200])
    return f"a refusal of {len(words)} characters" if len(words) > 1000 else ""


def _print(reports: list[dict[str, object]]) -> None:
    print(f"{'target':<16} {'inputs':>8} {'read':>8} {'refused':>8} {'peak MB':>8} {'findings':>8}")
    for one in reports:
        print(
            f"{one['target']:<16} {one['inputs']:>8} {one['read']:>8} {one['refused']:>8} {one['peak_mb']:>8}"
            f" {len(one['findings']):>8}"
        )
    for one in reports:
        for finding in one["findings"]:
            print(f"{one['target']}: {finding['said']}\n    {finding['file']}")


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(main())

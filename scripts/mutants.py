"""`make mutants`: switch each protection of scripts/mutants.toml off, one at a time, and see that a test notices.

    python scripts/mutants.py                   all of them, about an hour on two cores
    python scripts/mutants.py journal photos    those whose name begins with one of these words
    python scripts/mutants.py --check           only that each text is in its file, once

Works on a copy of the project; the checkout is not touched. Prints a line a protection and the survivors: those that
can be taken out while the named tests still pass. Exit codes: 0 every one was noticed, 1 some were not, 2 the table is
stale.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TABLE = Path(__file__).with_suffix(".toml")
# Copied, because a mutant changes them or because they find others beside themselves; the rest is linked.
_COPIED = ("gcdesk", "trainer", "tests", "scripts", "pyproject.toml")
# A mutant that makes a test wait for ever is noticed as well: one test, and all of an entry's.
_LONGEST_TEST_SECONDS, _LONGEST_SECONDS = 120, 600.0


@dataclass(frozen=True)
class Mutant:
    """One protection: `old` in `file` becomes `new`, and one of `tests` (pytest's names) should fail."""

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


def read_table(path: Path = TABLE) -> list[Mutant]:
    """Every protection of the table. Raises ValueError for a name that is there twice."""
    content = tomllib.loads(path.read_text(encoding="utf-8"))["mutant"]
    mutants = [Mutant(**{**entry, "tests": tuple(entry["tests"])}) for entry in content]
    if len({one.name for one in mutants}) != len(mutants):
        raise ValueError("two mutants have one name")
    return mutants


def stale(mutant: Mutant, root: Path = ROOT) -> str:
    """Why it cannot be tried: its text is not in its file exactly once, or a test file is gone. "" where it can."""
    file = root / mutant.file
    count = file.read_text(encoding="utf-8").count(mutant.old) if file.is_file() else 0
    if count != 1:
        return f"{mutant.file} has the text {count} times"
    gone = [test for test in mutant.tests if not (root / test.partition("::")[0]).exists()]
    return f"{gone[0]} is gone" if gone else ""


def try_out(mutant: Mutant, copy: Path) -> bool:
    """Whether a test fails while the protection is off."""
    file = copy / mutant.file
    before = file.read_text(encoding="utf-8")
    file.write_text(before.replace(mutant.old, mutant.new), encoding="utf-8")
    try:
        return _pytest(mutant.tests, copy) != 0
    except subprocess.TimeoutExpired:
        return True
    finally:
        file.write_text(before, encoding="utf-8")


def _pytest(tests: Sequence[str], copy: Path) -> int:
    environment = {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    environment.setdefault("GCDESK_SHARED", str(ROOT.parent / "shared"))
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
    command += [f"--timeout={_LONGEST_TEST_SECONDS}", *tests]
    ran = subprocess.run(
        command,
        cwd=copy,
        env=environment,
        capture_output=True,
        text=True,
        timeout=_LONGEST_SECONDS,
        check=False,
    )
    if ran.returncode not in (0, 1):  # no test was found, or none could be collected
        return 1 if "Error" in ran.stdout + ran.stderr and ran.returncode == 2 else 0
    return ran.returncode


def copied(folder: Path) -> Path:
    """A copy of what is changed and tested, beside links to all else."""
    copy = folder / "gcdesk"
    copy.mkdir()
    for entry in ROOT.iterdir():
        if entry.name in _COPIED:
            place = copy / entry.name
            if entry.is_dir():
                shutil.copytree(entry, place, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(entry, place)
        elif not entry.name.startswith("."):
            (copy / entry.name).symlink_to(entry)
    return copy


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", help="how the names of those begin that are tried")
    parser.add_argument("--check", action="store_true", help="only look whether the table fits the code")
    asked = parser.parse_args(arguments)
    mutants = [one for one in read_table() if not asked.names or one.name.startswith(tuple(asked.names))]
    old = {one.name: why for one in mutants if (why := stale(one))}
    for name, why in old.items():
        print(f"stale     {name}: {why}")
    if old or asked.check:
        print(f"{len(mutants)} protections, {len(old)} of them stale.")
        return 2 if old else 0
    survivors = []
    with tempfile.TemporaryDirectory(prefix="gcdesk-mutants-") as folder:
        copy = copied(Path(folder))
        for mutant in mutants:
            began = time.monotonic()
            noticed = try_out(mutant, copy)
            if not noticed:
                survivors.append(mutant.name)
            print(
                f"{'noticed ' if noticed else 'SURVIVED'}  {mutant.name} ({time.monotonic() - began:.0f} s)",
                flush=True,
            )
    named = f": {', '.join(survivors)}" if survivors else ""
    print(f"{len(mutants)} protections switched off, {len(survivors)} survivors{named}.")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())

"""`make advisories`: ask an index of advisories about the pinned versions, with pip-audit.

    python scripts/advisories.py                      every version of constraints.txt and of the clusters' locks
    python scripts/advisories.py --only pillow torch  these alone, in each of them

Exit codes: 0 nothing is known against them, 1 an advisory concerns one, 2 pip-audit cannot be run, 3 no index was
reached, or it does not know some of them.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
# What is installed here, by a job that trains and by one that classifies; the bundle adds pyarrow to the last.
LISTS = (ROOT / "constraints.txt", *sorted((ROOT / "slurm").glob("*.lock")))
BUNDLE = ROOT / "gcdesk" / "cluster" / "classify_bundle.py"
_PINNED_IN_CODE = re.compile(r'"([a-z][a-z0-9-]*==[0-9][0-9.]*)"')
FINE, CONCERNED, NO_TOOL, UNKNOWN = range(4)


def pinned(only: Sequence[str]) -> list[list[str]]:
    """Sets of lines `name==version` that can be asked about together: a set has one version of each name.

    All, or those of the names in `only`. Raises SystemExit for a name that is pinned nowhere.
    """
    known: dict[str, list[str]] = {}
    for line in _lines():
        versions = known.setdefault(line.partition("==")[0].lower().replace("_", "-"), [])
        if line.lower() not in map(str.lower, versions):
            versions.append(line)
    asked = [name.lower().replace("_", "-") for name in only] or list(known)
    missing = [name for name in asked if name not in known]
    if missing:
        raise SystemExit(f"{', '.join(missing)}: not in {', '.join(path.name for path in LISTS)}.")
    most = max(len(known[name]) for name in asked)
    return [[known[name][place] for name in asked if place < len(known[name])] for place in range(most)]


def _lines() -> Iterator[str]:
    for path in LISTS:
        for line in path.read_text(encoding="utf-8").splitlines():
            bare = line.partition("#")[0].partition(";")[0].strip()
            if "==" in bare:
                yield bare
    yield from _PINNED_IN_CODE.findall(BUNDLE.read_text(encoding="utf-8"))


def audit(lines: Sequence[str], index: str) -> tuple[int, str]:
    """The exit code, and what to say, about these versions."""
    with tempfile.TemporaryDirectory() as folder:
        wanted = Path(folder) / "requirements.txt"
        wanted.write_text("\n".join(lines) + "\n", encoding="utf-8")
        command = [sys.executable, "-m", "pip_audit", "--no-deps", "--disable-pip", "--format", "json"]
        command += ["--progress-spinner", "off", "--vulnerability-service", index]
        ran = subprocess.run([*command, "--requirement", str(wanted)], capture_output=True, text=True)
    if "No module named pip_audit" in ran.stderr:
        return NO_TOOL, "pip-audit is not installed: `make advisories` installs it."
    try:
        found = json.loads(ran.stdout)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return UNKNOWN, "No index of advisories was reached, so nothing was checked."
    return verdict(found)


def verdict(found: Sequence[dict[str, Any]]) -> tuple[int, str]:
    """The exit code, and what to say, of what pip-audit found: its `dependencies`."""
    told = [
        f"{one['name']} {one['version']}: {flaw['id']}, fixed in {', '.join(flaw['fix_versions']) or 'no version yet'}"
        for one in found
        for flaw in one.get("vulns", ())
    ]
    skipped = [str(one["name"]) for one in found if "skip_reason" in one]
    checked = len(found) - len(skipped)
    if told:
        return CONCERNED, "\n".join(
            [*told, f"{len(told)} advisories; {checked} of {len(found)} were checked."]
        )
    if not checked:
        return UNKNOWN, f"The index does not know {', '.join(skipped)}: nothing was checked."
    if skipped:
        return UNKNOWN, (
            f"Nothing is known against {checked} of {len(found)}; the index does not know {', '.join(skipped)}."
        )
    return FINE, f"Nothing is known against the {len(found)} pinned versions."


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME")
    parser.add_argument("--index", choices=["pypi", "osv"], default="pypi", help="whom to ask")
    asked = parser.parse_args(arguments)
    codes = []
    for lines in pinned(asked.only):
        code, words = audit(lines, asked.index)
        print(words, file=sys.stderr if code in (NO_TOOL, UNKNOWN) else sys.stdout)
        codes.append(code)
    return next(code for code in (CONCERNED, NO_TOOL, UNKNOWN, FINE) if code in codes)


if __name__ == "__main__":
    sys.exit(main())

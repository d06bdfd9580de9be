"""Run the makers of failing cases and write what each check says now, and said at an earlier commit, as a table.

    python scripts/cases_table.py CASES                        every maker of CASES/makers, on this tree
    python scripts/cases_table.py CASES --before 3b0e35b       the same at that commit first, side by side
    python scripts/cases_table.py CASES --only dng nas_folder  these makers alone
    python scripts/cases_table.py CASES --out docs/cases.md    as a page

A maker is a program that makes its inputs in a new folder and prints a line for each check: `ok` (as expected) or
`SEEN` (the fault). One that prints nothing, or does not end in time, counts as a fault. Makers import modules by the
names that these had at --names-of (3b0e35b); where a module was moved since, as git tells, it is found all the same.
Exit code: 0 all ok, 1 not all.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SECONDS = 300
GIT = shutil.which("git") or "git"
_LINE = re.compile(r"(ok|SEEN)\s+([^:]+): (.*)")
_LONGEST = 160
# What a module's names were, where a name moved without its module.
_OTHERWISE = {
    "gcdesk.ui.theme.theme": """
def _apply(self, app):
    from gcdesk.ui.theme.window_style import apply_theme

    apply_theme(app, self)


Theme.apply = _apply
""",
    "gcdesk.ui.export.bin_folders": """
from gcdesk.ui.export import transfer as _transfer
from gcdesk.ui.export.transfer import Step


def _journal():
    from gcdesk.store import Store, store_path

    return Store(store_path())


def carry_out(steps, move, *rest):
    return _transfer.carry_out(steps, move, _journal(), *rest)


def take_back(done):
    return _transfer.take_back(done, _journal())
""",
}
# Run at the start of a maker: an old name of a module gives the module that it became. A package that took the name
# of a module gives that module's names as well.
_SITE = """
import importlib, importlib.abc, importlib.util, os, subprocess, sys

NAMES, OTHERWISE = {names!r}, {otherwise!r}


def load(name):
    module = importlib.import_module(name)
    exec(OTHERWISE.pop(name, ""), module.__dict__)
    return module


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path=None, target=None):
        if name not in NAMES:
            return None
        sys.meta_path.remove(self)
        try:
            there = importlib.util.find_spec(name)
        except ImportError:
            there = None
        finally:
            sys.meta_path.insert(0, self)
        if there is None:
            return importlib.util.spec_from_loader(name, self)
        run = there.loader.exec_module

        def exec_module(module):
            run(module)
            module.__getattr__ = lambda word: getattr(load(NAMES[name]), word)

        there.loader.exec_module = exec_module
        return there

    def create_module(self, spec):
        return load(NAMES[spec.name])

    def exec_module(self, module):
        pass


sys.meta_path.insert(0, Finder())
# Also in what a maker starts, whatever path it sets for that.
start = subprocess.Popen.__init__


def start_with_names(self, *arguments, env=None, **options):
    env = dict(os.environ if env is None else env)
    env["PYTHONPATH"] = os.pathsep.join([os.path.dirname(__file__), env.get("PYTHONPATH", "")])
    start(self, *arguments, env=env, **options)


subprocess.Popen.__init__ = start_with_names
"""


@dataclass(frozen=True)
class Check:
    """A line of a maker. fine: as expected. said: what was seen, shortened."""

    maker: str
    name: str
    fine: bool
    said: str


def makers_of(cases: Path, only: Sequence[str]) -> list[Path]:
    """The makers, by name. Raises SystemExit where there are none."""
    found = [path for path in sorted((cases / "makers").glob("*.py")) if not path.name.startswith("_")]
    found = [path for path in found if not only or path.stem in only]
    if not found:
        raise SystemExit(f"{cases} has no makers to run.")
    return found


def renames(since: str) -> dict[str, str]:
    """Modules that were moved since a commit, in one step or several: the old name and the new one."""
    told = subprocess.run(
        [GIT, "log", "--reverse", "-M", "--diff-filter=R", "--name-status", "--format=", f"{since}..HEAD"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip  # a copy without that history knows no old names
    found: dict[str, str] = {}
    for line in (line for line in told.stdout.splitlines() if line.endswith(".py")):
        old, new = map(_module, line.split("\t")[1:])
        for first, then in found.items():
            if then == old:
                found[first] = new
        found.setdefault(old, new)
    return found


def _module(path: str) -> str:
    return path.removesuffix(".py").replace("/", ".").removesuffix(".__init__")


def run_maker(maker: Path, tree: Path, old_names: dict[str, str]) -> list[Check]:
    """What a maker says of the project in `tree`."""
    with tempfile.TemporaryDirectory(prefix="cases-") as folder:
        # The folder may hold what a user could not delete: an unreadable one is a case as well.
        command = [sys.executable, str(maker.resolve()), str(Path(folder) / "out")]
        (Path(folder) / "sitecustomize.py").write_text(
            _SITE.format(names=old_names, otherwise=_OTHERWISE if old_names else {}), encoding="utf-8"
        )
        paths = os.pathsep.join([folder, str(tree)])
        environment = {**os.environ, "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"}
        try:
            done = subprocess.run(
                command,
                cwd=tree,
                env=environment,
                capture_output=True,
                text=True,
                timeout=SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return [Check(maker.stem, maker.stem, False, f"did not end within {SECONDS} s")]
    checks = [
        Check(maker.stem, name.strip(), mark == "ok", _short(said, folder))
        for mark, name, said in _LINE.findall(done.stdout)
    ]
    if not checks or done.returncode not in (0, 1):
        last = (done.stderr.strip().splitlines() or ["nothing was printed"])[-1]
        checks.append(Check(maker.stem, maker.stem, False, _short(f"exit {done.returncode}: {last}", folder)))
    return checks


def _short(words: str, folder: str) -> str:
    words = words.replace(f"{folder}/out", "OUTDIR").replace("|", "\\|").strip()
    return words if len(words) <= _LONGEST else words[: _LONGEST - 1] + "…"


@contextmanager
def tree_of(commit: str) -> Iterator[Path]:
    """A checkout of an earlier commit."""
    with tempfile.TemporaryDirectory(prefix="cases-tree-") as folder:
        tree = Path(folder) / "tree"
        subprocess.run([GIT, "worktree", "add", "--detach", "--quiet", tree, commit], cwd=ROOT, check=True)
        try:
            yield tree
        finally:
            subprocess.run([GIT, "worktree", "remove", "--force", tree], cwd=ROOT, check=True)


def run_all(makers: Sequence[Path], tree: Path, old_names: dict[str, str]) -> list[Check]:
    checks: list[Check] = []
    for maker in makers:
        for check in run_maker(maker, tree, old_names):
            print(
                f"{'ok  ' if check.fine else 'SEEN'} {check.name}: {check.said}", file=sys.stderr, flush=True
            )
            checks.append(check)
    return checks


def table(now: Sequence[Check], before: Sequence[Check] | None) -> Iterator[str]:
    """Markdown: a row for each check."""
    former = {(check.maker, check.name): check for check in before or ()}
    yield "| case | maker |" + (" before |" if before is not None else "") + " now | seen now |"
    yield "|---|---|" + ("---|" if before is not None else "") + "---|---|"
    for check in now:
        cells = [check.name, check.maker]
        if before is not None:
            old = former.get((check.maker, check.name))
            cells.append("-" if old is None else _mark(old))
        yield "| " + " | ".join([*cells, _mark(check), check.said]) + " |"
    yield ""
    right = sum(check.fine for check in now)
    earlier = "" if before is None else f"; before {sum(check.fine for check in before)} of {len(before)}"
    yield f"{right} of {len(now)} checks are as expected{earlier}."


def _mark(check: Check) -> str:
    return "ok" if check.fine else "fault"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("cases", type=Path)
    parser.add_argument("--before", metavar="COMMIT")
    parser.add_argument("--names-of", metavar="COMMIT", default="3b0e35b")
    parser.add_argument("--only", nargs="*", default=[], metavar="MAKER")
    parser.add_argument("--out", type=Path, metavar="FILE.md")
    args = parser.parse_args(arguments)
    makers = makers_of(args.cases, args.only)
    before = None
    if args.before is not None:
        with tree_of(args.before) as tree:
            before = run_all(makers, tree, {})
    now = run_all(makers, ROOT, renames(args.names_of))
    lines = list(table(now, before))
    if args.out is not None:
        since = "" if args.before is None else f" --before {args.before}"
        head = [
            "# Failing cases",
            "",
            f"Made by `python scripts/cases_table.py CASES{since} --out {args.out}`.",
            "",
        ]
        args.out.write_text("\n".join([*head, *lines]) + "\n", encoding="utf-8")
    else:
        print("\n".join(lines))
    return 0 if all(check.fine for check in now) else 1


if __name__ == "__main__":
    sys.exit(main())

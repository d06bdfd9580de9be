"""Runs programs of the frozen app in a home of their own, with Python and this checkout hidden from them.

What hides them is a mount namespace. In a container that allows none, the programs run with nothing but an
environment that names no Python, and tests that need a mount or a network of their own are skipped and say so.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
DIST = ROOT / "dist" / "station"
# What must not be there for the app: each is covered by an empty file system, in a namespace of its own.
HIDDEN = (str(ROOT), sys.prefix, sys.base_prefix, "/usr/lib/python3", "/usr/lib/python3.11")
_COVER = (
    'for folder in $COVERED; do [ ! -d "$folder" ] || mount -t tmpfs none "$folder"; done; unset COVERED; '
)


@dataclass(frozen=True)
class Frozen:
    """The installed app and the home that it was installed to."""

    program: Path
    home: Path

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """Nothing of ours: no PATH to a Python, no variables of the tests."""
        return {"HOME": str(self.home), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", **(more or {})}

    def run(
        self,
        *words: str,
        variables: Mapping[str, str] | None = None,
        console: bool = True,
        before: str = "",
        setup: str = "",
        namespaces: Sequence[str] = (),
        wrapper: str = "",
        timeout: float = 150,
    ) -> subprocess.CompletedProcess[str]:
        """Run it. `before` and `setup` are shell that is run as root in the namespace, before and after Python is
        hidden; `wrapper` starts the program.
        """
        command = self.command(*words, console=console, before=before, setup=setup, namespaces=namespaces,
                               wrapper=wrapper)  # fmt: skip
        return subprocess.run(
            command,
            env=self.environment(variables),
            cwd="/",
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def command(
        self,
        *words: str,
        console: bool = True,
        before: str = "",
        setup: str = "",
        namespaces: Sequence[str] = (),
        wrapper: str = "",
    ) -> list[str]:
        """The whole command line of `run`; the process that it starts becomes the program itself."""
        program = self.program / ("gcdesk-console" if console else "gcdesk")
        if namespaces and not may_make("-m", *namespaces):
            pytest.skip(f"this machine allows no namespace of the kind {' '.join(namespaces)}")
        if may_make("-m"):
            script = f'{before}{_COVER}{setup}\nexec {wrapper} "$@"'
            covered = " ".join(HIDDEN)
            return ["unshare", "-m", *namespaces, "sh", "-ec", f"COVERED='{covered}'; {script}", "sh",
                    str(program), *words]  # fmt: skip
        if before or setup:
            pytest.skip("this machine allows no mounts of one's own, even to root")
        return ["sh", "-ec", f'exec {wrapper} "$@"', "sh", str(program), *words]

    def smoke(self, report: Path, **how: Any) -> tuple[int, dict[str, Any]]:
        """`--smoke` with the windowed program; the exit code and the report."""
        done = self.run("--smoke", str(report), console=False, **how)
        assert report.is_file(), f"exit code {done.returncode}: {done.stdout}{done.stderr}"
        told: dict[str, Any] = json.loads(report.read_text())
        return done.returncode, told


@cache
def may_make(*namespaces: str) -> bool:
    """Whether namespaces of these kinds can be made here, and something be mounted in them: root may, outside
    of a strict container.
    """
    trial = ["unshare", *namespaces, "sh", "-c", "mount -t tmpfs none /mnt"]
    return subprocess.run(trial, capture_output=True, check=False).returncode == 0


def install(unpacked: Path, home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the archive's install.sh for a user with this home."""
    home.mkdir(parents=True, exist_ok=True)
    return subprocess.run(
        [str(unpacked / "install.sh"), *words],
        env={"HOME": str(home), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
    )

"""What a model file tells of the code that made it."""

from __future__ import annotations

import platform
import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path


def git_commit() -> str | None:
    """The commit of the working tree that this file lies in, or None outside of one."""
    git = shutil.which("git")
    if git is None:
        return None
    folder = Path(__file__).resolve().parent
    asked = subprocess.run(
        [git, "-C", str(folder), "rev-parse", "HEAD"], capture_output=True, text=True, check=False, timeout=10
    )
    return asked.stdout.strip() or None if asked.returncode == 0 else None


def library_versions() -> dict[str, str]:
    """Versions that a result depends on."""
    return {
        "python": platform.python_version(),
        **{n: version(n) for n in ("torch", "torchvision", "numpy", "pillow")},
    }

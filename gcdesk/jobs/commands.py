"""Command lines with which gcdesk starts itself as a child process."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import gcdesk

# Beside the windowed executable of a frozen app: the one with standard input and output.
_CONSOLE = "gcdesk-console"


def own_command(*verbs: str) -> tuple[str, ...]:
    """The command line that runs `gcdesk <verbs>`: this Python, or in a frozen app its console executable."""
    if getattr(sys, "frozen", False):
        here = Path(sys.executable)
        console = here.with_name(_CONSOLE + here.suffix)
        return (str(console if console.is_file() else here), *verbs)
    # -P: a file in the working directory that is called like a library is not that library.
    return (sys.executable, "-P", "-m", "gcdesk", *verbs)


def worker_command() -> tuple[str, ...]:
    """The command line of the worker."""
    if getattr(sys, "frozen", False):
        return own_command("worker", "serve")
    return (sys.executable, "-P", "-m", "gcdesk.worker")


def task_command() -> tuple[str, ...]:
    """The command line of a task's process."""
    if getattr(sys, "frozen", False):
        return own_command("worker", "task")
    return (sys.executable, "-P", "-m", "gcdesk.worker", "task")


def own_environment() -> dict[str, str]:
    """The variables that a child needs beside ours to find the same gcdesk, where that is not installed."""
    root = Path(gcdesk.__file__).resolve().parent.parent
    if getattr(sys, "frozen", False) or root.name in ("site-packages", "dist-packages"):
        return {}
    paths = [str(root), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    return {"PYTHONPATH": os.pathsep.join(dict.fromkeys(paths))}

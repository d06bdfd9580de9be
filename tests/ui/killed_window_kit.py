"""The real window as a process that says how far it is, and what its store holds."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from gcdesk.store import store_path

ROOT = Path(__file__).resolve().parents[2]
# The real application; it says how many rows are done, and takes up every offer to finish a session.
WINDOW = """
import sys
from gcdesk.ui.app import composition as assembly
from gcdesk.ui.app.app import run
from gcdesk.store import Status

def make(settings):
    controller = assembly.make_controller(settings)
    def tell(*_):
        status = controller.rows.status
        print("done", int((status >= Status.DONE).sum()), "of", len(status), flush=True)
    def take(text, offer, act):
        print("offered", text, flush=True)
        act()
    controller.rows_changed.connect(tell)
    controller.rows_reset.connect(tell)
    controller.offered.connect(take)
    return controller

sys.exit(run(sys.argv[1:], make))
"""


def start(*paths: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WINDOW, *map(str, paths)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
    )


def done_until(process: subprocess.Popen[str], enough: int) -> tuple[int, list[str]]:
    """Read what the window says until so many rows are done. Returns how many, and all its lines."""
    said: list[str] = []
    assert process.stdout is not None
    for line in process.stdout:
        said.append(line.strip())
        words = said[-1].split()
        if words[0] == "done" and int(words[1]) >= enough:
            return int(words[1]), said
    pytest.fail(f"ended before {enough} rows were done: {said[-5:]}")


def stored() -> list[tuple[str, int]]:
    connection = sqlite3.connect(store_path())
    try:
        return connection.execute("SELECT path, status FROM items ORDER BY id").fetchall()
    finally:
        connection.close()

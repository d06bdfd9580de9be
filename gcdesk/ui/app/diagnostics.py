"""The diagnostics zip for support: log, settings, doctor's report. It holds no photo, and nothing is sent."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from gcdesk.config.crash_reports import reports
from gcdesk.config.files import replace_atomically
from gcdesk.config.folders import user_folders
from gcdesk.config.redaction import without_private
from gcdesk.config.settings import Settings
from gcdesk.jobs.commands import own_command, own_environment
from gcdesk.ui.session.rows import Rows
from gcdesk.ui.session.wording import status_word

_DOCTOR_SECONDS = 120
_LOG_BYTES = 2 * 1024 * 1024
_READ_ME = """gcdesk diagnostics

Made by you with "Save diagnostics". Nothing was sent; look at it before you hand it on.

doctor.txt     versions, device, folders, models
settings.json  the settings in use
session.json   how many photos of the open list are in which state, and how the window is set up
log/           warnings, errors and reports of crashes

There are no photos, no captions, no names of photos and no results in it. Folders in your home are written as ~.
"""


def session_facts(rows: Rows, device: str, models: str) -> dict[str, object]:
    """Numbers about the open list; no names."""
    states = Counter(status_word(rows, row) for row in range(len(rows)))
    return {"photos": len(rows), "states": dict(states), "device": device, "models": models}


def save_diagnostics(target: Path, settings: Settings, facts: Mapping[str, object]) -> list[str]:
    """Write the zip and return the names in it. An older file is replaced in one step. Raises OSError.

    Takes some seconds: doctor runs as a program of its own.
    """
    parts = {
        "README.txt": _READ_ME,
        "doctor.txt": doctor_report(),
        "settings.json": json.dumps(asdict(settings), indent=2),
        "session.json": json.dumps(facts, indent=2),
    }
    for path in [*sorted(user_folders().log.glob("*.log*")), *reports()]:
        if path.is_file():
            parts[f"log/{path.name}"] = without_private(
                _end_of(path)
            )  # older ones may have been less discreet
    home = str(Path.home())
    parts = {name: text.replace(home, "~") if len(home) > 1 else text for name, text in parts.items()}
    with replace_atomically(target) as stream, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, text in parts.items():
            bundle.writestr(name, text.encode("utf-8", "replace"))
    return list(parts)


def doctor_report() -> str:
    """What `gcdesk doctor` prints, or why it prints nothing."""
    command = own_command("doctor", "--no-timing")
    flags = getattr(subprocess, "CREATE_NO_WINDOW", 0) if sys.platform == "win32" else 0
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_DOCTOR_SECONDS,
            env={**os.environ, **own_environment(), "PYTHONIOENCODING": "utf-8"},
            creationflags=flags,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"doctor could not run: {error}\n"
    report = done.stdout.decode("utf-8", "replace")
    return report if done.returncode == 0 else f"{report}\nexit code {done.returncode}\n"


def _end_of(path: Path) -> str:
    try:
        with path.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - _LOG_BYTES))
            return file.read().decode("utf-8", "replace")
    except OSError as error:
        return f"{path.name} cannot be read: {error.strerror}\n"

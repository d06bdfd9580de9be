"""Reports of crashes in the user's log folder: one text file each, the newest are kept."""

from __future__ import annotations

import contextlib
import datetime
import platform
import time
from pathlib import Path

from gcdesk.config.build import build
from gcdesk.config.folders import user_folders

_KEPT = 20
_PATTERN = "crash-*.txt"


def reports() -> list[Path]:
    """Those that there are, the oldest first."""
    return sorted(user_folders().log.glob(_PATTERN))


def write_report(part: str, words: str) -> Path | None:
    """Write what is known of a crash; part: "window" or "worker". None where the folder cannot be written:
    nobody is helped by a second trouble on top of the first.
    """
    folder = user_folders().log
    stamp = datetime.datetime.now().strftime("%Y%m%d-%H%M%S-%f")  # names in the order of time
    head = (
        f"gcdesk {build()}, {part}\n{time.strftime('%Y-%m-%d %H:%M:%S')}\n"
        f"{platform.platform()}, Python {platform.python_version()}\n\n"
    )
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        report = folder / f"crash-{stamp}-{part}.txt"
        report.write_text(head + words.rstrip() + "\n", encoding="utf-8", errors="replace")
        for old in reports()[:-_KEPT]:
            old.unlink(missing_ok=True)
        return report
    return None


def is_running(pid: int) -> bool:
    """Whether a process of this number is there."""
    import psutil

    return psutil.pid_exists(pid)

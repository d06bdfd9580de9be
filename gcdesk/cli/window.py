"""`gcdesk` and `gcdesk PATH...`: the window, or the terminal where there is no display."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

NO_DISPLAY = "There is no display for the window, so the photos are classified here in the terminal."


def has_display() -> bool:
    """Whether Qt will find a display. Only X11 and Wayland can be missing; QT_QPA_PLATFORM says the user knows."""
    if sys.platform in ("win32", "darwin"):
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))


def open_window(paths: Sequence[str], command_line: Callable[[Sequence[str]], int]) -> int:
    """Open the window with `paths`. Without a display, classify them, or the samples, in the terminal."""
    if has_display():
        from gcdesk.ui.app.app import main as window

        return window(paths)
    from gcdesk.config.resources import resource_path

    print(NO_DISPLAY, file=sys.stderr)
    return command_line(["classify", *(paths or [str(resource_path("samples"))])])


def smoke_window(report: str) -> int:
    """Open the window for its own test. Exit code 1 where the test failed, 2 where there is no display."""
    if not has_display():
        print("gcdesk: --smoke needs a display: set DISPLAY, or QT_QPA_PLATFORM=offscreen.", file=sys.stderr)
        return 2
    from gcdesk.engine.tables.targets import refuse_precious
    from gcdesk.ui.app.self_test import smoke

    refuse_precious(Path(report))
    return smoke(Path(report).absolute())

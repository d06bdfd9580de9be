"""Which gcdesk this is: version, commit and, in a package, its flavour; and what only the full package can do."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import dataclass

from gcdesk.config.resources import resource_path

_STAMP = "build.json"
_INSTALL_TORCH = "pip install 'gcdesk[train]'"
_INSTALL_FULL = "install the package gcdesk-full in place of gcdesk-station, which is for classifying only"


@dataclass(frozen=True)
class Build:
    """`commit` and `flavour` are "" outside of a package. `torch`: "cpu", "cuda 13.0" or "" for none in it."""

    version: str
    commit: str = ""
    flavour: str = ""
    torch: str = ""

    def __str__(self) -> str:
        notes = [note for note in (self.flavour, f"commit {self.commit[:12]}" if self.commit else "") if note]
        return f"{self.version} ({', '.join(notes)})" if notes else self.version


def frozen() -> bool:
    """Whether this runs from a package made by PyInstaller, without a Python of the user's."""
    return bool(getattr(sys, "frozen", False))


def build() -> Build:
    """What the package's stamp says; of a checkout or a wheel the version alone."""
    # Imported here: the command line starts without both.
    import json
    from importlib.metadata import PackageNotFoundError, version

    stamp = resource_path(_STAMP)
    if frozen() and stamp.is_file():
        return Build(**json.loads(stamp.read_text(encoding="utf-8")))
    try:
        return Build(version("gcdesk"))
    except PackageNotFoundError:
        return Build("(not installed)")


def torch_installed() -> bool:
    """Whether torch is there to be imported (it is not imported: that takes seconds)."""
    return importlib.util.find_spec("torch") is not None


def how_to_get_torch() -> str:
    """What the user does to have training and CUDA: the end of a sentence, without a full stop."""
    return _INSTALL_FULL if frozen() else _INSTALL_TORCH


def why_no_torch(what: str) -> str:
    """Why something is greyed, as a sentence, e.g. `why_no_torch("Training")`; "" where torch is there."""
    if torch_installed():
        return ""
    if frozen():
        return f"{what} is in the package gcdesk-full; this one, gcdesk-station, is for classifying only."
    return f"{what} needs torch: {how_to_get_torch()}."

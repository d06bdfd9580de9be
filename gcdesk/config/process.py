"""What this process needs before anything else when it runs from a package: streams, and clean variables."""

from __future__ import annotations

import os
import sys
from collections.abc import MutableMapping

from gcdesk.config.build import frozen

# The variable that tells the system's loader where libraries are, and where PyInstaller keeps the user's own.
_LOADER_VARIABLE = "LD_LIBRARY_PATH"
_KEPT = "LD_LIBRARY_PATH_ORIG"


def settle() -> None:
    """Call once, first. Does nothing that a start from source would notice."""
    give_streams()
    if frozen():
        restore_environment(os.environ)


def give_streams() -> None:
    """A windowed program has no standard output nor error on Windows, and anyone may close them elsewhere:
    what is printed then goes nowhere, instead of ending the program.
    """
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:
            mode = "r" if name == "stdin" else "w"
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115 - for as long as we live


def restore_environment(variables: MutableMapping[str, str]) -> None:
    """Undo what the package's starter did to the variables, for the programs that we start: a browser or a
    file manager must not load our libraries. Our own have been found already, and each of our executables sets
    the variable for itself, also when it is started by another of them.
    """
    if _LOADER_VARIABLE in variables:
        kept = variables.pop(_KEPT, None)
        if kept is not None:
            variables[_LOADER_VARIABLE] = kept
        else:
            del variables[_LOADER_VARIABLE]
    variables["PYINSTALLER_RESET_ENVIRONMENT"] = "1"

"""The single way to the data that ships with the app: models, graphs, icons, samples, the vocabulary, and the
templates of cluster jobs.
"""

from __future__ import annotations

import sys
from pathlib import Path

import gcdesk

_IN_PACKAGE = "_resources"
_IN_REPOSITORY = "resources"
_SLURM_IN_PACKAGE = "_slurm"
_SLURM_IN_REPOSITORY = "slurm"


def resource_path(*parts: str) -> Path:
    """The path of bundled data, such as `resource_path("icons", "open.svg")`; it is not checked to exist.

    In a frozen app the data lies in PyInstaller's folder, in an installed wheel inside the package, and in a
    checkout (an editable install too) in `resources/` beside the package.
    """
    return _root(_IN_PACKAGE, _IN_REPOSITORY).joinpath(*parts)


def slurm_path(*parts: str) -> Path:
    """The same for the templates and site profiles of cluster jobs, such as `slurm_path("sites")`."""
    return _root(_SLURM_IN_PACKAGE, _SLURM_IN_REPOSITORY).joinpath(*parts)


def _root(in_package: str, in_repository: str) -> Path:
    package = Path(gcdesk.__file__).resolve().parent
    candidates = [package / in_package, package.parent / in_repository]
    frozen = getattr(sys, "_MEIPASS", None)
    if frozen is not None:
        candidates = [Path(frozen) / "gcdesk" / in_package, Path(frozen) / in_repository]
    return next((folder for folder in candidates if folder.is_dir()), candidates[-1])

"""Which photo goes into the folder of which bin, and its place there; `transfer` carries it there and back. No Qt."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from gcdesk.config.file_names import own_system_place
from gcdesk.config.folders import user_folders
from gcdesk.engine.labels import BINS, NOT_SET
from gcdesk.ui.export.transfer import Step
from gcdesk.ui.session.rows import Rows

TO_REVIEW, UNSURE_FOLDER = "To review", "Unsure"
FOLDERS = (*BINS, UNSURE_FOLDER, TO_REVIEW)


def folder_codes(rows: Rows, trust_models: bool) -> np.ndarray:
    """The folder of each row as its place in FOLDERS, -1 for one without an answer: (n,) int. Where a person
    should still look it is TO_REVIEW, unless `trust_models`.
    """
    codes = rows.final_labels().astype(
        np.int64
    )  # the bins and UNSURE are the first of FOLDERS, in their order
    waiting = rows.to_review()
    codes[waiting & ((codes == NOT_SET) | (not trust_models))] = FOLDERS.index(TO_REVIEW)
    return codes


def count_folders(rows: Rows, numbers: np.ndarray, trust_models: bool) -> dict[str, int]:
    """How many photos of these rows go into each folder, in the order of FOLDERS and without empty ones."""
    codes = folder_codes(rows, trust_models)[numbers]
    counts = np.bincount(codes[codes >= 0], minlength=len(FOLDERS)).tolist()
    return {name: count for name, count in zip(FOLDERS, counts, strict=True) if count}


def plan(rows: Rows, target: Path, trust_models: bool) -> list[Step]:
    """Where each photo goes: `target/bin/` and its place below the folder that all photos share."""
    target = Path(os.path.abspath(target))
    inside = _places(rows.path, target)
    return [
        Step(int(rows.item_id[row]), rows.path[row], target / FOLDERS[code] / own_system_place(inside[row]))
        for row, code in enumerate(folder_codes(rows, trust_models).tolist())
        if code >= 0
    ]


def _places(paths: Sequence[str], target: Path) -> list[Path]:
    """Each photo's place below its bin."""
    own = user_folders().data / "sessions"
    whole = [Path(os.path.abspath(path)) for path in paths]
    outside = [path.parent for path in whole if not _under(path, own) and not _under(path, target)]
    try:
        shared = Path(os.path.commonpath(outside)) if outside else None
    except ValueError:  # on several drives
        shared = None
    targets = []
    for path in whole:
        if _under(path, target):
            # Sorted before: from one bin to another it keeps its place.
            parts = path.relative_to(target).parts
            targets.append(Path(*parts[1:]) if parts[0] in FOLDERS and len(parts) > 1 else Path(*parts))
        elif shared is not None and _under(path, shared) and not _under(path, own):
            targets.append(path.relative_to(shared))
        else:
            targets.append(Path(path.name))
    return targets


def _under(path: Path, folder: Path) -> bool:
    return path.is_relative_to(folder)

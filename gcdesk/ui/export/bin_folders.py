"""Photos into a folder for each bin: copied or moved, structure kept, nothing overwritten, and back again. No Qt."""

from __future__ import annotations

import contextlib
import errno
import filecmp
import os
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from gcdesk.config.folders import user_folders
from gcdesk.engine.labels import BINS, NOT_SET
from gcdesk.ui.session.rows import Rows
from gcdesk.ui.threads.file_tasks import in_a_sentence

TO_REVIEW, UNSURE_FOLDER = "To review", "Unsure"
FOLDERS = (*BINS, UNSURE_FOLDER, TO_REVIEW)
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Step:
    """One photo and where it shall lie."""

    item_id: int
    source: str
    target: Path


@dataclass(frozen=True)
class Placed:
    """One photo that was placed, and what the file was then (size, modification time)."""

    step: Step
    target: str
    identity: tuple[int, int]


@dataclass
class Transfer:
    """What was done. `already`: photos whose place held the same content. `problems`: a sentence each."""

    moved: bool
    steps: tuple[Step, ...]
    placed: list[Placed] = field(default_factory=list)
    already: int = 0
    problems: list[str] = field(default_factory=list)
    made: list[Path] = field(default_factory=list)
    stopped: bool = False
    undone: bool = False


def folder_codes(rows: Rows, trust_models: bool) -> np.ndarray:
    """The folder of each row as its place in FOLDERS, -1 for one without an answer: (n,) int. Where a person
    should still look it is TO_REVIEW, unless `trust_models`.
    """
    codes = rows.final_labels().astype(
        np.int64
    )  # the bins and UNSURE are the first of FOLDERS, in their order
    asked = rows.to_review()
    codes[asked & ((codes == NOT_SET) | (not trust_models))] = FOLDERS.index(TO_REVIEW)
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
        Step(int(rows.item_id[row]), rows.path[row], target / FOLDERS[code] / inside[row])
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
    places = []
    for path in whole:
        if _under(path, target):
            # Sorted before: from one bin to another it keeps its place.
            parts = path.relative_to(target).parts
            places.append(Path(*parts[1:]) if parts[0] in FOLDERS and len(parts) > 1 else Path(*parts))
        elif shared is not None and _under(path, shared) and not _under(path, own):
            places.append(path.relative_to(shared))
        else:
            places.append(Path(path.name))
    return places


def _under(path: Path, folder: Path) -> bool:
    return path.is_relative_to(folder)


def carry_out(
    steps: Sequence[Step], move: bool, stop: threading.Event | None = None, tell: Progress | None = None
) -> Transfer:
    """Copy or move. One photo that cannot be placed does not keep the others; `stop` ends between two."""
    transfer = Transfer(move, tuple(steps))
    for number, step in enumerate(steps):
        if stop is not None and stop.is_set():
            transfer.stopped = True
            break
        if tell is not None:
            tell(number, len(steps))
        try:
            placed = _place(step, move, transfer.made)
        except OSError as error:
            transfer.problems.append(in_a_sentence(error))
            continue
        if placed is None:
            transfer.already += 1
        else:
            transfer.placed.append(placed)
    return transfer


def _place(step: Step, move: bool, made: list[Path]) -> Placed | None:
    source = step.source
    size = os.stat(source).st_size  # raises for a photo that is gone, before any folder is made
    _make_folder(step.target.parent, made)
    for target in _free_names(step.target):
        if _same(source, target, size):
            return None
        try:
            os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        except FileExistsError:
            continue
        # The name is ours now: an empty file that only we replace.
        try:
            _fill(source, target, move)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(target)
            raise
        status = os.stat(target)
        return Placed(step, target, (status.st_size, status.st_mtime_ns))
    raise OSError(errno.EEXIST, "there are too many files of this name", str(step.target))


def _fill(source: str, target: str, move: bool) -> None:
    if move and not os.path.islink(source):
        try:
            os.replace(source, target)
        except OSError as error:
            if error.errno != errno.EXDEV and getattr(error, "winerror", 0) != 17:
                raise
        else:
            return
    shutil.copyfile(source, target)
    with contextlib.suppress(OSError):  # a share that keeps no times is no reason to fail
        shutil.copystat(source, target)
    if move:
        if not filecmp.cmp(source, target, shallow=False):
            raise OSError(errno.EIO, "the copy is not like the photo", target)
        os.unlink(source)


def _same(source: str, target: str, size: int) -> bool:
    """Whether the place holds this very content already (or this very file)."""
    try:
        return os.stat(target).st_size == size and filecmp.cmp(source, target, shallow=False)
    except OSError:
        return False


def _free_names(target: Path) -> Iterator[str]:
    yield str(target)
    for number in range(2, 10_000):
        yield str(target.with_name(f"{target.stem} ({number}){target.suffix}"))


def _make_folder(folder: Path, made: list[Path]) -> None:
    missing = []
    while not folder.is_dir():
        missing.append(folder)
        folder = folder.parent
    for one in reversed(missing):
        one.mkdir(exist_ok=True)
        made.append(one)


def take_back(transfer: Transfer) -> Transfer:
    """Undo: copies are deleted, moved photos return. What was changed since, or whose place is taken, stays.

    Returns a transfer whose `placed` are the photos that are back.
    """
    back = Transfer(transfer.moved, transfer.steps)
    for placed in reversed(transfer.placed):
        try:
            if transfer.moved:
                _move_back(placed)
            else:
                _delete_copy(placed)
            back.placed.append(placed)
        except OSError as error:
            back.problems.append(in_a_sentence(error))
    for folder in reversed(transfer.made):
        with contextlib.suppress(OSError):  # something else lies in it
            folder.rmdir()
    transfer.undone = True
    return back


def _move_back(placed: Placed) -> None:
    source = Path(placed.step.source)
    source.parent.mkdir(parents=True, exist_ok=True)
    os.close(os.open(source, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    try:
        _fill(placed.target, str(source), True)
    except BaseException:
        with contextlib.suppress(OSError):
            source.unlink()
        raise


def _delete_copy(placed: Placed) -> None:
    status = os.stat(placed.target)
    if (status.st_size, status.st_mtime_ns) != placed.identity:
        raise OSError(errno.EBUSY, "it was changed since and stays", placed.target)
    os.unlink(placed.target)

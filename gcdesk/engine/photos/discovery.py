"""Finding photos under paths: what is there, in a steady order, whatever state the folders are in.

Nothing here opens a photo. What cannot be looked at becomes a `Found` with an error, so that the person who
named it gets a row and a reason, and the rest goes on.
"""

from __future__ import annotations

import heapq
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import compress, islice
from operator import attrgetter
from pathlib import Path

# What `decoding.py` can open. A file named on its own is tried whatever its ending.
_SUFFIXES = "jpg jpeg jpe jfif png webp bmp dib tif tiff gif heic heif hif avif"
PHOTO_SUFFIXES = frozenset("." + suffix for suffix in _SUFFIXES.split())
# Where network drives, sticks, synchronising and unpacking programs keep their own copies and what was deleted.
_SYSTEM_FOLDERS = frozenset(
    [
        *(
            "@eadir",
            "#recycle",
            "#snapshot",
            "@recycle",
            "@recently-snapshot",
            "@sharebin",
            "@tmp",
            "@__thumb",
        ),
        *("~snapshot", "system volume information", "recycler", "recycled", "lost+found", "found.000"),
        *("__macosx", "network trash folder", "temporary items", "thevolumesettingsfolder", "_gsdata_"),
    ]
)
_SYSTEM_ENDINGS = (".lrdata", ".dtrash")
_SORTED_AT_ONCE = 1_000
_name = attrgetter("name")


@dataclass(frozen=True, slots=True)
class Found:
    """A photo to try (`error` is None), or a path that was looked at and why nothing came of it."""

    path: Path
    error: str | None = None


@dataclass
class PassedOver:
    """How many files were no photos; hidden ones are not counted."""

    files: int = 0


@dataclass
class _Walk:
    """One scan: which physical folders it has been in, so that links can never make it go round; what to call
    `between` two parts of a listing.
    """

    root: Path
    visited: set[tuple[int, int]] = field(default_factory=set)
    between: Callable[[], object] = object
    passed: PassedOver = field(default_factory=PassedOver)


def is_photo_name(name: str) -> bool:
    """Whether a file of this name belongs to a folder's photos: a known ending, and not hidden."""
    return not name.startswith(".") and os.path.splitext(name)[1].lower() in PHOTO_SUFFIXES


def is_system_folder(name: str) -> bool:
    """Whether a folder of this name is hidden, or holds what a system or a program keeps for itself."""
    lower = name.lower()
    return lower.startswith((".", "$")) or lower in _SYSTEM_FOLDERS or lower.endswith(_SYSTEM_ENDINGS)


def find_photos(
    paths: Iterable[Path | str],
    between: Callable[[], object] = object,
    root: Path | None = None,
    passed: PassedOver | None = None,
) -> Iterator[Found]:
    """Yield the photos under `paths` lazily: in the order of the paths, folders recursively, sorted by name.

    In a folder the photos come before those of its subfolders. Hidden files, hidden folders and those of systems
    (bins of deleted files, thumbnails of a network drive) are passed over, unless they are named themselves.
    Each physical folder is visited once; a link to a folder is followed only when it leads out of the tree
    that is scanned (inside it the photos are found anyway, and a link to the folder itself or to its parent
    would go round). A missing path, a folder without photos and a folder that may not be read yield a `Found`
    with the reason. `between` is called whenever the disk has answered: after every thousand entries of a listing,
    at its end, for each subfolder. root: the tree that links must not lead into, where it is more than the path.
    passed: counts what is no photo.
    """
    visited: set[tuple[int, int]] = set()
    for path in map(Path, paths):
        try:
            is_folder = path.is_dir()
            exists = is_folder or os.path.lexists(path)
        except (OSError, ValueError) as error:
            yield Found(path, f"cannot be looked at: {_reason(error)}")
            continue
        if not exists:
            yield Found(path, "there is no such file or folder")
        elif not is_folder:
            yield Found(path)
        else:
            yield from _under(
                path, _Walk(Path(os.path.realpath(root or path)), visited, between, passed or PassedOver())
            )


def _under(folder: Path, walk: _Walk) -> Iterator[Found]:
    found_any = False
    if _already_visited(folder, walk):
        return
    pending = [folder]
    while pending:
        here = pending.pop()
        files, subfolders, error = _entries(here, walk)
        if error:
            found_any = True
            yield Found(here, error)
        found_any = found_any or bool(files)
        files.reverse()
        while files:  # one is let go at a time: freeing 100,000 at the end would hold the interpreter as well
            yield Found(here / files.pop())
        pending.extend(reversed(subfolders))
    if not found_any:
        yield Found(folder, "there are no photos in this folder")


def _entries(folder: Path, walk: _Walk) -> tuple[list[str], list[Path], str | None]:
    """The photos' names and the subfolders to visit of one folder, both sorted, or why it cannot be read."""
    parts: list[list[str]] = []
    folders: list[os.DirEntry[str]] = []
    try:
        with os.scandir(folder) as entries:
            # In parts that are let go and merged: to sort or to free 100,000 entries at once would hold the
            # interpreter, and with it a window on another thread, for 60 ms.
            while part := list(islice(entries, _SORTED_AT_ONCE)):
                shown = [entry for entry in part if not entry.name.startswith(".")]
                is_folder = [_is_folder(entry) for entry in shown]
                folders += compress(shown, is_folder)
                names = [entry.name for entry, is_one in zip(shown, is_folder, strict=True) if not is_one]
                parts.append(sorted(filter(is_photo_name, names)))
                walk.passed.files += len(names) - len(parts[-1])
                walk.between()
            walk.between()
    except OSError as error:
        return [], [], f"this folder cannot be read: {_reason(error)}"
    subfolders = [entry for entry in sorted(folders, key=_name) if _is_to_visit(entry, folder, walk)]
    return list(heapq.merge(*parts)), [folder / entry.name for entry in subfolders], None


def _is_to_visit(entry: os.DirEntry[str], folder: Path, walk: _Walk) -> bool:
    walk.between()
    if is_system_folder(entry.name):
        return False
    path = folder / entry.name
    try:
        inside = _is_link(entry) and _stays_in_tree(path, walk.root)
    except OSError:
        inside = False  # gone since it was listed: to go into it says why
    return not inside and not _already_visited(path, walk)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False  # A link that goes round by itself or leads where we may not look: decoding says which.


def _is_link(entry: os.DirEntry[str]) -> bool:
    # A junction is Windows' other kind of folder link; only Python 3.12 and later can tell.
    junction = getattr(entry, "is_junction", None)
    return entry.is_symlink() or bool(junction and junction())


def _stays_in_tree(link: Path, root: Path) -> bool:
    target = Path(os.path.realpath(link))
    return target.is_relative_to(root) or root.is_relative_to(target)


def _already_visited(folder: Path, walk: _Walk) -> bool:
    """Note that `folder` is visited; True when it was before. A folder that cannot be asked counts as new."""
    try:
        status = folder.stat()
    except OSError:
        return False
    key = (status.st_dev, status.st_ino)
    if key in walk.visited:
        return True
    walk.visited.add(key)
    return False


def _reason(error: OSError | ValueError) -> str:
    if isinstance(error, PermissionError):
        return "you have no permission"
    return (getattr(error, "strerror", None) or str(error)).lower()

"""Scans a folder again and again for new, complete photos. No Qt; blocks as long as the disk does."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from gcdesk.config.thresholds import (
    PHOTO_MAX_BYTES,
    WATCH_SETTLE_SECONDS,
    WATCH_UNENDED_SECONDS,
)
from gcdesk.engine.photos.discovery import find_photos
from gcdesk.engine.photos.jpeg_structure import has_end
from gcdesk.ui.intake.known_photos import Identity, KnownPhotos, Traits, read_traits
from gcdesk.ui.session.own_files import OwnFiles

# How a whole file ends. One that does not may still be written, or carry something behind its end.
_JPEG_SUFFIXES = (".jpg", ".jpeg", ".jpe", ".jfif")
_ENDS = dict.fromkeys(_JPEG_SUFFIXES, b"\xff\xd9") | {".png": b"IEND\xaeB`\x82", ".gif": b"\x3b"}
# Names under which cameras write one photo over the other.
_REUSED = frozenset(
    ["latest", "current", "last", "newest", "live", "snapshot", "image", "frame", "photo", "capture"]
)


@dataclass(frozen=True)
class Arrival:
    """A new photo. kept: the path is a copy, because the camera will overwrite the file; its name is no caption.
    identity: size and modification time of one that is no copy. was_there: it lay in the folder before anybody watched,
    so that the list may have it under another time.
    """

    path: str
    kept: bool = False
    identity: Identity | None = None
    was_there: bool = False


@dataclass(frozen=True)
class ScanResult:
    """One scan. problem: why the folder or a photo cannot be read, "" for none. growing: a file is not complete yet.
    folders: the folder and its subfolders. seconds: how long the scan took. moved: paths where photos were and are.
    """

    arrived: tuple[Arrival, ...] = ()
    moved: tuple[tuple[str, str], ...] = ()
    problem: str = ""
    growing: bool = False
    folders: tuple[str, ...] = ()
    seconds: float = 0.0


@dataclass
class _Walk:
    """The folders that hold photos, and whether everything could be read."""

    folders: dict[str, None]
    whole: bool = True


@dataclass
class FolderPoller:
    """Remembers what it saw. A file that is written again is another photo, unless its content says otherwise.

    keep(content, suffix, stem): puts a copy where no camera overwrites it. only_new: what is there already
    does not count; what came between `since` (seconds since 1970) and the first look does. own: files that the
    app itself puts there.
    """

    folder: Path
    keep: Callable[[bytes, str, str], Path]
    only_new: bool = True
    settle_seconds: float = WATCH_SETTLE_SECONDS
    unended_seconds: float = WATCH_UNENDED_SECONDS
    since: float = field(default_factory=time.time)
    own: OwnFiles = field(default_factory=OwnFiles)
    _seen: dict[str, Identity] | None = None
    _growing: dict[str, tuple[Identity, float]] = field(default_factory=dict)
    _reused: set[str] = field(default_factory=set)
    _backlog: set[str] = field(
        default_factory=set
    )  # what was there at the first poll, and is not in the list yet
    _known: KnownPhotos = field(default_factory=KnownPhotos)
    _moved: list[tuple[str, str]] = field(default_factory=list)

    def poll(self) -> ScanResult:
        """One poll. Never raises for what a disk or a share may do."""
        began = time.monotonic()
        problem = _problem(self.folder)
        if problem:
            return ScanResult(problem=problem, seconds=time.monotonic() - began)
        first = self._seen is None
        seen = self._seen = {} if self._seen is None else self._seen
        missing, arrived = {*seen, *self._growing}, []
        walk = _Walk({str(self.folder): None})
        for path, identity in self._photos(walk):  # one at a time: all at once are as much as what is kept
            missing.discard(path)
            own = self.own.take(path)  # sorted into a folder by the app itself: its row knows it already
            if own or (first and self.only_new and not self._came_since(identity)):
                self._take_note(path, identity, None)
                continue
            if first:
                self._backlog.add(path)
            try:
                item = self._judge(path, identity, seen)
            except OSError as error:  # a copy that could not be kept: the disk is full
                problem = f"cannot be taken over ({(error.strerror or str(error)).lower()})"
                continue
            if item is not None:
                arrived.append(item)
        if walk.whole:  # what could not be listed now must not come back as new
            for path in missing:
                seen.pop(path, None)
                self._growing.pop(path, None)
        growing = bool(self._growing) and not problem
        moved, self._moved = tuple(self._moved), []
        seconds = time.monotonic() - began
        return ScanResult(tuple(arrived), moved, problem, growing, tuple(walk.folders), seconds)

    def _take_note(self, path: str, identity: Identity, traits: Traits | None) -> None:
        if self._seen is not None:
            self._seen[path] = identity
        self._growing.pop(path, None)
        self._known.note(path, identity, traits)

    def _came_since(self, identity: Identity) -> bool:
        """A time to come is one of a clock that is wrong, and says nothing."""
        return self.since <= identity[1] / 1e9 <= time.time()

    def _photos(self, walk: _Walk) -> Iterator[tuple[str, Identity]]:
        for found in find_photos([self.folder]):
            path = str(found.path)
            try:
                status = os.stat(path)
            except OSError:
                walk.whole = False
                continue
            if not stat.S_ISREG(status.st_mode):
                walk.whole = walk.whole and path == str(self.folder)
                continue
            walk.folders[os.path.dirname(path)] = None
            yield path, (status.st_size, status.st_mtime_ns)

    def _judge(self, path: str, identity: Identity, seen: dict[str, Identity]) -> Arrival | None:
        if seen.get(path) == identity:
            self._growing.pop(path, None)
            return None
        now = time.monotonic()
        known, since = self._growing.get(path, (None, now))
        if known != identity:
            self._growing[path] = (identity, now)
            return None
        if identity[0] == 0 or now - since < self.settle_seconds:
            return None
        if now - since < self.unended_seconds and not _has_end(path):
            return None
        # A camera's new photos are read once more here; of the many that lay there the ends alone.
        traits = read_traits(path, whole=path not in self._backlog)
        if self._is_known(path, identity, traits):
            self._take_note(path, identity, traits)
            return None
        if path in seen:
            self._reused.add(path)
        arrival = self._arrival(path, identity)
        if arrival is not None:
            self._take_note(path, identity, traits)
            self._backlog.discard(path)
        return arrival

    def _is_known(self, path: str, identity: Identity, traits: Traits | None) -> bool:
        """Whether the file is a photo that came already; where it lay elsewhere before, that is noted."""
        if path in self._backlog or Path(path).stem.lower() in _REUSED:
            return False
        if self._known.is_unchanged(path, identity, traits):
            return True
        origin = self._known.origin(path, identity, traits)
        if origin is not None and origin[1]:
            self._moved.append((origin[0], path))
        return origin is not None

    def _arrival(self, path: str, identity: Identity) -> Arrival | None:
        """The photo, as a copy where its camera will overwrite it; None when it changed meanwhile."""
        stem = Path(path).stem
        if path not in self._reused and stem.lower() not in _REUSED:
            return Arrival(path, identity=identity, was_there=path in self._backlog)
        if identity[0] > PHOTO_MAX_BYTES:
            return Arrival(path, identity=identity)  # it is refused unread, with that reason
        try:
            content = Path(path).read_bytes()
            status = os.stat(path)
        except OSError:
            return None
        if (status.st_size, status.st_mtime_ns) != identity or len(content) != identity[0]:
            return None
        return Arrival(str(self.keep(content, Path(path).suffix, stem)), kept=True)


def _problem(folder: Path) -> str:
    try:
        os.scandir(folder).close()
    except (FileNotFoundError, NotADirectoryError):
        return "is gone"
    except PermissionError:
        return "may not be read"
    except OSError as error:
        return f"does not answer ({(error.strerror or str(error)).lower()})"
    return ""


def _has_end(path: str) -> bool:
    """Whether the file has what ends a whole one, perhaps with a trailer behind it; true where its kind has none."""
    suffix = os.path.splitext(path)[1].lower()
    end = _ENDS.get(suffix)
    if end is None:
        return True
    try:
        with open(path, "rb") as file:
            file.seek(-len(end), os.SEEK_END)
            if file.read() == end:
                return True
            file.seek(0)
            content = file.read(PHOTO_MAX_BYTES)
    except OSError:
        return False
    return has_end(content) if suffix in _JPEG_SUFFIXES else suffix != ".gif" and end in content

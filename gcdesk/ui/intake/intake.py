"""Photos that the operator drops, pastes or opens. Drops are read one after the other on a thread; rows appear
meanwhile.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from PySide6.QtCore import QEvent, QMimeData, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent, QGuiApplication, QUndoCommand
from PySide6.QtWidgets import QLineEdit

from gcdesk.config.thresholds import DRIVE_STALLED_SECONDS
from gcdesk.engine.captions.caption_table import CaptionTable, read_caption_csv
from gcdesk.engine.captions.rules import caption_from_path
from gcdesk.engine.captions.table_fit import why_none
from gcdesk.engine.photos.discovery import find_photos
from gcdesk.store import identity
from gcdesk.ui.host import Host
from gcdesk.ui.intake.mime import Incoming, Picture, may_hold_photos, read_mime
from gcdesk.ui.session.ports import FoundPhoto
from gcdesk.ui.session.session_files import save_picture
from gcdesk.ui.session.undo_commands import CommandTarget
from gcdesk.ui.threads.file_tasks import FileTasks

_CHUNK = 180  # photos that are stored and shown at a time
_TABLES = (".csv", ".tsv")
_RESULTS = (".tar.gz", ".tgz")  # of cluster jobs
# Also weights in other formats: the import says what they are.
_MODELS = (".gcmodel", ".gcmodel.zip", ".pth", ".pt", ".ckpt", ".pth.tar", ".safetensors", ".onnx")


class _Abandoned(Exception):
    """Raised on a thread whose work was abandoned, to end it."""


@dataclass
class _Work:
    """A drop or table that is read. begin: called when its turn comes, returns the function that runs on the thread.
    take: gets that function's result on the window's thread, returns whether it was the last.

    answered: when the disk last answered, in monotonic seconds.
    """

    name: str
    begin: Callable[[_Work], Callable[[], Any]]
    take: Callable[[Any], bool]
    answered: float = 0.0
    abandoned: bool = False

    def alive(self) -> None:
        """Runs on the thread."""
        if self.abandoned:
            raise _Abandoned
        self.answered = time.monotonic()


class TableCommand(QUndoCommand):
    """Sets the captions of a table on rows, one for each."""

    def __init__(
        self, target: CommandTarget, rows: Sequence[int], before: Sequence[str], after: Sequence[str]
    ) -> None:
        super().__init__(f"captions of {len(rows)} photos")
        self._target, self._rows, self._before, self._after = target, list(rows), list(before), list(after)

    def redo(self) -> None:
        self._target.apply_captions(self._rows, self._after)

    def undo(self) -> None:
        self._target.apply_captions(self._rows, self._before)


class Intake(QObject):
    """The intake of one window. tables: caption tables of this session, the latest last.

    results_dropped: archives that a cluster job may have written. models_dropped: model files.
    """

    results_dropped = Signal(list)
    models_dropped = Signal(list)

    def __init__(self, host: Host) -> None:
        super().__init__(host.widget)
        self._host, self._controller = host, host.controller
        self._file_tasks = self._new_file_tasks()
        self._savers = self._new_file_tasks()  # our own folder: waits for no drive
        self._tables: deque[_Work] = deque()  # between two pieces of a folder
        self._folders: deque[_Work] = deque()
        self._current: _Work | None = None
        self._stall_timer = QTimer(self, singleShot=True, timerType=Qt.TimerType.PreciseTimer)
        self._stall_timer.timeout.connect(self._report_stall)
        self.stall_seconds = DRIVE_STALLED_SECONDS
        self._closed = False
        self.tables: list[CaptionTable] = []
        self._session = self._controller.session_id
        self._controller.rows_reset.connect(self._session_changed)
        host.paths_opened.connect(self.take_paths)
        host.widget.setAcceptDrops(True)
        host.widget.installEventFilter(self)
        for box in host.widget.findChildren(QLineEdit):
            box.setAcceptDrops(False)  # a photo dropped on the search box is a photo, not its path as words

    def _new_file_tasks(self) -> FileTasks:
        file_tasks = FileTasks(self, self._controller.gui_priority)
        file_tasks.failed.connect(self._host.say)
        return file_tasks

    def close(self) -> None:
        """Stop reading. A drive that does not answer keeps the thread, but not the window."""
        self._closed = True
        self._forget_all()
        self._savers.close()

    # --- drops and paste

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Drag and drop, anywhere on the window."""
        if isinstance(event, QDropEvent) and event.type() in (
            QEvent.Type.DragEnter, QEvent.Type.DragMove, QEvent.Type.Drop,
        ):  # fmt: skip
            return self._drag(event)
        return False

    def _drag(self, event: QDropEvent) -> bool:
        if event.source() is not None or not may_hold_photos(event.mimeData()):
            event.ignore()
            return True
        # Always a copy: a file manager that was told "move" would delete the photo.
        event.setDropAction(Qt.DropAction.CopyAction)
        event.accept()
        if not isinstance(event, QDragEnterEvent | QDragMoveEvent):
            self._take(read_mime(event.mimeData()))
        return True

    def paste(self) -> None:
        """A picture, files or paths from the clipboard."""
        mime: QMimeData | None = QGuiApplication.clipboard().mimeData()
        if mime is not None:
            self._take(read_mime(mime))

    def _take(self, incoming: Incoming) -> None:
        if incoming.refusal:
            self._host.say(incoming.refusal)
        elif incoming.picture is not None:
            self._take_picture(incoming.picture)
        else:
            self.take_paths(list(incoming.paths))

    def _take_picture(self, picture: Picture) -> None:
        session = self._controller.session_id
        self._savers.run(
            lambda: save_picture(session, picture.encoded(), picture.suffix),
            lambda path: self._controller.add_items([FoundPhoto(str(path), "")]),
        )

    # --- paths

    def take_paths(self, paths: Sequence[str]) -> None:
        """Files, folders and caption tables, in this order behind what is being read already."""
        results = [path for path in paths if path.lower().endswith(_RESULTS)]
        models = [path for path in paths if path.lower().endswith(_MODELS)]
        if results:
            self.results_dropped.emit(results)
        if models:
            self.models_dropped.emit([Path(path) for path in models])
        paths = [path for path in paths if path not in results and path not in models]
        tables = [path for path in paths if Path(path).suffix.lower() in _TABLES]
        photos = [path for path in paths if Path(path).suffix.lower() not in _TABLES]
        if tables:
            for table in tables:
                self._read_table(table, alone=not photos)
        if photos:
            self._read_folders(photos)

    def _read_folders(self, paths: Sequence[str]) -> None:
        found: list[Iterator[FoundPhoto]] = []

        def begin(work: _Work) -> Callable[[], list[FoundPhoto]]:
            if not found:
                found.append(self._found(paths, work))
            return lambda: list(islice(found[0], _CHUNK))

        def add(chunk: list[FoundPhoto]) -> bool:
            if chunk:
                self._controller.add_items(chunk)
            return len(chunk) < _CHUNK

        self._folders.append(_Work(Path(paths[0]).name or paths[0], begin, add))
        self._go_on()

    def _found(self, paths: Sequence[str], work: _Work) -> Iterator[FoundPhoto]:
        """Runs on the thread. The store would look at each photo as well, on a thread that everything waits for."""

        def between() -> None:
            work.alive()
            self._controller.gui_priority.wait_for_gui()

        for item in find_photos(list(paths), between):
            path = str(item.path)
            known = identity(path)
            work.alive()
            yield FoundPhoto(path, self._caption_of(path), item.error or "", known)

    def _caption_of(self, path: str) -> str:
        for table in reversed(self.tables):
            caption = table.get(path)
            if caption is not None:
                return caption
        return caption_from_path(path)

    def _go_on(self) -> None:
        """Read the next piece, if nothing is being read."""
        waiting = self._tables or self._folders
        if self._closed or self._current is not None or not waiting:
            return
        work = self._current = waiting[0]
        ended = True  # also where it failed

        def take(result: Any) -> None:
            nonlocal ended
            ended = work.take(result)

        def after() -> None:
            self._still()
            if ended:
                waiting.popleft()
            self._go_on()

        work.answered = time.monotonic()
        self._stall_timer.start(round(self.stall_seconds * 1000))
        self._file_tasks.run(work.begin(work), take, after)

    def _still(self) -> None:
        """Nothing is being read any more."""
        self._current = None
        self._stall_timer.stop()
        self._host.withdraw(self._skip)

    # --- a drive that does not answer

    def _report_stall(self) -> None:
        """Say it, again and again where other news took its place."""
        work = self._current
        if work is None:
            return
        left = work.answered + self.stall_seconds - time.monotonic()
        if left <= 0 and not self._host.is_offering(self._skip):
            self._host.interrupt(
                f"The drive with “{work.name}” does not answer. What was opened after it waits for it.",
                "Leave it out",
                self._skip,
            )
        self._stall_timer.start(round((left if left > 0 else self.stall_seconds) * 1000) + 1)

    def _skip(self) -> None:
        """Go on with what was opened next."""
        for waiting in (self._tables, self._folders):
            if waiting and waiting[0] is self._current:
                waiting.popleft()
        self._abandon()
        self._go_on()

    def _abandon(self) -> None:
        """Leave the thread that reads to itself; a drive may never answer."""
        if self._current is not None:
            self._current.abandoned = True
            self._file_tasks.abandon()
            self._file_tasks = self._new_file_tasks()
        self._still()

    def _forget_all(self) -> None:
        self._tables.clear()
        self._folders.clear()
        self.tables.clear()
        self._abandon()

    def _session_changed(self) -> None:
        if self._session != self._controller.session_id:
            if self._session >= 0:
                self._forget_all()
            self._session = self._controller.session_id

    # --- caption tables

    def _read_table(self, path: str, alone: bool) -> None:
        def begin(work: _Work) -> Callable[[], tuple[CaptionTable, int, dict[int, str], str]]:
            rows = self._controller.rows
            photos = list(zip(rows.item_id.tolist(), rows.path[:], rows.caption[:], strict=True))
            return lambda: _changes_of(path, photos, work)

        def take(result: tuple[CaptionTable, int, dict[int, str], str]) -> bool:
            table, named, changes, why = result
            self.tables.append(table)  # photos that are read next are looked up in it
            changed = self._apply(changes)
            self._host.say(_said_of(Path(path).name, len(table), named, changed, alone, why))
            return True

        self._tables.append(_Work(Path(path).name, begin, take))
        self._go_on()

    def _apply(self, changes: dict[int, str]) -> int:
        rows = self._controller.rows
        found = [(row, text) for item, text in changes.items() if (row := rows.row_of(item)) >= 0]
        if found:
            numbers = [row for row, _ in found]
            before = [rows.caption[row] for row in numbers]
            command = TableCommand(self._controller, numbers, before, [text for _, text in found])
            self._controller.undo_stack.push(command)
        return len(found)


def _changes_of(
    path: str, photos: Sequence[tuple[int, str, str]], work: _Work
) -> tuple[CaptionTable, int, dict[int, str], str]:
    """Runs on the thread. The table, how many of the photos (item, path, caption) it names, new captions by item, and
    why it names none.
    """
    table = read_caption_csv(path)
    named, changes = 0, {}
    for number, (item, photo, caption) in enumerate(photos):
        if number % 1000 == 0:
            work.alive()
        text = table.get(photo)
        if text is not None:
            named += 1
            if " ".join(text.split()) != caption:
                changes[item] = " ".join(text.split())
    why = (
        f" ({why_none(table, [photo for _, photo, _ in photos])})"
        if photos and not named and len(table)
        else ""
    )
    return table, named, changes, why


def _said_of(name: str, entries: int, named: int, changed: int, alone: bool, reason: str) -> str:
    if named:
        photos = "1 photo" if named == 1 else f"{named:,} photos"
        fresh = "all had it already" if not changed else f"{changed:,} of them new"
        return f"{name}: captions for {photos} of the list, {fresh}."
    if alone:
        return (
            f"{name} names none of these photos{reason}; photos that come later get their captions from it."
        )
    captions = "1 caption" if entries == 1 else f"{entries:,} captions"
    return f"{name}: {captions} read."

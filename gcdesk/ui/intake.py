"""How photos come in by hand: dropped, pasted, opened. One drop is read after the other, in a thread; rows
show while it is read.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QEvent, QMimeData, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent, QGuiApplication, QUndoCommand
from PySide6.QtWidgets import QLineEdit

from gcdesk.config.thresholds import DRIVE_SILENT_SECONDS
from gcdesk.engine.caption_files import CaptionTable, read_caption_csv
from gcdesk.engine.scan import find_photos
from gcdesk.ui.commands import Desk
from gcdesk.ui.errands import Errands
from gcdesk.ui.incoming import Incoming, Picture, may_hold_photos, read_mime
from gcdesk.ui.ports import FoundPhoto
from gcdesk.ui.session_files import save_picture

if TYPE_CHECKING:
    from gcdesk.ui.main_window import MainWindow

# Fewer than what the controller takes at a time, so that two drops can never mix.
_CHUNK = 180
_TABLES = (".csv", ".tsv")
_RESULTS = (".tar.gz", ".tgz")  # of cluster jobs
_MODELS = (".gcmodel", ".gcmodel.zip", ".pth", ".pt")


@dataclass(frozen=True)
class _Work:
    """Something to read. `read` runs on the thread; `take` gets what it gave, here, and says whether that was all."""

    name: str
    read: Callable[[], Any]
    take: Callable[[Any], bool]


class TableCommand(QUndoCommand):
    """Captions of a table for rows of the list, each its own."""

    def __init__(self, desk: Desk, rows: Sequence[int], before: Sequence[str], after: Sequence[str]) -> None:
        super().__init__(f"captions of {len(rows)} photos")
        self._desk, self._rows, self._before, self._after = desk, list(rows), list(before), list(after)

    def redo(self) -> None:
        self._desk.apply_captions(self._rows, self._after)

    def undo(self) -> None:
        self._desk.apply_captions(self._rows, self._before)


class Intake(QObject):
    """Takes what the operator brings. `tables` are the caption tables of this session, latest last.

    results_dropped: archives that a cluster job may have written. models_dropped: model files. Neither is a photo.
    """

    results_dropped = Signal(list)
    models_dropped = Signal(list)

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window, self._controller = window, window.controller
        self._errands = self._new_errands()
        self._first: deque[_Work] = deque()  # tables and pictures: between two pieces of a folder
        self._folders: deque[_Work] = deque()
        self._current: _Work | None = None
        self._silence = QTimer(self, singleShot=True, interval=round(DRIVE_SILENT_SECONDS * 1000))
        self._silence.timeout.connect(self._tell_silence)
        self._answered = 0.0  # when the disk last did, as far as the thread tells
        self.tables: list[CaptionTable] = []
        self._session = self._controller.session_id
        self._controller.rows_reset.connect(self._session_changed)
        window.set_intake(self.take_paths)
        window.setAcceptDrops(True)
        window.installEventFilter(self)
        for box in window.findChildren(QLineEdit):
            box.setAcceptDrops(False)  # a photo dropped on the search box is a photo, not its path as words

    def _new_errands(self) -> Errands:
        errands = Errands(self, self._controller.right_of_way)
        errands.failed.connect(self._window.say)
        return errands

    def close(self) -> None:
        """Stop reading. A drive that does not answer keeps the thread, but not the window."""
        self._leave()

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
            self._window.say(incoming.refusal)
        elif incoming.picture is not None:
            self._take_picture(incoming.picture)
        else:
            self.take_paths(list(incoming.paths))

    def _take_picture(self, picture: Picture) -> None:
        session = self._controller.session_id

        def add(path: Path) -> bool:
            self._controller.add_items([FoundPhoto(str(path), "")])
            return True

        self._first.append(
            _Work("the picture", lambda: save_picture(session, picture.encoded(), picture.suffix), add)
        )
        self._go_on()

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
        found = self._found(paths)

        def add(chunk: list[FoundPhoto]) -> bool:
            if chunk:
                self._controller.add_items(chunk)
            return len(chunk) < _CHUNK

        name = Path(paths[0]).name or paths[0]
        self._folders.append(_Work(name, lambda: list(islice(found, _CHUNK)), add))
        self._go_on()

    def _found(self, paths: Sequence[str]) -> Iterator[FoundPhoto]:
        """Runs on the thread."""
        for one in find_photos(list(paths), self._between):
            path = str(one.path)
            yield FoundPhoto(path, self._caption_of(path), one.error or "")

    def _between(self) -> None:
        """Runs on the thread: a listing may be long, but the drive answers."""
        self._answered = time.monotonic()
        self._controller.right_of_way.give()

    def _caption_of(self, path: str) -> str | None:
        for table in reversed(self.tables):
            caption = table.get(path)
            if caption is not None:
                return caption
        return None

    def _go_on(self) -> None:
        """Read the next piece, if nothing is being read."""
        waiting = self._first or self._folders
        if self._current is not None or not waiting:
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

        self._answered = time.monotonic()
        self._silence.start()
        self._errands.run(work.read, take, after)

    def _still(self) -> None:
        """Nothing is being read any more."""
        self._current = None
        self._silence.stop()
        if self._window.strip.act == self._leave_out:
            self._window.strip.drop_offer()

    # --- a drive that does not answer

    def _tell_silence(self) -> None:
        """Say it, again and again where other news took its place."""
        silent = time.monotonic() - self._answered >= self._silence.interval() / 1000
        if self._current is not None and silent and self._window.strip.act is None:
            self._window.say(
                f"The drive with “{self._current.name}” does not answer. What was opened after it waits for it.",
                "Leave it out",
                self._leave_out,
            )
        if self._current is not None:
            self._silence.start()

    def _leave_out(self) -> None:
        """Go on with what was opened next."""
        waiting = self._first if self._current in self._first else self._folders
        waiting.popleft()
        self._leave()
        self._go_on()

    def _leave(self) -> None:
        """Leave the thread that reads to itself; a drive may never answer."""
        self._errands.leave()
        self._errands = self._new_errands()
        self._still()

    def _session_changed(self) -> None:
        if self._session != self._controller.session_id:
            if self._session >= 0:
                self._first.clear()
                self._folders.clear()
                self.tables.clear()
                if self._current is not None:
                    self._leave()
            self._session = self._controller.session_id

    # --- caption tables

    def _read_table(self, path: str, alone: bool) -> None:
        rows = self._controller.rows
        items, paths, captions = rows.item_id.copy(), list(rows.path), list(rows.caption)

        def work() -> tuple[CaptionTable, int, dict[int, str]]:
            table = read_caption_csv(path)
            named, changes = 0, {}
            for item, photo, caption in zip(items.tolist(), paths, captions, strict=True):
                text = table.get(photo)
                if text is not None:
                    named += 1
                    if " ".join(text.split()) != caption:
                        changes[item] = " ".join(text.split())
            self.tables.append(table)  # photos that are read next, on this thread, are looked up in it
            return table, named, changes

        def take(result: tuple[CaptionTable, int, dict[int, str]]) -> bool:
            table, named, changes = result
            changed = self._apply(changes)
            self._window.say(_said_of(Path(path).name, len(table), named, changed, alone))
            return True

        self._first.append(_Work(Path(path).name, work, take))
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


def _said_of(name: str, entries: int, named: int, changed: int, alone: bool) -> str:
    if named:
        photos = "1 photo" if named == 1 else f"{named:,} photos"
        fresh = "all had it already" if not changed else f"{changed:,} of them new"
        return f"{name}: captions for {photos} of the list, {fresh}."
    if alone:
        return f"{name} names none of these photos; photos that come later get their captions from it."
    captions = "1 caption" if entries == 1 else f"{entries:,} captions"
    return f"{name}: {captions} read."

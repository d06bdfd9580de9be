"""The watched folder: file notifications and polls, one session a day, notices about silence."""

from __future__ import annotations

import datetime
import os
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PySide6.QtCore import QFileSystemWatcher, QObject, QTimer, Signal

from gcdesk.config.thresholds import WATCH_POLL_SECONDS
from gcdesk.engine.captions.rules import caption_from_path
from gcdesk.engine.errors import DRIVE_STALLED
from gcdesk.store import Status
from gcdesk.ui.host import Host
from gcdesk.ui.intake.folder_poller import FolderPoller, ScanResult
from gcdesk.ui.intake.known_photos import same_length_is_same
from gcdesk.ui.session.own_files import OwnFiles
from gcdesk.ui.session.ports import FoundPhoto
from gcdesk.ui.session.session_files import save_picture
from gcdesk.worker.protocol.messages import Priority

_SOON_MS = 60  # after a change notification: they come in bursts
_GROWING_MS = 250
_MOST_FOLDERS = 200  # that are watched by notification; the poll sees the rest
_SILENT_SECONDS = 10.0  # a poll that takes longer: the share does not answer
_LONGEST_POLL_SECONDS = 15.0  # also after a poll that took minutes, because the share had stalled
_AGAIN_SECONDS = 30.0  # between two tries of photos whose drive stalled
_MOST_TRIES = 5  # of one photo: then it is its place on the disk that cannot be read, not the drive


class PollThread(QObject):
    """Polls on a daemon thread, so that a share that hangs cannot keep the window from closing."""

    polled = Signal(object)

    def __init__(self, poller: FolderPoller, parent: QObject) -> None:
        super().__init__(parent)
        self._poller = poller
        self._wanted = threading.Event()
        self._closed = False
        self.busy_since: float | None = None
        self._thread = threading.Thread(target=self._work, name="watched-folder", daemon=True)
        self._thread.start()

    def poll(self) -> None:
        """Ask for a poll; the answer is `polled`."""
        if self.busy_since is None:
            self.busy_since = time.monotonic()
            self._wanted.set()

    def _work(self) -> None:
        while True:
            self._wanted.wait()
            self._wanted.clear()
            if self._closed:
                return
            result = self._poller.poll()
            self.busy_since = None
            try:
                self.polled.emit(result)
            except RuntimeError:  # the window is gone already
                return

    def close(self) -> None:
        self._closed = True
        self._wanted.set()
        self._thread.join(1.0)


class WatchedFolder(QObject):
    """Adds the photos that appear in one folder to a session of that folder and day."""

    stopped = Signal()

    def __init__(self, host: Host, own: OwnFiles | None = None) -> None:
        super().__init__(host.widget)
        self._own = own or OwnFiles()
        self._host, self._controller = host, host.controller
        self.folder: Path | None = None
        self._poller: PollThread | None = None
        self._changes = QFileSystemWatcher(self)
        self._changes.directoryChanged.connect(lambda _path: self._poll_soon(_SOON_MS))
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self._poll)
        self._session = -1
        self._day = datetime.date.min
        self._opening = False
        self._held: list[FoundPhoto] = []
        self._mine: set[str] = set()
        self._tries: Counter[str] = Counter()
        self._quiet_seconds = 0.0
        self._last = 0.0
        self._said_quiet = False
        self._problem = ""
        self._tried_again = float("-inf")
        self._today: Callable[[], datetime.date] = datetime.date.today
        self._controller.rows_reset.connect(self._session_opened)
        self._controller.rows_added.connect(self._put_first)

    @property
    def on(self) -> bool:
        """Whether a folder is watched."""
        return self.folder is not None

    def start(self, folder: Path, only_new: bool, quiet_minutes: float) -> None:
        """Watch `folder` and its subfolders. `quiet_minutes` 0: never say that it is quiet."""
        self.stop()
        self.folder = folder
        self._quiet_seconds = quiet_minutes * 60
        self._last, self._said_quiet, self._problem = time.monotonic(), False, ""
        self._poller = PollThread(FolderPoller(folder, self._keep, only_new, own=self._own), self)
        self._poller.polled.connect(self._polled)
        self._poller.poll()  # what is there now is not new
        self._open_day()

    def stop(self) -> None:
        """Watch nothing any more; photos that are in the list stay."""
        self._timer.stop()
        if self._changes.directories():
            self._changes.removePaths(self._changes.directories())
        if self._poller is not None:
            self._poller.polled.disconnect(self._polled)
            self._poller.close()
            self._poller.deleteLater()
            self._poller = None
        self._held.clear()
        self._mine.clear()
        self._tries.clear()
        if self.folder is not None:
            self.folder = None
            self.stopped.emit()

    # --- looking

    def _poll_soon(self, milliseconds: int) -> None:
        if self.on and (not self._timer.isActive() or self._timer.remainingTime() > milliseconds):
            self._timer.start(milliseconds)

    def _poll(self) -> None:
        poller = self._poller
        if poller is None:
            return
        if poller.busy_since is None:
            if not self._opening:  # a copy belongs into the folder of the session
                poller.poll()
        elif time.monotonic() - poller.busy_since > _SILENT_SECONDS:
            self._tell_problem("does not answer")
        self._tell_quiet()
        self._poll_soon(round(WATCH_POLL_SECONDS * 1000))

    def _polled(self, result: ScanResult) -> None:
        if self._poller is None:
            return
        self._tell_problem(result.problem)
        if result.folders:
            self._follow(result.folders)
        if result.moved:
            self._follow_photos(dict(result.moved))
        if result.arrived:
            self._last, self._said_quiet = time.monotonic(), False
            self._held += [
                FoundPhoto(
                    item.path,
                    "" if item.kept else caption_from_path(item.path),
                    identity=item.identity,
                    any_time=item.was_there and same_length_is_same(item.path),
                )
                for item in result.arrived
            ]
        self._deliver()
        if not result.problem and result.seconds < _SILENT_SECONDS:
            self._try_again()
        poll = max(WATCH_POLL_SECONDS, min(10 * result.seconds, _LONGEST_POLL_SECONDS))
        self._timer.start(_GROWING_MS if result.growing else round(poll * 1000))

    def _follow_photos(self, moved: dict[str, str]) -> None:
        """Photos that were renamed, or moved inside the folder: their rows and captions stay theirs."""
        rows, ledger = self._controller.rows, self._controller.ledger
        found = [row for row in range(len(rows)) if rows.path[row] in moved]
        if not found:
            return
        for row in found:
            rows.path[row] = moved[rows.path[row]]
        ledger.set_paths([int(rows.item_id[row]) for row in found], [rows.path[row] for row in found])
        self._controller.rows_changed.emit(np.array(found, dtype=np.int32))

    def _follow(self, folders: tuple[str, ...]) -> None:
        known = set(self._changes.directories())
        fresh = [folder for folder in folders if folder not in known][: _MOST_FOLDERS - len(known)]
        if fresh:
            self._changes.addPaths(fresh)

    def _keep(self, content: bytes, suffix: str, stem: str) -> Path:
        """Runs on the poller's thread."""
        return save_picture(self._session, content, suffix, stem)

    # --- into the day's session

    def _open_day(self) -> None:
        assert self.folder is not None  # noqa: S101 - called while watching only
        self._opening = True
        self._day = self._today()
        name = f"{self.folder.name or self.folder}, {self._day.day} {self._day:%B %Y}"
        self._controller.open_day(str(self.folder), name)

    def _session_opened(self) -> None:
        if not self.on:
            return
        if self._opening:
            self._opening = False
            self._session = self._controller.session_id
            self._deliver()
        elif self._controller.session_id != self._session:
            folder = self.folder
            self.stop()
            self._host.say(f"{_name(folder)} is no longer watched: another session is open.")

    def _deliver(self) -> None:
        """Photos go to the session of their day; a new day waits until yesterday's are done."""
        if not self._held or self._opening:
            return
        if self._today() != self._day:
            progress = self._controller.progress()
            if progress.running and not progress.paused:
                return
            self._open_day()
            return
        held, self._held = self._held, []
        self._mine.update(photo.path for photo in held)
        self._controller.add_items(held)

    def _put_first(self, first: int, count: int) -> None:
        """The newest photo of the camera is classified before everything else."""
        rows = self._controller.rows
        mine = [row for row in range(first, first + count) if rows.path[row] in self._mine]
        if mine:
            self._mine.difference_update(rows.path[row] for row in mine)
            items = rows.item_id[np.asarray(mine)].tolist()
            # The controller hands the new rows over right after this signal.
            QTimer.singleShot(0, self, lambda: self._controller.client.prioritise(items, Priority.WATCHED))

    def _try_again(self) -> None:
        """Photos of this folder that were given up because its drive stalled, whatever their captions said: it answers
        again.
        """
        rows, now = self._controller.rows, time.monotonic()
        if self._opening or now - self._tried_again < _AGAIN_SECONDS:
            return
        here = os.path.join(str(self.folder), "")
        faulty = np.flatnonzero(rows.faulty & (rows.status >= Status.DONE)).tolist()
        stalled = [
            row
            for row in faulty
            if rows.error[row] == DRIVE_STALLED
            and rows.path[row].startswith(here)
            and self._tries[rows.path[row]] < _MOST_TRIES
        ]
        if stalled:
            self._tried_again = now
            self._tries.update(rows.path[row] for row in stalled)
            self._controller.retry(stalled)

    # --- words

    def _tell_problem(self, problem: str) -> None:
        if problem == self._problem or self.folder is None:
            return
        back = self._problem and not problem
        self._problem = problem
        if problem:
            self._host.say(
                f"The watched folder {_name(self.folder)} {problem}. gcdesk keeps looking for it.",
                "Stop watching",
                self.stop,
            )
        elif back:
            self._host.say(f"{_name(self.folder)} is back and is watched.")

    def _tell_quiet(self) -> None:
        if (
            self._quiet_seconds
            and not self._said_quiet
            and time.monotonic() - self._last >= self._quiet_seconds
            and not self._problem
        ):
            self._said_quiet = True
            minutes = round(self._quiet_seconds / 60)
            time_ = "a minute" if minutes <= 1 else f"{minutes} minutes"
            self._host.say(
                f"No photo has come into {_name(self.folder)} for {time_}.", "Stop watching", self.stop
            )

    def close(self) -> None:
        self.stop()


def _name(folder: Path | None) -> str:
    return f"“{folder.name or folder}”" if folder is not None else ""

"""The self-test `gcdesk --smoke FILE`: the real window and worker on the sample photos, measured and written as JSON.

Three photos are dropped as a file manager drops them, the worker is killed once, and everything is answered
nevertheless.
"""

from __future__ import annotations

import json
import os
import platform
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import psutil
from PySide6.QtCore import QEvent, QMimeData, QObject, QPointF, Qt, QTimer, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QGuiApplication
from PySide6.QtWidgets import QApplication

from gcdesk.config.build import build
from gcdesk.config.resources import resource_path
from gcdesk.engine.labels import BINS
from gcdesk.store import Status, Store, StoreError, store_path
from gcdesk.ui.app.app import run
from gcdesk.ui.app.composition import make_controller
from gcdesk.ui.help.about import read_about
from gcdesk.ui.window.main_window import MainWindow

_PHOTOS = 3  # before the worker is killed, and again after
_LIMIT_SECONDS = 120
_SESSION = "SelfTest test"


@dataclass
class Report:
    """The result. Times are seconds since the process started, memory is MB of resident pages."""

    ok: bool = False
    problem: str = ""
    version: str = ""
    commit: str = ""
    flavour: str = ""
    system: str = ""
    display: str = ""
    saved: bool = False
    window_seconds: float | None = None
    first_result_seconds: float | None = None
    after_kill_seconds: float | None = None
    window_memory: float | None = None
    worker_memory: float | None = None
    killed_worker: int = 0
    next_worker: int = 0
    results: list[dict[str, object]] = field(default_factory=list)
    news: list[str] = field(default_factory=list)
    packages: dict[str, str] = field(default_factory=dict)


class SelfTest(QObject):
    """Runs the steps of the test; `report` is complete once the window is closed."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self.report = Report(problem="the window was closed before the end")
        self.session = -1
        self._window, self._controller = window, window.controller
        self._photos = sorted(resource_path("samples").glob("*.jpg"))[::2][: 2 * _PHOTOS]
        self._first_session = -1
        self._began = process_began()
        self._killed = 0.0
        self._step: Callable[[], None] = self._wait_for_session
        self._limit = QTimer(self, singleShot=True, interval=_LIMIT_SECONDS * 1000)
        self._limit.timeout.connect(lambda: self._end(f"no end within {_LIMIT_SECONDS} s"))
        self._limit.start()
        self.report.news += filter(None, [window.strip.notice.text()])  # said before we listened
        self._controller.notice.connect(self.report.news.append)
        self._controller.offered.connect(lambda text, _offer, _act: self.report.news.append(text))
        self._controller.rows_changed.connect(lambda _rows: self._step())
        self._controller.rows_reset.connect(lambda: QTimer.singleShot(0, self, lambda: self._step()))
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The window counts as there when it has painted itself and the event loop has come round again."""
        if event.type() == QEvent.Type.Paint and self.report.window_seconds is None:
            self.report.window_seconds = self._since()
            QTimer.singleShot(0, self, self._note_window)
        return False

    def _note_window(self) -> None:
        self.report.window_seconds = self._since()

    def _since(self) -> float:
        return round(time.time() - self._began, 3)

    # --- the steps; each is tried again whenever something happened

    def _wait_for_session(self) -> None:
        if self._controller.session_id < 0:
            return
        self._step = self._wait_for_own
        self._first_session = self._controller.session_id
        self._controller.new_session(_SESSION)

    def _wait_for_own(self) -> None:
        if self._controller.session_id in (-1, self._first_session):
            return
        self.session = self._controller.session_id
        self._step = self._wait_for_three
        self._drop(self._photos[:_PHOTOS])

    def _wait_for_three(self) -> None:
        done = self._answered()
        if done and self.report.first_result_seconds is None:
            self.report.first_result_seconds = self._since()
        if done < _PHOTOS:
            return
        self._step = self._wait_for_all
        worker = self._worker()
        self.report.window_memory, self.report.worker_memory = memory(os.getpid()), memory(worker)
        self.report.killed_worker = worker
        os.kill(worker, getattr(signal, "SIGKILL", signal.SIGTERM))
        self._killed = time.time()
        self._drop(self._photos[_PHOTOS:])

    def _wait_for_all(self) -> None:
        if self._answered() < 2 * _PHOTOS:
            return
        self.report.after_kill_seconds = round(time.time() - self._killed, 3)
        self.report.next_worker = self._worker()
        self._end(self._verdict())

    def _drop(self, photos: list[Path]) -> None:
        """As a file manager does it: enter, then drop."""
        mime = QMimeData()
        mime.setUrls([QUrl.fromLocalFile(str(photo)) for photo in photos])
        centre = self._window.rect().center()
        how = (mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
        enter = QDragEnterEvent(centre, Qt.DropAction.CopyAction, *how)
        QApplication.sendEvent(self._window, enter)
        if not enter.isAccepted():
            self._end("the window does not take the photos")
            return
        QApplication.sendEvent(self._window, QDropEvent(QPointF(centre), Qt.DropAction.CopyAction, *how))

    # --- what came out

    def _answered(self) -> int:
        return int(np.count_nonzero(self._controller.rows.status >= Status.DONE))

    def _worker(self) -> int:
        client = getattr(self._controller.client, "client", None)
        return int(client.worker_pid) if client is not None else 0

    def _verdict(self) -> str:
        """What is wrong, "" for nothing."""
        rows = self._controller.rows
        for row in range(len(rows)):
            label = int(rows.label[row])
            self.report.results.append(
                {
                    "photo": Path(rows.path[row]).name,
                    "bin": BINS[label] if 0 <= label < len(BINS) else None,
                    "confidence": round(float(rows.confidence[row]), 4),
                    "error": rows.error[row],
                }
            )
        failed = [item["photo"] for item in self.report.results if item["error"] or item["bin"] is None]
        if failed:
            return f"no answer for {', '.join(map(str, failed))}"
        if self.report.killed_worker == self.report.next_worker:
            return "the worker was not started again"
        return ""

    def _end(self, problem: str) -> None:
        self._step = lambda: None
        self._limit.stop()
        about = build()
        self.report.ok, self.report.problem = not problem, problem
        self.report.version, self.report.commit, self.report.flavour = (
            about.version,
            about.commit,
            about.flavour,
        )
        self.report.system = f"{platform.platform()}, Python {platform.python_version()}"
        self.report.display = QGuiApplication.platformName()
        store: Store | None = getattr(self._controller.ledger, "store", None)
        self.report.saved = store is not None and not store.in_memory
        self.report.packages = {part.name: part.version for part in read_about().parts}
        self._window.close()


def smoke(target: Path) -> int:
    """Run the test and write the report. Returns the exit code."""
    made: list[SelfTest] = []
    run((), make_controller, watcher=lambda window: made.append(SelfTest(window)))
    report, session = made[0].report, made[0].session
    if report.saved and session > 0:
        _forget(session)
    try:
        target.write_text(json.dumps(asdict(report), indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        print(f"gcdesk: the report cannot be written: {error}", file=sys.stderr)
        return 1
    return 0 if report.ok else 1


def _forget(session: int) -> None:
    try:
        with Store(store_path()) as store:
            store.delete_session(session)
    except StoreError as error:
        print(f"gcdesk: {error}", file=sys.stderr)


def process_began() -> float:
    """When this process began, in seconds since 1970."""
    return psutil.Process().create_time()


def memory(pid: int) -> float | None:
    """Resident memory of a process in MB (of 1024 * 1024 bytes); None where the system does not tell."""
    try:
        return round(psutil.Process(pid).memory_info().rss / 1024**2, 1)
    except psutil.Error:
        return None

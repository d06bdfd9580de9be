"""The real window, which watches the folder that is named and tells as JSON lines how it fares. With `--leave-out` it
takes the offer to leave a silent drive out.

Each line has `rows`, `done` and `faulty`, their `errors`, what the strip says (`said`), and `late`: by how many seconds
the event loop was late at most so far. Read by of_drives.py.
"""

from __future__ import annotations

import json
import sys
import time

import numpy as np
from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QApplication

from gcdesk.config.settings import Settings
from gcdesk.store import Status
from gcdesk.ui.app import composition as assembly
from gcdesk.ui.app.app import run
from gcdesk.ui.app.features import Features
from gcdesk.ui.session.controller import Controller
from gcdesk.ui.window.main_window import MainWindow

_BEAT_MS = 50


class ProgressReporter(QObject):
    def __init__(self, controller: Controller, folder: str) -> None:
        super().__init__(controller)
        self._controller, self._folder = controller, folder
        self._late, self._beat_at, self._told = 0.0, 0.0, ""
        self._watching = False
        self._timer = QTimer(self, interval=_BEAT_MS)
        self._timer.timeout.connect(self._beat)
        controller.rows_reset.connect(self._opened)

    def _opened(self) -> None:
        if not self._watching:
            self._watching = True
            QTimer.singleShot(0, self, self._watch)

    def _watch(self) -> None:
        self._window = next(one for one in QApplication.topLevelWidgets() if isinstance(one, MainWindow))
        self._window.findChild(Features).start_watching(self._folder, False, 0)
        self._beat_at = time.monotonic()
        self._timer.start()

    def _beat(self) -> None:
        now = time.monotonic()
        self._late = max(self._late, now - self._beat_at - _BEAT_MS / 1000)
        self._beat_at = now
        rows = self._controller.rows
        faulty = np.flatnonzero(rows.faulty & (rows.status >= Status.DONE)).tolist()
        told = {
            "rows": len(rows),
            "done": int((rows.status == Status.DONE).sum()),
            "faulty": len(faulty),
            "errors": sorted({rows.error[row] for row in faulty}),
            "said": self._window.strip.notice.text(),
        }
        if json.dumps(told) != self._told:
            self._told = json.dumps(told)
            print(json.dumps({**told, "late": round(self._late, 3)}), flush=True)
        offer = self._window.strip.offer
        if "--leave-out" in sys.argv and offer.isVisible() and offer.text() == "Leave it out":
            offer.click()


def main() -> int:
    tellers = []

    def make(settings: Settings) -> Controller:
        controller = assembly.make_controller(settings)
        tellers.append(ProgressReporter(controller, sys.argv[1]))
        return controller

    return run((), make)


if __name__ == "__main__":
    sys.exit(main())

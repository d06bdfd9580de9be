"""The part of benchmarks/soak.py that runs in the window's process: `python benchmarks/soak_window.py FOLDER`.

It is the real application. It watches FOLDER, and somebody works at it: looks at photos and heat-maps, edits captions,
sets bins, filters, opens the station view. Once a second it says as one JSON line how far it is; a SIGTERM ends it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from itertools import cycle

import numpy as np
from PySide6.QtCore import QObject, QTimer

from gcdesk.store import Status
from gcdesk.ui.app import composition as assembly
from gcdesk.ui.app.app import run
from gcdesk.ui.app.features import Features
from gcdesk.ui.session.filtering import Show
from gcdesk.ui.session.worker_port import ClientPort
from gcdesk.ui.window.main_window import MainWindow

_TELL_MS = 1000
_WORK_MS = 1500


class Day(QObject):
    """Watches the folder, works at the window, tells how far it is."""

    def __init__(self, window: MainWindow, folder: str) -> None:
        super().__init__(window)
        self._window, self._controller, self._folder = window, window.controller, folder
        self._features = window.findChild(Features)
        self._watching = False
        self._notices = 0
        self._controller.notice.connect(self._noticed)
        self._controller.rows_reset.connect(self._opened)
        self._steps = cycle(
            (
                self._look_at_the_newest,
                self._heat_map,
                self._caption,
                self._bin,
                self._filter(Show.REVIEW),
                self._filter(Show.ALL),
                self._station(True),
                self._station(False),
            )
        )
        for interval, work in ((_TELL_MS, self._tell), (_WORK_MS, lambda: next(self._steps)())):
            timer = QTimer(self, interval=interval)
            timer.timeout.connect(work)
            timer.start()

    def _opened(self) -> None:
        if not self._watching:
            self._watching = True
            # After the signal: the session that is being opened must not end the watch again.
            QTimer.singleShot(0, self, lambda: self._features.start_watching(self._folder, False, 0))

    def _noticed(self, text: str) -> None:
        self._notices += 1
        print(f"said: {text}", file=sys.stderr, flush=True)

    def _tell(self) -> None:
        status = self._controller.rows.status
        port = self._controller.client
        assert isinstance(port, ClientPort)
        said = {
            "rows": len(status),
            "done": int((status == Status.DONE).sum()),
            "failed": int((status == Status.FAILED).sum()),
            "worker": port.client.worker_pid,
            "notices": self._notices,
        }
        print(json.dumps(said), flush=True)

    # --- what somebody does at the window

    def _done_row(self) -> int:
        done = np.flatnonzero(self._controller.rows.status == Status.DONE)
        return int(done[-1]) if len(done) else -1

    def _look_at_the_newest(self) -> None:
        if (row := self._done_row()) >= 0:
            self._window.show_row(row)

    def _heat_map(self) -> None:
        if (row := self._window.view.current_row()) >= 0:
            self._controller.request_heatmap(row)

    def _caption(self) -> None:
        if (row := self._window.view.current_row()) >= 0:
            self._controller.set_captions([row], f"{self._controller.rows.caption[row]} again")

    def _bin(self) -> None:
        if (row := self._window.view.current_row()) >= 0:
            self._controller.set_labels([row], row % 4)

    def _filter(self, show: Show) -> Callable[[], None]:
        return lambda: self._window.filter_bar.choose(show)

    def _station(self, on: bool) -> Callable[[], None]:
        return lambda: self._features.station.show(on)


def main() -> int:
    days = []
    return run((), assembly.make_controller, lambda window: days.append(Day(window, sys.argv[1])))


if __name__ == "__main__":
    sys.exit(main())

"""The part of benchmarks/responsiveness.py that runs in the window's process. Prints its figures as one JSON line.

    python benchmarks/responsiveness_window.py start PHOTO      times since $GCDESK_BENCH_BEGAN (monotonic seconds)
    python benchmarks/responsiveness_window.py work BATCH ROWS COUNT  stalls, memory, re-scores

It is the real application: only the place where session and worker are put together is looked over the shoulder.
"""

from __future__ import annotations

import gc
import os
import sys
import time
from pathlib import Path

import numpy as np
from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtWidgets import QApplication
from window_steps import Runner, Steps, pause, ready, tell, the_window

from gcdesk.config.settings import Settings
from gcdesk.store import Status
from gcdesk.ui.app import composition as assembly
from gcdesk.ui.session.controller import Controller
from gcdesk.ui.session.filtering import Show
from gcdesk.ui.window.list.model import SORTS
from gcdesk.ui.window.main_window import MainWindow

_BEAT_MS = 5
_RESCORES = 20
_LOOK_MS = 20


class Start(QObject):
    """Times of the first paint with an open session and of the first result."""

    def __init__(self, controller: Controller) -> None:
        super().__init__(controller)
        self._began = float(os.environ["GCDESK_BENCH_BEGAN"])
        self._figures: dict[str, object] = {}
        self._controller = controller
        self._open = False
        controller.rows_reset.connect(self._opened)
        controller.rows_changed.connect(self._changed)
        QApplication.instance().installEventFilter(self)

    def _since(self) -> float:
        return time.monotonic() - self._began

    def _opened(self) -> None:
        """Usable: a session is open, the window is painted, and the event loop has nothing more to do."""
        self._open = True
        the_window().update()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint and isinstance(watched, MainWindow) and self._open:
            QApplication.instance().removeEventFilter(self)
            QTimer.singleShot(0, lambda: self._figures.setdefault("window_s", self._since()))
        return False

    def _changed(self, _rows: np.ndarray) -> None:
        if (self._controller.rows.status == Status.DONE).any():
            self._controller.rows_changed.disconnect(self._changed)
            the_window().view.viewport().repaint()
            tell({**self._figures, "first_result_s": self._since()})
            QTimer.singleShot(0, the_window().close)


class Heartbeat(QObject):
    """How much later than due each beat came, by phase, and how long the thread waited for a processor meanwhile.

    While other programs hold the processors the kernel counts how long this thread, ready to run, had to wait.
    That, like a suspension of the whole machine, is no fault of the window's: it is taken off, and told apart.
    """

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.phase = ""
        self.late: dict[str, list[float]] = {}
        self.waited: dict[str, list[float]] = {}
        self._stat = -1
        try:
            self._stat = os.open(f"/proc/self/task/{os.getpid()}/schedstat", os.O_RDONLY)
        except OSError:  # not Linux: nothing is taken off
            self._stat = -1
        self._timer = QTimer(self, interval=_BEAT_MS, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._beat)

    def enter(self, phase: str) -> None:
        self.phase = phase
        self.late.setdefault(phase, [])
        self.waited.setdefault(phase, [])
        self._last, self._last_wait, self._last_asleep = self._now()
        self._timer.start()

    def stop(self) -> None:
        self._timer.stop()

    def _now(self) -> tuple[float, float, float]:
        """Seconds: the clock, waiting for a processor so far, suspension so far."""
        waited = int(os.pread(self._stat, 100, 0).split()[1]) / 1e9 if self._stat >= 0 else 0.0
        clock = time.monotonic()
        boot = getattr(time, "CLOCK_BOOTTIME", None)
        return clock, waited, time.clock_gettime(boot) - clock if boot is not None else 0.0

    def _beat(self) -> None:
        now, wait, asleep = self._now()
        late = now - self._last - _BEAT_MS / 1000
        waited = min(max(late, 0.0), wait - self._last_wait)
        if asleep - self._last_asleep < 0.005:  # else the machine was suspended
            self.late[self.phase].append(max(0.0, late - waited) * 1000)
            self.waited[self.phase].append(waited * 1000)
        self._last, self._last_wait, self._last_asleep = now, wait, asleep

    def figures(self) -> dict[str, object]:
        every = np.concatenate([np.array(late) for late in self.late.values()])
        return {
            "stall_max_ms": float(every.max()),
            "stall_p99_ms": float(np.percentile(every, 99)),
            "processor_wait_max_ms": max(max(waited, default=0.0) for waited in self.waited.values()),
            "phases": {phase: max(late, default=0.0) for phase, late in self.late.items()},
        }


def resident() -> float:
    """Memory of this process in MB; 0 where the system does not tell."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    except OSError:
        return 0.0


class Work(QObject):
    """Goes through the phases."""

    def __init__(self, controller: Controller, batch: str, rows: str, count: str) -> None:
        super().__init__(controller)
        self._controller, self._batch_folder, self._rows_folder = controller, batch, rows
        self._rows_count = int(count)
        self._beat = Heartbeat(self)
        self._open = False
        self._ready = ready(controller)
        self._figures: dict[str, object] = {}
        self._asked: dict[int, tuple[float, float]] = {}
        self._rescored: list[float] = []
        controller.rows_reset.connect(lambda: setattr(self, "_open", True))
        controller.rows_changed.connect(self._changed)
        Runner(self, self._all(), _LOOK_MS, self._tell)

    def _tell(self) -> None:
        tell({**self._figures, **self._beat.figures()})

    def _all(self) -> Steps:
        self._beat.enter("model load")
        yield self._ready
        yield from self._batch()
        yield from self._many_rows()
        for name, phase in (("scroll", self._scroll), ("sort", self._sort), ("filter", self._filter)):
            self._beat.enter(name)
            yield from phase()
        self._beat.stop()
        gc.collect()
        self._figures["rows_100k_growth_mb"] = resident() - self._before

    def _batch(self) -> Steps:
        """A folder while the operator moves through the list and edits captions."""
        rows, view = self._controller.rows, the_window().view
        self._beat.enter("batch")
        began = time.monotonic()
        the_window().open_paths([self._batch_folder])
        yield lambda: bool((rows.status == Status.DONE).any())
        while (rows.status <= Status.RUNNING).any():
            done = np.flatnonzero(rows.status == Status.DONE)
            if len(self._rescored) + len(self._asked) < _RESCORES and not self._asked:
                self._rescore(int(done[len(done) // 2]))
            view.move_by(1)
            yield pause(0.4)
        self._figures["photos_per_s"] = len(rows) / (time.monotonic() - began)
        self._figures["rescore_ms"] = float(np.percentile(self._rescored, 90)) if self._rescored else None

    def _rescore(self, row: int) -> None:
        rows = self._controller.rows
        text = f"used paper cup {'of coffee ' * (len(self._rescored) % 3)}{len(self._rescored)}"
        before = float(rows.text[row].max())
        self._asked[row] = (time.monotonic(), before)
        self._controller.set_captions([row], text)

    def _changed(self, changed: np.ndarray) -> None:
        for row in [row for row in self._asked if (changed == row).any()]:
            began, before = self._asked[row]
            if float(self._controller.rows.text[row].max()) != before:
                the_window().view.viewport().repaint()
                self._rescored.append((time.monotonic() - began) * 1000)
                del self._asked[row]

    def _many_rows(self) -> Steps:
        """A folder of very many photos comes into the list; nothing is classified, the list is what counts."""
        controller = self._controller
        self._open = False
        controller.new_session("many")
        yield lambda: self._open
        controller.pause()
        yield pause(1.0)
        gc.collect()
        self._before = resident()
        self._beat.enter("rows arrive")
        the_window().open_paths([self._rows_folder])
        yield lambda: len(controller.rows) >= self._rows_count
        yield pause(2.0)
        self._beat.stop()
        _answer(controller)
        the_window().view_updater.ask()
        yield pause(2.0)

    def _scroll(self) -> Steps:
        bar = the_window().view.verticalScrollBar()
        for share in np.random.default_rng(0).random(60):
            bar.setValue(int(share * bar.maximum()))
            yield pause(0.05)
        for _ in range(100):
            bar.setValue(bar.value() + 60)
            yield pause(0.015)

    def _sort(self) -> Steps:
        window = the_window()
        for column in SORTS:
            for _ in range(2):
                window.view.horizontalHeader().sectionClicked.emit(column)
                yield pause(0.7)
        window.view.horizontalHeader().sectionClicked.emit(column)
        yield pause(0.7)

    def _filter(self) -> Steps:
        window = the_window()
        for show in Show:
            window.filter_bar.choose(show)
            yield pause(0.5)
        window.filter_bar.choose(Show.ALL)
        yield pause(0.5)
        for end in range(1, 8):
            window.head.search.setText("bottle1"[:end])
            yield pause(0.25)
        window.head.search.clear()
        yield pause(1.0)


def _answer(controller: Controller) -> None:
    """Plausible answers in all rows, so that there is something to sort and filter."""
    rows, chance = controller.rows, np.random.default_rng(0)
    image = chance.dirichlet((0.6,) * 4, len(rows)).astype("f4")
    text = chance.dirichlet((0.6,) * 4, len(rows)).astype("f4")
    rows.image[:], rows.text[:] = image, text
    rows.label[:] = np.where(image.max(1) > text.max(1), image.argmax(1), text.argmax(1))
    rows.confidence[:] = np.maximum(image.max(1), text.max(1))
    rows.margin[:] = np.abs(image.max(1) - text.max(1))
    rows.review[:] = rows.confidence < 0.8
    rows.status[:] = Status.DONE


def main() -> int:
    what, *paths = sys.argv[1:]
    make = assembly.make_controller

    def watched(settings: Settings) -> Controller:
        controller = make(settings)
        controller.watcher = Start(controller) if what == "start" else Work(controller, *paths)
        return controller

    assembly.make_controller = watched
    sys.argv = ["gcdesk", *(paths if what == "start" else ())]
    from gcdesk.__main__ import main as gcdesk

    return gcdesk()


if __name__ == "__main__":
    sys.exit(main())

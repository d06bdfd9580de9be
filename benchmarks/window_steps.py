"""What the benchmarks in the window's process share: steps, each of which waits for the effect of the one before."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QApplication

from gcdesk.ui.session.controller import Controller
from gcdesk.ui.window.main_window import MainWindow

Steps = Iterator[Callable[[], bool]]


def the_window() -> MainWindow:
    return next(widget for widget in QApplication.topLevelWidgets() if isinstance(widget, MainWindow))


def tell(figures: dict[str, object]) -> None:
    print(json.dumps(figures), flush=True)


def pause(seconds: float) -> Callable[[], bool]:
    """A step that waits for nothing else."""
    end = time.monotonic() + seconds
    return lambda: time.monotonic() >= end


def ready(controller: Controller) -> Callable[[], bool]:
    """Whether the worker has said which device it works on and a session was opened."""
    seen = {"device": False, "session": False}
    controller.device_changed.connect(lambda text: seen.update(device=text.startswith(("CPU", "GPU"))))
    controller.rows_reset.connect(lambda: seen.update(session=True))
    return lambda: all(seen.values())


class Runner(QObject):
    """Goes through steps: a generator yields what to wait for, a timer looks every `look_ms` whether it is so.

    At their end the window closes, after `ended()`.
    """

    def __init__(self, parent: QObject, steps: Steps, look_ms: int, ended: Callable[[], None]) -> None:
        super().__init__(parent)
        self._steps, self._ended = steps, ended
        self._wait: Callable[[], bool] = lambda: True
        self._timer = QTimer(self, interval=look_ms)
        self._timer.timeout.connect(self._look)
        QTimer.singleShot(0, self._timer.start)

    def _look(self) -> None:
        if not self._wait():
            return
        try:
            self._wait = next(self._steps)
        except StopIteration:
            self._timer.stop()
            self._ended()
            the_window().close()
        except Exception:  # else the window would stay open for ever
            QApplication.exit(1)
            raise

"""The part of benchmarks/goals.py that runs in the window's process. Prints its figures as one JSON line.

python benchmarks/goals_window.py SESSION BATCH OUT     the long session, a folder of photos, a folder to write to
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject
from window_steps import Runner, Steps, pause, ready, tell, the_window

from gcdesk.config.settings import Settings
from gcdesk.store import Status
from gcdesk.ui.app import composition as assembly
from gcdesk.ui.app.features import Features
from gcdesk.ui.export.row_table import Format
from gcdesk.ui.session.controller import Controller

_SEARCHES = (
    "bottle",
    "orange 000",
    "zebra",
    "paper 09",
    "sock",
    "milk carton 01",
    "e",
    "sponge",
    "peel 5",
    "note",
)
_HEATMAPS = 10
_RESCORES = 20
_LOOK_MS = 2


class Goals(QObject):
    """Goes through the figures."""

    def __init__(self, controller: Controller, session: str, batch: str, out: str) -> None:
        super().__init__(controller)
        self._controller, self._session = controller, int(session)
        self._batch_folder, self._out = batch, Path(out)
        self._figures: dict[str, object] = {}
        self._open = self._settled = False
        self._ready = ready(controller)
        controller.rows_reset.connect(self._opened)
        Runner(self, self._all(), _LOOK_MS, lambda: tell(self._figures))

    def _opened(self) -> None:
        self._open, self._settled = True, False

    def _all(self) -> Steps:
        yield self._ready
        the_window().view_updater.settled.connect(lambda: setattr(self, "_settled", True))
        yield from self._rescores()
        yield from self._heatmaps()
        yield from self._opening()
        yield from self._searches()
        self._out.mkdir()
        for form in ("csv", "json"):
            yield from self._export(form)

    def _painted(self) -> None:
        the_window().view.viewport().repaint()

    def _rescores(self) -> Steps:
        """Edit captions of photos that are done, one after another, while the rest of a folder is classified."""
        rows, took = self._controller.rows, []
        the_window().open_paths([self._batch_folder])
        yield lambda: int((rows.status == Status.DONE).sum()) > _RESCORES
        while len(took) < _RESCORES:
            row = int(np.flatnonzero(rows.status == Status.DONE)[len(took)])
            before, began = rows.text[row].tolist(), time.monotonic()
            self._controller.set_captions(
                [row], f"used paper cup {'of coffee ' * (len(took) % 3)}{'x' * len(took)}"
            )
            yield lambda row=row, before=before: rows.text[row].tolist() != before  # type: ignore[misc]
            self._painted()
            took.append((time.monotonic() - began) * 1000)
            yield pause(0.1)
        self._figures["rescore_ms"] = float(np.percentile(took, 90))
        yield lambda: not (rows.status <= Status.RUNNING).any()

    def _heatmaps(self) -> Steps:
        """Each of a photo that is shown already and has no heat-map in the cache."""
        window, took = the_window(), []
        photo = window.detail.photo
        for row in range(_HEATMAPS):
            window.show_row(row)
            yield pause(0.5)
            began = time.monotonic()
            window.detail.heat.setChecked(True)
            yield lambda: photo.has_heat
            photo.repaint()
            took.append((time.monotonic() - began) * 1000)
            window.detail.heat.setChecked(False)
            yield pause(0.05)
        self._figures["heatmap_ms"] = float(np.percentile(took, 90))

    def _opening(self) -> Steps:
        self._open, self._settled = False, False
        began = time.monotonic()
        self._controller.open_session(self._session)
        yield lambda: self._open and self._settled
        self._painted()
        self._figures["open_s"] = time.monotonic() - began
        yield pause(2.0)

    def _searches(self) -> Steps:
        window, took = the_window(), []
        for words in _SEARCHES:
            window.head.search.clear()
            yield pause(0.5)
            self._settled = False
            began = time.monotonic()
            window.head.search.setText(words)
            yield lambda: self._settled
            self._painted()
            took.append((time.monotonic() - began) * 1000)
        window.head.search.clear()
        yield pause(0.5)
        self._figures["search_ms"] = float(np.percentile(took, 90))

    def _export(self, form: Format) -> Steps:
        """Until the strip says that the file is there."""
        window = the_window()
        path = self._out / f"all.{form}"
        began = time.monotonic()
        window.findChild(Features).exports.write_table(path, form, np.arange(len(self._controller.rows)))
        yield lambda: path.exists() and path.name in window.strip.notice.text()
        self._figures[f"export_{form}_s"] = time.monotonic() - began


def main() -> int:
    arguments = sys.argv[1:]
    make = assembly.make_controller

    def watched(settings: Settings) -> Controller:
        controller = make(settings)
        controller.watcher = Goals(controller, *arguments)
        return controller

    assembly.make_controller = watched
    sys.argv = ["gcdesk"]
    from gcdesk.__main__ import main as gcdesk

    return gcdesk()


if __name__ == "__main__":
    sys.exit(main())

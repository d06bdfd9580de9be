"""Opens and closes the station view (F11), and keeps the screen on while it is in use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from gcdesk.ui.window.main_window import MainWindow

if TYPE_CHECKING:
    from gcdesk.ui.station.screen_wake_lock import ScreenWakeLock
    from gcdesk.ui.station.view import StationView


class Station(QObject):
    """The station view of a main window, made when first used."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.view: StationView | None = None
        self.awake: ScreenWakeLock | None = None
        self.action = window.provide("station", self.show)
        window.actions_["watch"].toggled.connect(lambda on: self._keep_awake("Watching a folder", on))
        window.closing.connect(self.end)

    def show(self, on: bool) -> None:
        """Open the view on the main window's screen, or close it."""
        if not on:
            if self.view is not None:
                self.view.close()
            return
        view = self._made()
        view.set_theme(self._window.theme)
        self._keep_awake("Station view", True)
        view.setGeometry(self._window.screen().geometry())
        view.showFullScreen()
        view.activateWindow()
        view.begin(self._window.view.current_row())

    def _made(self) -> StationView:
        if self.view is None:
            from gcdesk.ui.station.view import StationView

            self.view = StationView(self._window.controller, self._window.theme, self._window)
            self.view.left.connect(self._left)
        return self.view

    def _keep_awake(self, reason: str, on: bool) -> None:
        if self.awake is None:
            from gcdesk.ui.station.screen_wake_lock import ScreenWakeLock

            self.awake = ScreenWakeLock(self)
        self.awake.want(reason, on)

    def _left(self) -> None:
        """Back in the main window, at the same photo."""
        self.action.setChecked(False)
        self._keep_awake("Station view", False)
        if self.view is not None and 0 <= self.view.row < len(self._window.controller.rows):
            self._window.show_row(self.view.row)

    def end(self) -> None:
        """The main window closes."""
        if self.view is not None:
            self.view.left.disconnect(self._left)
            self.view.close()
            self.view.end()
            self.view = None

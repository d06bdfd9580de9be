"""What the rooms around the main window may ask of it: the only view that a dialog or a feature has of the window."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
from PySide6.QtCore import SignalInstance
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QWidget

from gcdesk.ui.session.controller import Controller
from gcdesk.ui.theme.theme import Theme


class Host(Protocol):
    """The main window as its dialogs and features see it."""

    paths_opened: SignalInstance  # list of str: files and folders that were opened, dropped or handed over
    may_close: Callable[[], bool]  # asked before the window closes; False keeps it open

    @property
    def widget(self) -> QWidget:
        """The window itself: parent of dialogs, owner of objects, source of events."""

    @property
    def controller(self) -> Controller: ...

    @property
    def theme(self) -> Theme: ...

    def set_theme(self, theme: Theme) -> None:
        """Show another look or text scale."""

    def say(self, text: str, offer: str = "", act: Callable[[], object] | None = None) -> None:
        """Show one line of news in the status strip; `offer` is the label of a button that calls `act`."""

    def interrupt(self, text: str, offer: str, act: Callable[[], object]) -> None:
        """As `say`, but an offer that is shown now comes back when this one is gone."""

    def is_offering(self, act: Callable[[], object]) -> bool:
        """Whether the status strip shows a button that calls `act`."""

    def withdraw(self, act: Callable[[], object]) -> None:
        """Take the news away whose button calls `act`, if it is still shown."""

    def action(self, name: str) -> QAction:
        """The action of that name. Raises KeyError for an unknown one."""

    def provide(self, name: str, slot: Callable[..., object]) -> QAction:
        """Connect an action to its slot and show it."""

    def open_paths(self, paths: Sequence[str]) -> None:
        """Add files and folders to the session: emits `paths_opened`."""

    def visible_rows(self) -> np.ndarray:
        """Row numbers in view order, (n,) int32."""

    def refresh_detail(self) -> None:
        """Show the current row anew in the detail pane."""

    def show_name(self) -> None:
        """Show the session's name in the title."""

    def close_unasked(self) -> None:
        """Close without asking `may_close`."""

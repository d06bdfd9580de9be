"""Keeps the screen on; where the platform has no simple way, the log says so."""

from __future__ import annotations

import ctypes
import logging
import os
import sys
from itertools import count
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject

_log = logging.getLogger(__name__)

_SERVICE, _PATH = "org.freedesktop.ScreenSaver", "/org/freedesktop/ScreenSaver"
# https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-setthreadexecutionstate
_ES_CONTINUOUS, _ES_SYSTEM, _ES_DISPLAY = 0x80000000, 0x1, 0x2


class ScreenWakeLock(QObject):
    """A lock with several reasons; the screen may sleep again when the last is released."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._reasons: set[str] = set()
        self._held: _DBus | _Windows | None = None

    @property
    def on(self) -> bool:
        """Whether somebody wants the screen on."""
        return bool(self._reasons)

    def want(self, reason: str, on: bool) -> None:
        """Hold the screen on for this reason, or let go of it."""
        if on:
            self._reasons.add(reason)
        else:
            self._reasons.discard(reason)
        if self._reasons and self._held is None:
            self._held = _hold(reason, self)
        elif not self._reasons and self._held is not None:
            self._held.release()
            self._held = None


def _hold(reason: str, parent: QObject) -> _DBus | _Windows | None:
    if sys.platform == "win32":
        return _Windows()
    if sys.platform.startswith("linux") and _has_session_bus():
        return _DBus(reason, parent)
    _log.info("the screen may go to sleep: there is no way to ask this system otherwise")
    return None


def _has_session_bus() -> bool:
    """Without this look libdbus would start a bus of its own, a process that nobody ends."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    return "DBUS_SESSION_BUS_ADDRESS" in os.environ or bool(runtime and (Path(runtime) / "bus").exists())


class _Windows:
    """SetThreadExecutionState: the state belongs to the thread that sets it, the window's."""

    def __init__(self) -> None:
        self._set(_ES_CONTINUOUS | _ES_SYSTEM | _ES_DISPLAY)

    def release(self) -> None:
        self._set(_ES_CONTINUOUS)

    @staticmethod
    def _set(state: int) -> None:
        windll: Any = getattr(ctypes, "windll")  # noqa: B009 - only there on Windows
        if not windll.kernel32.SetThreadExecutionState(state):
            _log.warning("Windows does not let the screen stay on")


class _DBus:
    """The desktop's screen saver, asked over a connection of its own; the answer is awaited without holding
    the window up.

    Closing the connection lets go: an `UnInhibit` would want the cookie as an unsigned number, which PySide
    cannot pass.
    """

    _made = count(1)

    def __init__(self, reason: str, parent: QObject) -> None:
        from PySide6.QtDBus import QDBusConnection, QDBusMessage, QDBusPendingCallWatcher

        self._name = f"gcdesk-awake-{next(self._made)}"
        bus = QDBusConnection.connectToBus(QDBusConnection.BusType.SessionBus, self._name)
        message = QDBusMessage.createMethodCall(_SERVICE, _PATH, _SERVICE, "Inhibit")
        message.setArguments(["gcdesk", reason])
        self._watcher = QDBusPendingCallWatcher(bus.asyncCall(message), parent)
        self._watcher.finished.connect(self._answered)

    def _answered(self, watcher: Any) -> None:
        if watcher.isError():
            _log.info("the screen may go to sleep: %s", watcher.error().message())

    def release(self) -> None:
        from PySide6.QtDBus import QDBusConnection

        self._watcher.deleteLater()
        QDBusConnection.disconnectFromBus(self._name)

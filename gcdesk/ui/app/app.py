"""Starts the application: settings, theme, single instance, system signals, main window."""

from __future__ import annotations

import gc
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

import PySide6
from PySide6.QtCore import QCoreApplication, QSocketNotifier, Qt, QTimer, QtMsgType, qInstallMessageHandler
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication

from gcdesk.config.build import frozen
from gcdesk.config.resources import resource_path
from gcdesk.config.settings import Settings, read_settings
from gcdesk.ui.app.crash_trace import CrashTrace
from gcdesk.ui.app.features import install
from gcdesk.ui.app.single_instance import first_window
from gcdesk.ui.session.controller import Controller
from gcdesk.ui.theme.theme import Theme
from gcdesk.ui.theme.window_style import apply_theme
from gcdesk.ui.threads.background import Background
from gcdesk.ui.window.main_window import MainWindow

NO_WINDOW = 2  # the exit code where no window can be opened


def run(
    paths: Sequence[str],
    make_controller: Callable[[Settings], Controller],
    watcher: Callable[[MainWindow], None] | None = None,
) -> int:
    """Open the window with these paths, or hand them to the one that is open. Returns the exit code.

    `make_controller` puts session and worker together; it is called only where a window really opens. With a
    `watcher`, which gets the window before it is shown, the window keeps apart from one that is open.
    """
    _tune_python()
    wanted = [os.path.abspath(path) for path in paths]
    app = QApplication.instance()
    if not isinstance(app, QApplication):
        app = _application()
    _name(app)
    first = first_window(wanted, app) if watcher is None else None
    if watcher is None and first is None:
        return 0
    crash_trace = CrashTrace()
    window = _make_window(app, make_controller, crash_trace)
    if watcher is not None:
        watcher(window)
    app.styleHints().colorSchemeChanged.connect(lambda: _follow_the_desktop(app, window))
    if first is not None:
        first.handed_over.connect(lambda more: _bring_forward(window, more))
    notifier = _close_on_signals(window)
    window.show()

    def begin() -> None:
        gc.freeze()
        window.controller.start()
        window.open_paths(wanted)

    QTimer.singleShot(0, begin)
    code = app.exec()
    if first is not None:
        first.close()
    crash_trace.close()
    notifier.setEnabled(False)
    if any(item.busy for whose in (window, window.controller) for item in whose.findChildren(Background)):
        _end_at_once(code)
    return code


def _end_at_once(code: int) -> NoReturn:
    """A thread waits for a drive that is silent; Qt would wait for it in turn, in a process without a window."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _tune_python() -> None:
    # Full collections are rare: over 100,000 rows one may hold the window up, and it finds next to nothing.
    gc.set_threshold(20_000, 20, 50)
    # Threads that store and scan hold the interpreter for this long before the window gets it back, and a paint
    # event asks for it many times. At Python's 5 ms the window stood still for 130 ms while 100,000 rows came in.
    sys.setswitchinterval(0.0001)


def _name(app: QApplication) -> None:
    app.setApplicationName("gcdesk")
    app.setApplicationDisplayName("gcdesk")
    app.setDesktopFileName("gcdesk")
    app.setWindowIcon(QIcon(str(resource_path("icons", "gcdesk.svg"))))


def _make_window(
    app: QApplication, make_controller: Callable[[Settings], Controller], crash_trace: CrashTrace
) -> MainWindow:
    """The window with its features, as the settings want it; it says what was wrong before."""
    read = read_settings()
    theme = Theme.named(read.settings.theme, read.settings.text_scale)
    apply_theme(app, theme)
    window = MainWindow(make_controller(read.settings), theme)
    features = install(window)
    for warning in read.warnings:
        logging.getLogger(__name__).warning("%s", warning)
        window.say(warning)
    if crash_trace.earlier is not None:
        window.say("gcdesk ended unexpectedly the last time.", "Save diagnostics…", features.save_diagnostics)
    features.tell_cut_short()
    return window


def _bring_forward(window: MainWindow, paths: list[str]) -> None:
    window.setWindowState(window.windowState() & ~Qt.WindowState.WindowMinimized)
    window.show()
    window.raise_()
    window.activateWindow()
    window.open_paths(paths)


def _follow_the_desktop(app: QApplication, window: MainWindow) -> None:
    if window.controller.settings.theme == "system":
        look = Theme.named("system", window.controller.settings.text_scale)
        apply_theme(app, look)
        window.set_theme(look)


def _application() -> QApplication:
    """Qt ends the program at once, with a core dump, where the display does not answer: say it in words instead."""
    message: list[str] = []

    def say(kind: QtMsgType, _context: object, text: str) -> None:
        if kind != QtMsgType.QtFatalMsg:
            message.append(text)
            return
        why = " ".join((message[0] if message else text).split()).rstrip(".")
        print(
            f"gcdesk: the window cannot be opened: {why}. In a terminal, `gcdesk classify PHOTOS` works without it.",
            file=sys.stderr, flush=True,
        )  # fmt: skip
        os._exit(NO_WINDOW)

    if frozen():
        # Qt finds its plugins by itself, but for a folder whose name has letters that are no ASCII.
        plugins = "plugins" if sys.platform == "win32" else "Qt/plugins"
        QCoreApplication.addLibraryPath(str(Path(PySide6.__file__).parent / plugins))
    before = qInstallMessageHandler(say)
    try:
        return QApplication(sys.argv[:1])
    finally:
        qInstallMessageHandler(before)


def main(paths: Sequence[str] = ()) -> int:
    """`run` with the real worker and the real store."""
    from gcdesk.ui.app.composition import make_controller

    return run(paths, make_controller)


def _close_on_signals(window: MainWindow) -> QSocketNotifier:
    """Ctrl-C and a polite kill close the window as its own button does.

    Python handles a signal only between its own instructions, and Qt's loop has none: a byte in a socket wakes it.
    """
    read, write = socket.socketpair()
    read.setblocking(False)
    write.setblocking(False)
    signal.set_wakeup_fd(write.fileno())
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: QTimer.singleShot(0, window.close_unasked))
    notifier = QSocketNotifier(read.fileno(), QSocketNotifier.Type.Read, window)
    pair = (read, write)  # both live as long as the notifier, held by its slot
    notifier.activated.connect(lambda: pair[0].recv(64))
    return notifier

"""A drag that starts in another program, on a real X server: the whole way that a file manager's drop takes."""

from __future__ import annotations

import os
import select
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or not (shutil.which("Xvfb") and shutil.which("xdotool")),
    reason="needs Xvfb and xdotool (packaging/debian-packages.txt)",
)

# Another program: a small window whose mouse press drags a folder, as a file manager does.
SOURCE = """
import sys
from PySide6.QtCore import QMimeData, Qt, QUrl
from PySide6.QtGui import QDrag
from PySide6.QtWidgets import QApplication, QLabel

class Handle(QLabel):
    def mouseMoveEvent(self, event):
        if event.buttons() & Qt.MouseButton.LeftButton:
            drag, mime = QDrag(self), QMimeData()
            mime.setUrls([QUrl.fromLocalFile(sys.argv[1])])
            drag.setMimeData(mime)
            action = drag.exec(Qt.DropAction.CopyAction | Qt.DropAction.MoveAction)
            print("dropped", action.name, flush=True)

app = QApplication(sys.argv[:1])
handle = Handle("drag me")
handle.setWindowFlags(Qt.WindowType.FramelessWindowHint)
handle.setGeometry(20, 20, 120, 80)
handle.show()
print("ready", flush=True)
app.exec()
"""
WINDOW = """
import sys
sys.path.insert(0, {here!r})
from PySide6.QtCore import QTimer, Qt
from PySide6.QtWidgets import QApplication
from window_kit import QuietWorker
from gcdesk.config.settings import Settings
from gcdesk.ui.session.controller import Controller
from gcdesk.ui.app.features import install
from gcdesk.ui.window.main_window import MainWindow
from gcdesk.ui.session.store_ledger import StoreLedger
from gcdesk.ui.theme.window_style import apply_theme
from gcdesk.ui.theme.theme import Theme

app = QApplication(sys.argv[:1])
theme = Theme("light")
apply_theme(app, theme)
window = MainWindow(Controller(StoreLedger(None), QuietWorker(), Settings()), theme)
install(window)
window.setWindowFlags(Qt.WindowType.FramelessWindowHint)
window.setGeometry(300, 100, 900, 600)
window.show()
window.controller.rows_added.connect(lambda first, count: print("rows", first + count, flush=True))
QTimer.singleShot(0, window.controller.start)
QTimer.singleShot(500, lambda: print("ready", flush=True))
app.exec()
"""


@pytest.fixture
def display(tmp_path: Path) -> Iterator[str]:
    """A screen of our own; the server picks a free number and writes it down."""
    read, write = os.pipe()
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", "1280x800x24", "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL)
    os.close(write)
    with os.fdopen(read) as told:
        number = told.readline().strip()
    yield f":{number}"
    server.terminate()
    server.wait(timeout=60)


def program(code: str, display: str, *arguments: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "DISPLAY": display, "QT_QPA_PLATFORM": "xcb"},
    )
    assert line_of(process) == "ready"
    return process


def line_of(process: subprocess.Popen[str], seconds: float = 120) -> str:
    """What a program says next, "" where it says nothing for so long."""
    assert process.stdout is not None
    heard, _, _ = select.select([process.stdout], [], [], seconds)
    return process.stdout.readline().strip() if heard else ""


def test_a_folder_dragged_from_another_program_comes_in(display: str, tmp_path: Path, samples: Path) -> None:
    folder = tmp_path / "from outside"
    folder.mkdir()
    for photo in sorted(samples.glob("*.jpg"))[:3]:
        shutil.copy(photo, folder)
    window = program(WINDOW.format(here=str(Path(__file__).parents[1])), display)
    source = program(SOURCE, display, str(folder))
    try:
        mouse = ["xdotool", "mousemove", "80", "60", "sleep", "0.3", "mousedown", "1", "sleep", "0.2"]
        for x in range(90, 620, 25):
            mouse += ["mousemove", str(x), str(60 + x // 2), "sleep", "0.02"]
        mouse += ["sleep", "0.4", "mouseup", "1"]
        said = ""
        for _ in range(6):  # where the machine is busy, the mouse may be quicker than a window
            subprocess.run(mouse, env={**os.environ, "DISPLAY": display}, check=True)
            said = line_of(source, 15)
            if said == "dropped CopyAction":
                break
        assert said == "dropped CopyAction"
        assert line_of(window) == "rows 3"
        assert len(list(folder.iterdir())) == 3
    finally:
        for process in (window, source):
            process.terminate()
            process.wait(timeout=60)
            assert process.stdout is not None
            process.stdout.close()

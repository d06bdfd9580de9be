"""One window per profile: a second start hands its paths to the first and leaves."""

from __future__ import annotations

import getpass
import hashlib
import json

from PySide6.QtCore import QDir, QLockFile, QObject, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket

from gcdesk.config.folders import user_folders

_LARGEST = 4_000_000  # bytes of one hand-over
_CONNECT_MS = 800
_ANSWER_MS = 15_000  # a window that is still starting, or on a busy machine, answers late


def server_name() -> str:
    """A name for this user and this profile."""
    mark = f"{getpass.getuser()} {user_folders().data.resolve()}"
    return "gcdesk-" + hashlib.sha256(mark.encode()).hexdigest()[:16]


def first_window(paths: list[str], parent: QObject) -> FirstWindow | None:
    """Listen as this profile's window, or give the paths to the one that does and return None."""
    turn = QLockFile(QDir.temp().filePath(f"{server_name()}.lock"))
    turn.tryLock(_ANSWER_MS)  # of two that start at once only one becomes the window
    try:
        return None if _hand_over(paths) else FirstWindow(parent)
    finally:
        turn.unlock()


def _hand_over(paths: list[str]) -> bool:
    """Give the paths to a window that is open already. False where there is none."""
    socket = QLocalSocket()
    socket.connectToServer(server_name())
    if not socket.waitForConnected(_CONNECT_MS):
        return False
    socket.write(json.dumps({"v": 1, "type": "open", "paths": paths}).encode() + b"\n")
    socket.waitForBytesWritten(_ANSWER_MS)
    taken = socket.waitForReadyRead(_ANSWER_MS)
    socket.disconnectFromServer()
    return taken


class FirstWindow(QObject):
    """Listens for later starts and says which paths they brought."""

    handed_over = Signal(list)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._greet)
        if not self._server.listen(server_name()):
            QLocalServer.removeServer(server_name())  # left by a window that was killed
            self._server.listen(server_name())

    def _greet(self) -> None:
        while (socket := self._server.nextPendingConnection()) is not None:
            socket.readyRead.connect(lambda socket=socket: self._read(socket))
            socket.disconnected.connect(socket.deleteLater)

    def _read(self, socket: QLocalSocket) -> None:
        if socket.bytesAvailable() > _LARGEST:
            socket.abort()
            return
        if not socket.canReadLine():
            return
        try:
            message = json.loads(bytes(socket.readLine().data()))
            paths = [path for path in message["paths"] if isinstance(path, str)]
        except (ValueError, KeyError, TypeError):
            socket.abort()
            return
        socket.write(b"ok\n")
        socket.flush()
        self.handed_over.emit(paths)

    def close(self) -> None:
        self._server.close()

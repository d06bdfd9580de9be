"""One window for a profile: a second start hands its paths to the running one and exits."""

from __future__ import annotations

import getpass
import hashlib
import json
import logging

from PySide6.QtCore import QDir, QLockFile, QObject, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket

from gcdesk.config.folders import user_folders
from gcdesk.config.runtime_folder import runtime_folder
from gcdesk.ui.app.peers import is_same_user

_LARGEST = 4_000_000  # bytes of one hand-over
_CONNECT_MS = 800
_ANSWER_MS = 15_000  # a window that is still starting, or on a busy machine, answers late
_TAKEN = b"ok\n"
_log = logging.getLogger(__name__)


def server_name() -> str:
    """A name for this user and this profile."""
    mark = f"{getpass.getuser()} {user_folders().data.resolve()}"
    return "gcdesk-" + hashlib.sha256(mark.encode()).hexdigest()[:16]


def server_address() -> str:
    """Where the window listens: a socket in a folder that only this user may enter; on Windows a pipe's name."""
    folder = runtime_folder(len(server_name()) + len(".lock"))
    return server_name() if folder is None else str(folder / server_name())


def first_window(paths: list[str], parent: QObject) -> FirstWindow | None:
    """Listen as this profile's window, or give the paths to the one that does and return None."""
    address = server_address()
    turn = QLockFile(QDir.temp().filePath(f"{address}.lock"))
    turn.tryLock(_ANSWER_MS)  # of two that start at once only one becomes the window
    try:
        return None if _hand_over(address, paths) else FirstWindow(parent)
    finally:
        turn.unlock()


def _hand_over(address: str, paths: list[str]) -> bool:
    """Give the paths to a window that is open already. False where there is none, where another user listens in its
    place, and where no answer comes: then this start opens its own.
    """
    socket = QLocalSocket()
    socket.connectToServer(address)
    if not socket.waitForConnected(_CONNECT_MS):
        return False
    if not is_same_user(int(socket.socketDescriptor())):
        _log.warning(
            "Another user of this computer listens in the place of gcdesk's window: nothing was sent."
        )
        socket.abort()
        return False
    socket.write(json.dumps({"v": 1, "type": "open", "paths": paths}).encode() + b"\n")
    socket.waitForBytesWritten(_ANSWER_MS)
    taken = socket.waitForReadyRead(_ANSWER_MS) and bytes(socket.readLine(len(_TAKEN) + 1).data()) == _TAKEN
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
        address = server_address()
        if not self._server.listen(address):
            QLocalServer.removeServer(address)  # left by a window that was killed
            if not self._server.listen(address):
                _log.warning("Later starts cannot find this window: %s", self._server.errorString())

    def _greet(self) -> None:
        while (socket := self._server.nextPendingConnection()) is not None:
            if not is_same_user(int(socket.socketDescriptor())):
                socket.abort()
                socket.deleteLater()
                continue
            socket.setReadBufferSize(_LARGEST + 1)
            socket.readyRead.connect(self._read_from_sender)
            socket.disconnected.connect(socket.deleteLater)

    def _read_from_sender(self) -> None:
        socket = self.sender()
        if isinstance(socket, QLocalSocket):
            self._read(socket)

    def _read(self, socket: QLocalSocket) -> None:
        if socket.bytesAvailable() > _LARGEST:
            socket.abort()
            return
        if not socket.canReadLine():
            return
        try:
            message = json.loads(bytes(socket.readLine().data()))
            paths = [path for path in message["paths"] if isinstance(path, str)]
        except (ValueError, KeyError, TypeError, RecursionError):
            socket.abort()
            return
        socket.write(_TAKEN)
        socket.flush()
        self.handed_over.emit(paths)

    def close(self) -> None:
        self._server.close()

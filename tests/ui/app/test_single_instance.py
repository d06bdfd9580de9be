"""The socket between two starts: of this user only, small, and no reason for a start to end without a window."""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from gcdesk.ui.app import peers
from gcdesk.ui.app import single_instance as single
from gcdesk.ui.app.single_instance import FirstWindow, first_window, server_address

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pipes have no folder and no peer's number")
MESSAGE = json.dumps({"v": 1, "type": "open", "paths": ["/a.jpg"]}).encode() + b"\n"


@pytest.fixture
def listening(qapp: QObject) -> Iterator[FirstWindow]:
    window = FirstWindow()
    yield window
    window.close()


@pytest.fixture
def client(listening: FirstWindow) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX) as made:
        made.connect(server_address())
        made.settimeout(0.05)
        yield made


def answer(client: socket.socket, qtbot: QtBot) -> bytes:
    """What comes back, b"" where the window hangs up."""
    heard: list[bytes] = []

    def listened() -> bool:
        try:
            heard.append(client.recv(100))
        except TimeoutError:
            return False
        except ConnectionError:
            heard.append(b"")
        return True

    qtbot.waitUntil(listened)
    return heard[0]


@pytest.mark.posix("permissions of another kind")
def test_only_this_user_may_reach_the_socket(listening: FirstWindow) -> None:
    place = Path(server_address())
    assert stat.S_IMODE(place.stat().st_mode) & 0o077 == 0
    assert stat.S_IMODE(place.parent.stat().st_mode) == 0o700


def test_paths_are_taken_and_answered(listening: FirstWindow, client: socket.socket, qtbot: QtBot) -> None:
    with qtbot.waitSignal(listening.handed_over) as taken:
        client.sendall(MESSAGE)
    assert taken.args == [["/a.jpg"]]
    assert answer(client, qtbot) == b"ok\n"


@pytest.mark.parametrize("message", [b"no words\n", b'{"paths": 7}\n', b"[" * 100_000 + b"\n", b"7\n"])
def test_what_is_no_message_is_hung_up_on(
    listening: FirstWindow, client: socket.socket, qtbot: QtBot, message: bytes
) -> None:
    taken: list[object] = []
    listening.handed_over.connect(taken.append)
    client.sendall(message)
    assert answer(client, qtbot) == b""
    assert not taken


def test_a_message_without_end_is_not_kept(
    listening: FirstWindow, client: socket.socket, qtbot: QtBot
) -> None:
    """A line of more than a few megabytes: hung up on, also where an end would follow."""

    def send() -> None:
        try:
            client.settimeout(30)
            client.sendall(b" " * 6_000_000 + MESSAGE)
        except OSError:
            pass

    sender = threading.Thread(target=send)
    taken: list[object] = []
    listening.handed_over.connect(taken.append)
    sender.start()
    qtbot.waitUntil(lambda: not sender.is_alive())
    assert not taken
    with socket.socket(socket.AF_UNIX) as other, qtbot.waitSignal(listening.handed_over):
        other.connect(server_address())
        other.sendall(MESSAGE)


@pytest.mark.posix("users have no numbers there")
def test_another_user_is_not_listened_to(
    listening: FirstWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, own = server_address(), os.getuid()
    monkeypatch.setattr(peers.os, "getuid", lambda: own + 1)
    taken: list[object] = []
    listening.handed_over.connect(taken.append)
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(address)
        client.settimeout(0.05)
        client.sendall(MESSAGE)
        assert answer(client, qtbot) == b""
    assert not taken


class Stranger(threading.Thread):
    """Something else that listens where the window would, and says `word` to whoever comes."""

    def __init__(self, word: bytes) -> None:
        super().__init__(daemon=True)
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(server_address())
        self._socket.listen()
        self._word = word
        self.heard = b""
        self.start()

    def run(self) -> None:
        peer, _ = self._socket.accept()
        with peer:
            peer.settimeout(2)
            try:
                self.heard = peer.recv(1000)
                peer.sendall(self._word)
            except OSError:
                return

    def close(self) -> None:
        self.join(10)
        self._socket.close()


def opens_its_own() -> bool:
    parent = QObject()
    window = first_window(["/secret.jpg"], parent)
    if window is not None:
        window.close()
    return window is not None


def test_a_stranger_in_the_windows_place_gets_nothing_and_the_window_opens(
    qapp: QObject, monkeypatch: pytest.MonkeyPatch
) -> None:
    server_address()
    stranger = Stranger(b"ok\n")
    monkeypatch.setattr(single, "is_same_user", lambda _descriptor: False)
    assert opens_its_own()
    stranger.close()
    assert stranger.heard == b""


@pytest.mark.parametrize("word", [b"", b"no\n"])
def test_a_start_that_gets_no_answer_opens_its_window(
    qapp: QObject, monkeypatch: pytest.MonkeyPatch, word: bytes
) -> None:
    monkeypatch.setattr(single, "_ANSWER_MS", 500)
    stranger = Stranger(word)
    assert opens_its_own()
    stranger.close()


@pytest.mark.posix("users have no numbers there")
def test_the_kernel_tells_users_apart(tmp_path: Path) -> None:
    """With root's rights there is another user to ask; without, the own one is all there is to see."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert peers.is_same_user(ours.fileno())
    if os.getuid():
        return
    place = f"/tmp/gcdesk-peer-{os.getpid()}"  # noqa: S108 - a place that the other user can reach
    code = (
        "import os, socket, sys\nos.setgid(65534); os.setuid(65534)\n"
        "s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(); print('there', flush=True); s.accept()"
    )
    other = subprocess.Popen([sys.executable, "-I", "-c", code, place], stdout=subprocess.PIPE)
    try:
        other.stdout.readline()
        with socket.socket(socket.AF_UNIX) as asked:
            asked.connect(place)
            assert not peers.is_same_user(asked.fileno())
    finally:
        other.kill()
        other.wait()
        other.stdout.close()
        Path(place).unlink(missing_ok=True)

"""A child process that writes lines to its standard output: start, read, stop and kill without blocking the window."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress

import psutil
from PySide6.QtCore import QObject, QProcess, QProcessEnvironment, QTimer, Signal

_log = logging.getLogger(__name__)

# A child that was asked to stop has so long before its group is ended.
PATIENCE_MS = 3000
_STDERR_TAIL_LINES = 20


def _descendants(pid: int) -> list[psutil.Process]:
    """All that the process has started and that has started others."""
    with suppress(psutil.Error):
        return list(psutil.Process(pid).children(recursive=True))
    return []


class LineProcess(QObject):
    """One run of a command. Use it from the main thread: Linux ends a child with the thread that started it.

    line: a whole line of standard output, without the newline. ended: why the process is gone, "" where `stop` or
    `close` asked for it. Standard error goes to the log.
    """

    line = Signal(bytes)
    ended = Signal(str)

    def __init__(
        self,
        command: Sequence[str],
        max_line: int,
        shutdown_message: bytes = b"",
        environment: Mapping[str, str] | None = None,
        parent: QObject | None = None,
    ) -> None:
        """`shutdown_message` is written to ask the child to stop, before its standard input is closed."""
        super().__init__(parent)
        self._max_line = max_line
        self._shutdown_message = shutdown_message
        self._buffer = bytearray()
        self._stderr_tail: deque[str] = deque(maxlen=_STDERR_TAIL_LINES)
        self._asked_to_stop = False
        self._over = False
        self._reason = ""
        self._patience = QTimer(self, singleShot=True, interval=PATIENCE_MS)
        self._patience.timeout.connect(self.kill)
        self._process = QProcess(self)
        self._process.setProgram(command[0])
        self._process.setArguments(list(command[1:]))
        variables = QProcessEnvironment.systemEnvironment()
        for name, value in (environment or {}).items():
            variables.insert(name, value)
        self._process.setProcessEnvironment(variables)
        if os.name == "posix":
            own_session = QProcess.UnixProcessParameters()
            # Ctrl-C in the window's terminal is not for the child, and its group can be ended as a whole.
            own_session.flags = QProcess.UnixProcessFlag.CreateNewSession
            self._process.setUnixProcessParameters(own_session)
        self._process.readyReadStandardOutput.connect(self._read)
        self._process.readyReadStandardError.connect(self._read_stderr)
        self._process.finished.connect(self._finished)
        self._process.errorOccurred.connect(self._failed)

    @property
    def pid(self) -> int:
        """0 where it does not run."""
        return int(self._process.processId())

    @property
    def running(self) -> bool:
        """Whether the process runs."""
        return bool(self._process.state() != QProcess.ProcessState.NotRunning)

    @property
    def stderr_tail(self) -> str:
        """The end of what it said on standard error."""
        return "\n".join(self._stderr_tail)

    def start(self) -> None:
        """Start it; what goes wrong comes as `ended`."""
        self._process.start()

    def write(self, data: bytes) -> None:
        """Hand over input; it is written as fast as the child reads."""
        if self.running:
            self._process.write(data)

    def stop(self) -> None:
        """Ask it to end; a child that has not done so in 3 s is killed with its group."""
        if self.running and not self._asked_to_stop:
            self._ask()
            self._patience.start()

    def kill(self, reason: str = "") -> None:
        """End it and its group now. `reason` is what `ended` will say."""
        self._reason = self._reason or reason
        pid = self.pid
        if os.name == "posix" and pid > 0:
            try:
                os.killpg(pid, signal.SIGKILL)  # its session's leader has the group's number
            except ProcessLookupError:
                self._process.kill()  # so young that it has no session yet
        elif sys.platform == "win32" and pid > 0:
            children = _descendants(pid)  # asked before: of a process that is gone nobody knows them
            self._process.kill()
            for child in children:
                with suppress(psutil.Error):
                    child.kill()

    def close(self, patience_ms: int) -> None:
        """Ask it to end and wait for that, at most so long; then kill it. Nothing is signalled any more."""
        self._over = True
        self._patience.stop()
        if not self.running:
            return
        if not self._asked_to_stop:
            self._ask()
        if not self._process.waitForFinished(patience_ms):
            self.kill()
            self._process.waitForFinished(patience_ms)

    def _ask(self) -> None:
        self._asked_to_stop = True
        if self._shutdown_message:
            self._process.write(self._shutdown_message)
        self._process.closeWriteChannel()

    def _read(self) -> None:
        self._buffer += self._process.readAllStandardOutput().data()
        *lines, rest = self._buffer.split(b"\n")
        self._buffer = bytearray(rest)
        if len(rest) > self._max_line:
            self._buffer.clear()
            self.kill(f"it sent a line of more than {self._max_line} bytes")
        for line in lines:
            if not self._over:
                self.line.emit(bytes(line))

    def _read_stderr(self) -> None:
        # Some libraries write UTF-16 on Windows.
        said = bytes(self._process.readAllStandardError().data()).replace(b"\0", b"")
        for line in said.decode(errors="replace").splitlines():
            self._stderr_tail.append(line)
            _log.warning("%s", line)

    def _finished(self, code: int, status: QProcess.ExitStatus) -> None:
        self._read()
        self._read_stderr()
        if self._reason:
            self._end(self._reason)
        elif self._asked_to_stop:
            self._end("")
        elif status == QProcess.ExitStatus.CrashExit:
            self._end("it crashed or was ended by the system")
        else:
            self._end(f"it ended by itself with code {code}")

    def _failed(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart:
            self._end(f"it could not be started: {self._process.errorString()}")

    def _end(self, reason: str) -> None:
        self._patience.stop()
        if not self._over:
            self._over = True
            self.ended.emit(reason)

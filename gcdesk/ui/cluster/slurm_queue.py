"""The state of jobs from `squeue`, asked without blocking: it takes many seconds where no cluster answers."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, QProcess, QTimer, Signal

from gcdesk.cluster.job_registry import QUEUE_SECONDS, queue_command, read_queue


class SlurmQueue(QObject):
    """answered(states by run): emitted only where Slurm answers on this computer."""

    answered = Signal(dict)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._runs: list[str] = []
        self._process = QProcess(self)
        self._process.finished.connect(self._finished)
        self._patience = QTimer(self, singleShot=True, interval=QUEUE_SECONDS * 1000)
        self._patience.timeout.connect(self._process.kill)

    def ask(self, runs: Sequence[str]) -> None:
        """Ask for these runs, unless it is being asked already."""
        command = queue_command(runs)
        if command is None or self._process.state() != QProcess.ProcessState.NotRunning:
            return
        self._runs = list(runs)
        self._process.start(command[0], command[1:])
        self._patience.start()

    def _finished(self, _code: int, status: QProcess.ExitStatus) -> None:
        self._patience.stop()
        if status == QProcess.ExitStatus.NormalExit:
            answer = bytes(self._process.readAllStandardOutput().data()).decode(errors="replace")
            self.answered.emit(read_queue(answer, self._runs))

    def close(self) -> None:
        """End what is being asked."""
        self._process.finished.disconnect(self._finished)
        self._process.kill()
        self._process.waitForFinished(1000)

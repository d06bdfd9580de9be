"""A window without a window: a client that classifies a folder, says its worker's pid and goes on until killed."""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ["QT_QPA_PLATFORM"] = "offscreen"
sys.path[:0] = [str(Path(__file__).resolve().parent)]

from client_kit import Listener  # noqa: E402
from PySide6.QtCore import QCoreApplication  # noqa: E402

from gcdesk.jobs.worker_client import WorkerClient  # noqa: E402


def main() -> None:
    app = QCoreApplication([])
    listener = Listener(WorkerClient(), Path(sys.argv[2]))
    listener.start()
    photos = sorted(Path(sys.argv[1]).iterdir())
    listener.client.classify([(number, str(photo), None) for number, photo in enumerate(photos)])
    listener.wait(lambda: len(listener.results) > 3)
    print(listener.client.worker_pid, flush=True)
    app.exec()


if __name__ == "__main__":
    main()

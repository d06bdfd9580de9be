"""`python tests/faults/faults.py [--short]`: bring about what can go wrong around the app, print what came of it.

Wants root for small disks and another user; what cannot be made is said. The exit status is 1 where a fault did harm.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import tempfile
import time
from pathlib import Path

import conftest  # noqa: F401 - the path to the other tests' modules

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import of_disks
import of_drives
import of_processes
from kit import Fault, Skipped, profile

FAULTS: tuple[Fault, ...] = (*of_processes.FAULTS, *of_drives.FAULTS, *of_disks.FAULTS)


def main() -> int:
    from PySide6.QtWidgets import QApplication

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--short", action="store_true", help="fewer kills and shorter waits, as in the tests")
    parser.add_argument("--only", help="faults whose name has this in it")
    args = parser.parse_args()
    app = QApplication([])
    logging.disable(logging.CRITICAL)  # the table says it
    harmed = 0
    print("| fault | outcome | s |\n|---|---|---|", flush=True)
    for fault in FAULTS:
        if args.only is None or args.only in fault.name:
            began = time.monotonic()
            outcome, fine = _outcome(fault, args.short)
            harmed += not fine
            print(f"| {fault.name} | {outcome} | {time.monotonic() - began:.0f} |", flush=True)
    app.quit()
    return 1 if harmed else 0


def _outcome(fault: Fault, short: bool) -> tuple[str, bool]:
    # A worker that was killed may have left something that cannot be removed yet: that is no fault of the app.
    made = tempfile.TemporaryDirectory(prefix="gcdesk-fault-", ignore_cleanup_errors=True)
    with made as folder, profile(Path(folder) / "profile"):
        try:
            return fault.make(Path(folder), short).replace(folder, "..."), True
        except Skipped as why:
            return f"not tried: {why}", True
        except BaseException as error:  # whatever it is, the table says it
            if isinstance(error, KeyboardInterrupt):
                raise
            return f"HARM: {type(error).__name__}: {error}", False


if __name__ == "__main__":
    sys.exit(main())

"""`python -m gcdesk` and the `gcdesk` command."""

from __future__ import annotations

import multiprocessing
import sys

from gcdesk.config.process import settle


def main() -> int:
    """Run the command line, the window or a worker; the returned number is the exit code."""
    # First thing of all: a frozen program's helper processes start here too.
    multiprocessing.freeze_support()
    settle()
    if sys.argv[1:2] == ["worker"]:
        from gcdesk.worker.main import main as worker

        return worker(sys.argv[2:])
    from gcdesk.cli.main import main as command_line

    return command_line()


if __name__ == "__main__":
    sys.exit(main())

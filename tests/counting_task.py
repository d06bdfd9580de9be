"""The smallest task, for the tests of what runs tasks: counts to its argument, a step in so many seconds.

As a program it is `gcdesk worker task` with this one task added.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from processes import priority

from gcdesk.engine.errors import GcdeskError
from gcdesk.worker.protocol.task_messages import Done
from gcdesk.worker.tasks.runner import TASKS, ProgressReporter, main

COMMAND = (sys.executable, str(Path(__file__).resolve()))


def run(arguments: Sequence[str], tell: ProgressReporter) -> Done:
    """`N [--seconds S] [--deaf] [--then die|raise|check]`: a deaf one counts on when it is asked to stop."""
    parser = argparse.ArgumentParser(prog="count")
    parser.add_argument("number", type=int)
    parser.add_argument("--seconds", type=float, default=0.0)
    parser.add_argument("--deaf", action="store_true")
    parser.add_argument("--then", choices=("die", "raise", "check"))
    args = parser.parse_args(list(arguments))
    if args.number < 0:
        raise GcdeskError(f"It cannot be counted to {args.number}.")
    tell.log(f"Counting to {args.number}.")
    for number in range(1, args.number + 1):
        if tell.stopping and not args.deaf:
            return Done(summary=f"Counted to {number - 1}.", stopped=True)
        time.sleep(args.seconds)
        tell.progress(number, args.number, "Counting", (args.number - number) * args.seconds)
        tell.figures(number, {"square": float(number * number)})
    if args.then == "die":
        print("it broke", file=sys.stderr, flush=True)
        os._exit(9)
    if args.then == "raise":
        raise ZeroDivisionError("by nothing")
    while args.then == "check":
        tell.check()
        time.sleep(0.01)
    print("a library prints this")
    return Done(summary=f"Counted to {args.number} at priority {priority()}.")


if __name__ == "__main__":
    TASKS["count"] = "counting_task"
    sys.exit(main())

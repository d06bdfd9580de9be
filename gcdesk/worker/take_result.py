"""The task `take-result`: `RESULT` of a cluster job into the user's library; `result` is the run's name, "" for
classified rows, which become a session."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from gcdesk.talc.arrival import take_in
from gcdesk.talc.rows_result import holds_rows, take_rows
from gcdesk.worker.task_messages import Done
from gcdesk.worker.tasks import Teller


def run(arguments: Sequence[str], tell: Teller) -> Done:
    """Check the archive, install its model; what came out lies in the job's folder (gcdesk.talc.kept)."""
    parser = argparse.ArgumentParser(prog="take-result")
    parser.add_argument("archive", type=Path)
    args = parser.parse_args(list(arguments))
    tell.progress(0, 0, f"Checking {args.archive.name}")
    if holds_rows(args.archive):
        rows = take_rows(args.archive)
        return Done("", f"{rows.rows:,} photos came back classified, as the session “{rows.run}”.")
    arrival = take_in(args.archive)
    if arrival.installed:
        return Done(arrival.run, f"{arrival.installed} came back from the cluster and is installed.")
    return Done(arrival.run, arrival.diagnosis.sentence if arrival.diagnosis else "It brought no model.")

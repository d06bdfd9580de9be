"""The task `take-result`: `RESULT [--name NAME]` of a cluster job into the user's library; `result` is the run's
name, "" for classified rows, which become a session.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from gcdesk.cluster.results.importer import take_in
from gcdesk.cluster.results.rows import holds_rows, take_rows
from gcdesk.config.folders import user_folders
from gcdesk.worker.process.sandbox import confine
from gcdesk.worker.protocol.task_messages import Done
from gcdesk.worker.tasks.runner import ProgressReporter


def run(arguments: Sequence[str], reporter: ProgressReporter) -> Done:
    """Check the archive, install its model; what came out lies in the job's folder (gcdesk.cluster.job_registry)."""
    parser = argparse.ArgumentParser(prog="take-result")
    parser.add_argument("archive", type=Path)
    parser.add_argument("--name")
    args = parser.parse_args(list(arguments))
    # It comes from a shared cluster: what reads it may write the library, the sessions and the list of jobs.
    confine([user_folders().data])
    reporter.progress(0, 0, f"Checking {args.archive.name}")
    if holds_rows(args.archive):
        return Done("", take_rows(args.archive).words)
    arrival = take_in(args.archive, args.name)
    if arrival.installed:
        return Done(arrival.run, f"{arrival.installed} came back from the cluster and is installed.")
    return Done(arrival.run, arrival.diagnosis.sentence if arrival.diagnosis else "It brought no model.")

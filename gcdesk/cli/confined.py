"""A task of the worker's run from the command line, in a process of its own: what opens strangers' files is fenced in
there as it is for the window.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable

from gcdesk.engine.errors import GcdeskError
from gcdesk.jobs.commands import own_environment, task_command
from gcdesk.worker.protocol.codec import MAX_LINE_BYTES, ProtocolError, to_line
from gcdesk.worker.protocol.messages import Fatal
from gcdesk.worker.protocol.task_messages import Done, Log, Task, parse_task_event


def run_task(task: Task, tell: Callable[[str], None]) -> Done:
    """Run it to its end. `tell` gets what it has to say meanwhile.

    Raises GcdeskError with the task's own sentence where it cannot be done, or where its process is gone. Ctrl-C ends
    the process too.
    """
    child = subprocess.Popen(
        task_command(),
        env={**os.environ, **own_environment()},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert child.stdin is not None and child.stdout is not None  # noqa: S101, PT018 - they are pipes
    try:
        child.stdin.write(to_line(task))
        child.stdin.flush()
        while line := child.stdout.readline(MAX_LINE_BYTES + 1):
            match parse_task_event(line):
                case Done() as done:
                    return done
                case Fatal(text=text):
                    raise GcdeskError(text)
                case Log(text=text):
                    tell(text)
                case _:
                    pass  # how far it is: an import takes seconds
    except (ProtocolError, BrokenPipeError) as error:
        raise GcdeskError(f"The process that reads the file was not understood: {error}.") from error
    finally:
        child.kill()
        child.wait()
        child.stdin.close()
        child.stdout.close()
    raise GcdeskError(
        "The process that reads the file stopped before it was done; there may be too little memory."
    )

"""`gcdesk worker serve`: reads requests from standard input until it closes, and writes events to the pipe.

`gcdesk worker task` (tasks.py) does one long job in the same way.
"""

from __future__ import annotations

import argparse
import logging
import queue
import sys
import threading
from collections.abc import Callable, Sequence
from typing import BinaryIO

from gcdesk.worker.process import lifecycle
from gcdesk.worker.process.outbox import Outbox
from gcdesk.worker.process.sandbox import confine_by_environment
from gcdesk.worker.protocol.codec import MAX_LINE_BYTES, ProtocolError, parse_request
from gcdesk.worker.protocol.messages import Heartbeat, Notice, Request


def main(argv: Sequence[str] | None = None) -> int:
    """Serve the window at the other end of standard input and output. Returns only by ending the process."""
    parser = argparse.ArgumentParser(prog="gcdesk worker", description="Serve the window through a pipe.")
    parser.add_argument("what", choices=["serve", "task"])
    if parser.parse_args(argv).what == "task":
        from gcdesk.worker.tasks import runner as tasks

        return tasks.main()
    pipes = lifecycle.take_pipes()
    confine_by_environment()  # before there are other threads
    lifecycle.die_with_parent()
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(name)s: %(message)s")
    serve(pipes.requests, Outbox(pipes.events))
    lifecycle.exit_immediately()


def serve(pipe: BinaryIO, outbox: Outbox) -> None:
    """Read requests until the pipe ends. Everything else happens on other threads, imports too."""
    requests: queue.SimpleQueue[Request] = queue.SimpleQueue()
    beating: list[Callable[[], None]] = []
    outbox.send(Heartbeat())
    lifecycle.start_heartbeat(lambda: beating[0]() if beating else outbox.send(Heartbeat()))
    threading.Thread(target=_hand_over, args=(requests, outbox, beating), name="server", daemon=True).start()
    while line := pipe.readline(MAX_LINE_BYTES + 1):
        try:
            requests.put(parse_request(line))
        except ProtocolError as error:
            logging.getLogger(__name__).error("a request that is none: %s", error)
            outbox.send(Notice("The parts of gcdesk do not understand each other: start gcdesk again."))


def _hand_over(
    requests: queue.SimpleQueue[Request], outbox: Outbox, beating: list[Callable[[], None]]
) -> None:
    try:
        from gcdesk.worker.serve.server import Server

        server = Server(outbox)
        server.start()
        beating.append(server.heartbeat)
        while True:
            server.handle(requests.get())
    except BaseException:
        logging.getLogger(__name__).critical("the worker failed", exc_info=True)
        lifecycle.exit_immediately(70)

"""Builds the controller of the real application, with the real worker and the real store."""

from __future__ import annotations

from gcdesk.config.crash_reports import write_report
from gcdesk.config.settings import Settings
from gcdesk.jobs.worker_client import WorkerClient
from gcdesk.store import Run, store_path
from gcdesk.ui.session.controller import Controller
from gcdesk.ui.session.store_ledger import StoreLedger
from gcdesk.ui.session.worker_port import ClientPort
from gcdesk.ui.threads.gui_priority import GuiPriority
from gcdesk.worker.protocol.messages import Ready


def make_controller(settings: Settings) -> Controller:
    """A controller that starts its worker and opens the last session when it is told to start."""
    client = WorkerClient()
    gui_priority = GuiPriority()
    ledger, port = StoreLedger(store_path(), gui_priority), ClientPort(client)
    controller = Controller(ledger, port, settings, gui_priority)
    ledger.setParent(controller)
    port.setParent(controller)
    ledger.trouble.connect(controller.notice)
    port.stopped.connect(lambda text: controller.offered.emit(text, "Try again", port.retry))
    client.crashed.connect(lambda words: write_report("worker", words))
    port.state_changed.connect(controller.say_state)
    client.ready.connect(lambda message: ledger.begin_run(_run(message, controller.settings)))
    return controller


def _run(message: Ready, settings: Settings) -> Run:
    """What the store keeps beside the next results: which models, which rule."""
    return Run(
        image_model=message.image_model or "",
        image_sha256=message.image_sha256 or "",
        text_model=message.text_model or "",
        text_sha256=message.text_sha256 or "",
        rule=message.rule,
        weight=settings.text_weight,
        review_threshold=settings.review_threshold,
        disagreement_margin=settings.disagreement_margin,
        device=message.device,
    )

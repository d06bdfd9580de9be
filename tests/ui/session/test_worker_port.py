"""The worker as the controller sees it: the real one and the tests' one are called alike."""

from __future__ import annotations

import inspect

import pytest
from PySide6.QtCore import QObject
from window_kit import QuietWorker

from gcdesk.jobs.worker_client import WorkerClient
from gcdesk.ui.session.ports import WorkerPort
from gcdesk.ui.session.worker_port import ClientPort


def parameters(method: object) -> list[tuple[str, object]]:
    """Name and kind of each parameter but `self`."""
    signature = inspect.signature(method)  # type: ignore[arg-type]
    return [(one.name, one.kind) for one in signature.parameters.values() if one.name != "self"]


@pytest.mark.parametrize("worker", [QuietWorker, lambda: ClientPort(WorkerClient())], ids=["quiet", "real"])
def test_a_worker_has_every_method_and_signal_of_the_port(worker: type[QObject], qapp: object) -> None:
    made = worker()
    methods = {name: method for name, method in vars(WorkerPort).items() if inspect.isfunction(method)}
    for name, method in methods.items():
        if not name.startswith("_"):
            assert parameters(getattr(made, name)) == parameters(method), name
    for name in WorkerPort.__annotations__:
        assert hasattr(getattr(made, name), "emit"), name

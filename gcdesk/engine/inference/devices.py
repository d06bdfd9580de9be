"""Which backend runs a model, and on what: ONNX Runtime on the CPU, torch on CUDA and where there is no
template.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Literal, overload

from gcdesk.config.build import how_to_get_torch, torch_installed
from gcdesk.engine.errors import DeviceError, ModelFileError
from gcdesk.engine.inference.backend import ImageBackend, TextBackend
from gcdesk.engine.inference.cuda_driver import cuda_driver
from gcdesk.engine.inference.graph_templates import has_template
from gcdesk.engine.inference.onnx_backend import OnnxImageBackend, OnnxTextBackend
from gcdesk.engine.inference.parallelism import parallelism_for
from gcdesk.engine.modelfile.checkpoint import load_model
from gcdesk.engine.modelfile.info import LoadedModel

# Told in a sentence when something else than what was asked for runs: a GPU that is silently unused helps
# nobody.
Notify = Callable[[str], None]
INSTALL_TORCH = how_to_get_torch()


class Device(StrEnum):
    """What the user asks for. AUTO is CUDA when the driver has a device and torch is installed, else the
    CPU.
    """

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"


def log_notice(message: str) -> None:
    """The default `notify`: into the log."""
    logging.getLogger(__name__).warning("%s", message)


def resolve_device(device: Device | str, notify: Notify = log_notice) -> Literal["cpu", "cuda"]:
    """Return what will be tried first. A GPU that cannot be used is told to `notify`, and the CPU does
    the work.

    Raises DeviceError for a word that names no device.
    """
    try:
        device = Device(device)
    except ValueError:
        known = ", ".join(item.value for item in Device)
        raise DeviceError(f"{device!r} is not a device: use one of {known}.") from None
    if device is Device.CPU:
        return "cpu"
    driver = cuda_driver()
    if not driver.available:
        if device is Device.CUDA:
            notify(f"CUDA cannot be used, so the CPU does the work: {driver.problem}.")
        return "cpu"
    if not torch_installed():
        notify(
            f"There is a GPU ({driver.devices[0]}), but torch is not installed, so the CPU does the work."
            f" To use the GPU: {INSTALL_TORCH}"
        )
        return "cpu"
    return "cuda"


@overload
def open_backend(
    kind: Literal["image"],
    folder: Path,
    device: Device | str = ...,
    threads: int | None = ...,
    notify: Notify = ...,
) -> ImageBackend: ...


@overload
def open_backend(
    kind: Literal["text"],
    folder: Path,
    device: Device | str = ...,
    threads: int | None = ...,
    notify: Notify = ...,
) -> TextBackend: ...


def open_backend(
    kind: Literal["image", "text"],
    folder: Path,
    device: Device | str = Device.AUTO,
    threads: int | None = None,
    notify: Notify = log_notice,
) -> ImageBackend | TextBackend:
    """Load a model folder and return the backend that runs it.

    threads: of one run; None takes what `parallelism` says. notify: is told, in a sentence, whatever does
    not go as asked, now or later (a GPU that fails in the middle is replaced by the CPU). Raises
    ModelFileError for a model that cannot be used or is of the other kind, and DeviceError where it needs
    torch and there is none.
    """
    model = load_model(folder)
    if model.info.kind != kind:
        raise ModelFileError(
            f"{folder.name} is a model of the {model.info.kind} kind; {kind} is needed here."
        )
    resolved = resolve_device(device, notify)
    threads = threads or parallelism_for(resolved).backend_threads
    if resolved == "cpu" and has_template(model.info.architecture):
        return OnnxImageBackend(model, threads) if kind == "image" else OnnxTextBackend(model, threads)
    return _open_torch(model, resolved, threads, notify)


def _open_torch(
    model: LoadedModel, device: Literal["cpu", "cuda"], threads: int, notify: Notify
) -> ImageBackend | TextBackend:
    if not torch_installed():
        raise DeviceError(
            f"{model.info.name} has an architecture ({model.info.architecture.id}) that only torch runs,"
            f" and torch is not installed: {INSTALL_TORCH}"
        )
    from gcdesk.engine.inference.torch_backend import TorchImageBackend, TorchTextBackend

    if model.info.kind == "image":
        return TorchImageBackend(model, device, threads, notify)
    return TorchTextBackend(model, device, threads, notify)

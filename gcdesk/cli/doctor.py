"""`gcdesk doctor`: what a bug report needs, as plain text. Sends nothing, changes nothing."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Iterator
from dataclasses import fields
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from gcdesk.cli.main import EXIT_FINE, EXIT_SOME_FAILED
from gcdesk.cli.models import verified
from gcdesk.config.folders import user_folders
from gcdesk.engine.errors import GcdeskError
from gcdesk.engine.inference.cuda_driver import cuda_driver
from gcdesk.engine.inference.devices import resolve_device
from gcdesk.engine.inference.parallelism import parallelism_for, usable_cores
from gcdesk.engine.library.library import Library

PACKAGES = (
    "gcdesk",
    "onnxruntime",
    "numpy",
    "pillow",
    "pillow-heif",
    "tokenizers",
    "safetensors",
    "platformdirs",
    "PySide6",
    "torch",
    "torchvision",
    "transformers",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `gcdesk doctor`."""
    parser.add_argument("--no-timing", action="store_true", help="do not load the models")


def run(args: argparse.Namespace) -> int:
    """Print the report. Exit code 1 when a model is damaged."""
    for heading, lines in (
        ("System", _system()),
        ("Versions", _versions()),
        ("Device", _device()),
        ("Folders", _folders()),
    ):
        _print(heading, lines)
    problems: list[str] = []
    _print("Models", _models(not args.no_timing, problems))
    return EXIT_SOME_FAILED if problems else EXIT_FINE


def _print(heading: str, lines: Iterator[str]) -> None:
    print(heading)
    for line in lines:
        print(f"  {line}", flush=True)


def _system() -> Iterator[str]:
    yield f"{platform.platform()}, {platform.machine()}"
    yield f"Python {platform.python_version()} at {sys.executable}"
    yield f"{usable_cores()} of {os.cpu_count()} cores usable, file names in {sys.getfilesystemencoding()}"


def _versions() -> Iterator[str]:
    for name in PACKAGES:
        try:
            yield f"{name} {version(name)}"
        except PackageNotFoundError:
            yield f"{name} -"


def _device() -> Iterator[str]:
    driver = cuda_driver()
    if driver.available:
        yield f"CUDA {driver.version}: {', '.join(driver.devices)}"
    else:
        yield f"no CUDA: {driver.problem}"
    notices: list[str] = []
    device = resolve_device("auto", notices.append)
    yield from notices
    parallelism = parallelism_for(device)
    yield (
        f"--device auto is {device}: {parallelism.lanes} lanes, batches of {parallelism.image_batch},"
        f" {parallelism.backend_threads} thread(s) each"
    )


def _folders() -> Iterator[str]:
    folders = user_folders()
    for field in fields(folders):
        path: Path = getattr(folders, field.name)
        yield f"{field.name}: {path} ({_state(path)})"


def _state(path: Path) -> str:
    if not path.exists():
        return "not there yet"
    return "writable" if os.access(path, os.W_OK) else "NOT WRITABLE"


def _models(timed: bool, problems: list[str]) -> Iterator[str]:
    library = Library()
    for model in library.models():
        mark = "*" if model.in_use else "-"
        if model.info is None:
            problems.append(model.name)
            yield f"{mark} {model.name}: DAMAGED: {model.problem}"
            continue
        sha = model.info.weights_sha256[:12]
        yield f"{mark} {model.name}: {model.info.kind}, {model.info.architecture.id}, weights {sha}"
        if not timed:
            continue
        try:
            yield f"    {verified(library.verify(model.name))}"
        except GcdeskError as error:
            problems.append(model.name)
            yield f"    FAILED: {error}"

"""`gcdesk train text|image`: the trainers, with their own options."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Sequence
from typing import Any

from gcdesk.config.build import torch_installed
from gcdesk.engine.errors import DeviceError
from gcdesk.engine.inference.devices import INSTALL_TORCH

KINDS = {"text": "trainer.text.command", "image": "trainer.image.command"}


class _TrainerParser(argparse.ArgumentParser):
    """Gets its trainer's options when that trainer was named: importing it brings torch, which takes seconds."""

    trainer: str | None = None

    def parse_known_args(  # type: ignore[override]  # the base class overloads it for typed namespaces
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> tuple[Any, list[str]]:
        if self.trainer is not None:
            if not torch_installed():
                raise DeviceError(f"Training needs torch, which is not installed: {INSTALL_TORCH}")
            module = importlib.import_module(self.trainer)
            self.trainer = None
            module.add_arguments(self)
            self.set_defaults(run_trainer=module.run)  # `--train` is an option of theirs
        return super().parse_known_args(args, namespace)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `gcdesk train`."""
    kinds = parser.add_subparsers(
        dest="kind", metavar="KIND", required=True, title="kinds", parser_class=_TrainerParser
    )
    for kind, module in KINDS.items():
        kinds.add_parser(kind, help=f"train the {kind} model").trainer = module


def run(args: argparse.Namespace) -> int:
    """Hand over to the trainer; returns the exit code."""
    code: int = args.run_trainer(args)
    return code

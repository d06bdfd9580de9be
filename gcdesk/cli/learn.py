"""`gcdesk learn`: quick learn, the last layer of one model on corrected items."""

from __future__ import annotations

import argparse
from pathlib import Path

from gcdesk.cli.main import EXIT_FINE
from gcdesk.cli.opening import tell
from gcdesk.engine.captions.rules import caption_from_path
from gcdesk.engine.evaluation.labelled_set import read_labelled
from gcdesk.engine.evaluation.scoring import Measured
from gcdesk.engine.learning.grouping import groups_of
from gcdesk.engine.learning.learned_model import learn_model, learned_words
from gcdesk.engine.library.library import Library
from gcdesk.engine.photos.bin_folders import MAP_HELP, parse_names


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `gcdesk learn`."""
    parser.add_argument("kind", choices=["image", "text"], help="the model that learns")
    parser.add_argument("--model", metavar="NAME", help="default: the one in use; it stays as it is")
    source = parser.add_mutually_exclusive_group()
    source.add_argument(
        "--sessions", type=int, nargs="+", metavar="N", help="learn from these sessions only (default: all)"
    )
    source.add_argument(
        "--from", dest="data", type=Path, metavar="FOLDER|CSV", help="learn from items whose bin is known"
    )
    parser.add_argument("--map-folders", metavar="NAMES", help=MAP_HELP)
    parser.add_argument("--use", action="store_true", help="classify with the new model from now on")


def run(args: argparse.Namespace) -> int:
    """Learn, install, print; refused where the result would be worse."""
    library = Library()
    if args.data is not None:
        items = [
            Measured(
                item.path,
                item.caption
                if item.caption is not None or item.path is None
                else caption_from_path(item.path),
                item.label,
            )
            for item in read_labelled(args.data, parse_names(args.map_folders)).items
        ]
        groups = groups_of([item.caption or str(item.path) for item in items], [None] * len(items))
        name, result = learn_model(args.kind, library.resolve(args.kind, args.model), items, groups, library)
    else:
        from gcdesk.worker.tasks.learn import learn_from_store

        name, result = learn_from_store(args.kind, args.model, args.sessions)
    print(learned_words(name, result))
    if args.use:
        library.use(name)
        tell(f"{name} is in use now; `gcdesk models use` goes back to another.")
    else:
        tell(f"To classify with it: gcdesk models use {name!r}")
    return EXIT_FINE

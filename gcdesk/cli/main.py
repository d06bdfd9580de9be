"""`gcdesk`: finds the verb, imports its module alone, and turns what goes wrong into one line and an exit
code.

Exit codes: 0 all fine, 1 some items failed, 2 nothing could be done, 130 stopped with Ctrl-C. `--help`
must show at once, so nothing heavy is imported here: each verb's module is imported when that verb was
typed.
"""

from __future__ import annotations

import argparse
import importlib
import io
import logging
import os
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass

import gcdesk
from gcdesk.cli.library_output import set_aside
from gcdesk.cli.window import open_window, smoke_window
from gcdesk.config.folders import user_folders

EXIT_FINE = 0
EXIT_SOME_FAILED = 1
EXIT_NOTHING_DONE = 2
EXIT_STOPPED = 130


@dataclass(frozen=True)
class Verb:
    """A module with `add_arguments(parser)` and `run(args) -> exit code`, and its line in the help.

    own_words: nothing comes out but what Python prints; what libraries print by themselves goes to a log.
    """

    module: str
    help: str
    own_words: bool = True


VERBS = {
    "classify": Verb("gcdesk.cli.classify", "say which bin each photo goes into"),
    "evaluate": Verb(
        "gcdesk.cli.evaluate", "measure both models and every rule on photos whose bin is known"
    ),
    "fit": Verb("gcdesk.cli.fit", "fit the selection between both models on photos whose bin is known"),
    "train": Verb("gcdesk.cli.train", "train the text or the image model", own_words=False),
    "talc": Verb("gcdesk.cli.talc", "train the image model on a Slurm cluster, and bring it home"),
    "learn": Verb("gcdesk.cli.learn", "teach a model your corrections in seconds (its last layer only)"),
    "models": Verb("gcdesk.cli.models", "list, import, export, verify, choose and remove models"),
    "doctor": Verb(
        "gcdesk.cli.doctor", "show versions, devices, folders and speed, to paste in a bug report"
    ),
}

ALONE = "Without a verb, gcdesk opens its window, with the photos and folders that are named."


def build_parser(verb: str | None) -> argparse.ArgumentParser:
    """The whole parser, with the arguments of `verb` only."""
    parser = argparse.ArgumentParser(prog="gcdesk", description=gcdesk.__doc__, epilog=ALONE)
    parser.add_argument("--version", action="version", version=f"gcdesk {_version()}")
    parser.add_argument(
        "--smoke",
        metavar="FILE",
        help="open the window, let it prove itself on the sample photos, and write a report as JSON",
    )
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", title="verbs", required=True)
    for name, entry in VERBS.items():
        described = verbs.add_parser(name, help=entry.help, description=_sentence(entry.help))
        if name == verb:
            module = importlib.import_module(entry.module)
            module.add_arguments(described)
            described.set_defaults(run=module.run)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; never raises for what a user can cause."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    verb = next((word for word in arguments if not word.startswith("-")), None)
    with set_aside(user_folders().log) if verb in VERBS and VERBS[verb].own_words else nullcontext():
        return _run(arguments, verb)


def _run(arguments: list[str], verb: str | None) -> int:
    _tolerant_streams()
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    try:
        if not arguments or (arguments[0] not in VERBS and os.path.exists(arguments[0])):
            return open_window(arguments, main)
        if arguments[0] == "--smoke" and len(arguments) == 2:
            return smoke_window(arguments[1])
        args = build_parser(verb).parse_args(arguments)
        code: int = args.run(args)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        return EXIT_STOPPED
    except BrokenPipeError:
        # The reader (`| head`) has enough. Python would complain once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FINE
    except Exception as error:
        if not _is_for_the_user(error):
            raise
        print(f"gcdesk: {error}", file=sys.stderr)
        return EXIT_NOTHING_DONE


def _is_for_the_user(error: Exception) -> bool:
    """Our own errors say what to do. They are looked up here, not at import, to keep `--help` light."""
    from gcdesk.engine.errors import GcdeskError

    return isinstance(error, GcdeskError)


def _tolerant_streams() -> None:
    """A file name that the terminal's encoding lacks is shown with a replacement, not as a crash. Tables that go to
    a file or another program are UTF-8, on Windows too.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            piped = sys.platform == "win32" and not stream.isatty()
            stream.reconfigure(encoding="utf-8" if piped else None, errors="replace")


def _version() -> str:
    from gcdesk.config.build import build

    return str(build())


def _sentence(words: str) -> str:
    return words[0].upper() + words[1:] + "."

"""`python -m trainer text|image`: the trainers alone, as on a cluster."""

from __future__ import annotations

import argparse
import importlib
import sys

from gcdesk.engine.errors import GcdeskError

_KINDS = ("text", "image")


def main(arguments: list[str]) -> int:
    """Run the trainer that the first argument names. Returns the exit code: 0 fine, 2 nothing could be done."""
    parser = argparse.ArgumentParser(prog="python -m trainer")
    kinds = parser.add_subparsers(dest="kind", required=True)
    for kind in _KINDS:
        described = kinds.add_parser(kind, help=f"train the {kind} model")
        if arguments[:1] == [kind]:
            module = importlib.import_module(f"trainer.{kind}.command")
            module.add_arguments(described)
            described.set_defaults(run=module.run)
    args = parser.parse_args(arguments)
    try:
        code: int = args.run(args)
    except GcdeskError as error:
        print(error, file=sys.stderr)
        return 2
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

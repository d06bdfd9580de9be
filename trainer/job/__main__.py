"""`python -m trainer.job run|preflight|rank|collect`: what the scripts of a job bundle call, in its folder."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from gcdesk.engine.errors import GcdeskError


def main(arguments: list[str]) -> int:
    """Returns the exit code: 0 fine, 1 failed with the reason said, 2 nothing could be done."""
    parser = argparse.ArgumentParser(prog="python -m trainer.job")
    parser.add_argument("verb", choices=("run", "preflight", "rank", "collect"))
    parser.add_argument("--task", type=int, metavar="N", help="run: of a sweep")
    parser.add_argument("--deep", action="store_true", help="preflight: decode every photo")
    args = parser.parse_args(arguments)
    bundle = Path.cwd()
    try:
        if args.verb == "run":
            from trainer.job.run import run_job

            return run_job(bundle, args.task)
        if args.verb == "preflight":
            from trainer.job.preflight import preflight

            return preflight(bundle, args.deep)
        if args.verb == "rank":
            from trainer.job.sweep import rank_sweep

            return rank_sweep(bundle)
        from trainer.job.collect import collect

        target = collect(bundle)
        print(f"Written: {target.name} ({target.stat().st_size / 1e6:.1f} MB)")
    except GcdeskError as error:
        print(f"gcdesk: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

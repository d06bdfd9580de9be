"""`python -m gcdesk.worker`: the same as `gcdesk worker serve`, or `... task`."""

import multiprocessing

if __name__ == "__main__":
    multiprocessing.freeze_support()

    import sys

    from gcdesk.worker.main import main

    sys.exit(main(sys.argv[1:] or ["serve"]))

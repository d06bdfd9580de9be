"""gcdesk's own worker, but some photos really kill it: `exit`, `segfault` or `hang`, in the decoder.

`mute` answers nothing from the start, and `broken` fails as an installation without its libraries does.
"""

from __future__ import annotations

import ctypes
import os
import sys
import time
from pathlib import Path


def harm(way: str) -> None:
    if way == "exit":
        os._exit(9)
    if way == "segfault":
        ctypes.string_at(0)
    while True:
        time.sleep(1)


def main() -> None:
    way = sys.argv[1]
    if way == "mute":
        time.sleep(300)
    if way == "broken":
        sys.exit("ImportError: a library of the worker is missing")
    import gcdesk.worker.serve.picture_cache as pictures
    from gcdesk.worker.main import main as serve

    decode = pictures.decode_photo

    def decode_or_die(path: Path | str, target: int, data: bytes) -> object:
        if "deadly" in str(path):
            harm(way)
        return decode(path, target, data)

    pictures.decode_photo = decode_or_die  # type: ignore[assignment]
    serve(["serve"])


if __name__ == "__main__":
    main()

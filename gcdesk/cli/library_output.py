"""What libraries print by themselves goes to a log, and never into a table or before the operator.

ONNX Runtime, for one, writes to descriptor 2 while it loads, when it cannot tell which processor it runs on.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, TextIO

LOG = "libraries.log"
_LARGEST_LOG = 1_000_000  # bytes; then it begins anew


@contextlib.contextmanager
def set_aside(folder: Path) -> Iterator[None]:
    """In this block only what Python itself prints comes out; the rest goes to LOG in `folder` at the end.

    Python's two streams get descriptors of their own, which stay theirs. Nothing happens where the streams are
    somebody else's already.
    """
    if not _are_the_process_own():
        yield
        return
    kept = [os.dup(1), os.dup(2)]
    with tempfile.TemporaryFile() as captured:
        for descriptor, name in ((1, "stdout"), (2, "stderr")):
            stream = _on(os.dup(descriptor), getattr(sys, name))
            setattr(sys, name, stream)
            setattr(sys, f"__{name}__", stream)  # the terminal's width is asked of that one
            os.dup2(captured.fileno(), descriptor)
        try:
            yield
        finally:
            for descriptor, old in zip((1, 2), kept, strict=True):
                os.dup2(old, descriptor)
                os.close(old)
            _keep(captured, folder)


def _are_the_process_own() -> bool:
    """Whether Python's streams are those of descriptors 1 and 2."""
    try:
        return (sys.stdout.fileno(), sys.stderr.fileno()) == (1, 2)
    except (AttributeError, OSError, ValueError):
        return False


def _on(descriptor: int, like: TextIO) -> TextIO:
    """A stream on another descriptor that writes as `like` does."""
    like.flush()
    buffering = 1 if like.isatty() or like is sys.stderr else -1
    return open(descriptor, "w", buffering, encoding=like.encoding, errors=like.errors)


def _keep(said: BinaryIO, folder: Path) -> None:
    said.seek(0)
    words = said.read(_LARGEST_LOG).replace(b"\0", b"")  # on Windows some of it is UTF-16
    if not words.strip():
        return
    log = folder / LOG
    with contextlib.suppress(OSError):  # a log that cannot be written is no reason to fail
        folder.mkdir(parents=True, exist_ok=True)
        anew = log.exists() and log.stat().st_size > _LARGEST_LOG
        with log.open("wb" if anew else "ab") as file:
            file.write(time.strftime("%Y-%m-%d %H:%M:%S\n").encode() + words.rstrip() + b"\n")

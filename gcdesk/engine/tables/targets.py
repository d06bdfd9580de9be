"""Where an output may go: never over a photo, a model or what is read, and over other people's files only when asked.

What was written by gcdesk before is recognised by its beginning and may be replaced.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path

from gcdesk.engine.errors import GcdeskError, PhotoError, PhotoProblem
from gcdesk.engine.photos.discovery import PHOTO_SUFFIXES
from gcdesk.engine.photos.formats import sniff

_HEAD_BYTES = 4096
_MODEL_SUFFIXES = (".gcmodel", ".gcmodel.zip", ".pth", ".pt", ".ckpt", ".safetensors", ".onnx")
# Zip archives hold weights that torch saved, models, or a person's work.
_MODEL_STARTS = (b"PK\x03\x04", b"\x80\x02\x8a\nl\xfc\x9cF")
# How each output of ours begins, a byte order mark aside: CSV and JSON of rows, the text table, a comparison of
# models, a report (its title).
_OWN_STARTS = (b"path,caption,image_label,", b'[\n{"path":', b"[]\n", b'{\n "v": 1,\n "')
_OWN_MARK = b"gcdesk evaluation</title>"


def is_stream(path: Path) -> bool:
    """Whether `path` is a pipe, a terminal or a device, which takes what is written and is not replaced."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return False
    # /dev/stdout may lead to an ordinary file that another program holds open.
    in_devices = path.is_absolute() and path.parts[1:2] in (("dev",), ("proc",))
    return in_devices or not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def refuse_precious(target: Path) -> None:
    """Raise GcdeskError where a folder, a photo or a model lies at `target`, whatever anybody said."""
    if target.is_dir():
        raise GcdeskError(f"{target} is a folder: name a file in it.")
    if not target.exists() or is_stream(target):
        return
    what = _precious(target)
    if what:
        raise GcdeskError(f"{target} is {what} and is left alone: choose another name to write to.")


def refuse_base(result: Path, base: Path | str | None) -> None:
    """Raise GcdeskError where a training would write its model over the one that it starts from."""
    if base is not None and result.exists() and _same(result, Path(base)):
        raise GcdeskError(
            f"{result} is what the training starts from and is left alone: choose another --out."
        )


def refuse_target(target: Path, inputs: Iterable[Path | str], force: bool) -> None:
    """Raise GcdeskError unless `target` may be written: what is read is never replaced, an unknown file by `force`."""
    if not target.exists() or is_stream(target):
        return
    for source in inputs:
        if _same(target, Path(source)):
            raise GcdeskError(
                f"{target} is one of the inputs and is left alone: choose another name to write to."
            )
    refuse_precious(target)
    if not force and not _is_own(target):
        raise GcdeskError(
            f"{target} exists and was not written by gcdesk: choose another name, or add --force to replace it."
        )


def _same(one: Path, two: Path) -> bool:
    try:
        return os.path.samefile(one, two)
    except (OSError, ValueError):
        return False


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_HEAD_BYTES)
    except OSError:
        return b""


def _precious(path: Path) -> str:
    """What a file is that no output may replace, "" for any other."""
    real = Path(os.path.realpath(path))
    names = (path.name.lower(), real.name.lower(), real.parent.name.lower())
    if any(name.endswith(_MODEL_SUFFIXES) for name in names):
        return "a model, or a part of one,"
    if any(os.path.splitext(name)[1] in PHOTO_SUFFIXES for name in names[:2]):
        return "a photo"
    head = _head(path)
    if head.startswith(_MODEL_STARTS):
        return "an archive or a model"
    try:
        sniff(head)
    except PhotoError as error:
        return "a photo or a document" if error.problem is PhotoProblem.UNSUPPORTED else ""
    return "a photo"


def _is_own(path: Path) -> bool:
    """Whether gcdesk wrote it, or nobody did: an empty file holds nothing."""
    head = _head(path).removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n")
    first = head.partition(b"\n")[0]
    is_table = first.startswith(b"photo ") and b" BIN " in first
    return not head or head.startswith(_OWN_STARTS) or _OWN_MARK in head or is_table

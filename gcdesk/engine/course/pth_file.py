"""The `.pth` file: a zip with one pickle (what the tensors are) and one raw member for each tensor storage.

Everything the zip claims is checked against the file before a byte is used: torch stores its members
uncompressed, so no claim can be larger than the file is.
"""

from __future__ import annotations

import hashlib
import math
import os
import stat
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np

from gcdesk.engine.course.other_formats import HEAD_BYTES, other_format
from gcdesk.engine.course.restricted_pickle import (
    MAX_PICKLE_BYTES,
    SAVE_WEIGHTS_ALONE,
    StoredTensor,
    UnknownName,
    read_pickle,
)
from gcdesk.engine.errors import LegacyError

# distilbert-base at fp32 with Adam's two copies has 800 MB; what is larger is no course model.
MAX_FILE_BYTES = 4 * 1024**3
# All the weights of a model as they are handed on, at their own precision (distilbert-base: 265 MB).
MAX_WEIGHT_BYTES = 2 * 1024**3
# A DistilBERT has 106 members, with Adam's states three times as many.
MAX_MEMBERS = 20_000
MAX_DIRECTORY_BYTES = 4 * 1024**2
_CUT_OFF = "it is cut off or damaged: the list at its end is missing. Copy or download it again."
# What torch's format before 1.6 begins with, after the protocol's number: a magic number, pickled as a LONG1.
_OLD_FORMAT = b"\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."
_LIGHTNING = ("pytorch_lightning", "lightning", "lightning_fabric", "lightning_utilities")
_RESAVE = (
    'python -c "import torch; '
    "torch.save(torch.load('{name}', map_location='cpu', weights_only=True), 'resaved.pth')\""
)


class PthFile:
    """An open `.pth`. `content` is what its pickle describes (see `read_pickle`), `sha256` the file's own."""

    def __init__(self, path: Path, archive: zipfile.ZipFile, sha256: str) -> None:
        self.path = path
        self.sha256 = sha256
        self._archive = archive
        self._members = _checked_members(archive, path.stat().st_size)
        self._folder = _top_folder(self._members)
        self._order = self._byte_order()
        self.content = self._read_content()
        self._given_bytes = 0

    def array(self, tensor: StoredTensor) -> np.ndarray:
        """Return a tensor as a new C-ordered array; bfloat16 becomes float32, other types stay.

        Raises LegacyError when the storage is not in the file or of another size, and when all tensors asked
        for take more than MAX_WEIGHT_BYTES.
        """
        storage = tensor.storage
        narrow = storage.dtype == "bfloat16"
        dtype = np.dtype("uint16" if narrow else storage.dtype)
        self._given_bytes += math.prod(tensor.shape) * (4 if narrow else dtype.itemsize)
        if self._given_bytes > MAX_WEIGHT_BYTES:
            raise LegacyError(f"its weights take more than {MAX_WEIGHT_BYTES // 1024**3} GB.")
        member = self._members.get(f"{self._folder}/data/{storage.key}")
        if member is None or member.file_size != storage.count * dtype.itemsize:
            raise LegacyError("a tensor's numbers are missing or cut off: copy the file again.")
        flat = np.frombuffer(self._read(member), dtype.newbyteorder(self._order))
        # The bounds were checked against `count` when the pickle was read, `count` against the member above.
        view = np.lib.stride_tricks.as_strided(
            flat[tensor.offset :],
            tensor.shape,
            tuple(step * dtype.itemsize for step in tensor.strides),
            writeable=False,
        )
        own = np.array(view, dtype, order="C")
        return (own.astype(np.uint32) << 16).view(np.float32) if narrow else own

    def _read_content(self) -> object:
        member = self._members[f"{self._folder}/data.pkl"]
        if member.file_size > MAX_PICKLE_BYTES:
            raise LegacyError(
                f"its table of contents has {member.file_size / 1e6:.0f} MB, no course model's does."
            )
        data = self._read(member)
        try:
            return read_pickle(data)
        except UnknownName as error:
            # Every pickled nn.Module carries these two dicts, whatever class of whichever file it is.
            if b"_modules" in data and b"_parameters" in data:
                raise LegacyError(
                    f"it holds a whole pickled module (an object of {error.name!r}), not weights: opening it"
                    f" would run code, so it is refused. {SAVE_WEIGHTS_ALONE}"
                ) from error
            if error.name.split(".")[0] in _LIGHTNING:
                raise LegacyError(
                    f"it is a Lightning checkpoint that holds more than weights (an object of {error.name!r}): save"
                    " the weights alone where it was made: torch.save(module.state_dict(), 'weights.pth')."
                ) from error
            raise

    def _byte_order(self) -> Literal["<", ">"]:
        member = self._members.get(f"{self._folder}/byteorder")
        word = self._read(member) if member and member.file_size < 16 else b"little"
        if word not in (b"little", b"big"):
            raise LegacyError("its byte order is neither little nor big: the file is damaged.")
        return "<" if word == b"little" else ">"

    def _read(self, member: zipfile.ZipInfo) -> bytes:
        try:
            return self._archive.read(member)
        except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
            raise LegacyError(f"its part {member.filename!r} is damaged: copy the file again.") from error


@contextmanager
def open_pth(path: Path) -> Iterator[PthFile]:
    """Open a checkpoint of torch's zip format. Raises LegacyError, naming the file, for anything else.

    So does whatever LegacyError the block raises: the file's name is put before it.
    """
    path = Path(path)
    try:
        with _named(path):
            size = _size_of(path)
            _check_head(path, size)
            with path.open("rb") as file:
                sha256 = hashlib.file_digest(file, "sha256").hexdigest()
                with _archive(file) as archive:
                    yield PthFile(path, archive, sha256)
    except FileNotFoundError:
        raise LegacyError(f"{path}: there is no such file.") from None
    except PermissionError:
        raise LegacyError(f"{path}: you have no permission to read it.") from None
    except OSError as error:
        raise LegacyError(f"{path.name}: it cannot be read: {error.strerror or error}.") from error


@contextmanager
def _archive(file: BinaryIO) -> Iterator[zipfile.ZipFile]:
    if not 0 < _directory_bytes(file) <= MAX_DIRECTORY_BYTES:
        raise LegacyError(_CUT_OFF)
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OverflowError) as error:
        raise LegacyError(_CUT_OFF) from error
    with archive:
        yield archive


def _directory_bytes(file: BinaryIO) -> int:
    """How long the list of members at the end of a zip claims to be, 0 when there is none.

    zipfile would read a list of any length into memory. torch writes no comment after the list, so it ends
    in the 22 bytes of the end record, and before that, for zip64, in 56 + 20 more (PKWARE's APPNOTE 4.3).
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - 98))
    tail = file.read().rjust(98, b"\0")
    wide, locator, end = tail[:56], tail[56:76], tail[76:]
    if not end.startswith(b"PK\x05\x06"):
        return 0
    if locator.startswith(b"PK\x06\x07") and wide.startswith(b"PK\x06\x06"):
        return int.from_bytes(wide[40:48], "little")
    return int.from_bytes(end[12:16], "little")


@contextmanager
def _named(path: Path) -> Iterator[None]:
    try:
        yield
    except LegacyError as error:
        raise LegacyError(f"{path.name}: {error}") from error


def _size_of(path: Path) -> int:
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise LegacyError("it is not a file.")
    if status.st_size > MAX_FILE_BYTES:
        raise LegacyError(f"it has {status.st_size / 1e9:.1f} GB, more than any course model.")
    return status.st_size


def _check_head(path: Path, size: int) -> None:
    """Say what the file is when its first bytes are not those of a zip."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if head.startswith(b"PK\x03\x04"):
        return
    if not head:
        raise LegacyError("it is empty.")
    if head.startswith(b"version https://git-lfs"):
        raise LegacyError(
            f"it is a Git LFS pointer of {size} bytes, not the weights: fetch them with `git lfs pull` where"
            " it was cloned, or download the file from the project's page."
        )
    if head.startswith(b"\x80") and _OLD_FORMAT in head[:32]:
        line = _RESAVE.format(name=path.name.replace("'", "").replace('"', ""))
        raise LegacyError(
            f"it has torch's format from before 1.6, which is not read. Save it again with: {line}"
        )
    if head.lstrip()[:15].lower().startswith((b"<!doctype", b"<html")):
        raise LegacyError("it is a web page, not a model: the download did not work, try it again.")
    raise LegacyError(other_format(head, size, path.name) or "it is not a .pth file that torch has saved.")


def _checked_members(archive: zipfile.ZipFile, size: int) -> Mapping[str, zipfile.ZipInfo]:
    infos = archive.infolist()
    if len(infos) > MAX_MEMBERS:
        raise LegacyError(f"it has {len(infos)} parts: no course model has more than {MAX_MEMBERS}.")
    members = {info.filename: info for info in infos}
    if any(name.endswith("/constants.pkl") for name in members):
        raise LegacyError(f"it is a TorchScript program, not weights, so it is refused. {SAVE_WEIGHTS_ALONE}")
    if len(members) != len(infos):
        raise LegacyError("it has two parts of the same name: torch never writes that, so it is refused.")
    if any(i.compress_type != zipfile.ZIP_STORED or i.compress_size != i.file_size for i in infos):
        raise LegacyError("its parts are compressed: torch never does that, unpack it and save it again.")
    if any(info.flag_bits & 1 for info in infos):
        raise LegacyError("it is encrypted.")
    if sum(info.file_size for info in infos) > size:
        raise LegacyError("its parts claim more bytes than it has: it is damaged or hostile.")
    return members


def _top_folder(members: Mapping[str, zipfile.ZipInfo]) -> str:
    """The one folder that torch puts everything in."""
    tables = [name for name in members if name.endswith("/data.pkl")]
    if len(tables) != 1:
        raise LegacyError("it is a zip, but not one that torch has saved: it has no data.pkl.")
    folder = tables[0].removesuffix("/data.pkl")
    if "/" in folder or folder in ("", ".", ".."):
        raise LegacyError("its parts lie in nested folders: torch never writes that, so it is refused.")
    return folder

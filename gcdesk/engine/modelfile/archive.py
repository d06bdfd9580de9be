"""A model folder as one file for hand-over, `<name>.gcmodel.zip`, and back.

An archive holds one folder with the files of a model and nothing else, so no member can name a place outside
it; links, duplicates, encrypted members and sizes beyond a model's are refused before anything is written.
"""

from __future__ import annotations

import errno
import shutil
import stat
import struct
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from gcdesk.config.files import beside, replace_atomically, replace_folder
from gcdesk.config.thresholds import (
    MODEL_EXTRA_MAX_BYTES,
    MODEL_INFO_MAX_BYTES,
    MODEL_TOKENIZER_MAX_BYTES,
    MODEL_WEIGHTS_MAX_BYTES,
)
from gcdesk.engine.errors import ModelFileError
from gcdesk.engine.modelfile.checkpoint import (
    INFO_FILE,
    TOKENIZER_FILE,
    WEIGHTS_FILE,
    check_folder_name,
    check_replaceable,
    load_info,
    load_model,
)
from gcdesk.engine.modelfile.info import MODEL_SUFFIX
from gcdesk.engine.modelfile.item_kinds import KINDS_FILE
from gcdesk.engine.modelfile.known_words import WORDS_FILE
from gcdesk.engine.modelfile.novelty import NOVELTY_FILE
from gcdesk.engine.modelfile.training_captions import SEEN_FILE
from gcdesk.engine.modelfile.zip_reader import opened_zip
from gcdesk.engine.os_errors import os_reason, writing

ARCHIVE_SUFFIX = f"{MODEL_SUFFIX}.zip"
CARD_FILE = "README.md"
_LIMITS = {
    INFO_FILE: MODEL_INFO_MAX_BYTES,
    WEIGHTS_FILE: MODEL_WEIGHTS_MAX_BYTES,
    TOKENIZER_FILE: MODEL_TOKENIZER_MAX_BYTES,
    CARD_FILE: MODEL_INFO_MAX_BYTES,
    NOVELTY_FILE: MODEL_EXTRA_MAX_BYTES,
    KINDS_FILE: MODEL_EXTRA_MAX_BYTES,
    SEEN_FILE: MODEL_EXTRA_MAX_BYTES,
    WORDS_FILE: MODEL_EXTRA_MAX_BYTES,
}
# What a model may bring besides, and may lack.
EXTRA_FILES = (CARD_FILE, NOVELTY_FILE, KINDS_FILE, SEEN_FILE, WORDS_FILE)
# Zip cannot say "no date"; the earliest it knows makes equal models equal archives.
_DATE = (1980, 1, 1, 0, 0, 0)
_CHUNK = 1024**2
# What zipfile raises for what is none, or none that it reads.
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    LookupError,
    NotImplementedError,
    OverflowError,
    RuntimeError,
    ValueError,
)


def zip_model(folder: Path, archive: Path) -> Path:
    """Pack a model folder, its card included, into `archive` and return that. Raises ModelFileError."""
    folder, archive = Path(folder), Path(archive)
    load_info(folder)
    with (
        writing(archive, ModelFileError),
        replace_atomically(archive) as stream,
        zipfile.ZipFile(stream, "w") as target,
    ):
        for name in sorted(_LIMITS):
            if (folder / name).is_file():
                _add(target, folder / name, f"{folder.stem}{MODEL_SUFFIX}/{name}")
    return archive


def _add(target: zipfile.ZipFile, path: Path, name: str) -> None:
    entry = zipfile.ZipInfo(name, _DATE)
    # Weights are noise to a compressor.
    entry.compress_type = zipfile.ZIP_STORED if path.name == WEIGHTS_FILE else zipfile.ZIP_DEFLATED
    entry.external_attr = (stat.S_IFREG | 0o644) << 16
    with path.open("rb") as source, target.open(entry, "w", force_zip64=True) as sink:
        shutil.copyfileobj(source, sink, _CHUNK)


def unzip_model(archive: Path, folder: Path) -> Path:
    """Unpack `archive` as the model folder `folder`, check it fully and return it.

    Nothing is left behind on failure. A model that stands at `folder` is replaced once the new one passed.
    Raises ModelFileError.
    """
    archive, folder = Path(archive), Path(folder)
    check_folder_name(folder)
    check_replaceable(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    work = beside(folder)
    try:
        with opened_zip(archive) as source:
            members = _checked_members(archive.name, source)
            work.mkdir()
            for name, member in members.items():
                _extract(source, member, work / name)
        load_model(work)
        replace_folder(work, folder)
    except FileNotFoundError:
        raise ModelFileError(f"{archive} does not exist.") from None
    except _DAMAGE as error:
        raise ModelFileError(f"{archive.name} is damaged or no zip file: {error}") from error
    except OSError as error:
        # zipfile seeks where a damaged list of members says, which no file has.
        what = "is damaged" if error.errno == errno.EINVAL else "cannot be unpacked"
        raise ModelFileError(f"{archive.name} {what}: {os_reason(error)}.") from error
    except ModelFileError as error:
        # The checks know the hidden working folder only: name what the user gave.
        raise ModelFileError(str(error).replace(work.name, archive.name)) from error
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return folder


def _checked_members(archive: str, source: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """The model's files by name. Raises ModelFileError for any member that is not one."""
    members: dict[str, zipfile.ZipInfo] = {}
    tops: set[PurePosixPath] = set()
    for member in source.infolist():
        path = PurePosixPath(member.filename)
        if member.is_dir() and len(path.parts) == 1 and path.name != "..":
            continue
        if path.name not in _LIMITS or len(path.parts) > 2 or path.is_absolute() or ".." in path.parts:
            raise ModelFileError(f"{archive} holds {member.filename!r}, which is no part of a model.")
        if stat.S_IFMT(member.external_attr >> 16) not in (0, stat.S_IFREG):
            raise ModelFileError(f"{archive} holds {member.filename!r}, which is a link or a device.")
        if member.flag_bits & 1:
            raise ModelFileError(f"{archive} is encrypted: unpack it yourself and import the folder.")
        if member.file_size > _LIMITS[path.name]:
            raise ModelFileError(
                f"{archive} holds {member.filename!r} with {member.file_size / 1e6:.0f} MB,"
                " more than a model has."
            )
        if path.name in members:
            raise ModelFileError(f"{archive} holds {path.name} twice.")
        members[path.name] = member
        tops.add(path.parent)
    if len(tops) > 1:
        raise ModelFileError(f"{archive} holds more than one folder.")
    if INFO_FILE not in members or WEIGHTS_FILE not in members:
        raise ModelFileError(f"{archive} is no model: it lacks {INFO_FILE} or {WEIGHTS_FILE}.")
    return members


def _extract(source: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path) -> None:
    """zipfile gives no more than the size that was checked, and refuses a member of which more would come."""
    with source.open(member) as packed, path.open("xb") as target:
        shutil.copyfileobj(packed, target, _CHUNK)

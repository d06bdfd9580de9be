"""Captions that a text model learned, so that a test on them can be told from a real one.

The file beside the weights holds a short hash of each caption, never the caption: some of the data may not be passed
on. A model without the file knows nothing of this, and nothing is flagged.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Iterable
from pathlib import Path

from gcdesk.config.files import write_atomically
from gcdesk.config.thresholds import MODEL_EXTRA_MAX_BYTES
from gcdesk.engine.errors import ModelFileError
from gcdesk.engine.modelfile.info import ModelInfo

_log = logging.getLogger(__name__)
SEEN_FILE = "seen-captions.txt"
_HEAD = "gcdesk captions seen in training, weights "
_MARK = re.compile(r"[0-9a-f]{16}")


def caption_hash(caption: str) -> str:
    """The hash of a caption in rule form."""
    return hashlib.sha256(caption.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def save_training_captions(captions: Iterable[str], folder: Path, weights_sha256: str) -> Path:
    """Put the file into a model folder; captions in the form that the model reads."""
    return write_hashes({caption_hash(caption) for caption in captions if caption}, folder, weights_sha256)


def write_hashes(marks: Iterable[str], folder: Path, weights_sha256: str) -> Path:
    """The same from hashes, for a model that was made from another."""
    file = Path(folder) / SEEN_FILE
    write_atomically(file, "\n".join([_HEAD + weights_sha256, *sorted(set(marks))]) + "\n")
    return file


def load_training_captions(folder: Path, info: ModelInfo) -> frozenset[str]:
    """The hashes of a model folder, none where it has no such file, or one of other
    weights. Raises ModelFileError for a damaged one.
    """
    file = Path(folder) / SEEN_FILE
    try:
        with file.open("rb") as stream:
            raw = stream.read(MODEL_EXTRA_MAX_BYTES + 1)
    except FileNotFoundError:
        return frozenset()
    except OSError as error:
        raise ModelFileError(f"{folder.name}: {SEEN_FILE} cannot be read: {error.strerror}.") from error
    head, *marks = raw.decode("ascii", "replace").split("\n")
    marks = [mark for mark in marks if mark]
    if len(raw) > MODEL_EXTRA_MAX_BYTES or not all(map(_MARK.fullmatch, marks)):
        raise ModelFileError(f"{folder.name}: {SEEN_FILE} is damaged: delete it.")
    if head != _HEAD + info.weights_sha256:
        # It says nothing of these weights; the model is as good without it.
        _log.warning("%s: %s belongs to other weights and is passed over.", folder.name, SEEN_FILE)
        return frozenset()
    return frozenset(marks)

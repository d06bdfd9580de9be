"""The errors that the engine raises, each with a sentence that an operator can act on."""

from __future__ import annotations

from enum import StrEnum

from gcdesk.engine.text import one_line

# A message quotes files, and a file may hold anything: what is longer would fill the screen and the log.
_LONGEST = 800
# Of a photo on a drive that stalls; rows with it are tried again when their watched folder is back.
DRIVE_STALLED = "The drive with this photo does not answer: try again when it is back."


class GcdeskError(Exception):
    """Base of every error that is told to the user as it stands: one printable line, whatever it quotes."""

    def __init__(self, message: str = "") -> None:
        super().__init__(one_line(message, _LONGEST))


class PhotoProblem(StrEnum):
    """Why a photo cannot be used."""

    MISSING = "missing"
    NOT_A_FILE = "not_a_file"
    NO_PERMISSION = "no_permission"
    EMPTY_FILE = "empty_file"
    NOT_AN_IMAGE = "not_an_image"
    TRUNCATED = "truncated"
    TOO_LARGE = "too_large"
    UNSUPPORTED = "unsupported"
    UNREADABLE = "unreadable"
    SILENT = "silent"


class PhotoError(GcdeskError):
    """A photo that cannot be decoded; `problem` names the kind, the message says it in words."""

    def __init__(self, problem: PhotoProblem, message: str) -> None:
        super().__init__(message)
        self.problem = problem


class PhotoFolderError(GcdeskError):
    """A folder that does not hold photos in folders of bins."""


class LabelError(GcdeskError):
    """A bin name that is none of ours."""


class CaptionFileError(GcdeskError):
    """A caption table that cannot be used."""


class ModelFileError(GcdeskError):
    """A `.gcmodel` folder or archive that is damaged, unsafe or not ours."""


class GraphError(GcdeskError):
    """A graph template that is missing or does not fit the weights."""


class LegacyError(GcdeskError):
    """A course `.pth` file that is refused."""


class DeviceError(GcdeskError):
    """A device that was asked for and cannot be used."""


class EvaluationError(GcdeskError):
    """Data that cannot be evaluated."""


class LibraryError(GcdeskError):
    """An installed model that cannot be found, added, replaced or removed."""


class SelectionError(GcdeskError):
    """A selection that cannot be fitted, or was fitted for other models."""


class LearningError(GcdeskError):
    """Corrections from which nothing can be learned, or should not."""

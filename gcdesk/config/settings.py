"""The user's settings: a JSON file in the config folder, checked when read, replaced in one step when saved.

A damaged value never stops the app. It counts as its default, and the reader is told in a sentence.
"""

from __future__ import annotations

import errno
import json
import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from gcdesk.config.files import write_atomically
from gcdesk.config.folders import user_folders
from gcdesk.config.thresholds import TEXT_WEIGHT, Thresholds

_MAX_BYTES = 1024 * 1024
# Raised when a value changes its meaning; a file of a later format is neither read nor written over.
FORMAT = 1
_DEFAULT_THRESHOLDS = Thresholds()

THEMES = ("system", "light", "dark")
# The values of gcdesk.engine.selection.rules.Rule, which this layer may not import; a test keeps both equal.
RULES = ("max_confidence", "mean", "calibrated", "weighted", "fitted")
DEVICES = ("auto", "cpu", "cuda")


@dataclass(frozen=True)
class Settings:
    """What the user has chosen. None means: the app's own default.

    text_weight: the text model's share (0 to 1) under the rule "weighted". text_scale: size of the letters,
    1 is the system's. confirm_one_in: one sure row in so many is offered for confirmation, 0 never.
    quiet_minutes: after so many minutes without a photo the watched folder is said to be quiet, 0 never.
    """

    image_model: str | None = None
    text_model: str | None = None
    rule: str | None = None
    text_weight: float = TEXT_WEIGHT
    device: str = "auto"
    threads: int | None = None
    review_threshold: float = _DEFAULT_THRESHOLDS.review
    disagreement_margin: float = _DEFAULT_THRESHOLDS.disagreement
    sure_threshold: float = _DEFAULT_THRESHOLDS.sure
    theme: str = "system"
    text_scale: float = 1.0
    confirm_one_in: int = 20
    watch_folder: str | None = None
    only_new_photos: bool = True
    quiet_minutes: int = 10

    @property
    def thresholds(self) -> Thresholds:
        """The three thresholds of the settings."""
        return Thresholds(self.review_threshold, self.disagreement_margin, self.sure_threshold)


@dataclass(frozen=True)
class ReadSettings:
    """Settings that can be used, and a sentence on each thing in the file that could not."""

    settings: Settings
    warnings: tuple[str, ...] = ()


def settings_path() -> Path:
    """Where the settings file is."""
    return user_folders().config / "settings.json"


def load_settings(path: Path | None = None) -> Settings:
    """The settings of the file (default: the user's); what is wrong with it goes to the log."""
    read = read_settings(path)
    for warning in read.warnings:
        logging.getLogger(__name__).warning("%s", warning)
    return read.settings


def read_settings(path: Path | None = None) -> ReadSettings:
    """Read and check the settings file. No file is no warning; nothing is raised for what a file may hold."""
    path = path or settings_path()
    if path.exists() and not path.is_file():  # a pipe would be waited for
        return _all_defaults(path, "is no ordinary file")
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except FileNotFoundError:
        return ReadSettings(Settings())
    except OSError as error:
        return _all_defaults(path, f"cannot be read ({error.strerror})")
    if len(data) > _MAX_BYTES:
        return _all_defaults(path, "is far too large")
    try:
        values = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return _all_defaults(path, "is damaged")
    if not isinstance(values, dict):
        return _all_defaults(path, "holds no settings")
    if _is_newer(values):
        return _all_defaults(path, "was written by a newer gcdesk and is left alone")
    return _checked(values)


def _is_newer(values: dict[str, object]) -> bool:
    written = values.get("format", FORMAT)
    return isinstance(written, int) and not isinstance(written, bool) and written > FORMAT


def save_settings(settings: Settings, path: Path | None = None) -> None:
    """Write the settings in one step: a crash leaves the old file or the new one, never half of one.

    Raises ValueError for a value that would not be read back, and OSError when the folder cannot be written or
    a newer gcdesk's file is there.
    """
    path = path or settings_path()
    values = {"format": FORMAT, **asdict(settings)}
    warnings = _checked(values).warnings
    if warnings:
        raise ValueError(" ".join(warnings))
    _refuse_newer(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, json.dumps(values, indent=2) + "\n")


def _refuse_newer(path: Path) -> None:
    try:
        values = json.loads(path.read_bytes()) if path.is_file() else None  # a pipe would be waited for
    except (OSError, ValueError, RecursionError):
        return  # none, or a damaged one, which may be replaced
    if isinstance(values, dict) and _is_newer(values):
        raise OSError(
            errno.EPERM, "it was written by a newer gcdesk, so what you change here is not kept", str(path)
        )


def _all_defaults(path: Path, problem: str) -> ReadSettings:
    return ReadSettings(Settings(), (f"The settings file {path} {problem}: the defaults are used.",))


def _checked(values: dict[str, object]) -> ReadSettings:
    known = {field.name: field.default for field in fields(Settings)}
    good: dict[str, object] = {}
    warnings = []
    for key, value in values.items():
        if key == "format":
            continue
        if key not in known:
            warnings.append(f"The setting {key!r} is not known and is left out.")
        elif (problem := _CHECKS[key](value)) is None:
            good[key] = value
        else:
            used = "the app's own choice" if known[key] is None else repr(known[key])
            warnings.append(f"The setting {key!r} must be {problem}: {used} is used.")
    return ReadSettings(Settings(**good), tuple(warnings))  # type: ignore[arg-type]  # each was checked


# Returns None for a value that is fine, else what it must be.
_Check = Callable[[object], str | None]


def _number(low: float, high: float) -> _Check:
    def check(value: object) -> str | None:
        fine = isinstance(value, int | float) and not isinstance(value, bool)
        if fine and low <= value <= high:  # type: ignore[operator]
            return None
        return f"a number from {low:g} to {high:g}"

    return check


def _whole(low: int, high: int) -> _Check:
    def check(value: object) -> str | None:
        fine = isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
        return None if fine else f"a whole number from {low} to {high}"

    return check


def _one_of(words: tuple[str, ...]) -> _Check:
    return lambda value: None if value in words else f"one of {', '.join(words)}"


def _text(value: object) -> str | None:
    return None if isinstance(value, str) and value.strip() else "a text"


def _yes_or_no(value: object) -> str | None:
    return None if isinstance(value, bool) else "true or false"


def _or_none(check: _Check) -> _Check:
    return lambda value: None if value is None else check(value)


_CHECKS: dict[str, _Check] = {
    "image_model": _or_none(_text),
    "text_model": _or_none(_text),
    "rule": _or_none(_one_of(RULES)),
    "text_weight": _number(0, 1),
    "device": _one_of(DEVICES),
    "threads": _or_none(_whole(1, 256)),
    "review_threshold": _number(0, 1),
    "disagreement_margin": _number(0, 1),
    "sure_threshold": _number(0, 1),
    "theme": _one_of(THEMES),
    "text_scale": _number(0.75, 3),
    "confirm_one_in": _whole(0, 100_000),
    "watch_folder": _or_none(_text),
    "only_new_photos": _yes_or_no,
    "quiet_minutes": _whole(0, 1440),
}

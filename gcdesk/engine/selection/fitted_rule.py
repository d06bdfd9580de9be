"""A selection that was fitted on pairs whose bin is known: two temperatures and a weight, for two given models.

It is kept as a small JSON that names the weights of both models, and is refused for any other: a weight that suits
one pair of models says nothing about the next.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal

from gcdesk.config.files import write_atomically
from gcdesk.config.folders import user_folders
from gcdesk.engine.errors import SelectionError
from gcdesk.engine.selection.rules import Rule

FORMAT = 1
# pool: both models, weighted. surer: the more confident one at these temperatures. image, text: that model alone,
# where nothing else was better.
Way = Literal["pool", "surer", "image", "text"]
WAYS: tuple[Way, ...] = ("pool", "surer", "image", "text")
_FOLDER = "selections"
_LARGEST = 64 * 1024
_TEMPERATURES = (0.01, 100.0)


@dataclass(frozen=True)
class CrossValidated:
    """Accuracies on items that the fit of their fold had not seen; of the others on the same items."""

    items: int
    fitted: float
    image: float
    text: float
    max_confidence: float
    reachable: float


@dataclass(frozen=True)
class FittedRule:
    """weight: the text model's share (0 to 1). data: what it was fitted on, in words; date: ISO."""

    image_sha256: str
    text_sha256: str
    image_temperature: float
    text_temperature: float
    weight: float
    way: Way
    checked: CrossValidated
    data: str = ""
    date: str = ""

    @property
    def applied(self) -> Rule:
        """The rule of `selection` that carries it out."""
        return Rule.CALIBRATED if self.way == "surer" else Rule.FITTED

    def check_models(self, image_sha256: str | None, text_sha256: str | None) -> None:
        """Raise SelectionError unless these are the models that it was fitted for."""
        for kind, fitted, used in (
            ("image", self.image_sha256, image_sha256),
            ("text", self.text_sha256, text_sha256),
        ):
            if fitted != used:
                raise SelectionError(
                    f"The fitted selection belongs to another {kind} model: fit it again for the ones in use."
                )

    def to_json(self) -> dict[str, Any]:
        """What `load_fitted` reads."""
        return {"format": FORMAT, **asdict(self)}


def fitted_from_json(data: object) -> FittedRule:
    """The inverse of `to_json`. Raises SelectionError for anything else."""
    if not isinstance(data, Mapping) or data.get("format") != FORMAT:
        raise SelectionError("This is no fitted selection of this gcdesk.")
    names = {field.name for field in fields(FittedRule)}
    if set(data) != names | {"format"} or not isinstance(data["checked"], Mapping):
        raise SelectionError("The fitted selection has missing or unknown fields.")
    if set(data["checked"]) != {field.name for field in fields(CrossValidated)}:
        raise SelectionError("The fitted selection has missing or unknown figures.")
    low, high = _TEMPERATURES
    numbers = {name: data[name] for name in ("image_temperature", "text_temperature", "weight")}
    if not all(type(n) in (int, float) and math.isfinite(n) for n in numbers.values()):
        raise SelectionError("The fitted selection holds something that is no number.")
    if not 0 <= data["weight"] <= 1 or data["way"] not in WAYS:
        raise SelectionError("The fitted selection has a weight outside 0 to 1 or a way that is not known.")
    if not all(low <= data[f"{kind}_temperature"] <= high for kind in ("image", "text")):
        raise SelectionError(f"The fitted selection has a temperature outside {low} to {high}.")
    values = {name: data[name] for name in names - {"checked"}}
    return FittedRule(**values, checked=CrossValidated(**data["checked"]))


def selections_folder() -> Path:
    """Where the user's fitted selections are."""
    return user_folders().data / _FOLDER


def fitted_path(image_sha256: str, text_sha256: str, folder: Path | None = None) -> Path:
    """The file for a pair of models."""
    return (folder or selections_folder()) / f"{image_sha256[:16]}-{text_sha256[:16]}.json"


def save_fitted(rule: FittedRule, folder: Path | None = None) -> Path:
    """Keep it for its models, in place of an older one. Raises SelectionError where it cannot be written."""
    file = fitted_path(rule.image_sha256, rule.text_sha256, folder)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(file, json.dumps(rule.to_json(), indent=2) + "\n")
    except OSError as error:
        raise SelectionError(f"The selection cannot be kept in {file.parent}: {error.strerror}.") from error
    return file


def load_fitted(image_sha256: str, text_sha256: str, folder: Path | None = None) -> FittedRule | None:
    """The selection that was fitted for these models, None where none was. Raises SelectionError for a bad file."""
    file = fitted_path(image_sha256, text_sha256, folder)
    try:
        with file.open("rb") as stream:
            raw = stream.read(_LARGEST + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SelectionError(f"{file} cannot be read: {error.strerror}.") from error
    try:
        rule = fitted_from_json(json.loads(raw))
    except (ValueError, RecursionError) as error:
        raise SelectionError(f"{file.name} is damaged: fit the selection again.") from error
    rule.check_models(image_sha256, text_sha256)
    return rule

"""Every choice of an image training, with the original project's values as defaults; recipes are TOML
files.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal

from gcdesk.engine.errors import GcdeskError
from trainer.image.photos.augment import AugmentSettings

Balance = Literal["none", "bin", "look"]
Head = Literal["mlp", "linear"]


class RecipeError(GcdeskError):
    """A recipe or option of a training that cannot be used."""


@dataclass(frozen=True)
class ImageSettings:
    """How an image model is trained. Rates are of AdamW; epochs count from 1."""

    name: str = "image"
    head: Head = "mlp"
    size: int = 288  # side of the square that the network sees
    train_size: int = 0  # the same for training views; 0 = `size`
    resize: Literal["squash", "shortest_crop", "pad"] = "squash"
    epochs: int = 12
    unfreeze_epoch: int = 5  # from this epoch on the last four feature blocks learn too; 0 = never
    batch: int = 32
    rate: float = 1e-3
    fine_rate: float = 0.1  # rate after unfreezing, as a share of `rate` (head and blocks alike)
    weight_decay: float = 1e-4
    depthwise: bool = (
        True  # depthwise filters learn too: on a CPU their gradient costs more than all the rest
    )
    dropout: bool = True  # dropout in the head and stochastic depth in the blocks
    label_smoothing: float = 0.0
    mixup: float = 0.0  # alpha of the Beta distribution; 0 = off
    balance: Balance = "none"  # "look" also evens out the groups of file names within a bin
    average: float = 0.0  # decay per step of the moving average of the weights; 0 = off
    blend: float = 1.0  # share of the fine-tuned weights when mixed with those before unfreezing
    views: int = 0  # augmented views cached behind the frozen blocks (CPU); 0 = new views every epoch
    seed: int = 0
    workers: int = 2  # threads that decode and augment
    augment: AugmentSettings = field(default_factory=AugmentSettings)

    def __post_init__(self) -> None:
        _check(self.epochs >= 1, "epochs must be at least 1")
        _check(self.batch >= 2, "batch must be at least 2")
        _check(32 <= self.size <= 1024, "size must lie between 32 and 1024 pixels")
        _check(self.train_size == 0 or 32 <= self.train_size <= 1024, "train_size must be 0 or 32 to 1024")
        _check(self.rate > 0 and self.fine_rate > 0, "rate and fine_rate must be above 0")
        _check(0 <= self.label_smoothing < 1, "label_smoothing must lie in 0 to 1")
        _check(0 <= self.average < 1, "average must lie in 0 to 1")
        _check(0 <= self.blend <= 1, "blend must lie in 0 to 1")
        _check(self.views >= 0 and self.workers >= 1, "views must not be negative, workers at least 1")
        _check(self.balance in ("none", "bin", "look"), "balance must be none, bin or look")
        _check(self.head in ("mlp", "linear"), "head must be mlp or linear")
        _check(self.augment.preset in ("none", "original", "station"), "preset: none, original or station")

    @property
    def view_size(self) -> int:
        """Side of a training view in pixels."""
        return self.train_size or self.size

    def to_json(self) -> dict[str, Any]:
        """As it stands in a model's provenance."""
        return asdict(self)


def _check(fine: bool, message: str) -> None:
    if not fine:
        raise RecipeError(f"Cannot train with these settings: {message}.")


def settings_from(values: Mapping[str, Any], base: ImageSettings | None = None) -> ImageSettings:
    """Return `base` with `values` over it (`augment` a nested table). Raises RecipeError for what it does
    not know.
    """
    start = base or ImageSettings()
    values = dict(values)
    augment = values.pop("augment", {})
    try:
        _known(ImageSettings, values)
        _known(AugmentSettings, augment)
        return replace(start, **values, augment=replace(start.augment, **augment))
    except TypeError as error:
        raise RecipeError(f"Cannot train with these settings: {error}.") from error


def _known(cls: type[Any], values: Mapping[str, Any]) -> None:
    kinds = {f.name: type(f.default) for f in fields(cls) if isinstance(f.default, int | float | str)}
    for name, value in values.items():
        kind = kinds.get(name)
        _check(kind is not None, f"unknown setting {name!r} (there are {', '.join(kinds)})")
        right = isinstance(value, int | float) if kind is float else type(value) is kind
        _check(right, f"{name} is {value!r}, which is no {getattr(kind, '__name__', kind)}")


def read_recipe(path: Path, base: ImageSettings | None = None) -> ImageSettings:
    """Read a TOML recipe. Raises RecipeError."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RecipeError(f"The recipe {path} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecipeError(f"The recipe {path} is not a TOML file: {error}.") from error
    return settings_from(values, base)


def chosen_settings(recipe: Path | None, assignments: Sequence[str]) -> ImageSettings:
    """The settings of a recipe (None: the defaults) with `NAME=VALUE` over them. Raises RecipeError."""
    return assigned(read_recipe(recipe) if recipe else ImageSettings(), assignments)


def assigned(settings: ImageSettings, assignments: Sequence[str]) -> ImageSettings:
    """`settings` with `NAME=VALUE` over them, `augment.NAME=VALUE` for views. Raises RecipeError."""
    values: dict[str, Any] = {}
    for text in assignments:
        name, equals, word = text.partition("=")
        if not equals:
            raise RecipeError(f"--set {text}: write NAME=VALUE.")
        table = values
        if name.startswith("augment."):
            name = name.removeprefix("augment.")
            table = values.setdefault("augment", {})
        table[name] = parsed_value(word)
    return settings_from(values, settings)


def parsed_value(word: str) -> Any:
    """A TOML-like value: true, false, a whole number, a number, else the word itself."""
    if word in ("true", "false"):
        return word == "true"
    for kind in (int, float):
        try:
            return kind(word)
        except ValueError:
            continue
    return word

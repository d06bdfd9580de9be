"""Every choice of a distillation: TOML recipes and NAME=VALUE options, as for the other image training."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal

from trainer.image.photos.augment import AugmentSettings
from trainer.image.settings import RecipeError, parsed_value


@dataclass(frozen=True)
class DistillSettings:
    """How a network learns from a teacher and from labels at once. Rates are of AdamW; a round is judged and saved."""

    size: int = 224  # side of the square that the finished model sees
    train_size: int = 176  # the same while training: crops magnify, so it may be smaller
    resize: Literal["squash", "shortest_crop", "pad"] = "squash"
    rounds: int = 18
    round_steps: int = 50
    batch: int = 48
    frozen_blocks: int = 3  # of nine: those never learn; 0 lets all filters learn
    rate: float = 3e-4  # of the filters
    head_rate: float = 2e-3
    weight_decay: float = 0.02
    teacher_weight: float = 8.0  # of 1 - cosine
    bin_weight: float = 0.5  # of the cross-entropy over bins
    kind_weight: float = 0.5  # of the cross-entropy over kinds of items
    label_smoothing: float = 0.1
    unlabelled: float = 0.35  # share of the photos without a bin
    average: float = 0.997  # decay per step of the moving average of the weights
    head_strength: float = 3e-4  # L2 of the last layer of bins, fitted on frozen features
    kind_strength: float = 3e-4  # the same for kinds
    head_scene: str = "train"  # the scene (or folder) whose photos count more in the last layer of bins
    head_scene_weight: float = 1.0  # as many times
    head_drawn: int = 2400  # drawn pictures that the last layers look at, at most
    seed: int = 0
    workers: int = 1
    augment: AugmentSettings = field(
        default_factory=lambda: AugmentSettings(
            preset="station",
            gentle=0.3,
            smallest_crop=0.45,
            smallest_object=0.5,
            zoom_out=0.15,
            colour=0.7,
            spoil=0.2,
        )
    )

    def __post_init__(self) -> None:
        fine = {
            "rounds and round_steps must be at least 1": self.rounds >= 1 and self.round_steps >= 1,
            "batch must be at least 2": self.batch >= 2,
            "size and train_size must lie between 32 and 1024": all(
                32 <= side <= 1024 for side in (self.size, self.train_size)
            ),
            "frozen_blocks must lie between 0 and 8": 0 <= self.frozen_blocks <= 8,
            "rates must be above 0": self.rate > 0 and self.head_rate > 0,
            "average, label_smoothing and unlabelled must lie in 0 to 1": all(
                0 <= share < 1 for share in (self.average, self.label_smoothing, self.unlabelled)
            ),
            "head_scene_weight must be above 0": self.head_scene_weight > 0,
            "weights must not be negative": min(self.teacher_weight, self.bin_weight, self.kind_weight) >= 0,
        }
        for rule, kept in fine.items():
            if not kept:
                raise RecipeError(f"Cannot train with these settings: {rule}.")

    @property
    def steps(self) -> int:
        return self.rounds * self.round_steps

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def distill_settings(recipe: Path | None, assignments: Sequence[str]) -> DistillSettings:
    """The settings of a recipe (None: the defaults) with `NAME=VALUE` over them. Raises RecipeError."""
    values: dict[str, Any] = {}
    if recipe is not None:
        try:
            values = tomllib.loads(recipe.read_text(encoding="utf-8"))
        except OSError as error:
            raise RecipeError(f"The recipe {recipe} cannot be read: {error.strerror}.") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise RecipeError(f"The recipe {recipe} is not a TOML file: {error}.") from error
    for text in assignments:
        name, equals, word = text.partition("=")
        if not equals:
            raise RecipeError(f"--set {text}: write NAME=VALUE.")
        table = values
        if name.startswith("augment."):
            name, table = name.removeprefix("augment."), values.setdefault("augment", {})
        table[name] = parsed_value(word)
    return _from(values)


def _from(values: Mapping[str, Any]) -> DistillSettings:
    plain = {name: value for name, value in values.items() if name != "augment"}
    known = {item.name for item in fields(DistillSettings)}
    unknown = sorted(set(plain) - known)
    if unknown:
        raise RecipeError(f"Cannot train with these settings: unknown setting {unknown[0]!r}.")
    start = DistillSettings()
    try:
        return replace(start, **plain, augment=replace(start.augment, **values.get("augment", {})))
    except TypeError as error:
        raise RecipeError(f"Cannot train with these settings: {error}.") from error

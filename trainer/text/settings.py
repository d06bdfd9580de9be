"""Every choice of a text training; the starter model's are in trainer/recipes/starter-text.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal, get_args

from gcdesk.engine.errors import GcdeskError
from trainer.text.augment import Disturbance

Head = Literal["base", "linear", "pre_classifier", "net"]


class TextDataError(GcdeskError):
    """Captions or options of a text training that cannot be used."""


@dataclass(frozen=True)
class TextSettings:
    """How a text model is trained. Rates are of AdamW; epochs count from 1."""

    name: str = "text"
    pooling: Literal["cls", "mean"] = "mean"
    head: Head = (
        "base"  # the model's that it starts from, as learnt; else a new one ("net": a hidden layer of 512)
    )
    epochs: int = 8
    patience: int = 3  # epochs without a better validation accuracy before it stops; 0 = never
    batch: int = 32
    rate: float = 1.5e-4
    head_rate: float = 1e-3  # the new head starts from noise and may learn faster; 0 = `rate`
    freeze_embeddings: bool = True  # word vectors stay as pretrained: half the weights, a third of the time
    freeze_encoder: bool = (
        False  # only the head learns: each caption goes through the encoder a few times in all
    )
    freeze_layers: int = 0  # so many of the lowest layers stay as they came
    low_precision: bool = False  # bf16 autocast: faster on CPUs and GPUs that multiply it in hardware
    warmup: float = 0.1  # share of the steps in which the rate rises
    weight_decay: float = 0.01
    label_smoothing: float = 0.05
    typos: float = 0.3  # share of training captions that get a typing error, drawn anew each epoch
    drop_word: float = 0.1  # share of training captions that lose a word
    join_words: float = 0.0  # share in which two words are written as one
    word_order: float = 0.0  # share whose last words stand first (`jar, glass`)
    plurals: float = 0.0  # share whose last word becomes a plural or a singular
    average: float = 0.99  # decay per step of the moving average of the weights (less at first); 0 = off
    class_weights: bool = True  # rare bins count more, by the square root of their rarity
    max_tokens: int = 32
    pad_to: int = 0  # pad every caption to this many tokens, as the course did; 0 = to the batch's longest
    val_share: float = 0.1  # of the captions, by group, where no validation file is given
    seed: int = 0

    @property
    def disturbance(self) -> Disturbance:
        """What happens to a caption before each look at it."""
        return Disturbance(self.typos, self.drop_word, self.join_words, self.word_order, self.plurals)

    def __post_init__(self) -> None:
        _check(self.epochs >= 1, "epochs must be at least 1")
        _check(self.batch >= 2, "batch must be at least 2")
        _check(self.rate > 0 and self.head_rate >= 0, "rate must be above 0, head_rate not below")
        _check(self.pooling in ("cls", "mean"), "pooling must be cls or mean")
        _check(self.head in get_args(Head), f"head must be one of {', '.join(get_args(Head))}")
        _check(3 <= self.max_tokens <= 512, "max_tokens must lie in 3 to 512")
        _check(self.pad_to <= self.max_tokens, "pad_to must not exceed max_tokens")
        _check(self.freeze_layers >= 0, "freeze_layers must not be below 0")
        _check(0 <= self.average < 1, "average must lie in 0 to 1")
        _check(0 < self.val_share < 1, "val_share must lie between 0 and 1")


def _check(fine: bool, message: str) -> None:
    if not fine:
        raise TextDataError(f"{message[0].upper()}{message[1:]}.")


def settings_from(values: Mapping[str, Any], base: TextSettings | None = None) -> TextSettings:
    """Return `base` with `values` over it; a str is read as the setting's type ("true", "3", "1e-4").

    Raises TextDataError naming the valid settings.
    """
    start = base or TextSettings()
    kinds = {item.name: type(getattr(start, item.name)) for item in fields(start)}
    changes: dict[str, Any] = {}
    for name, value in values.items():
        if name not in kinds:
            raise TextDataError(f"There is no setting {name!r}. There are {', '.join(kinds)}.")
        changes[name] = _as(kinds[name], name, value)
    return replace(start, **changes)


def _as(kind: type, name: str, value: object) -> object:
    if kind is bool:
        word = str(value).lower()
        _check(word in ("true", "false"), f"{name} must be true or false, not {value!r}")
        return word == "true"
    try:
        return kind(value)
    except (TypeError, ValueError) as error:
        wanted = "a whole number" if kind is int else "a number"
        raise TextDataError(f"{name} must be {wanted}, not {value!r}.") from error


def read_recipe(path: Path) -> TextSettings:
    """Read settings from a TOML file. Raises TextDataError."""
    try:
        return settings_from(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise TextDataError(f"The recipe {path} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise TextDataError(f"The recipe {path} is not a TOML file: {error}.") from error

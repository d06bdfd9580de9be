"""What `model.json` says about a model: dataclasses, their checks, and their JSON form."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

import numpy as np

from gcdesk.config.file_names import is_device
from gcdesk.engine.captions.rules import CaptionRule
from gcdesk.engine.errors import ModelFileError
from gcdesk.engine.labels import BINS
from gcdesk.engine.modelfile.specs import Architecture, ImageArchitecture, TextArchitecture
from gcdesk.engine.photos.preprocessing import Preprocessing

FORMAT_VERSION = 1
MODEL_SUFFIX = ".gcmodel"
Kind = Literal["image", "text"]

# Letters of any script, digits and a few signs: what every file system takes. No separators, no leading dot.
_NAME = re.compile(r"\w(?:[\w .+-]{0,62}[\w+-])?")
_SHA256 = re.compile(r"[0-9a-f]{64}")
# A fitted temperature lies between 0.3 and 5; beyond these, every probability would be 1 or a quarter.
_TEMPERATURES = (0.01, 100.0)


@dataclass(frozen=True)
class Provenance:
    """Where the weights come from. `source` is a sentence; None means not known (an imported checkpoint)."""

    source: str = ""
    date: str = ""
    data_fingerprint: str | None = None
    seed: int | None = None
    git_commit: str | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ModelInfo:
    """All that is known about a model but its weights.

    `preprocessing` belongs to image models, `caption_rule` and `max_tokens` (counting [CLS] and [SEP]) to
    text models. `metrics` maps a split's name to its figures. `weights_sha256` is filled in when it is
    saved.
    """

    name: str
    kind: Kind
    architecture: Architecture
    labels: tuple[str, ...] = BINS
    preprocessing: Preprocessing | None = None
    caption_rule: CaptionRule | None = None
    max_tokens: int | None = None
    temperature: float = 1.0
    metrics: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    provenance: Provenance = field(default_factory=Provenance)
    weights_sha256: str = ""
    format_version: int = FORMAT_VERSION


@dataclass(frozen=True)
class LoadedModel:
    """A model that passed every check. `weights` are as stored (fp16 or fp32), by state-dict name."""

    info: ModelInfo
    folder: Path
    weights: dict[str, np.ndarray]


def check_name(name: object) -> str:
    """Return a name that is safe as a file name everywhere. Raises ModelFileError."""
    if not isinstance(name, str) or not _NAME.fullmatch(name) or is_device(name):
        raise ModelFileError(
            f"{name!r} cannot be a model's name: use up to 64 letters, digits, spaces or any of . + - _"
        )
    return name


def check_info(info: ModelInfo) -> None:
    """Raise ModelFileError unless every field makes sense beside the others (the sha256 aside)."""
    check_name(info.name)
    if info.format_version != FORMAT_VERSION:
        raise ModelFileError(
            f"the model has format version {info.format_version!r} and this gcdesk reads {FORMAT_VERSION}:"
            " a newer gcdesk may have written it."
        )
    if tuple(info.labels) != BINS:
        detail = "in another order" if sorted(map(str, info.labels)) == sorted(BINS) else "not ours"
        raise ModelFileError(
            f"the model's labels are {detail}: {', '.join(map(str, info.labels))}"
            f" instead of {', '.join(BINS)}."
        )
    low, high = _TEMPERATURES
    if type(info.temperature) not in (int, float) or not low <= info.temperature <= high:
        raise ModelFileError(
            f"the model's temperature is {info.temperature!r}: it must lie between {low} and {high}."
        )
    if not all(isinstance(figures, Mapping) for figures in info.metrics.values()):
        raise ModelFileError("the model's metrics must map each split to its figures.")
    if info.kind == "image":
        _check_image(info)
    elif info.kind == "text":
        _check_text(info)
    else:
        raise ModelFileError(f"the model's kind is {info.kind!r}: it must be image or text.")


def _check_image(info: ModelInfo) -> None:
    if not isinstance(info.architecture, ImageArchitecture):
        raise ModelFileError("the model is an image model with the architecture of a text model.")
    if not isinstance(info.preprocessing, Preprocessing):
        raise ModelFileError("the image model does not say how its photos are prepared (preprocessing).")
    if info.caption_rule is not None or info.max_tokens is not None:
        raise ModelFileError(
            "the image model has a caption rule or a token limit, which only text models have."
        )


def _check_text(info: ModelInfo) -> None:
    if not isinstance(info.architecture, TextArchitecture):
        raise ModelFileError("the model is a text model with the architecture of an image model.")
    if not isinstance(info.caption_rule, CaptionRule):
        raise ModelFileError("the text model does not say how its captions are prepared (caption_rule).")
    if info.preprocessing is not None:
        raise ModelFileError("the text model has photo preprocessing, which only image models have.")
    limit = info.architecture.max_positions
    if type(info.max_tokens) is not int or not 3 <= info.max_tokens <= limit:
        raise ModelFileError(
            f"the text model's max_tokens is {info.max_tokens!r}: it must be from 3 to {limit}."
        )


def info_to_json(info: ModelInfo) -> dict[str, Any]:
    """The content of `model.json`."""
    return {
        "format_version": info.format_version,
        "name": info.name,
        "kind": info.kind,
        "architecture": {"id": info.architecture.id, **info.architecture.to_json()},
        "labels": list(info.labels),
        "preprocessing": info.preprocessing.to_json() if info.preprocessing else None,
        "caption_rule": info.caption_rule.value if info.caption_rule else None,
        "max_tokens": info.max_tokens,
        "temperature": info.temperature,
        "metrics": {split: dict(figures) for split, figures in info.metrics.items()},
        "provenance": asdict(info.provenance),
        "weights_sha256": info.weights_sha256,
    }


def info_from_json(data: object) -> ModelInfo:
    """Check the content of `model.json`, field by field. Raises ModelFileError with what is wrong."""
    if not isinstance(data, dict):
        raise ModelFileError("model.json does not hold an object.")
    # Before the fields: a later format may have other ones, and its version is what the user must hear of.
    if data.get("format_version") != FORMAT_VERSION:
        raise ModelFileError(
            f"the model has format version {data.get('format_version')!r} and this gcdesk reads"
            f" {FORMAT_VERSION}: a newer gcdesk may have written it."
        )
    names = {item.name for item in fields(ModelInfo)}
    if set(data) != names:
        odd = ", ".join(sorted(names.symmetric_difference(data)))
        raise ModelFileError(f"model.json has missing or unknown fields: {odd}.")
    if not isinstance(data["labels"], list) or not isinstance(data["metrics"], dict):
        raise ModelFileError("model.json's labels must be a list and its metrics an object.")
    if not isinstance(data["weights_sha256"], str) or not _SHA256.fullmatch(data["weights_sha256"]):
        raise ModelFileError("model.json's weights_sha256 is not a sha256.")
    info = ModelInfo(
        name=data["name"],
        kind=data["kind"],
        architecture=_architecture(data["kind"], data["architecture"]),
        labels=tuple(data["labels"]),
        preprocessing=None
        if data["preprocessing"] is None
        else Preprocessing.from_json(data["preprocessing"]),
        caption_rule=_caption_rule(data["caption_rule"]),
        max_tokens=data["max_tokens"],
        temperature=data["temperature"],
        metrics=data["metrics"],
        provenance=_provenance(data["provenance"]),
        weights_sha256=data["weights_sha256"],
    )
    check_info(info)
    return info


def _architecture(kind: object, data: object) -> Architecture:
    if not isinstance(data, dict):
        raise ModelFileError("model.json's architecture is not an object.")
    sizes = {key: value for key, value in data.items() if key != "id"}
    arch: Architecture
    if kind == "image":
        arch = ImageArchitecture.from_json(sizes)
    elif kind == "text":
        arch = TextArchitecture.from_json(sizes)
    else:
        raise ModelFileError(f"the model's kind is {kind!r}: it must be image or text.")
    if data.get("id") != arch.id:
        raise ModelFileError(
            f"model.json calls its architecture {data.get('id')!r}, its sizes make it {arch.id}."
        )
    return arch


def _caption_rule(data: object) -> CaptionRule | None:
    if data is None:
        return None
    try:
        return CaptionRule(data)  # type: ignore[arg-type]  # it refuses what is no rule
    except ValueError:
        known = ", ".join(rule.value for rule in CaptionRule)
        raise ModelFileError(f"the model's caption rule is {data!r}: this gcdesk knows {known}.") from None


def _provenance(data: object) -> Provenance:
    names = {item.name for item in fields(Provenance)}
    if not isinstance(data, dict) or set(data) != names:
        raise ModelFileError("model.json's provenance has missing or unknown fields.")
    if not isinstance(data["versions"], dict) or not isinstance(data["details"], dict):
        raise ModelFileError("model.json's provenance must have objects as versions and details.")
    return Provenance(**data)


def finite_json(value: str) -> float:
    """For `json.loads(parse_constant=...)`: NaN and Infinity are not JSON, and no figure of a model is."""
    raise ModelFileError(f"model.json holds {value}, which is no number.")

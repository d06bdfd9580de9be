"""Which network a checkpoint holds: backbone, sizes and head. Says nothing about weights and needs no torch.

Every architecture has an `id`, which is the name of its `template` graph in `resources/graphs` too. Two
architectures with the same id have the same tensors, by name and by shape.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

from gcdesk.engine.errors import ModelFileError

Backbone = Literal["efficientnet_b2", "mobilenet_v2", "mobilenet_v3_large", "resnet18"]
ImageHead = Literal["linear", "mlp"]
TextHead = Literal["linear", "pre_classifier", "net"]
Pooling = Literal["cls", "mean"]

# Width of the pooled features that each backbone hands to its head (torchvision).
FEATURES: dict[str, int] = {
    "efficientnet_b2": 1408,
    "mobilenet_v2": 1280,
    "mobilenet_v3_large": 960,
    "resnet18": 512,
}
# Hidden widths of the course's three-layer heads, which only these backbones have.
MLP_WIDTHS: dict[str, tuple[int, int]] = {
    "efficientnet_b2": (512, 128),
    "mobilenet_v3_large": (512, 256),
}
# distilbert-base: hidden width of the "net" head, and the sizes an id leaves out.
NET_WIDTH = 512
_USUAL_HEADS = 12
_USUAL_VOCABULARY = 30_522
_USUAL_POSITIONS = 512
# What a model file may ask for: larger sizes are a damaged or hostile file, never a DistilBERT.
_LIMITS = {
    "dim": 4096,
    "n_layers": 48,
    "n_heads": 64,
    "hidden_dim": 16_384,
    "vocab_size": 500_000,
    "max_positions": 8192,
}


@dataclass(frozen=True)
class ImageArchitecture:
    """A torchvision backbone and a head over its average-pooled features."""

    backbone: Backbone
    head: ImageHead

    def __post_init__(self) -> None:
        _one_of("backbone", self.backbone, get_args(Backbone))
        _one_of("head", self.head, get_args(ImageHead))
        if self.head == "mlp" and self.backbone not in MLP_WIDTHS:
            raise ModelFileError(f"{self.backbone} has no mlp head: only {', '.join(MLP_WIDTHS)} have one.")

    @property
    def id(self) -> str:
        """A short name that tells one architecture from another."""
        return f"{self.backbone}-{self.head}"

    @property
    def template(self) -> str:
        """File name of the graph template."""
        return f"{self.id}.onnx"

    @property
    def features(self) -> int:
        """Width of the pooled features."""
        return FEATURES[self.backbone]

    def to_json(self) -> dict[str, Any]:
        """As it stands in `model.json`."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: object) -> ImageArchitecture:
        """Raises ModelFileError when `data` is not what `to_json` gives."""
        return cls(**_exact_fields(cls, data))


@dataclass(frozen=True)
class TextArchitecture:
    """A DistilBERT encoder, how its tokens are pooled, and a head. Defaults: distilbert-base's sizes."""

    dim: int = 768
    n_layers: int = 6
    n_heads: int = _USUAL_HEADS
    hidden_dim: int = 3072
    vocab_size: int = _USUAL_VOCABULARY
    max_positions: int = _USUAL_POSITIONS
    head: TextHead = "linear"
    pooling: Pooling = "cls"

    def __post_init__(self) -> None:
        _one_of("head", self.head, get_args(TextHead))
        _one_of("pooling", self.pooling, get_args(Pooling))
        for name, limit in _LIMITS.items():
            value = getattr(self, name)
            if type(value) is not int or not 0 < value <= limit:
                raise ModelFileError(
                    f"the architecture's {name} is {value!r}: it must be a whole number from 1 to {limit}."
                )
        if self.dim % self.n_heads:
            raise ModelFileError(
                f"the architecture's dim {self.dim} is no multiple of its {self.n_heads} heads."
            )

    @property
    def id(self) -> str:
        """A short name that tells one architecture from another."""
        parts = [f"distilbert-{self.n_layers}x{self.dim}-{self.head}-{self.pooling}"]
        if self.n_heads != _USUAL_HEADS:
            parts.append(f"h{self.n_heads}")
        if self.hidden_dim != 4 * self.dim:
            parts.append(f"f{self.hidden_dim}")
        if self.vocab_size != _USUAL_VOCABULARY:
            parts.append(f"v{self.vocab_size}")
        if self.max_positions != _USUAL_POSITIONS:
            parts.append(f"p{self.max_positions}")
        return "-".join(parts)

    @property
    def template(self) -> str:
        """File name of the graph template."""
        return f"{self.id}.onnx"

    @property
    def features(self) -> int:
        """Width of the pooled features."""
        return self.dim

    def to_json(self) -> dict[str, Any]:
        """As it stands in `model.json`."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: object) -> TextArchitecture:
        """Raises ModelFileError when `data` is not what `to_json` gives."""
        return cls(**_exact_fields(cls, data))


Architecture = ImageArchitecture | TextArchitecture


def _one_of(field: str, value: object, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ModelFileError(
            f"the architecture's {field} is {value!r}: it must be one of {', '.join(allowed)}."
        )


def _exact_fields(cls: type[Any], data: object) -> dict[str, Any]:
    names = {field.name for field in fields(cls)}
    if not isinstance(data, Mapping):
        raise ModelFileError("the architecture in model.json is not an object.")
    if set(data) != names:
        odd = ", ".join(sorted(names.symmetric_difference(map(str, data))))
        raise ModelFileError(f"the architecture in model.json has missing or unknown fields: {odd}.")
    return dict(data)


# all-MiniLM-L6-v2 folded into a DistilBERT (see gcdesk.engine.course.bert_to_distilbert).
MINILM = TextArchitecture(dim=384, hidden_dim=1536, head="linear", pooling="mean")

"""Which course layout a state dict has, by its keys and shapes, and which native tensor each key becomes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn

from gcdesk.config.resources import resource_path
from gcdesk.engine.course.state_dict import shown_keys
from gcdesk.engine.errors import LegacyError, ModelFileError
from gcdesk.engine.labels import BINS
from gcdesk.engine.modelfile.specs import (
    FEATURES,
    MLP_WIDTHS,
    NET_WIDTH,
    Architecture,
    Backbone,
    ImageArchitecture,
    ImageHead,
    Pooling,
    TextArchitecture,
    TextHead,
)
from gcdesk.engine.modelfile.weights import COUNTER

Shapes = Mapping[str, tuple[int, ...]]

# The vocabulary that ships with the app, as a .pth carries none: distilbert-base-uncased's.
VOCABULARY = 30_522
# Every published DistilBERT has 12 heads; their number leaves no trace in the shapes.
_HEADS = 12
_EMBEDDINGS = "embeddings.word_embeddings.weight"
_LAYER = re.compile(r"transformer\.layer\.(\d{1,2})\.")
# resnet18's children in the order that Sequential(*children()) numbers them; 2, 3 and 8 have no tensors.
_RESNET_CHILDREN = {"0": "conv1", "1": "bn1", "4": "layer1", "5": "layer2", "6": "layer3", "7": "layer4"}
_IMAGENET_CLASSES = 1000
_BACKBONE_TITLES: dict[Backbone, str] = {
    "efficientnet_b2": "EfficientNet-B2",
    "mobilenet_v2": "MobileNetV2",
    "mobilenet_v3_large": "MobileNetV3-large",
    "resnet18": "ResNet-18",
}


@dataclass(frozen=True)
class Match:
    """A recognised layout.

    `sources` gives for each native tensor its key in the file. `last` is the native name of the last Linear,
    whose rows are the bins. `folded` is the key of a Linear that comes right before it, with nothing between,
    and is multiplied into it. `title` is a noun phrase for the user.
    """

    layout: str
    architecture: Architecture
    sources: Mapping[str, str]
    last: str
    title: str
    folded: str | None = None
    asks_pooling: bool = False


@dataclass(frozen=True)
class TextLayout:
    """Where a project keeps its encoder and its head (`heads`: native name to key), and how it pools."""

    name: str
    encoder: str
    heads: Mapping[str, str]
    head: TextHead
    pooling: Pooling
    title: str
    asks_pooling: bool = False
    ignored: str | None = None


TEXT_LAYOUTS = (
    TextLayout(
        "distilbert+out", "distilbert.", {"classifier": "out"}, "linear", "cls", "as in the course tutorial"
    ),
    TextLayout(
        "distilbert+classifier",
        "distilbert.",
        {"classifier": "classifier"},
        "linear",
        "cls",
        "as in the original project",
    ),
    TextLayout(
        "distilbert+pre_classifier+classifier",
        "distilbert.",
        {"pre_classifier": "pre_classifier", "classifier": "classifier"},
        "pre_classifier",
        "cls",
        "as transformers' DistilBertForSequenceClassification",
    ),
    TextLayout(
        "encoder+fc",
        "encoder.",
        {"classifier": "fc"},
        "linear",
        "cls",
        "with its encoder and fc",
        asks_pooling=True,
    ),
    TextLayout("model+out", "model.", {"classifier": "out"}, "linear", "cls", "with its model and out"),
    TextLayout(
        "txt_enc+head.net",
        "txt_enc.bert.",
        {"head.net.0": "head.net.0", "head.net.3": "head.net.3"},
        "net",
        "mean",
        "with a two-layer head",
        asks_pooling=True,
        ignored="img_enc.",
    ),
)


def match_layout(shapes: Shapes) -> Match:
    """Recognise a state dict. Raises LegacyError: joint network, wrong labels, incomplete, or unknown."""
    encoders = [key.removesuffix(_EMBEDDINGS) for key in shapes if key.endswith(_EMBEDDINGS)]
    if encoders:
        return _match_text(shapes, encoders)
    if "features.0.0.weight" in shapes:
        return _match_features(shapes)
    if any(key.startswith("feature_extractor.") for key in shapes):
        return _match_feature_extractor(shapes)
    if "fc.weight" in shapes and _looks_like(shapes, ImageArchitecture("resnet18", "linear")):
        _check_labels(shapes, "fc")
        sources = {key: key for key in shapes if not key.endswith(COUNTER)}
        return _image_match("resnet18-fc", "resnet18", "linear", shapes, sources, "fc")
    _unknown(shapes)


def expected_shapes(arch: Architecture) -> dict[str, tuple[int, ...]]:
    """Native names and shapes of an architecture, batch counters left out. Needs no torch."""
    if isinstance(arch, TextArchitecture):
        return _text_shapes(arch)
    # Each template has a list of its tensors beside it.
    sidecar = resource_path("graphs", arch.template).with_suffix(".json")
    try:
        tensors = json.loads(sidecar.read_text(encoding="utf-8"))["tensors"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LegacyError(f"{sidecar.name} is missing or damaged: install gcdesk again.") from error
    return {name: tuple(shape) for name, shape in tensors.items()}


def _text_shapes(arch: TextArchitecture) -> dict[str, tuple[int, ...]]:
    dim, hidden = arch.dim, arch.hidden_dim
    matrices = {
        "distilbert.embeddings.word_embeddings": (arch.vocab_size, dim),
        "distilbert.embeddings.position_embeddings": (arch.max_positions, dim),
    }
    linears: dict[str, tuple[int, ...]] = {"distilbert.embeddings.LayerNorm": (dim,)}
    for number in range(arch.n_layers):
        layer = f"distilbert.transformer.layer.{number}."
        linears |= {f"{layer}attention.{name}_lin": (dim, dim) for name in ("q", "k", "v", "out")}
        linears |= {f"{layer}sa_layer_norm": (dim,), f"{layer}output_layer_norm": (dim,)}
        linears |= {f"{layer}ffn.lin1": (hidden, dim), f"{layer}ffn.lin2": (dim, hidden)}
    if arch.head == "net":
        linears |= {"head.net.0": (NET_WIDTH, dim), "head.net.3": (len(BINS), NET_WIDTH)}
    else:
        linears["classifier"] = (len(BINS), dim)
    if arch.head == "pre_classifier":
        linears["pre_classifier"] = (dim, dim)
    shapes: dict[str, tuple[int, ...]] = {f"{name}.weight": shape for name, shape in matrices.items()}
    for name, shape in linears.items():
        shapes[f"{name}.weight"] = shape
        shapes[f"{name}.bias"] = shape[:1]
    return shapes


def _match_text(shapes: Shapes, encoders: list[str]) -> Match:
    layout = next((one for one in TEXT_LAYOUTS if _has_layout(shapes, one)), None)
    if layout is None or len(encoders) > 1:
        outside = [key for key in shapes if not key.startswith(encoders[0])]
        # Convolutions beside a text encoder: the other half is an image network.
        if any(len(shapes[key]) == 4 for key in outside):
            _refuse_joint()
        if len(encoders) == 1:
            _unknown(dict.fromkeys([*outside, *shapes]))
        _unknown(shapes)
    width = shapes[layout.encoder + _EMBEDDINGS][-1:]
    *_, last = layout.heads
    _check_labels(shapes, layout.heads[last])
    head_shape = shapes[next(iter(layout.heads.values())) + ".weight"]
    if layout.ignored and head_shape[1:] != width and any(key.startswith(layout.ignored) for key in shapes):
        _refuse_joint()
    arch = _text_architecture(shapes, layout)
    sources = {
        f"distilbert.{key.removeprefix(layout.encoder)}": key
        for key in shapes
        # Older transformers saved the numbers 0 to 511 as a tensor.
        if key.startswith(layout.encoder) and not key.endswith("embeddings.position_ids")
    }
    for native, key in layout.heads.items():
        sources |= {f"{native}.{part}": f"{key}.{part}" for part in ("weight", "bias")}
    _check_shapes(shapes, sources, arch)
    title = f"a DistilBERT of {arch.n_layers} layers, {arch.dim} wide, {layout.title}"
    return Match(layout.name, arch, sources, last, title, asks_pooling=layout.asks_pooling)


def _has_layout(shapes: Shapes, layout: TextLayout) -> bool:
    if layout.encoder + _EMBEDDINGS not in shapes:
        return False
    wanted = {f"{key}.{part}" for key in layout.heads.values() for part in ("weight", "bias")}
    rest = {key for key in shapes if not key.startswith(layout.encoder)}
    if layout.ignored:
        rest = {key for key in rest if not key.startswith(layout.ignored)}
    return rest == wanted


def _text_architecture(shapes: Shapes, layout: TextLayout) -> TextArchitecture:
    """The sizes, read from the shapes. Raises LegacyError when they are not a DistilBERT's we can run."""
    start = layout.encoder
    words = shapes[start + _EMBEDDINGS]
    places = shapes.get(f"{start}embeddings.position_embeddings.weight", ())
    hidden = shapes.get(f"{start}transformer.layer.0.ffn.lin1.weight", ())
    layers = {m[1] for key in shapes if (m := _LAYER.match(key.removeprefix(start)))}
    if not (len(words) == len(places) == len(hidden) == 2):
        raise LegacyError(f"its encoder is no DistilBERT. The first keys: {shown_keys(shapes)}.")
    if words[0] != VOCABULARY:
        raise LegacyError(
            f"its vocabulary has {words[0]:,} pieces and not the {VOCABULARY:,} of distilbert-base-uncased:"
            " a .pth carries no vocabulary, so it cannot be used."
        )
    if words[1] % _HEADS:
        raise LegacyError(
            f"its encoder is {words[1]} wide, no multiple of the {_HEADS} attention heads that every"
            " published DistilBERT has; the file cannot tell how many there are."
        )
    try:
        return TextArchitecture(
            dim=words[1],
            n_layers=len(layers),
            n_heads=_HEADS,
            hidden_dim=hidden[0],
            vocab_size=words[0],
            max_positions=places[0],
            head=layout.head,
            pooling=layout.pooling,
        )
    except ModelFileError as error:
        raise LegacyError(f"its encoder cannot be used: {error}") from error


def _match_features(shapes: Shapes) -> Match:
    """torchvision's EfficientNet and MobileNet: `features`, then a head of one or three Linear layers."""
    parts = {key.split(".")[1] for key in shapes if key.startswith("classifier.")}
    sources = {key: key for key in shapes if not key.endswith(COUNTER)}
    head: ImageHead
    if parts == {"1"}:
        head, first, last = "linear", "classifier.1", "classifier.1"
    elif parts == {"0", "1", "4", "5", "8"}:
        head, first, last = "mlp", "classifier.0", "classifier.8"
    else:
        _unknown(_head_first(shapes))
    _check_labels(shapes, last)
    width = shapes.get(f"{first}.weight", ())[1:]
    for backbone in _BACKBONE_TITLES:
        fits = width == (FEATURES[backbone],) and (head == "linear" or backbone in MLP_WIDTHS)
        if fits and _looks_like(shapes, ImageArchitecture(backbone, head)):
            return _image_match(f"{backbone}-{head}", backbone, head, shapes, sources, last)
    _unknown(_head_first(shapes))


def _match_feature_extractor(shapes: Shapes) -> Match:
    """A resnet18 under `feature_extractor`, whole or as a Sequential of its children, and a `classifier`."""
    start = "feature_extractor."
    rest = {key for key in shapes if not key.startswith(start)}
    if rest != {"classifier.weight", "classifier.bias"}:
        _unknown(_head_first(shapes))
    _check_labels(shapes, "classifier")
    sources = {"fc.weight": "classifier.weight", "fc.bias": "classifier.bias"}
    folded = None
    for key in shapes:
        name = key.removeprefix(start)
        if key in rest or name.endswith(COUNTER):
            continue
        child, _, tail = name.partition(".")
        if child == "fc":
            folded = f"{start}fc"
        elif sources.setdefault(f"{_RESNET_CHILDREN.get(child, child)}.{tail}", key) != key:
            _unknown(_head_first(shapes))
    width = _IMAGENET_CLASSES if folded else FEATURES["resnet18"]
    if shapes["classifier.weight"][1:] != (width,):
        _unknown(_head_first(shapes))
    layout = f"resnet18-feature_extractor-{width}"
    return _image_match(layout, "resnet18", "linear", shapes, sources, "fc", folded)


def _image_match(
    layout: str,
    backbone: Backbone,
    head: ImageHead,
    shapes: Shapes,
    sources: Mapping[str, str],
    last: str,
    folded: str | None = None,
) -> Match:
    arch = ImageArchitecture(backbone, head)
    if folded:
        features, classes = FEATURES["resnet18"], _IMAGENET_CLASSES
        if (shapes.get(f"{folded}.weight"), shapes.get(f"{folded}.bias")) != (
            (classes, features),
            (classes,),
        ):
            _unknown(_head_first(shapes))
        shapes = {**shapes, sources["fc.weight"]: (len(BINS), features)}
    _check_shapes(shapes, sources, arch)
    title = f"{_BACKBONE_TITLES[backbone]} with a {'three-layer' if head == 'mlp' else 'single-layer'} head"
    if folded:
        title += (
            f"; its ImageNet layer of {_IMAGENET_CLASSES} outputs and the layer after it are multiplied into"
            " one, which changes no result"
        )
    return Match(layout, arch, sources, last, title, folded)


def _looks_like(shapes: Shapes, arch: Architecture) -> bool:
    """Whether most tensors are those of an architecture; `_check_shapes` says what the others are."""
    expected = expected_shapes(arch)
    hits = sum(shapes.get(name) == shape for name, shape in expected.items())
    return 2 * hits > max(len(expected), sum(not name.endswith(COUNTER) for name in shapes))


def _check_labels(shapes: Shapes, last: str) -> None:
    """`last` is the key of the Linear whose rows are the labels."""
    shape = shapes.get(f"{last}.weight", ())
    if len(shape) == 2 and shape[0] != len(BINS):
        raise LegacyError(
            f"it tells {shape[0]} labels apart, and there are {len(BINS)} bins ({', '.join(BINS)}): it was"
            " trained for something else."
        )


def _check_shapes(shapes: Shapes, sources: Mapping[str, str], arch: Architecture) -> None:
    """Raise LegacyError unless `sources` gives every tensor of the architecture, and no other."""
    expected = expected_shapes(arch)
    missing = [name for name in expected if name not in sources]
    if missing:
        raise LegacyError(f"it is an incomplete {arch.id}: it lacks {shown_keys(missing)}.")
    unknown = [key for name, key in sources.items() if name not in expected]
    if unknown:
        raise LegacyError(f"it is no plain {arch.id}: it has the tensors {shown_keys(unknown)} besides.")
    for name, shape in expected.items():
        if shapes[sources[name]] != shape:
            raise LegacyError(
                f"it is no plain {arch.id}: {sources[name]} has the shape {shapes[sources[name]]}"
                f" instead of {shape}."
            )


def _head_first(shapes: Shapes) -> list[str]:
    """The keys with the head's before the backbone's: they are what tells one project from another."""
    return sorted(shapes, key=lambda key: key.startswith(("features.", "feature_extractor.")))


def _refuse_joint() -> NoReturn:
    raise LegacyError(
        "it is one network that reads photo and caption together: it cannot be separated into an image and a"
        " text model. Import models that were trained each on its own."
    )


def _unknown(keys: Mapping[str, object] | list[str]) -> NoReturn:
    raise LegacyError(
        "its layout is none of those that gcdesk knows (docs/import.md lists them). The first keys:"
        f" {shown_keys(keys)}."
    )

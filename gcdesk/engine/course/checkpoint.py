"""Course checkpoints: say what a `.pth` holds, and make a gcdesk model of it. No torch; nothing is run."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from gcdesk.engine.captions.rules import CaptionRule
from gcdesk.engine.course.export import course_preprocessing
from gcdesk.engine.course.layouts import Match, match_layout
from gcdesk.engine.course.pth_file import PthFile, open_pth
from gcdesk.engine.course.state_dict import StateDict, bins_meant, check_class_order, find_state_dict
from gcdesk.engine.errors import LegacyError
from gcdesk.engine.labels import BINS
from gcdesk.engine.modelfile.checkpoint import save_model
from gcdesk.engine.modelfile.info import ModelInfo, Provenance
from gcdesk.engine.modelfile.specs import Architecture, ImageArchitecture, Pooling, TextArchitecture

# [CLS] and [SEP] counted, as the original project tokenized its captions.
COURSE_MAX_TOKENS = 24
_POOLING_WORDS: dict[Pooling, str] = {"cls": "the [CLS] token", "mean": "the mean of all tokens"}


@dataclass(frozen=True)
class Recognition:
    """What a `.pth` holds. `str()` gives the sentence.

    `layout` is its name in docs/import.md; `architecture` has the pooling that is taken unless the user says
    otherwise, and `pooling_question` is the question to ask, None where the layout settles it. `wrapper`
    are the keys and prefixes that were around the weights. `class_order` is what the file tells in our words, None
    where it does not, and then `asks_class_order` is True; `class_names` are its own words for its classes, if it
    has any, and `suggested` the bins that those suggest. `labels` is the number of outputs, `sha256` that of the
    file.
    """

    path: Path
    kind: Literal["image", "text"]
    layout: str
    architecture: Architecture
    wrapper: tuple[str, ...]
    pooling_question: str | None
    asks_class_order: bool
    class_order: tuple[str, ...] | None
    labels: int
    sha256: str
    sentence: str
    class_names: tuple[str, ...] | None = None

    @property
    def suggested(self) -> tuple[str, ...] | None:
        return bins_meant(self.class_names) if self.class_names else None

    def __str__(self) -> str:
        return self.sentence


def recognise(path: Path) -> Recognition:
    """Say what a course checkpoint holds; the weights themselves are not read. Raises LegacyError."""
    with open_pth(path) as file:
        return _examine(file)[2]


def import_legacy(
    path: Path,
    destination: Path,
    name: str,
    *,
    class_order: Sequence[str] | None = None,
    pooling: str | None = None,
    max_tokens: int | None = None,
    image_size: int | None = None,
) -> Path:
    """Make the model folder `destination` (`<...>.gcmodel`) of a course checkpoint, and return it.

    class_order: the bins in the order of the outputs; default, what the file tells, else, where it names no
    classes at all, Black, Blue, Green, TTR. pooling: "cls" or "mean", for the layouts that ask; default, what
    `recognise` says. max_tokens: of a text model, default 24. image_size: the side of the square that photos are
    squashed to; default, the course's 288 for EfficientNet-B2 and 224 for the others. Captions follow the
    course's original rule.

    Raises LegacyError for a file that is refused and for options that do not fit it, ModelFileError for a
    bad name, max_tokens or image_size. A failed import leaves nothing behind.
    """
    destination = Path(destination)
    if destination.exists():
        raise LegacyError(f"{destination} exists and is left alone: choose another name.")
    given = None if class_order is None else check_class_order(class_order)
    with open_pth(path) as file:
        state, match, recognition = _examine(file)
        architecture = _with_pooling(recognition, pooling)
        if recognition.kind == "image" and max_tokens is not None:
            raise LegacyError("it is an image model: a limit of tokens is for text models.")
        if recognition.kind == "text" and image_size is not None:
            raise LegacyError("it is a text model: a size of photos is for image models.")
        if given is None and recognition.class_order is None and recognition.class_names:
            raise LegacyError(_order_question(recognition))
        order = given or recognition.class_order or BINS
        source = "given" if given else "file" if recognition.class_order else "assumed"
        weights = _weights(file, state, match, order)
    info = replace(
        _information(name, architecture, max_tokens, image_size),
        provenance=Provenance(
            source=f"Imported from the course checkpoint {Path(path).name}: {match.title}.",
            date=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            details={
                "original_file": Path(path).name,
                "original_sha256": recognition.sha256,
                "layout": recognition.layout,
                "wrapper": list(recognition.wrapper),
                "class_order": list(order),
                "class_order_source": source,
            },
        ),
    )
    return save_model(destination, info, weights)


def _examine(file: PthFile) -> tuple[StateDict, Match, Recognition]:
    state = find_state_dict(file.content)
    try:
        match = match_layout(state.shapes)
    except LegacyError as error:
        if state.class_names and state.class_order is None:
            raise LegacyError(f"{error} It names its classes: {_shown(state.class_names)}.") from error
        raise
    is_image = isinstance(match.architecture, ImageArchitecture)
    recognition = Recognition(
        path=file.path,
        kind="image" if is_image else "text",
        layout=match.layout,
        architecture=match.architecture,
        wrapper=state.wrapper,
        pooling_question=_pooling_question(match),
        asks_class_order=state.class_order is None,
        class_order=state.class_order,
        labels=len(BINS),
        sha256=file.sha256,
        sentence=_sentence(file.path.name, state, match),
        class_names=state.class_names,
    )
    return state, match, recognition


def _sentence(file_name: str, state: StateDict, match: Match) -> str:
    is_image = isinstance(match.architecture, ImageArchitecture)
    parts = [f"{file_name} is {'an image' if is_image else 'a text'} model: {match.title}."]
    if any("lightning" in word for word in state.wrapper):
        parts.append("It is a Lightning checkpoint; its weights alone are taken.")
    if state.wrapper:
        parts.append(
            f"Taken off around the weights: {', '.join(ascii(word)[1:-1] for word in state.wrapper)}."
        )
    if state.class_order:
        parts.append(f"It tells the order of its classes: {', '.join(state.class_order)}.")
    elif state.class_names:
        parts.append(f"It names its classes: {_shown(state.class_names)}, which are not the four bins.")
    question = _pooling_question(match)
    if question:
        parts.append(question)
    return " ".join(parts)


def _shown(names: Sequence[str]) -> str:
    return ", ".join(ascii(name)[1:-1] if not name.isprintable() else name for name in names)


def _order_question(recognition: Recognition) -> str:
    """What to say where a file's own names of its classes are not our bins."""
    names = recognition.class_names or ()
    meant = recognition.suggested
    example = ",".join(meant or BINS)
    guess = (
        f"They suggest {', '.join(meant)}" if meant else f"Each of {', '.join(BINS)} is needed once, such as"
    )
    return (
        f"it names its classes: {_shown(names)}. Say which bin each of them is, in this order. {guess}: --class-order"
        f" {example}."
    )


def _pooling_question(match: Match) -> str | None:
    if not match.asks_pooling or not isinstance(match.architecture, TextArchitecture):
        return None
    usual = match.architecture.pooling
    other: Pooling = "mean" if usual == "cls" else "cls"
    return (
        f"Does its head read {_POOLING_WORDS[usual]} ({usual}) or {_POOLING_WORDS[other]} ({other})? The file"
        f" cannot tell; {usual} is taken unless you say otherwise."
    )


def _with_pooling(recognition: Recognition, pooling: str | None) -> Architecture:
    """The architecture with the pooling that the user gave. Raises LegacyError where it does not fit."""
    architecture = recognition.architecture
    if pooling is None:
        return architecture
    chosen = next((known for known in _POOLING_WORDS if known == pooling), None)
    if chosen is None:
        raise LegacyError(f"{pooling!r} is no pooling: use cls or mean.")
    if not isinstance(architecture, TextArchitecture):
        raise LegacyError("it is an image model: pooling is for text models.")
    if recognition.pooling_question is None and chosen != architecture.pooling:
        raise LegacyError(
            f"models of the layout {recognition.layout} always read {_POOLING_WORDS[architecture.pooling]}"
            f" ({architecture.pooling}): leave the pooling out."
        )
    return replace(architecture, pooling=chosen)


def _information(
    name: str, architecture: Architecture, max_tokens: int | None, image_size: int | None
) -> ModelInfo:
    if isinstance(architecture, ImageArchitecture):
        preprocessing = course_preprocessing(architecture)
        if image_size is not None:
            preprocessing = replace(preprocessing, size=image_size, resize_to=image_size)
        return ModelInfo(name, "image", architecture, preprocessing=preprocessing)
    limit = COURSE_MAX_TOKENS if max_tokens is None else max_tokens
    return ModelInfo(name, "text", architecture, caption_rule=CaptionRule.COURSE_ORIGINAL, max_tokens=limit)


def _weights(file: PthFile, state: StateDict, match: Match, order: Sequence[str]) -> dict[str, np.ndarray]:
    """The native tensors, the last layer's rows in the order of BINS. Raises LegacyError."""
    weights = {native: _tensor(file, state, key) for native, key in match.sources.items()}
    if match.folded:
        # Linear after Linear: W2 (W1 x + b1) + b2 = (W2 W1) x + (W2 b1 + b2); in fp64, nothing is lost.
        first = {part: _tensor(file, state, f"{match.folded}.{part}") for part in ("weight", "bias")}
        first = {part: array.astype(np.float64) for part, array in first.items()}
        second = weights[f"{match.last}.weight"].astype(np.float64)
        bias = second @ first["bias"] + weights[f"{match.last}.bias"]
        weights[f"{match.last}.weight"] = (second @ first["weight"]).astype(np.float32)
        weights[f"{match.last}.bias"] = bias.astype(np.float32)
    _check_finite(weights, match.sources)
    rows = [list(order).index(bin_name) for bin_name in BINS]
    for part in ("weight", "bias"):
        weights[f"{match.last}.{part}"] = weights[f"{match.last}.{part}"][rows]
    return weights


def _tensor(file: PthFile, state: StateDict, key: str) -> np.ndarray:
    array = file.array(state.tensors[key])
    if array.dtype.kind != "f":
        raise LegacyError(f"the tensor {key} has the type {array.dtype}: weights are floating-point numbers.")
    with np.errstate(over="ignore"):  # an fp64 number beyond fp32 becomes infinite and is refused as that
        return array.astype(np.float32, copy=False)


def _check_finite(weights: Mapping[str, np.ndarray], sources: Mapping[str, str]) -> None:
    for native, array in weights.items():
        if not np.isfinite(array).all():
            raise LegacyError(
                f"its weights are not finite: {sources[native]} holds NaN or infinity. The training went"
                " wrong; take a checkpoint of an earlier epoch."
            )

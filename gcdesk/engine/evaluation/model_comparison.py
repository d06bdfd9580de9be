"""Two models of a kind on the same items: who is right more often, and is that more than chance?"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gcdesk.config.resources import resource_path
from gcdesk.engine.captions.rules import CaptionRule, apply_rule, caption_from_path
from gcdesk.engine.errors import EvaluationError
from gcdesk.engine.evaluation.labelled_set import LabelledItem, LabelledSet
from gcdesk.engine.evaluation.metrics import Accuracy, Report, report
from gcdesk.engine.evaluation.significance import mcnemar
from gcdesk.engine.labels import BINS, bin_index
from gcdesk.engine.modelfile.info import ModelInfo
from gcdesk.engine.modelfile.training_captions import caption_hash, load_training_captions
from gcdesk.engine.tables.reader import read_table
from gcdesk.engine.tables.writer import replaced_file

_SHOWN = 200  # items that the models answer differently
_FEWEST_UNSEEN = 40  # with fewer items a difference hardly shows
Tell = Callable[[int, int], None]


@dataclass(frozen=True)
class Side:
    """One model's figures: items answered and right, the share of right ones with its 95 % interval, and recall by
    bin (None for a bin that does not occur).
    """

    name: str
    items: int
    correct: int
    accuracy: float
    low: float
    high: float
    recall: tuple[float | None, ...]


@dataclass(frozen=True)
class Difference:
    """An item that only one of the models got right: its caption or file, its bin, both answers ("" none)."""

    item: str
    label: str
    first: str
    second: str


@dataclass(frozen=True)
class Comparison:
    """`first` is usually the model in use and `second` the new one. p: see `significance.mcnemar`.

    only_first, only_second: items that only that model got right. remark: what the models had
    learned of the items.
    """

    kind: Literal["image", "text"]
    data: str
    items: int
    first: Side
    second: Side
    only_first: int
    only_second: int
    p: float
    differences: tuple[Difference, ...]
    remark: str = ""

    @property
    def significant(self) -> bool:
        """Whether the difference is more than chance at the usual 5 %."""
        return self.p < 0.05

    @property
    def gain(self) -> float:
        """How much more often the second model is right, as a share."""
        return self.second.accuracy - self.first.accuracy

    @property
    def verdict(self) -> str:
        """What follows, in a sentence or two."""
        new, old = self.second.name, self.first.name
        figures = f"{self.second.accuracy:.1%} instead of {self.first.accuracy:.1%} right"
        if self.only_first == self.only_second == 0:
            return (
                f"{new} and {old} are right on the same items: there is nothing to choose between them here."
            )
        if self.significant and self.gain > 0:
            return f"{new} is better: {figures}. Chance alone would hardly make that difference."
        if self.significant:
            return f"{new} is worse: {figures}. Keep {old}."
        if self.gain < 0:
            return (
                f"{new} is not better: {figures}. The difference may be chance; there is no reason to change."
            )
        return f"{new} is not clearly better: {figures}. The difference may be chance."

    def to_json(self) -> dict[str, Any]:
        """What `load_comparison` reads."""
        return {"v": 1, **asdict(self)}


def compare_models(
    first: Path, second: Path, labelled: LabelledSet, data: str, tell: Tell = lambda done, total: None
) -> Comparison:
    """Run both model folders, of one kind, over the items that neither learned. `data` says in words what they are.

    Items that a model cannot answer (no caption, a photo that cannot be read) count as not right for it, so that both
    are measured on the same ones. Raises ModelFileError, EvaluationError.
    """
    from gcdesk.engine.modelfile.checkpoint import load_info

    kinds = load_info(first).kind, load_info(second).kind
    if kinds[0] != kinds[1]:
        raise EvaluationError("An image model cannot be compared with a text model.")
    kind = kinds[0]
    if kind == "image" and not labelled.has_photos:
        raise EvaluationError("Image models are compared on photos: choose a folder with a subfolder a bin.")
    labelled, remark = _fair(first, second, labelled)
    labels = np.array([item.label for item in labelled.items])
    total = 2 * len(labels)

    def telling(begun: int) -> Callable[[int], None]:
        return lambda done: tell(begun + done, total)

    answers = [
        _answers(kind, folder, labelled, telling(index * len(labels)))
        for index, folder in enumerate((first, second))
    ]
    right = [answer == labels for answer in answers]
    test = mcnemar(right[0], right[1])
    names = [load_info(folder).name for folder in (first, second)]
    return Comparison(
        kind,
        data,
        len(labels),
        _side(names[0], labels, answers[0]),
        _side(names[1], labels, answers[1]),
        test.only_a,
        test.only_b,
        test.p,
        _differences(labelled, labels, answers, right),
        remark,
    )


def sample_set() -> LabelledSet:
    """The bundled sample photos with their bins."""
    table = read_table(resource_path("samples", "bins.csv"), EvaluationError)
    file, bin_ = table.column("file"), table.column("bin")
    if file is None or bin_ is None:
        raise EvaluationError("The table of the sample photos is damaged.")
    items = [
        LabelledItem(resource_path("samples", row.cells[file]), None, bin_index(row.cells[bin_]))
        for row in table.rows
    ]
    return LabelledSet(tuple(items))


def samples_right(folder: Path) -> tuple[int, int]:
    """How many of the bundled sample photos (or their captions) a model gets right, and how many there are."""
    from gcdesk.engine.modelfile.checkpoint import load_info

    samples = sample_set()
    answers = _answers(load_info(folder).kind, folder, samples, lambda done: None)
    return int((answers == [item.label for item in samples.items]).sum()), len(samples.items)


def _answers(
    kind: str, folder: Path, labelled: LabelledSet, tell: Callable[[int], None]
) -> NDArray[np.int64]:
    """The index (n,) of each item's answer, -1 where there is none."""
    from gcdesk.engine.classification.classifier import Classifier
    from gcdesk.engine.classification.results import Item
    from gcdesk.engine.inference.devices import open_backend

    image = open_backend("image", folder) if kind == "image" else None
    text = open_backend("text", folder) if kind == "text" else None
    results = []
    for result in Classifier(image, text).classify(
        Item(item.path, item.caption, item.error) for item in labelled.items
    ):
        vote = result.image if kind == "image" else result.text
        results.append(-1 if vote is None else int(np.argmax(vote.probabilities)))
        tell(len(results))
    return np.array(results, dtype=np.int64)


def _side(name: str, labels: NDArray[np.int64], answers: NDArray[np.int64]) -> Side:
    measured: Report = report(
        labels, np.where(answers < 0, (labels + 1) % len(BINS), answers), np.ones(len(labels))
    )
    accuracy: Accuracy = measured.accuracy
    recall = [
        None if not row.sum() else float(row[index] / row.sum())
        for index, row in enumerate(measured.confusion)
    ]
    return Side(
        name, accuracy.items, accuracy.correct, accuracy.value, accuracy.low, accuracy.high, tuple(recall)
    )


def _differences(
    labelled: LabelledSet,
    labels: NDArray[np.int64],
    answers: Sequence[NDArray[np.int64]],
    right: Sequence[NDArray[np.bool_]],
) -> tuple[Difference, ...]:
    results = []
    for index in np.flatnonzero(right[0] != right[1])[:_SHOWN].tolist():
        item = labelled.items[index]
        words = item.caption if item.path is None else item.path.name
        named = [BINS[int(answer[index])] if answer[index] >= 0 else "" for answer in answers]
        results.append(Difference(words or "", BINS[int(labels[index])], named[0], named[1]))
    return tuple(results)


def _fair(first: Path, second: Path, labelled: LabelledSet) -> tuple[LabelledSet, str]:
    """The items that neither text model learned, and a remark on that.

    A model looks better than it is on what it learned. Where too few others are left all are measured, and said so.
    """
    from gcdesk.engine.modelfile.checkpoint import load_info

    infos = [load_info(folder) for folder in (first, second)]
    if infos[0].kind == "image":
        return labelled, ""
    learned = np.zeros(len(labelled.items), bool)
    remarks = []
    for info, folder in zip(infos, (first, second), strict=True):
        marks = load_training_captions(folder, info)
        seen = np.array([caption_hash(_caption_of(item, info)) in marks for item in labelled.items])
        learned |= seen
        if seen.any():
            remarks.append(f"{info.name} learned {int(seen.sum()):,} of the {len(seen):,} captions")
        elif not marks:
            remarks.append(f"{info.name} does not say which captions it learned")
    rest = tuple(item for item, out in zip(labelled.items, learned, strict=True) if not out)
    remark = "; ".join(remarks)
    if learned.any() and len(rest) >= _FEWEST_UNSEEN:
        return replace(labelled, items=rest), f"{remark}: only the other {len(rest):,} are measured."
    if learned.any():
        return labelled, f"{remark}, which flatters: too few others are left to measure on those alone."
    return labelled, f"{remark}." if remark else ""


def _caption_of(item: LabelledItem, info: ModelInfo) -> str:
    """The caption in the form that the model reads."""
    rule = info.caption_rule or CaptionRule.COURSE_V1
    if item.caption is not None:
        return apply_rule(item.caption, rule)
    return caption_from_path(item.path, rule) if item.path is not None else ""


def save_comparison(comparison: Comparison, path: Path) -> None:
    """Write a comparison as JSON, in one step. Raises GcdeskError."""
    with replaced_file(path) as stream:
        stream.write(json.dumps(comparison.to_json(), indent=1, ensure_ascii=False))


def load_comparison(path: Path) -> Comparison:
    """Read what `save_comparison` wrote. Raises EvaluationError for anything else."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        content.pop("v")
        for name in ("first", "second"):
            side = content[name]
            content[name] = Side(**{**side, "recall": tuple(side["recall"])})
        content["differences"] = tuple(Difference(**item) for item in content["differences"])
        comparison = Comparison(**content)
        fine = math.isfinite(comparison.p)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EvaluationError(f"{path.name} holds no comparison: {error}") from error
    if not fine:
        raise EvaluationError(f"{path.name} holds no comparison.")
    return comparison

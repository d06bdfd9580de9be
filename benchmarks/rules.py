"""Selection rules on photos of the station paired with captions drawn within the bin.

    python benchmarks/text_crossval.py --ways ours --save text_oof.npz
    python benchmarks/rules.py --text text_oof.npz [--json]
    python benchmarks/rules.py --photos [--json]             the real pairs of data/photos

`fitted` is the selection of gcdesk fit, its figure cross-validated: five folds, none fitted on what it is measured on.
Where one of the models or max_confidence beats that, gcdesk fit takes it instead ("fitted or what beat it").

The image model has seen none of data/field (its second half not even for choosing); the captions are scored by
networks that did not learn them. A photo and its caption are drawn independently within the bin, so the two models
err independently here and every rule looks better than it will on true pairs: compare the rules with each other.
These figures are an upper bound.
Prints mean accuracies over --draws seeded draws, for weights of the log-linear rule too.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gcdesk.engine.classification.classifier import Classifier
from gcdesk.engine.classification.opening import open_models
from gcdesk.engine.classification.results import Item
from gcdesk.engine.evaluation.analysis import analyse
from gcdesk.engine.evaluation.labelled_set import read_labelled
from gcdesk.engine.evaluation.scored_set import ScoredItem, ScoredModel, ScoredSet
from gcdesk.engine.evaluation.scoring import measure, of_labelled
from gcdesk.engine.inference.devices import open_backend
from gcdesk.engine.labels import BINS
from gcdesk.engine.learning.rule_fitting import Pairs, out_of_fold, pairs_of
from gcdesk.engine.modelfile.checkpoint import load_info
from gcdesk.engine.selection.rules import Rule

ROOT = Path(__file__).resolve().parent.parent
MODELS = ROOT / "resources" / "models"
WEIGHTS = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9)

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Side:
    """One model's logits (n, 4), the true bins (n,), its temperature and its name."""

    logits: Floats
    labels: Ints
    temperature: float
    name: str


def photos_side(model: Path, folder: Path) -> Side:
    """The image model's answers for the photos of an ImageFolder, in order of path; all must be readable."""
    labelled = read_labelled(folder)
    backend = open_backend("image", model, "cpu", None)
    results = Classifier(backend, None, Rule.MAX_CONFIDENCE).classify(
        Item(i.path, "") for i in labelled.items
    )
    answers = [result.image.logits for result in results if result.image is not None]
    labels = np.array([item.label for item in labelled.items])
    if len(answers) != len(labels):
        raise SystemExit(f"{folder} holds photos that cannot be read.")
    return Side(np.array(answers), labels, backend.info.temperature, backend.info.name)


def captions_side(model: Path, file: Path) -> Side:
    """Captions as scored by networks that did not learn them (benchmarks/text_crossval.py --save)."""
    kept = np.load(file)
    info = load_info(model)
    return Side(kept["logits"], kept["labels"].astype(np.int64), info.temperature, info.name)


def second_half(labels: Ints) -> NDArray[np.bool_]:
    """The half (n,) on which nothing was chosen: every other photo of each bin, from its second one."""
    kept = np.zeros(len(labels), bool)
    for label in range(len(BINS)):
        kept[np.flatnonzero(labels == label)[1::2]] = True
    return kept


def drawn_pairs(photos: Side, captions: Side, seed: int) -> tuple[ScoredSet, Ints]:
    """Each photo with a caption of its bin, and which caption it is (n,)."""
    rng = np.random.default_rng(seed)
    rows = np.array([rng.choice(np.flatnonzero(captions.labels == label)) for label in photos.labels])
    there = np.ones(len(rows), bool)
    items = tuple(ScoredItem(str(row), str(row), label) for row, label in enumerate(photos.labels.tolist()))
    image, text = (ScoredModel(side.name, side.name, side.temperature) for side in (photos, captions))
    scored = ScoredSet(
        "drawn", "", 0.0, items, image, text, photos.logits, captions.logits[rows], there, there
    )
    return scored, rows.astype(np.int64)


def measured(photos: Side, captions: Side, draws: int) -> dict[str, float]:
    """Mean accuracy of each model, each rule, each weight of the log-linear rule, and of either model right."""
    sums: dict[str, list[float]] = {}
    for seed in range(draws):
        scored, rows = drawn_pairs(photos, captions, seed)
        found = analyse(scored)
        line = {one.key: one.report.accuracy.value for one in found.contenders}
        for weight in WEIGHTS:
            weighted = analyse(scored, weight=weight).contender(Rule.WEIGHTED.value)
            line[f"weighted {weight}"] = weighted.report.accuracy.value
        pairs = Pairs(scored.image_logits, scored.text_logits, scored.labels, rows)
        line["fitted, cross-validated"] = float((out_of_fold(pairs, seed) == pairs.labels).mean())
        plain = (line["image"], line["text"], line["max_confidence"])
        line["fitted or what beat it"] = max(line["fitted, cross-validated"], *plain)
        line["either one right"] = found.oracle.reachable if found.oracle is not None else float("nan")
        for name, value in line.items():
            sums.setdefault(name, []).append(value)
    return {name: float(np.mean(values)) for name, values in sums.items()}


def table(sets: Sequence[tuple[str, dict[str, float]]]) -> str:
    """One line a rule, one column a set."""
    names = list(sets[0][1])
    lines = [f"{'':26}" + "".join(f"{title:>16}" for title, _ in sets)]
    lines += [f"{name:26}" + "".join(f"{figures[name]:16.1%}" for _, figures in sets) for name in names]
    return "\n".join(lines)


def real_pairs(image: Path, text: Path, folder: Path) -> dict[str, float]:
    """The rules on photos whose file names are captions."""
    folders = {"image": image, "text": text}
    models = open_models(folders.get, "cpu")
    scored = measure(of_labelled(read_labelled(folder)), models, folder.name, folder.name)
    found = analyse(scored)
    line = {one.key: one.report.accuracy.value for one in found.contenders}
    pairs = pairs_of(scored)
    line["fitted, cross-validated"] = float((out_of_fold(pairs) == pairs.labels).mean())
    line["either one right"] = found.oracle.reachable if found.oracle is not None else float("nan")
    return line


def main() -> None:
    """Parse the command line, measure, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--text", type=Path, metavar="FILE.npz", help="out-of-fold logits")
    parser.add_argument("--photos", action="store_true", help="the real pairs of data/photos instead")
    parser.add_argument("--image-model", type=Path, default=MODELS / "starter-image.gcmodel")
    parser.add_argument("--text-model", type=Path, default=MODELS / "starter-text.gcmodel")
    parser.add_argument("--draws", type=int, default=20)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    data = Path(os.environ.get("GCDESK_SHARED", ROOT.parent / "shared")) / "data"
    if args.photos or args.text is None:
        sets = [("photos", real_pairs(args.image_model, args.text_model, data / "photos"))]
        print(json.dumps(dict(sets)) if args.json else table(sets))
        return
    captions = captions_side(args.text_model, args.text)
    field = photos_side(args.image_model, data / "field")
    half = second_half(field.labels)
    held = replace(field, logits=field.logits[half], labels=field.labels[half])
    val = photos_side(args.image_model, data / "images" / "val")
    pairs = photos_side(args.image_model, data / "course_pairs")
    sets = [(name, measured(side, captions, args.draws)) for name, side in
            (("course_pairs", pairs), ("field", field), ("field, 2nd half", held), ("images/val", val))]  # fmt: skip
    print(json.dumps(dict(sets)) if args.json else table(sets))


if __name__ == "__main__":
    main()

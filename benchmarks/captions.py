"""What becomes of file names and captions: names of devices, signs between words, words that nobody taught the model.

    python benchmarks/captions.py                               three tables
    python benchmarks/captions.py --out-of-fold FILE.npz        the last one with the course's captions as well
    python benchmarks/captions.py --json                        one line

names      those of tests/data/names: read as words although a device gave them; words that come out otherwise.
signs      the phrases that ship with the app, their words joined: how many change their bin, and how many of those
           without asking for a review, under the rule of older models and under that of the starter.
words      captions of benchmarks/captions.csv (nonsense, French, German, Chinese), Toronto's phrases that no training
           caption has, the names of the things in the shared items that none has, and the file names of the shared
           photos, which the starter never learned: how often the text model abstains, how often it asks, and how often
           it is right where it does not abstain.

FILE.npz is what `text_crossval.py --ways ours --save` writes: each caption by the model that did not learn its fold,
its words known if the other folds or the phrases have them. Needs the shared data ($GCDESK_SHARED).
"""

from __future__ import annotations

import argparse
import csv
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from gcdesk.config.resources import resource_path
from gcdesk.engine.captions.rules import CaptionRule, apply_rule, caption_from_path
from gcdesk.engine.classification.classifier import Classifier, Item
from gcdesk.engine.classification.results import Result
from gcdesk.engine.inference.devices import open_backend
from gcdesk.engine.modelfile.known_words import KnownWords, words_of
from gcdesk.engine.modelfile.training_captions import caption_hash, load_training_captions

ROOT = Path(__file__).resolve().parent.parent
NAMES = ROOT / "tests" / "data" / "names"
PHRASES = ROOT / "trainer" / "phrases" / "household.csv"
SIGNS = ("-", "_", ".", "+", ",", "/", "%20", "Capitals")
RULES = (CaptionRule.COURSE_V1, CaptionRule.COURSE_V2)


@dataclass(frozen=True)
class Row:
    """A line of a table: of `of` things, in one column each."""

    table: str
    what: str
    of: int
    figures: dict[str, str]


def read_text_column(path: Path, **where: str) -> list[tuple[str, str]]:
    """Text and bin of the rows of a CSV whose columns have these values."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if all(row.get(k) == v for k, v in where.items())]
    return [(row["text"], row["bin"]) for row in rows if row.get("several_bins") != "1"]


def listed(file: str) -> list[str]:
    """The lines of a list of names, less its remarks."""
    lines = (NAMES / file).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def names() -> list[Row]:
    """What is read of names."""
    found = []
    for file in ("devices.txt", "devices_more.txt", "devices_third.txt"):
        read = [name for name in listed(file) if caption_from_path(name)]
        found.append(Row("names", file, len(listed(file)), {"wrong": str(len(read))}))
    for file in ("words.tsv", "words_more.tsv", "words_third.tsv"):
        pairs = [line.split("\t") for line in listed(file)]
        wrong = [name for name, caption in pairs if caption_from_path(name) != caption]
        found.append(Row("names", file, len(pairs), {"wrong": str(len(wrong))}))
    return found


def joined(phrase: str, sign: str) -> str:
    """The phrase with `sign` between its words."""
    return "".join(map(str.capitalize, phrase.split())) if sign == "Capitals" else phrase.replace(" ", sign)


def signs(reader: Classifier) -> list[Row]:
    """What the sign between the words changes."""
    lines = resource_path("phrases.txt").read_text(encoding="utf-8").splitlines()
    phrases = [line for line in lines if " " in line and not line.startswith("#")]
    plain = list(reader.classify([Item(None, phrase) for phrase in phrases]))
    found = []
    for sign in SIGNS:
        figures = {}
        for rule in RULES:
            # Already in the form of the rule; the starter's own rule leaves it as it is.
            asked = [Item(None, apply_rule(joined(phrase, sign), rule)) for phrase in phrases]
            answers = list(reader.classify(asked))
            changed = [b for a, b in zip(plain, answers, strict=True) if a.label != b.label]
            figures[rule.value] = f"{len(changed)} ({sum(not one.review for one in changed)})"
        found.append(Row("signs", sign, len(phrases), figures))
    return found


def word_row(what: str, answers: Sequence[tuple[Result, str]], share: Sequence[float]) -> Row:
    """One kind of captions; share: of their words that are known; a caption without letters is abstained from too."""
    abstained = [known <= 0 or one.text is None for (one, _), known in zip(answers, share, strict=True)]
    rest = [answer for answer, out in zip(answers, abstained, strict=True) if not out and answer[1]]
    right = sum(one.label == wanted for one, wanted in rest)
    few = sum(0 < known <= 0.5 for known in share)
    settled = sum(not one.review for one, _ in answers)
    return Row(
        "words",
        what,
        len(answers),
        {
            "abstains": f"{sum(abstained) / len(answers):.1%}",
            "few words known": f"{few / len(answers):.1%}",
            "asks for no review": f"{settled / len(answers):.1%}",
            "right of the rest": f"{right / len(rest):.1%} of {len(rest)}" if rest else "-",
        },
    )


def words(reader: Classifier, model: Path, data: Path) -> list[Row]:
    """What the text model does with captions that it did not learn."""
    assert reader.text is not None
    seen = load_training_captions(model, reader.text.info)
    kinds: dict[str, list[tuple[str, str]]] = {}
    for kind in ("nonsense", "French", "German", "Chinese"):
        kinds[kind] = read_text_column(ROOT / "benchmarks" / "captions.csv", kind=kind)
    toronto = read_text_column(data / "captions" / "municipal.csv", city="toronto")
    kinds["Toronto, not learned"] = [one for one in toronto if caption_hash(apply_rule(one[0])) not in seen]
    photos = sorted((data / "photos").glob("*/*.jpg"))
    items = {(caption_from_path(path), path.parent.name) for path in (data / "items").glob("*/*.jpg")}
    kinds["names in items, not learned"] = sorted(one for one in items if caption_hash(one[0]) not in seen)
    kinds["photos' names"] = [(caption_from_path(path), path.parent.name) for path in photos]
    found = []
    for kind, rows in kinds.items():
        answers = list(reader.classify([Item(None, text) for text, _ in rows]))
        pairs = [(answer, wanted) for answer, (_, wanted) in zip(answers, rows, strict=True)]
        found.append(word_row(kind, pairs, [answer.known_words for answer in answers]))
    return found


def out_of_fold(file: Path, data: Path) -> list[Row]:
    """The course's captions, each by the model and with the known words of the other folds."""
    with np.load(file) as kept:
        captions, labels, fold = [str(one) for one in kept["captions"]], kept["labels"], kept["fold"]
        right = kept["logits"].argmax(axis=1) == labels
    extra = [
        *read_text_column(data / "captions" / "municipal.csv", city="calgary"),
        *read_text_column(PHRASES),
    ]
    share = np.ones(len(captions))
    for number in np.unique(fold):
        held = {caption for caption, at in zip(captions, fold, strict=True) if at == number}
        learned = [caption for caption, at in zip(captions, fold, strict=True) if at != number]
        learned += [text for text, _ in extra if text not in held]
        known = KnownWords(words_of(learned))
        for place in np.flatnonzero(fold == number):
            share[place] = known.known_share(captions[place])[0]
    found = []
    for what, chosen in (
        ("no word known", share <= 0),
        ("half or fewer", (share > 0) & (share <= 0.5)),
        ("more than half", (share > 0.5) & (share < 1)),
        ("all", share >= 1),
    ):
        of = int(chosen.sum())
        part = f"{of / len(share):.1%}"
        found.append(
            Row(
                "out of fold",
                what,
                of,
                {"share": part, "right": f"{right[chosen].mean():.1%}" if of else "-"},
            )
        )
    return found


def show(rows: Sequence[Row]) -> str:
    """The rows as Markdown tables."""
    lines: list[str] = []
    for place, row in enumerate(rows):
        if place == 0 or rows[place - 1].table != row.table:
            lines += [
                "",
                f"| {row.table} | number | {' | '.join(row.figures)} |",
                "|---|" + "---|" * (1 + len(row.figures)),
            ]
        lines.append(f"| {row.what} | {row.of:,} | {' | '.join(row.figures.values())} |")
    return "\n".join(lines[1:])


def main() -> None:
    """Parse the command line, measure, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path, default=resource_path("models", "starter-text.gcmodel"))
    parser.add_argument("--out-of-fold", type=Path, metavar="FILE.npz")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    data = Path(os.environ.get("GCDESK_SHARED", ROOT.parent / "shared")) / "data"
    reader = Classifier(None, open_backend("text", args.model, "cpu"))
    rows = [*names(), *signs(reader), *words(reader, args.model, data)]
    if args.out_of_fold is not None:
        rows += out_of_fold(args.out_of_fold, data)
    print(json.dumps([asdict(row) for row in rows]) if args.json else show(rows))


if __name__ == "__main__":
    main()

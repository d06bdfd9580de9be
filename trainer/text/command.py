"""`gcdesk train text` and `python -m trainer text`: options in, a run, a `.gcmodel` out."""

from __future__ import annotations

import argparse
import datetime
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np
import torch

from gcdesk.config.resources import resource_path
from gcdesk.engine.captions.rules import DEFAULT_CAPTION_RULE
from gcdesk.engine.inference.torch_networks import weights_of
from gcdesk.engine.modelfile.checkpoint import load_info, save_model
from gcdesk.engine.modelfile.info import MODEL_SUFFIX, ModelInfo, Provenance
from gcdesk.engine.modelfile.known_words import KnownWords, load_known_words, save_known_words, words_of
from gcdesk.engine.modelfile.tokenizer import load_tokenizer, shared_tokenizer
from gcdesk.engine.modelfile.training_captions import (
    load_training_captions,
    save_training_captions,
    write_hashes,
)
from gcdesk.engine.photos.bin_folders import MAP_HELP, parse_names
from gcdesk.engine.selection.calibration import fit_temperature
from gcdesk.engine.tables.targets import refuse_base
from trainer.image.finalize import SplitLogits, figures
from trainer.image.process.devices import choose_device, low_precision_of
from trainer.image.process.interrupts import interruptible
from trainer.image.process.provenance import git_commit, library_versions
from trainer.image.process.reporting import Reporter, reporter
from trainer.text.data import Caption, fingerprint, joined, read_captions, split_by_group, without
from trainer.text.folds import Learn, OutOfFold, cross_validate, identity_of, kept_or_made, learner
from trainer.text.network import STARTER, starting_network
from trainer.text.settings import TextDataError, TextSettings, read_recipe, settings_from
from trainer.text.training import TextTraining, never, predict

_RULE = DEFAULT_CAPTION_RULE


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of a text training to `parser`."""
    parser.description = "Train the text model on captions with their bins."
    data = parser.add_argument_group(
        "captions (CSV with text and bin, or folders of photos named by captions)"
    )
    data.add_argument(
        "--train",
        type=Path,
        metavar="SOURCE",
        action="append",
        default=[],
        help="may be repeated; where sources disagree on a caption the last is believed",
    )
    data.add_argument("--val", type=Path, metavar="SOURCE", help="else a part of the training captions")
    data.add_argument("--test", type=Path, metavar="SOURCE")
    data.add_argument(
        "--where",
        action="append",
        default=[],
        metavar="COLUMN=VALUE",
        help="only these rows of a CSV, e.g. city=calgary",
    )
    data.add_argument("--map-folders", metavar="NAMES", help=MAP_HELP)
    how = parser.add_argument_group("training")
    how.add_argument(
        "--base", default=STARTER, metavar="MODEL", help="starter, minilm, a folder or a Hugging Face id"
    )
    how.add_argument("--recipe", type=Path, metavar="FILE", help="settings as TOML (trainer/recipes)")
    how.add_argument(
        "--folds",
        type=int,
        metavar="N",
        help="measure by cross-validation on the last --train, then train on all captions for all epochs",
    )
    how.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="one setting, e.g. epochs=4"
    )
    how.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    how.add_argument(
        "--precision",
        choices=("recipe", "auto", "low", "full"),
        default="recipe",
        help="auto: 16 bits where the processor multiplies them; default: what the recipe says",
    )
    how.add_argument("--threads", type=int, metavar="N", help="CPU threads of the network")
    where = parser.add_argument_group("files")
    where.add_argument("--out", type=Path, metavar="NAME.gcmodel", default=Path("text.gcmodel"))
    where.add_argument("--run-folder", type=Path, metavar="FOLDER", help="checkpoints; else beside --out")
    where.add_argument("--resume", action="store_true", help="continue from the run folder's last epoch")
    where.add_argument(
        "--finish", action="store_true", help="write the run folder's best so far, train no more"
    )
    where.add_argument("--held-out", metavar="RULE", help="how --test was set aside, noted in the model")
    where.add_argument("--json-events", action="store_true", help="progress as JSON lines instead of a bar")


@dataclass
class _Data:
    """The captions of a run; `extra` are the sources before the last, which no fold is made of."""

    train: list[Caption]
    val: list[Caption] = field(default_factory=list)
    test: list[Caption] = field(default_factory=list)
    extra: list[Caption] = field(default_factory=list)


@dataclass(frozen=True)
class Trained:
    """What a training came to. path: the model, None where it was stopped before anything was learnt.

    accuracies: by split, 0 to 1.
    """

    path: Path | None
    stopped: bool
    accuracies: dict[str, float]


def run(args: argparse.Namespace) -> int:
    """Do what the arguments say; 0 when a model was written. Raises GcdeskError with a sentence for the user."""
    report = reporter("text", args.json_events)
    with interruptible() as stop:
        done = train(args, report, stop)
    if done.path is None:
        raise TextDataError("Nothing was learnt yet: there is no finished epoch to make a model of.")
    report.done(done.path, done.accuracies)
    if stop.asked:
        report.note("It was stopped early; the same command with --resume goes on from here.")
    return 0


def train(args: argparse.Namespace, report: Reporter, stopping: Callable[[], bool] = never) -> Trained:
    """Train and write the model; once `stopping` says yes, write what is best so far. Raises GcdeskError."""
    refuse_base(args.out, args.base)
    if args.threads:
        torch.set_num_threads(args.threads)
    device = str(choose_device(args.device))
    settings = settings_of(args, device)
    data = _read(args, report)
    tokenizer = load_tokenizer(shared_tokenizer())
    folder = args.run_folder or args.out.with_name(f"{args.out.stem}.run")
    measured = _measured(
        args, data, settings, learner(args.base, tokenizer, settings, device, report), folder, report
    )
    if measured is None and not data.val:
        data.train, data.val = split_by_group(data.train, settings.val_share, settings.seed)
    train = joined(data.train, without(data.extra, data.val)[0])
    report.note(f"{len(train)} captions to train on, {len(data.val)} to validate, {len(data.test)} to test.")
    network = starting_network(args.base, settings.pooling, settings.seed, settings.head)
    training = TextTraining(network, tokenizer, train, data.val, settings, device)
    if args.finish:
        training.run(report, folder, resume=True, stopping=lambda: True)
    else:
        training.run(report, folder, resume=args.resume, stopping=stopping)
    if not training.progress.best_epoch:
        return Trained(None, True, {})
    return _write(training, data.test, measured, args)


def settings_of(args: argparse.Namespace, device: str) -> TextSettings:
    """The settings that the options ask for. Raises TextDataError."""
    changes: dict[str, str] = {}
    for word in args.set:
        name, equals, value = word.partition("=")
        if not equals:
            raise TextDataError(f"--set {word}: write NAME=VALUE.")
        changes[name] = value
    settings = settings_from(changes, read_recipe(args.recipe) if args.recipe else None)
    if args.precision == "recipe":
        return settings
    return replace(settings, low_precision=low_precision_of(args.precision, torch.device(device)))


def _read(args: argparse.Namespace, report: Reporter) -> _Data:
    """Read all sources; a caption stays on one side: in test before val before train."""
    where = dict(word.partition("=")[::2] for word in args.where)
    names = parse_names(args.map_folders)
    if not args.train:
        raise TextDataError("Say where the captions are: --train FILE.csv or --train FOLDER.")
    if args.folds is not None and (args.val or args.folds < 2):
        raise TextDataError("--folds needs a number from 2 on, and makes --val needless.")

    def read(source: Path) -> list[Caption]:
        captions = read_captions(source, where, _RULE, names)
        for note in captions.notes:
            report.note(note)
        return list(captions.rows)

    extra: list[Caption] = []
    for source in args.train[:-1]:
        extra = joined(read(source), extra)
    data = _Data(read(args.train[-1]), extra=extra)
    data.test = read(args.test) if args.test else []
    leaked = 0
    if args.val:
        data.val, leaked = without(read(args.val), data.test)
    for name in ("train", "extra"):
        kept, doubled = without(getattr(data, name), [*data.test, *data.val])
        setattr(data, name, kept)
        leaked += doubled
    if leaked:
        report.note(f"{leaked} captions stood in several splits: kept in the test or validation split only.")
    if not data.train:
        raise TextDataError("No caption is left to train on: all are among the test or validation captions.")
    return data


def _measured(
    args: argparse.Namespace,
    data: _Data,
    settings: TextSettings,
    learn: Learn,
    folder: Path,
    report: Reporter,
) -> OutOfFold | None:
    if args.folds is None:
        return None
    kept = folder / "out_of_fold.npz"
    if not args.resume:
        kept.unlink(missing_ok=True)
    return kept_or_made(
        kept,
        identity_of(data.train, data.extra, settings, args.folds),
        lambda: cross_validate(data.train, data.extra, args.folds, learn, report),
    )


def _write(
    training: TextTraining,
    test: Sequence[Caption],
    measured: OutOfFold | None,
    args: argparse.Namespace,
) -> Trained:
    """Fit the temperature on what the network did not learn (out-of-fold, else val), measure, save."""
    settings = training.settings
    splits = [] if measured is None else [SplitLogits("cross_validation", measured.logits, measured.labels)]
    for name, rows in (("val", training.val), ("test", test)):
        if rows:
            logits = predict(training.network, training.tokenizer, rows, settings, training.device)
            splits.append(SplitLogits(name, logits, np.array([row.label for row in rows])))
    temperature = fit_temperature(splits[0].logits, splits[0].labels)
    info = ModelInfo(
        name=args.out.stem,
        kind="text",
        architecture=training.network.arch,
        caption_rule=_RULE,
        max_tokens=settings.max_tokens,
        temperature=temperature,
        metrics={split.name: figures(split, temperature) for split in splits},
        provenance=Provenance(
            source=f"Trained by gcdesk from {args.base} on {', '.join(path.name for path in args.train)}.",
            date=datetime.datetime.now(datetime.UTC).date().isoformat(),
            data_fingerprint=fingerprint(training.train),
            seed=settings.seed,
            git_commit=git_commit(),
            versions=library_versions(),
            details={
                "settings": asdict(settings),
                "history": training.progress.history,
                "stopped": training.stopped,
                "held_out": args.held_out,
            },
        ),
    )
    saved = save_model(args.out, info, weights_of(training.network), half=True)
    sha256 = load_info(saved).weights_sha256
    save_training_captions((row.text for row in training.train), saved, sha256)
    # An encoder remembers what it was trained on before.
    marks, known = _known_to_base(args.base)
    write_hashes({*load_training_captions(saved, load_info(saved)), *marks}, saved, sha256)
    if known is not None:
        learned = words_of(row.text for row in training.train)
        save_known_words(known.words | learned, saved, sha256, known.close)
    accuracies = {split.name: float(info.metrics[split.name]["accuracy"]) for split in splits}
    return Trained(saved, training.stopped, accuracies)


def _known_to_base(base: str) -> tuple[frozenset[str], KnownWords | None]:
    """Marks of the captions that the base learned, and the words that it knows.

    None of either for an encoder that learned no bins; words None for a model that learned some and lists none.
    """
    folder = resource_path("models", "starter-text.gcmodel") if base == STARTER else Path(base)
    if folder.suffix != MODEL_SUFFIX:
        return frozenset(), KnownWords(())
    info = load_info(folder)
    return load_training_captions(folder, info), load_known_words(folder, info)

"""`gcdesk evaluate`: both models and every rule on items whose bin is known."""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gcdesk.cli.main import EXIT_FINE, EXIT_SOME_FAILED
from gcdesk.cli.opening import FORCE, Notices, add_model_arguments, models_of, tell
from gcdesk.cli.terminal import Progress, shown
from gcdesk.config.settings import Settings, load_settings
from gcdesk.engine.classification.opening import OpenModels
from gcdesk.engine.errors import EvaluationError
from gcdesk.engine.evaluation.analysis import (
    IMAGE,
    TEXT,
    Analysis,
    Contender,
    added_by,
    analyse,
    threshold_words,
)
from gcdesk.engine.evaluation.labelled_set import read_labelled
from gcdesk.engine.evaluation.metrics import Accuracy, Report, rounded
from gcdesk.engine.evaluation.scored_set import ScoredItem, ScoredSet
from gcdesk.engine.evaluation.scoring import measure, named_by_class, of_labelled
from gcdesk.engine.labels import BINS
from gcdesk.engine.library.library import NO_MODEL
from gcdesk.engine.photos.bin_folders import MAP_HELP, parse_names
from gcdesk.engine.selection.rules import DEFAULT_RULE, Rule
from gcdesk.engine.tables.targets import refuse_target
from gcdesk.engine.tables.writer import readable

_MANY = 10


@dataclass(frozen=True)
class Evaluated:
    """The figures, and what must be known to read them."""

    analysis: Analysis
    models: str

    @property
    def class_names(self) -> bool:
        """Whether the photos seem to be named by class rather than by caption."""
        return named_by_class([item.caption for item in self.analysis.scored.items if item.path])

    @property
    def unreadable(self) -> list[ScoredItem]:
        """The items whose photo could not be read."""
        return [item for item in self.analysis.scored.items if item.error]

    def to_json(self) -> dict[str, object]:
        """What `--format json` prints."""
        scored = self.analysis.scored
        failed = [{"path": readable(i.path), "error": readable(i.error)} for i in self.unreadable]
        return {
            **_figures(self.analysis),
            **_more(self.analysis),
            "captions_are_class_names": self.class_names,
            "notes": [*scored.notes, *self.analysis.warnings],
            "unreadable": failed,
            "models": self.models,
        }


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `gcdesk evaluate`."""
    add_data_arguments(parser)
    parser.add_argument("--format", choices=["table", "json"], default="table")
    parser.add_argument(
        "--report", type=Path, metavar="FILE.html", help="write a page with every figure, in one file"
    )
    parser.add_argument("--force", action="store_true", help=FORCE)


def add_data_arguments(parser: argparse.ArgumentParser) -> None:
    """What to measure on, with which models."""
    parser.add_argument(
        "path",
        type=Path,
        metavar="FOLDER|CSV",
        help=f"a folder with a subfolder a bin ({', '.join(BINS)}) of photos whose names are captions,"
        " or a table with the columns text and bin, which evaluates the text model alone",
    )
    parser.add_argument("--map-folders", metavar="NAMES", help=MAP_HELP)
    add_model_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Score, measure, print. Exit code 1 when photos could not be read."""
    settings = load_settings()
    if args.report is not None and not args.report.absolute().parent.is_dir():
        raise EvaluationError(f"{args.report.parent} is not a folder.")
    if args.report is not None:
        refuse_target(args.report, [args.path], args.force)
    scored, models = score_path(args, settings)
    result = _evaluated(scored, models, settings)
    if args.report is not None:
        from gcdesk.engine.evaluation.html_report import write_report

        write_report(result.analysis, args.report)
        tell(f"The report is in {args.report}.")
    if args.format == "json":
        print(json.dumps(result.to_json(), ensure_ascii=False))
    else:
        for line in _table(result):
            print(line)
    for item in result.unreadable[:_MANY]:
        tell(f"{shown(readable(item.path))}: {item.error}")
    if len(result.unreadable) > _MANY:
        tell(f"and {len(result.unreadable) - _MANY} more photos that cannot be read")
    return EXIT_SOME_FAILED if result.unreadable else EXIT_FINE


def score_path(args: argparse.Namespace, settings: Settings) -> tuple[ScoredSet, OpenModels]:
    """Run the models that the arguments name over the data that they name."""
    labelled = read_labelled(args.path, parse_names(args.map_folders))
    notices = Notices()
    if not labelled.has_photos:
        if args.text_model == NO_MODEL:
            raise EvaluationError("A table of captions evaluates the text model, and none is wanted.")
        args.image_model = NO_MODEL
    models = models_of(args, settings, notices)
    progress = Progress(len(labelled.items), "items")
    scored = measure(
        of_labelled(labelled),
        models,
        name=args.path.name,
        data=readable(str(args.path)),
        cores=settings.threads,
        notes=labelled.notes,
        tell=progress.update,
    )
    progress.clear()
    for notice in notices.flush():
        tell(f"note: {notice}")
    return scored, models


def _evaluated(scored: ScoredSet, models: OpenModels, settings: Settings) -> Evaluated:
    rule = Rule(settings.rule) if settings.rule else None
    analysis = analyse(scored, rule, settings.thresholds, settings.text_weight, models.fitted_rule())
    return Evaluated(analysis, str(models))


def _figures(analysis: Analysis) -> dict[str, Any]:
    """The models and rules as in the table: fractions, not per cent; null where nothing was measured."""
    models = {key: one.report.to_json() for key in (IMAGE, TEXT) if (one := analysis.find(key)) is not None}
    rules = [one for one in analysis.contenders if one.key not in (IMAGE, TEXT)]
    return {
        "items": len(analysis.scored),
        "labels": list(BINS),
        IMAGE: models.get(IMAGE),
        TEXT: models.get(TEXT),
        "rules": {one.key: _rule_figures(one) for one in rules},
        "default_rule": DEFAULT_RULE.value,
    }


def _rule_figures(rule: Contender) -> dict[str, Any]:
    return {
        **rule.report.to_json(),
        "review": rule.reviewed,
        "accepted": rule.at.accepted,
        "accepted_accuracy": rounded(rule.at.accuracy),
    }


def _more(analysis: Analysis) -> dict[str, Any]:
    """What the analysis knows beyond the plain figures."""
    oracle = analysis.oracle
    at = analysis.in_use.at
    return {
        "rule_in_use": analysis.chosen,
        "better_single_model": analysis.better or None,
        "ceiling": None
        if oracle is None
        else {
            "both": oracle.both,
            "only_image": oracle.only_image,
            "only_text": oracle.only_text,
            "neither": oracle.neither,
            "reachable": round(oracle.reachable, 6),
        },
        "against_better": {
            item.key: {
                "only_it": item.against.only_a,
                "only_the_model": item.against.only_b,
                "p": item.against.p,
            }
            for item in analysis.contenders
            if item.against is not None
        },
        "operating_point": {
            "threshold": at.threshold,
            "review": round(at.review, 6),
            "rest_right": rounded(at.accuracy),
        },
        "seen_in_training": len(analysis.leaks),
        "disagreements": len(analysis.disagreements),
    }


def _table(found: Evaluated) -> Iterator[str]:
    analysis = found.analysis
    yield f"{len(analysis.scored)} items; models: {found.models}"
    yield f"{'':<18}accuracy   95 % interval   macro-F1  answered  to review  against the better model"
    for item in analysis.contenders:
        review = None if item.raw is not None else item.reviewed
        mark = "*" if item.key == analysis.chosen and item.raw is None else ""
        against = ""
        if item.against is not None:
            against = f"  +{item.against.only_a} -{item.against.only_b}, p {item.against.p:.2g}"
        yield _line(f"{item.key} {mark}", item.report, review) + against
    if len(analysis.contenders) > 1:
        yield "* the rule in use"
    yield from (*added_by(analysis), threshold_words(analysis.in_use.at))
    for key in dict.fromkeys(("image", "text", analysis.chosen)):
        found_one = analysis.find(key)
        if found_one is not None:
            yield ""
            yield from _matrix(key, found_one.report)
    for note in (*analysis.scored.notes, *analysis.warnings):
        yield ""
        yield f"note: {shown(note)}"


def _line(name: str, report: Report, review: int | None) -> str:
    to_review = f"{'':>11}" if review is None else f"{review:>11}"
    accuracy = report.accuracy
    return (
        f"{name:<18}{_percent(accuracy.value):>8}   {_interval(accuracy)}   {_percent(report.macro_f1):>7}"
        f"   {accuracy.items:>6}{to_review}"
    )


def _interval(accuracy: Accuracy) -> str:
    return f"{_percent(accuracy.low):>6} - {_percent(accuracy.high):<6}"


def _percent(share: float) -> str:
    return "-" if math.isnan(share) else f"{share:.1%}"


def _matrix(name: str, report: Report) -> Iterator[str]:
    yield f"{name}: true bin down, answer across"
    yield " " * 8 + "".join(f"{bin_name:>7}" for bin_name in BINS)
    for bin_name, row in zip(BINS, report.confusion, strict=True):
        yield f"{bin_name:<8}" + "".join(f"{count:>7}" for count in row)

"""`gcdesk classify`: which bin each photo goes into."""

from __future__ import annotations

import argparse
import io
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from gcdesk.cli.main import EXIT_FINE, EXIT_NOTHING_DONE, EXIT_SOME_FAILED, EXIT_STOPPED
from gcdesk.cli.opening import FORCE, Notices, add_model_arguments, classifier_of, models_of, tell
from gcdesk.cli.output import WRITERS, Writer
from gcdesk.cli.terminal import Progress
from gcdesk.config.settings import load_settings
from gcdesk.engine.captions.caption_table import read_caption_csv
from gcdesk.engine.captions.table_fit import fit_note
from gcdesk.engine.classification.opening import OpenModels
from gcdesk.engine.classification.results import Item, Result
from gcdesk.engine.labels import BINS
from gcdesk.engine.photos.discovery import find_photos
from gcdesk.engine.selection.rules import DEFAULT_RULE, Rule
from gcdesk.engine.tables.targets import is_stream, refuse_target
from gcdesk.engine.tables.writer import BYTE_ORDER_MARK, replaced_file


@dataclass
class Summary:
    """What happened, counted."""

    started: float = field(default_factory=time.monotonic)
    done: int = 0
    bins: Counter[str] = field(default_factory=Counter)
    review: int = 0
    failed: int = 0
    undecided: int = 0

    def add(self, result: Result) -> None:
        """Count a result."""
        self.done += 1
        self.review += result.review
        self.failed += result.error is not None
        if result.label is None:
            self.undecided += 1
        else:
            self.bins[result.label] += 1

    def lines(self, models: OpenModels, rule: Rule) -> Iterator[str]:
        """What to say at the end, a line each."""
        seconds = max(time.monotonic() - self.started, 1e-6)
        yield f"{self.done} items in {seconds:.1f} s ({self.done / seconds:.1f} photos/s)"
        counts = "  ".join(f"{name} {self.bins[name]}" for name in BINS)
        yield f"{counts}  no bin {self.undecided}"
        yield f"to review {self.review}, unreadable {self.failed}"
        yield f"models: {models}; rule: {rule.value}"

    @property
    def exit_code(self) -> int:
        """0 where all were fine, else which kind of failure."""
        if self.failed == 0 and self.done:
            return EXIT_FINE
        return EXIT_SOME_FAILED if self.done > self.undecided else EXIT_NOTHING_DONE


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `gcdesk classify`."""
    parser.add_argument("paths", nargs="+", metavar="PATH", help="a photo, or a folder (its subfolders too)")
    parser.add_argument(
        "--captions",
        metavar="CSV",
        type=Path,
        help="a table with the columns file and text; without it the file names are the captions",
    )
    parser.add_argument(
        "--rule",
        choices=[rule.value for rule in Rule],
        help=f"how two answers become one (default: as in the settings, else {DEFAULT_RULE.value})",
    )
    add_model_arguments(parser)
    parser.add_argument("--format", choices=list(WRITERS), help="default: by the ending of --out, else table")
    parser.add_argument("--out", metavar="FILE", type=Path, help="write there instead of to the screen")
    parser.add_argument("--force", action="store_true", help=FORCE)
    parser.add_argument("--quiet", action="store_true", help="no progress bar and no summary")


def run(args: argparse.Namespace) -> int:
    """Classify, write the results, sum up on stderr. Returns the exit code."""
    settings = load_settings()
    if args.out is not None:
        refuse_target(args.out, [*args.paths, *([args.captions] if args.captions else [])], args.force)
    rule = Rule(args.rule or settings.rule or DEFAULT_RULE)
    items = _items(args.paths, args.captions)
    notices = Notices()
    models = models_of(args, settings, notices)
    classifier = classifier_of(models, rule, settings)
    summary = Summary()
    progress = Progress(0 if args.quiet else len(items), "photos")
    progress.active = progress.active and not args.quiet
    stopped = False
    aside = _aside(args.out)
    with _writer(args.out, _format(args.format, args.out), lambda: aside if stopped else args.out) as writer:
        try:
            for result in classifier.classify(items):
                summary.add(result)
                if args.out is None:
                    progress.clear()
                writer.write(result)
                progress.update(summary.done)
        except KeyboardInterrupt:
            stopped = True
        finally:
            progress.clear()
        writer.finish()
    for notice in notices.flush():
        tell(f"note: {notice}")
    if not args.quiet:
        for line in summary.lines(models, rule):
            tell(line)
    if stopped:
        where = f" These are in {aside}; {args.out} is as it was." if aside != args.out else ""
        tell(f"Stopped after {summary.done} of {len(items)}.{where}")
        return EXIT_STOPPED
    return summary.exit_code


def _items(paths: list[str], captions: Path | None) -> list[Item]:
    """What to classify. A photo that the caption table does not know keeps its file name as caption."""
    table = read_caption_csv(captions) if captions is not None else None
    items = []
    fitting: set[str] = set()
    for found in find_photos(paths):
        entry = table.find(found.path) if table is not None and found.error is None else None
        if entry is not None:
            fitting.add(entry[0])
        items.append(Item(found.path, entry[1] if entry is not None else None, found.error))
    if table is not None and captions is not None:
        photos = [item.path for item in items if item.error is None and item.path is not None]
        note = fit_note(captions.name, table, len(fitting), photos)
        if note:
            tell(f"note: {note}")
    return items


def _format(asked: str | None, out: Path | None) -> str:
    if asked is not None:
        return asked
    ending = out.suffix.lower().removeprefix(".") if out is not None else ""
    return ending if ending in WRITERS else "table"


def _aside(out: Path | None) -> Path | None:
    """Where the answers of a stopped run go: beside an older table, which is whole."""
    if out is None or not out.is_file() or is_stream(out) or not out.stat().st_size:
        return out
    return out.with_name(f"{out.stem}.stopped{out.suffix}")


@contextmanager
def _writer(out: Path | None, kind: str, place: Callable[[], Path | None]) -> Iterator[Writer]:
    if out is None:
        if kind == "csv" and isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(newline="")  # the csv module writes its own line ends
        yield _open_writer(kind, sys.stdout)
        sys.stdout.flush()
    else:
        with replaced_file(out, place) as stream:
            if kind == "csv":
                stream.write(BYTE_ORDER_MARK)
            yield _open_writer(kind, stream)


def _open_writer(kind: str, stream: TextIO) -> Writer:
    writer: Writer = WRITERS[kind](stream)
    return writer

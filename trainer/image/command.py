"""`gcdesk train image` and `python -m trainer image`: options in, a run, a `.gcmodel` out."""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path

import torch

from gcdesk.engine.photos.bin_folders import MAP_HELP, parse_names, splits_in
from gcdesk.engine.tables.targets import refuse_base
from trainer.image.distillation.command import run_distillation
from trainer.image.local import (
    RECIPE,
    check_fresh,
    check_space,
    local_sources,
    starter_backbone,
)
from trainer.image.process.devices import choose_device, low_precision_of
from trainer.image.process.interrupts import interruptible
from trainer.image.process.reporting import Reporter, reporter
from trainer.image.process.stop_requests import Orders
from trainer.image.settings import ImageSettings, RecipeError, chosen_settings, settings_from
from trainer.image.training import Place, Run, Sources

_SAME_AS_DATA = Path()
_DRY = {"epochs": 2, "unfreeze_epoch": 2, "batch": 8, "views": 0}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of an image training to `parser`."""
    parser.description = "Train the image model on photos in folders named after the bins."
    data = parser.add_argument_group("photos (each folder holds one folder a bin)")
    data.add_argument(
        "--local",
        type=Path,
        nargs="?",
        const=_SAME_AS_DATA,
        metavar="FOLDER",
        help="train on this computer, by the starter's recipe and from its weights, on an ImageFolder (bins, or"
        " train and val); Ctrl-C keeps the best so far",
    )
    data.add_argument(
        "--data", type=Path, metavar="FOLDER", help="holds train, val and, if there is one, test"
    )
    data.add_argument("--train", type=Path, metavar="FOLDER", help="instead of FOLDER/train")
    data.add_argument("--val", type=Path, metavar="FOLDER", help="instead of FOLDER/val")
    data.add_argument("--test", type=Path, metavar="FOLDER", help="instead of FOLDER/test")
    data.add_argument("--map-folders", metavar="NAMES", help=MAP_HELP)
    data.add_argument(
        "--station",
        type=Path,
        action="append",
        default=[],
        metavar="FOLDER",
        help="photos like the station's: half choose the epoch and the temperature, half only measure (with --teacher:"
        " judge and fit the temperature; may be given again)",
    )
    data.add_argument(
        "--teacher",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="a stronger network's embeddings of the photos (.npz, or a folder of them): learn to give them as well",
    )
    data.add_argument(
        "--photos",
        type=Path,
        action="append",
        default=[],
        metavar="FOLDER",
        help="with --teacher: more photos to learn from, in bin folders or without any label",
    )
    data.add_argument(
        "--kinds", type=Path, metavar="CSV", help="with --teacher: kinds of the items' names (item,kind)"
    )
    how = parser.add_argument_group("training")
    how.add_argument("--recipe", type=Path, metavar="FILE", help="settings as TOML (trainer/recipes)")
    how.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="one setting, e.g. epochs=20 or augment.gentle=0.5",
    )
    how.add_argument(
        "--base", type=Path, metavar="FILE", help="backbone: .safetensors or .gcmodel; else torchvision's"
    )
    how.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    how.add_argument(
        "--precision", choices=("auto", "full", "low"), default="auto", help="low: fp16 on CUDA, bf16 on CPU"
    )
    how.add_argument("--threads", type=int, metavar="N", help="CPU threads of the network")
    how.add_argument("--dry-run", action="store_true", help="a few photos, two steps, save, resume, evaluate")
    where = parser.add_argument_group("files")
    where.add_argument("--out", type=Path, metavar="NAME.gcmodel", default=Path("image.gcmodel"))
    where.add_argument(
        "--run-folder", type=Path, metavar="FOLDER", help="checkpoints and cached views; else beside --out"
    )
    where.add_argument(
        "--cache-folder", type=Path, metavar="FOLDER", help="cached views, to share among runs"
    )
    where.add_argument("--resume", action="store_true", help="continue from the run folder's last epoch")
    where.add_argument(
        "--finish",
        action="store_true",
        help="with --teacher: write the model of the run folder's checkpoint as it stands",
    )
    where.add_argument("--json-events", action="store_true", help="progress as JSON lines instead of a bar")


def run(args: argparse.Namespace) -> int:
    """Do what the arguments say; 0 when a model was written. Raises GcdeskError with a sentence for the
    user.
    """
    if args.teacher:
        return run_distillation(args)
    refuse_base(args.out, args.base)
    local = args.local is not None
    sources = replace(_sources(args), names=parse_names(args.map_folders))
    settings = chosen_settings(args.recipe or (RECIPE if local else None), args.set)
    device = choose_device(args.device)
    if args.threads:
        torch.set_num_threads(args.threads)
    place = Place(
        device=device,
        low_precision=low_precision_of(args.precision, device),
        run_folder=args.run_folder or args.out.with_name(f"{args.out.stem}.run"),
        result=args.out,
        base=args.base or (starter_backbone() if local else None),
        cache_folder=args.cache_folder,
        resume=args.resume,
        dry=args.dry_run,
    )
    report = reporter("image", args.json_events)
    if args.dry_run:
        _dry_run(sources, settings, place, report)
    elif local:
        _run_here(sources, settings, place, report)
    else:
        Run(sources, settings, place, report).train()
    return 0


def _run_here(sources: Sources, settings: ImageSettings, place: Place, report: Reporter) -> None:
    """Train on the user's computer; Ctrl-C writes the best so far."""
    if not place.resume:
        check_fresh(place.run_folder)
    check_space(sources, settings, place.run_folder)
    with interruptible() as stop:
        run = Run(sources, settings, replace(place, orders=Orders(stop)), report)
        if run.train() is not None:
            return
        if run.finish_early() is None:
            raise RecipeError(
                "Stopped before an epoch was finished, so there is no model yet. The same command with --resume"
                " goes on from here."
            )
    report.note("It was stopped early; the same command with --resume goes on from here.")


def _sources(args: argparse.Namespace) -> Sources:
    if args.local is not None and args.train is None:
        folder = args.data if args.local is _SAME_AS_DATA else args.local  # `--local .` equals it
        if folder is None:
            raise RecipeError("Say where the photos are: --local FOLDER, with a folder a bin in it.")
        found = local_sources(folder, _one_station(args))
        return replace(found, val=args.val or found.val, test=args.test or found.test)

    def split(name: str) -> Path | None:
        chosen: Path | None = getattr(args, name)
        if chosen is None and args.data is not None:
            chosen = splits_in(args.data).get(name)
            return args.data / name if chosen is None and name != "test" else chosen
        return chosen

    train, val = split("train"), split("val")
    if train is None or val is None:
        raise RecipeError("Say where the photos are: --data FOLDER, or --train FOLDER and --val FOLDER.")
    return Sources(train, val, split("test"), _one_station(args))


def _one_station(args: argparse.Namespace) -> Path | None:
    if len(args.station) > 1:
        raise RecipeError("Give one --station; several go with --teacher only.")
    return args.station[0] if args.station else None


def _dry_run(sources: Sources, settings: ImageSettings, place: Place, report: Reporter) -> None:
    """All of a training in small: two steps, a checkpoint, a resume from it, and a model that is evaluated.

    Works in a temporary folder; nothing is left behind.
    """
    small = settings_from(_DRY, settings)
    with tempfile.TemporaryDirectory(prefix="gcdesk-dry-run-") as name:
        folder = Path(name)
        first = replace(
            place, run_folder=folder / "run", result=folder / "dry-run.gcmodel", dry=True, resume=False
        )
        if Run(sources, small, replace(first, stop_after=1), report).train() is not None:
            raise RecipeError("The dry run ended before it could be resumed.")
        if Run(sources, small, replace(first, resume=True), report).train() is None:
            raise RecipeError("The dry run did not resume.")
    report.note("The dry run went through: trained, saved, resumed and evaluated.")

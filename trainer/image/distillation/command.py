"""`trainer image --teacher`: the options of an image training as a distillation."""

from __future__ import annotations

import argparse

import torch

from trainer.image.distillation.finish import Finish, FinishSources
from trainer.image.distillation.run import DistillPlace, DistillRun, DistillSources
from trainer.image.distillation.settings import distill_settings
from trainer.image.local import check_fresh
from trainer.image.process.devices import choose_device, low_precision_of
from trainer.image.process.interrupts import interruptible
from trainer.image.process.reporting import reporter
from trainer.image.process.stop_requests import Orders
from trainer.image.settings import RecipeError

_SAVE_SECONDS = 300.0


def run_distillation(args: argparse.Namespace) -> int:
    """Do what the arguments say; 0 when a model was written. Ctrl-C writes the model as it stands then."""
    if args.local is not None or args.dry_run:
        raise RecipeError("--teacher goes with neither --local nor --dry-run.")
    train = args.train or (args.data / "train" if args.data else None)
    photos = (*([train] if train else []), *args.photos)
    if not photos:
        raise RecipeError("Say where the photos are: --data FOLDER, --train FOLDER or --photos FOLDER.")
    station = tuple(args.station)
    sources = DistillSources(photos, tuple(args.teacher), station, args.kinds)
    settings = distill_settings(args.recipe, args.set)
    device = choose_device(args.device)
    if args.threads:
        torch.set_num_threads(args.threads)
    run_folder = args.run_folder or args.out.with_name(f"{args.out.stem}.run")
    if not (args.resume or args.finish):
        check_fresh(run_folder)
    report = reporter("image", args.json_events)
    with interruptible() as stop:
        low = low_precision_of(args.precision, device)
        place = DistillPlace(device, low, run_folder, args.base, Orders(stop, _SAVE_SECONDS))
        run = DistillRun(sources, settings, place, report)
        run.start(args.resume or args.finish)
        done = not args.finish and run.train()
    measure = {
        name: args.data / name for name in ("val", "test") if args.data and (args.data / name).is_dir()
    }
    base = args.base.name if args.base else "torchvision's ImageNet weights"
    finish = Finish(run.data, run.network, run.distiller.progress, settings, place, report)
    finish.make(args.out, FinishSources(measure, station), base, stopped=not done)
    if not done and not args.finish:
        report.note("It was stopped early; the same command with --resume goes on from here.")
    return 0

"""`gcdesk talc`: write a training job for a Slurm cluster, bring its result home."""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace
from pathlib import Path

from gcdesk.cli.confined import run_task
from gcdesk.cli.main import EXIT_FINE, EXIT_SOME_FAILED
from gcdesk.cli.opening import tell
from gcdesk.cli.terminal import Progress, shown
from gcdesk.cluster.classify_bundle import Pieces, classify_job, classify_texts, write_classify_bundle
from gcdesk.cluster.errors import BundleError, ResultError
from gcdesk.cluster.image_folder import list_photos
from gcdesk.cluster.job import Job, Resources
from gcdesk.cluster.job_registry import job_record, job_records, queue_states, record_export
from gcdesk.cluster.results.import_record import Arrival, read_arrival
from gcdesk.cluster.script_templates import bundle_name, sbatch_text
from gcdesk.cluster.sites import Site, load_site, site_names
from gcdesk.cluster.training_bundle import ARCHIVE_SUFFIX, write_bundle
from gcdesk.engine.library.library import Library
from gcdesk.engine.photos.bin_folders import MAP_HELP, parse_names
from gcdesk.worker.protocol.task_messages import Task
from trainer.image.settings import chosen_settings
from trainer.job.config import Folders
from trainer.job.sweep import parse_axis
from trainer.shards.config import TABLES

IN_USE, IMAGENET_WORD = "in-use", "imagenet"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verbs of `gcdesk talc` and their options."""
    verbs = parser.add_subparsers(dest="action", metavar="ACTION", required=True, title="actions")
    export = verbs.add_parser("export", help="write a job bundle to copy to the cluster")
    _add_export(export)
    export.set_defaults(action_run=_export)

    back = verbs.add_parser("import", help="take in the result that ./collect.sh wrote")
    back.add_argument("result", type=Path, metavar="RESULT.tar.gz")
    back.add_argument("--name", help="of the model in the library; default: the one it was exported with")
    back.add_argument("--use", action="store_true", help="use the model from now on")
    back.set_defaults(action_run=_import)

    jobs = verbs.add_parser("jobs", help="list the jobs that were exported or imported here")
    jobs.set_defaults(action_run=_jobs)

    sites = verbs.add_parser("sites", help="list the cluster profiles and their courses")
    sites.set_defaults(action_run=_sites)


def _add_export(parser: argparse.ArgumentParser) -> None:
    parser.description = "Write a folder or .tar.gz that trains the image model on a Slurm cluster."
    photos = parser.add_argument_group("photos (one of the three)")
    photos.add_argument("--course", help="a course of the site profile (`gcdesk talc sites`)")
    photos.add_argument(
        "--pack", type=Path, metavar="FOLDER", help="pack this folder (train, val, test) into the bundle"
    )
    photos.add_argument("--map-folders", metavar="NAMES", help=MAP_HELP)
    for split in ("train", "val", "test"):
        photos.add_argument(f"--{split}", metavar="PATH", help=f"the {split} folder on the cluster")
    many = parser.add_argument_group("or classify a folder there with the models in use here")
    many.add_argument("--classify", metavar="PATH", help="the folder on the cluster")
    many.add_argument("--tasks", type=int, default=8, help="of the array (default: %(default)s)")
    many.add_argument("--shard-size", type=int, default=1000, help="photos a file (default: %(default)s)")
    many.add_argument(
        "--format",
        choices=TABLES,
        default="csv",
        help="of the merged table; parquet writes both, and needs pyarrow on the cluster (default: %(default)s)",
    )
    what = parser.add_argument_group("training")
    what.add_argument("--model", default="talc-image", help="the new model's name (default: %(default)s)")
    what.add_argument(
        "--run", dest="run_name", metavar="RUN", help="the run's name (default: the model's and today's date)"
    )
    what.add_argument(
        "--start-from",
        default=IMAGENET_WORD,
        metavar="WHAT",
        help=f"{IMAGENET_WORD} (default), {IN_USE}, a model's name, or a .safetensors file",
    )
    what.add_argument("--recipe", type=Path, metavar="FILE", help="settings as TOML (trainer/recipes)")
    what.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="e.g. epochs=20")
    what.add_argument(
        "--sweep",
        action="append",
        default=[],
        metavar="NAME=VALUES",
        help="train every combination and rank them, e.g. --sweep lr=1e-4,5e-4 --sweep seed=0,1,2",
    )
    what.add_argument("--at-once", type=int, default=4, help="tasks that may run at the same time")
    group = parser.add_argument_group("what the job asks of the cluster (default: the site's)")
    group.add_argument("--site", default="talc", help="a profile's name or .toml file (default: %(default)s)")
    for name, kind in (("partition", str), ("gpus", int), ("cpus", int), ("memory", str), ("time", str)):
        group.add_argument(f"--{name}", type=kind)
    group.add_argument("--requeues", type=int, help="times that it may go back into the queue")
    group.add_argument("--save-minutes", type=float, default=10.0, help="between checkpoints in an epoch")
    group.add_argument("--allow-cpu", action="store_true", help="train on the CPU where CUDA does not work")
    parser.add_argument("--out", type=Path, metavar="FILE", help="default: gcdesk-RUN.tar.gz here")
    parser.add_argument("--show", action="store_true", help="print the sbatch text and write nothing")


def run(args: argparse.Namespace) -> int:
    """Carry out the verb; returns the exit code."""
    code: int = args.action_run(args)
    return code


def _export(args: argparse.Namespace) -> int:
    if args.classify:
        return _export_classify(args)
    job = _job(args)
    if args.show:
        print(sbatch_text(job), end="")
        return EXIT_FINE
    for note in job.packed.notes if job.packed else ():
        tell(note)
    target = args.out or Path(f"{bundle_name(job)}{ARCHIVE_SUFFIX}")
    progress: list[Progress] = []

    def follow(done: int, total: int) -> None:
        if not progress:
            progress.append(Progress(total, "files"))
        progress[0].update(done)

    written = write_bundle(job, target, follow)
    record_export(job.run, job.model, job.site.name, written.absolute())
    print(f"Written: {written}")
    tell(f"Its README.md says what to type on {job.site.login}.")
    return EXIT_FINE


def _export_classify(args: argparse.Namespace) -> int:
    """A bundle that classifies a folder on the cluster with the models and the rule in use here."""
    library, site = Library(), load_site(args.site)
    resources = replace(_resources(args, site), gpus=args.gpus or 0)
    job = classify_job(
        args.run_name or f"classify-{time.strftime('%Y%m%d-%H%M')}",
        args.classify,
        site,
        (library.resolve("image"), library.resolve("text")),
        resources,
        Pieces(args.tasks, args.at_once, args.shard_size, args.format),
    )
    if args.show:
        print(classify_texts(job)["classify.sbatch"], end="")
        return EXIT_FINE
    written = write_classify_bundle(job, args.out or Path(f"{job.name}{ARCHIVE_SUFFIX}"))
    record_export(job.config.run, "", site.name, written.absolute())
    print(f"Written: {written}")
    tell(f"Its README.md says what to type on {site.login}.")
    return EXIT_FINE


def _job(args: argparse.Namespace) -> Job:
    site = load_site(args.site)
    resources = _resources(args, site)
    packed = list_photos(args.pack, parse_names(args.map_folders)) if args.pack else None
    return Job(
        run=args.run_name or f"{args.model}-{time.strftime('%Y%m%d-%H%M')}".replace(" ", "-"),
        model=args.model,
        site=site,
        resources=replace(resources, allow_cpu=args.allow_cpu),
        training=chosen_settings(args.recipe, args.set),
        folders=None if packed else _folders(args, site),
        packed=packed,
        base=base_of(args.start_from),
        save_minutes=args.save_minutes,
        sweep=tuple(parse_axis(text) for text in args.sweep),
        at_once=args.at_once,
    )


def _resources(args: argparse.Namespace, site: Site) -> Resources:
    """What was asked for, else the site's."""
    resources = Resources.of_site(site)
    for name in ("partition", "gpus", "cpus", "memory", "time", "requeues"):
        if (value := getattr(args, name)) is not None:
            resources = replace(resources, **{name: value})
    return resources


def _folders(args: argparse.Namespace, site: Site) -> Folders:
    if args.course:
        if args.course not in site.courses:
            known = ", ".join(site.courses) or "none"
            raise BundleError(f"{args.site} has no course {args.course!r}; there are: {known}.")
        course = site.courses[args.course]
        return Folders(course.train, course.val, course.test)
    if not args.train or not args.val:
        raise BundleError("Say where the photos are: --course NAME, --pack FOLDER, or --train and --val.")
    return Folders(args.train, args.val, args.test or "")


def base_of(words: str) -> Path | None:
    """The weights to start from: None for ImageNet's."""
    if words == IMAGENET_WORD:
        return None
    if words.endswith(".safetensors"):
        return Path(words)
    return Library().resolve("image", None if words == IN_USE else words)


def _import(args: argparse.Namespace) -> int:
    """In a process that may write gcdesk's own folders only: the archive is a stranger's."""
    name = ("--name", args.name) if args.name else ()
    done = run_task(Task("take-result", (str(args.result.absolute()), *name)), print)
    if not done.result:
        print(shown(done.summary))
        return EXIT_FINE
    job = job_record(done.result)
    arrival = read_arrival(job.folder) if job is not None else None
    if arrival is None:
        raise ResultError("What came of the result could not be kept: look at the disk and its space.")
    for line in told(arrival):
        print(line)
    if args.use and arrival.installed:
        print(f"{Library().use(arrival.installed).name} is the image model in use.")
    return EXIT_FINE if arrival.installed else EXIT_SOME_FAILED


def told(arrival: Arrival) -> list[str]:
    """A result in lines."""
    lines = [shown(text) for text in arrival.differences]
    if arrival.diagnosis is not None:
        lines += [arrival.diagnosis.sentence, *(f"  | {shown(line)}" for line in arrival.diagnosis.lines)]
    for index, ranked in enumerate(arrival.sweep, 1):
        interval = "" if ranked.half is None else f" ± {ranked.half:.1%}"
        lines.append(
            f"  {index}. {shown(ranked.words)}: {ranked.mean:.1%}{interval} ({ranked.count} trainings)"
        )
    if arrival.installed:
        lines.append(f"{arrival.installed} is installed. Beside {arrival.compared_with}, the model in use:")
        lines += [
            f"  {figure.split:<18} {figure.new:6.1%} of {figure.new_items:<6}"
            + ("" if figure.used is None else f" {figure.used:6.1%} of {figure.used_items}")
            for figure in arrival.figures
        ]
    return lines


def _jobs(_args: argparse.Namespace) -> int:
    jobs = job_records()
    states = queue_states([job.run for job in jobs])
    for job in jobs:
        state = states.get(job.run, job.state)
        print(f"{job.run:<32} {state:<28} {job.installed or shown(job.message) or job.bundle}")
    if not jobs:
        print("No job was exported yet: gcdesk talc export", file=sys.stderr)
    return EXIT_FINE


def _sites(_args: argparse.Namespace) -> int:
    for name in site_names():
        site = load_site(name)
        print(f"{name}: {site.name}, {site.login}, partition {site.partition}, {site.memory}, {site.time}")
        for course, entry in site.courses.items():
            print(f"  --course {course}: {entry.title}, {entry.train}")
    return EXIT_FINE

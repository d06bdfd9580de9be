"""`gcdesk models`: list, import, export, verify, use, remove."""

from __future__ import annotations

import argparse
from pathlib import Path

from gcdesk.cli.main import EXIT_FINE, EXIT_SOME_FAILED
from gcdesk.cli.opening import FORCE, tell
from gcdesk.cli.output import two_digits
from gcdesk.cli.terminal import Progress, cell, shown
from gcdesk.engine.errors import GcdeskError, LibraryError
from gcdesk.engine.labels import BINS, canonical_bin
from gcdesk.engine.library.library import COURSE_SUFFIXES, Installed, Library, Verified
from gcdesk.engine.modelfile.info import MODEL_SUFFIX
from gcdesk.engine.photos.bin_folders import MAP_HELP, parse_names


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verbs of `gcdesk models` and their options."""
    verbs = parser.add_subparsers(dest="action", metavar="ACTION", required=True, title="actions")
    verbs.add_parser("list", help="show the models of this computer").set_defaults(action_run=_list)

    add = verbs.add_parser("import", help="install a .gcmodel folder, its .zip, or a course .pth")
    add.add_argument("source", type=Path, metavar="FILE")
    add.add_argument("--name", help="default: the file's own name")
    add.add_argument(
        "--class-order",
        metavar="BINS",
        help=f"the order of a .pth's four outputs (default: {','.join(BINS)})",
    )
    add.add_argument("--pooling", choices=["cls", "mean"], help="of a .pth text model that cannot tell")
    add.add_argument("--use", action="store_true", help="use it from now on")
    add.set_defaults(action_run=_import)

    export = verbs.add_parser("export", help="write a model as .gcmodel, .zip, or as the course's .pth")
    export.add_argument("name")
    export.add_argument("target", type=Path, metavar="FILE", help="the ending says the format")
    export.set_defaults(action_run=_export)

    verify = verbs.add_parser("verify", help="check the files of models and score a sample with each")
    verify.add_argument("names", nargs="*", metavar="NAME", help="default: all of them")
    verify.set_defaults(action_run=_verify)

    compare = verbs.add_parser("compare", help="measure two models of a kind on the same items")
    compare.add_argument("first", help="a name, or the path of a .gcmodel folder; usually the one in use")
    compare.add_argument("second", help="the other one")
    compare.add_argument(
        "--data", type=Path, required=True, metavar="FOLDER|CSV", help="items whose bin is known"
    )
    compare.add_argument("--json", type=Path, metavar="FILE", help="also write all of it to a file")
    compare.add_argument("--map-folders", metavar="NAMES", help=MAP_HELP)
    compare.add_argument("--force", action="store_true", help=FORCE)
    compare.set_defaults(action_run=_compare)

    use = verbs.add_parser("use", help="classify with this model from now on")
    use.add_argument("name")
    use.set_defaults(action_run=_use)

    remove = verbs.add_parser("remove", help="delete an installed model")
    remove.add_argument("name")
    remove.set_defaults(action_run=_remove)


def run(args: argparse.Namespace) -> int:
    """Carry out the verb; returns the exit code."""
    code: int = args.action_run(Library(), args)
    return code


def _list(library: Library, args: argparse.Namespace) -> int:
    models = library.models()
    width = max([len(model.name) for model in models] + [4])
    print(f"  {'name':<{width}}  kind   architecture                   installed  accuracy")
    for model in models:
        print(_line(model, width))
    if not models:
        tell("There is no model: import one with `gcdesk models import FILE`.")
    return EXIT_FINE


def _line(model: Installed, width: int) -> str:
    mark = "*" if model.in_use else " "
    name = cell(model.name, width)
    if model.info is None:
        return f"{mark} {name}  damaged: {shown(model.problem or '')}"
    origin = "starter" if model.starter else "user"
    architecture = model.info.architecture.id
    return (
        f"{mark} {name}  {model.info.kind:<5}  {architecture:<29}  {origin:<9}  {_accuracy(model)}".rstrip()
    )


def _accuracy(model: Installed) -> str:
    """The accuracies that the model file carries, by split."""
    if model.info is None:
        return ""
    figures = []
    for split, metrics in model.info.metrics.items():
        accuracy = metrics.get("accuracy")
        if isinstance(accuracy, int | float):
            figures.append(f"{shown(str(split))} {accuracy:.1%}")
    return ", ".join(figures)


def class_order(text: str | None) -> list[str] | None:
    """`Black,Blue,Green,TTR` as bins. Raises LibraryError unless each bin is there once."""
    if text is None:
        return None
    order = [canonical_bin(word) for word in text.split(",")]
    if sorted(order) != sorted(BINS):
        raise LibraryError(f"The class order must name each of {', '.join(BINS)} once, separated by commas.")
    return order


def _import(library: Library, args: argparse.Namespace) -> int:
    """The file is a stranger's: a process of its own reads it, which can write to the folder of models alone."""
    from gcdesk.cli.confined import run_task
    from gcdesk.worker.protocol.task_messages import Task

    order = class_order(args.class_order)
    words = [f"--name={args.name}"] if args.name is not None else []
    words += [f"--class-order={','.join(order)}"] if order else []
    words += [f"--pooling={args.pooling}"] if args.pooling else []
    done = run_task(Task("import-model", (*words, "--", str(args.source))), tell)
    name = Path(done.result).name.removesuffix(MODEL_SUFFIX)
    print(f"{name} is installed in {done.result}")
    if args.use:
        return _say_used(library.use(name))
    return EXIT_FINE


def _export(library: Library, args: argparse.Namespace) -> int:
    target = library.export(args.name, args.target)
    print(f"Written: {target}")
    model = library.find(args.name)
    if target.suffix.lower() in COURSE_SUFFIXES and model.info is not None:
        from gcdesk.engine.course.export import export_note

        tell(export_note(model.info.architecture, model.info.preprocessing))
    return EXIT_FINE


def _verify(library: Library, args: argparse.Namespace) -> int:
    names = args.names or [model.name for model in library.models()]
    failed = 0
    for name in names:
        try:
            print(f"{name}: {verified(library.verify(name))}")
        except GcdeskError as error:
            failed += 1
            print(f"{name}: FAILED: {error}")
    return EXIT_SOME_FAILED if failed else EXIT_FINE


def verified(found: Verified) -> str:
    """One line on a model that is sound."""
    return (
        f"sound, loaded in {found.load_seconds:.2f} s; on {found.device} {found.sample!r} is {found.label}"
        f" {two_digits(found.confidence)} in {1000 * found.run_seconds:.0f} ms"
    )


def _compare(library: Library, args: argparse.Namespace) -> int:
    from gcdesk.engine.evaluation.labelled_set import read_labelled
    from gcdesk.engine.evaluation.model_comparison import compare_models, save_comparison
    from gcdesk.engine.tables.targets import refuse_target

    if args.json:
        refuse_target(args.json, [args.data, args.first, args.second], args.force)

    def folder(wanted: str) -> Path:
        return Path(wanted) if Path(wanted).is_dir() else library.find(wanted).folder

    labelled = read_labelled(args.data, parse_names(args.map_folders))
    progress = Progress(1, "answers")

    def step(done: int, total: int) -> None:
        progress.total = total
        progress.update(done)

    result = compare_models(folder(args.first), folder(args.second), labelled, args.data.name, step)
    progress.clear()
    width = max(len(result.first.name), len(result.second.name), 5)
    print(f"{'model':<{width}}  accuracy   95 % interval    right  {'  '.join(f'{b:>6}' for b in BINS)}")
    for side in (result.first, result.second):
        recall = "  ".join("     -" if r is None else f"{r:>6.1%}" for r in side.recall)
        interval = f"{side.low:.1%} - {side.high:.1%}"
        print(f"{side.name:<{width}}  {side.accuracy:>8.1%}   {interval:<15} {side.correct:>6}  {recall}")
    print(
        f"{result.only_first} right by the first alone, {result.only_second} by the second; McNemar p = {result.p:.2g}"
    )
    print(result.verdict)
    if result.remark:
        tell(f"note: {result.remark}")
    if args.json:
        save_comparison(result, args.json)
    return EXIT_FINE


def _use(library: Library, args: argparse.Namespace) -> int:
    return _say_used(library.use(args.name))


def _say_used(model: Installed) -> int:
    kind = model.info.kind if model.info else "?"
    print(f"{model.name} is the {kind} model in use.")
    return EXIT_FINE


def _remove(library: Library, args: argparse.Namespace) -> int:
    model = library.remove(args.name)
    print(f"{model.name} is removed.")
    if model.in_use:
        print("It was in use: the starter model is used again.")
    return EXIT_FINE

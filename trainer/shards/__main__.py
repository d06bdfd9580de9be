"""`python -m trainer.shards list|run|work|merge|status|unfinished|collect`, in the bundle's folder."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from gcdesk.engine.errors import GcdeskError
from trainer.shards.config import MODELS_FOLDER, read_shards
from trainer.shards.files import list_photos, unfinished
from trainer.shards.merge import collect_rows, merge, told
from trainer.shards.parquet import have_pyarrow


def main(arguments: list[str]) -> int:
    """Returns the exit code: 0 fine, 1 failed with the reason said, 2 nothing could be done."""
    parser = argparse.ArgumentParser(prog="python -m trainer.shards")
    parser.add_argument(
        "verb", choices=("check", "list", "run", "work", "merge", "status", "unfinished", "collect")
    )
    parser.add_argument("--deep", action="store_true", help="nothing more is checked")
    parser.add_argument("--task", type=int, default=0, metavar="N")
    args = parser.parse_args(arguments)
    bundle = Path.cwd()
    try:
        return _do(args.verb, bundle, args.task)
    except GcdeskError as error:
        print(f"gcdesk: {error}", file=sys.stderr)
        return 2


def _do(verb: str, bundle: Path, task: int) -> int:
    config = read_shards(bundle)
    place = config.place(bundle)
    if verb == "check":
        return _check(bundle)
    if verb == "list":
        count = list_photos(config, place)
        print(f"{count} photos in shards of {config.shard_size} for {config.tasks} tasks")
    elif verb == "run":
        from trainer.shards.task import run_task

        return run_task(bundle, config, task)
    elif verb == "work":
        from trainer.shards.work import work_on_task

        return work_on_task(bundle, config, task)
    elif verb == "merge":
        summary = merge(config, place)
        if config.table == "parquet" and not have_pyarrow():
            print("Without pyarrow there is only the CSV.", file=sys.stderr)
        print(
            f"{summary['photos']} photos, one row each: {summary['bins']}, {summary['unreadable']} unreadable"
        )
    elif verb == "status":
        for line in told(config, place):
            print(line)
    elif verb == "unfinished":
        print(",".join(map(str, unfinished(config, place))))
    else:
        print(f"Written: {collect_rows(bundle, config).name}")
    return 0


def _check(bundle: Path) -> int:
    """Before the job: packages, models and the folder."""
    import importlib.util

    config = read_shards(bundle)
    needed: tuple[str, ...] = (
        "numpy",
        "PIL",
        "pillow_heif",
        "platformdirs",
        "safetensors",
        "onnxruntime",
        "tokenizers",
    )
    if config.table == "parquet":
        needed += ("pyarrow",)
    missing = [name for name in needed if importlib.util.find_spec(name) is None]
    failed = []
    if missing:
        failed.append(f"The environment lacks {', '.join(missing)}: run ./setup_env.sh on this login node.")
    failed += [
        f"{MODELS_FOLDER}/{name} is missing: unpack the bundle again."
        for name in (config.image_model, config.text_model)
        if name and not (bundle / MODELS_FOLDER / name).is_dir()
    ]
    if not Path(config.folder).is_dir():
        failed.append(f"There is no folder {config.folder} here: correct it in classify.toml.")
    for line in failed:
        print(f"FAIL  {line}")
    if not failed:
        print(f"ok    packages, models and {config.folder} are there")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

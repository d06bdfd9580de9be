"""What classifying in shards costs: photos/s of one task and of two at once, and listing and merging many files.

python benchmarks/scale.py [--photos 300] [--files 50000] [--models text|both]

The photos are hard links of the bundled samples, under names that all differ: each one is opened and scored, each
caption too, nothing is remembered. The tasks are the processes that a Slurm array runs, one core each. With the
text model alone the many files' names are read and the photos not opened: figures of lists, rows and checks.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from gcdesk.cluster.classify_bundle import ClassifyJob, write_classify_bundle
from gcdesk.cluster.results.rows import take_rows
from gcdesk.cluster.sites import load_site
from gcdesk.config.resources import resource_path
from gcdesk.config.settings import Settings
from trainer.shards.config import ShardsConfig, read_shards
from trainer.shards.files import list_photos, shards_of
from trainer.shards.merge import ROWS_FILE, collect_rows, merge

_A_FOLDER = 5_000  # files in one folder
_WORDS = [
    "old",
    "new",
    "red",
    "blue",
    "green",
    "white",
    "black",
    "grey",
    "brown",
    "pink",
    "small",
    "large",
    "thin",
    "thick",
    "round",
    "flat",
    "torn",
    "wet",
    "dry",
    "dirty",
    "clean",
    "empty",
    "full",
    "half",
    "broken",
    "folded",
    "crushed",
    "soft",
    "hard",
    "light",
    "heavy",
    "plain",
    "shiny",
    "dull",
    "long",
    "short",
    "wide",
    "narrow",
]


def make_files(folder: Path, count: int) -> Path:
    """Hard links of the samples, so many in each folder."""
    samples = sorted(resource_path("samples").glob("*.jpg"))
    local = []
    for sample in samples:
        copy = folder.parent / f"copy of {sample.name}"
        copy.write_bytes(sample.read_bytes())
        local.append(copy)
    for number in range(count):
        sample = samples[number % len(samples)]
        target = folder / f"{number // _A_FOLDER:04d}" / f"{_name(number, sample.stem)}_{number:07d}.jpg"
        if number % _A_FOLDER == 0:
            target.parent.mkdir(parents=True)
        target.hardlink_to(local[number % len(local)])
    return folder


def _name(number: int, stem: str) -> str:
    """A caption that no other photo has: a repeated one would be scored only once."""
    words = []
    for _ in range(3):
        number, place = divmod(number, len(_WORDS))
        words.append(_WORDS[place])
    return f"{' '.join(words)} {stem}"


def bundle_for(place: Path, photos: Path, tasks: int, shard: int, with_image: bool) -> Path:
    """An unpacked bundle that classifies `photos`."""
    models = [resource_path("models", f"starter-{kind}.gcmodel") for kind in ("image", "text")]
    chosen = tuple(models if with_image else models[1:])
    thresholds = Settings().thresholds
    config = ShardsConfig(
        run="bench", folder=str(photos), tasks=tasks, shard_size=shard, cpus=1, text_model=models[1].name,
        image_model=models[0].name if with_image else "", review_threshold=thresholds.review,
        disagreement_margin=thresholds.disagreement, sure_threshold=thresholds.sure,
    )  # fmt: skip
    site = load_site("generic")
    job = ClassifyJob(replace(site), config, chosen, site.partition, site.memory, site.time)
    return write_classify_bundle(job, place)


def run_tasks(bundle: Path, tasks: int, cores: int = 1) -> float:
    """Seconds that so many tasks take, all at once, each a process on its own cores."""
    environment = {
        "PYTHONPATH": str(bundle / "src" / "lib"), "SLURM_CPUS_PER_TASK": str(cores), "OMP_NUM_THREADS": str(cores),
    }  # fmt: skip
    started = time.monotonic()
    running = [
        subprocess.Popen(
            [sys.executable, "-P", "-m", "trainer.shards", "run", "--task", str(task)],
            cwd=bundle,
            env=environment,
            stderr=subprocess.DEVNULL,
        )
        for task in range(tasks)
    ]
    for process in running:
        assert process.wait() == 0
    return time.monotonic() - started


def throughput(folder: Path, photos: int, tasks: int) -> None:
    """Both models on `photos` photos a task."""
    source = make_files(folder / "photos", photos * tasks)
    bundle = bundle_for(folder / "bundle", source, tasks, photos, with_image=True)
    config = read_shards(bundle)
    list_photos(config, config.place(bundle))
    seconds = run_tasks(bundle, tasks)
    total = photos * tasks
    print(f"both models, {tasks} task(s) at once, 1 core each: {total} photos in {seconds:.1f} s, start included:"
          f" {total / seconds:.1f} photos/s")  # fmt: skip


def many_files(folder: Path, files: int, with_image: bool) -> None:
    """List, score, merge and pack `files` files."""
    started = time.monotonic()
    source = make_files(folder / "photos", files)
    print(f"{files} hard links made in {time.monotonic() - started:.1f} s")
    bundle = bundle_for(folder / "bundle", source, 2, 1000, with_image)
    config = read_shards(bundle)
    place = config.place(bundle)
    started = time.monotonic()
    assert list_photos(config, place) == files
    print(f"listed into {len(shards_of(place))} shards in {time.monotonic() - started:.1f} s")
    seconds = run_tasks(bundle, 2)
    models = "both models" if with_image else "text model alone"
    print(f"2 tasks at once, {models}: {seconds:.1f} s, {files / seconds:.1f} photos/s", flush=True)
    started = time.monotonic()
    assert merge(config, place)["photos"] == files
    print(f"checked and merged in {time.monotonic() - started:.1f} s")
    rows = sum(file.stat().st_size for file in (place / "results").iterdir())
    table = (place / ROWS_FILE).stat().st_size
    print(f"a row takes {rows / files:.0f} bytes as a result, {table / files:.0f} in the table")
    started = time.monotonic()
    archive = collect_rows(bundle, config)
    size = archive.stat().st_size
    print(
        f"packed in {time.monotonic() - started:.1f} s: {size / 1e6:.1f} MB, {size / files:.0f} bytes a photo"
    )
    started = time.monotonic()
    assert take_rows(archive, folder / "sessions.sqlite").rows == files
    print(f"imported as a session in {time.monotonic() - started:.1f} s")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--photos", type=int, default=300)
    parser.add_argument("--files", type=int, default=50_000)
    parser.add_argument(
        "--models", choices=("text", "both"), default="text", help="that score the many files"
    )
    args = parser.parse_args()
    for tasks in (1, 2) if args.photos else ():
        with tempfile.TemporaryDirectory(prefix="gcdesk-scale-") as name:
            throughput(Path(name), args.photos, tasks)
    with tempfile.TemporaryDirectory(prefix="gcdesk-scale-") as name:
        many_files(Path(name), args.files, args.models == "both")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

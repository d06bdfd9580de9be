"""A bundle that classifies a folder on a cluster: scripts, both models, and the code as plain files.

Plain files instead of a wheel: the graphs and the vocabulary are read from beside the modules.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gcdesk.cluster.errors import BundleError
from gcdesk.cluster.job import Resources
from gcdesk.cluster.script_templates import SCRIPTS, filled, shell_path
from gcdesk.cluster.sites import Site, check_word, memory_mb, seconds
from gcdesk.cluster.training_bundle import LOCK_FILE, Entry, Tell, model_entries, write_entries
from gcdesk.cluster.wheel import source_files
from gcdesk.config.resources import resource_path, slurm_path
from gcdesk.config.settings import load_settings
from gcdesk.engine.selection.rules import DEFAULT_RULE
from trainer.shards.config import CONFIG_FILE, MODELS_FOLDER, ShardsConfig, shards_text

_CODE = "lib"
_PARQUET = "pyarrow==26.0.1"
_OWN = ("submit.sh", "collect.sh", "list.sbatch", "classify.sbatch", "merge.sbatch", "README.md")
_SHARED = ("preflight.sh", "setup_env.sh", "env.sh")


@dataclass(frozen=True)
class ClassifyJob:
    """models: the `.gcmodel` folders of this computer. gres: such as "gpu:1", "" = CPU cores only."""

    site: Site
    config: ShardsConfig
    models: tuple[Path, ...]
    partition: str
    memory: str
    time: str
    at_once: int = 8
    gres: str = ""

    def __post_init__(self) -> None:
        seconds(self.time)
        if not self.models:
            raise BundleError(
                "There is no model to classify with: choose an image model, a text model or both."
            )

    @property
    def name(self) -> str:
        """What the bundle is called."""
        return f"gcdesk-{self.config.run}"


@dataclass(frozen=True)
class Pieces:
    """How a folder is cut up. table: "csv", or "parquet" for both."""

    tasks: int = 8
    at_once: int = 4
    shard_size: int = 1000
    table: str = "csv"


def classify_job(
    run: str, folder: str, site: Site, models: tuple[Path, Path], asked: Resources, pieces: Pieces
) -> ClassifyJob:
    """The job of a folder, classified by the image and the text model with the rule and limits of the settings.

    asked.gpus: 0 = on CPU cores. Raises GcdeskError for what cannot be.
    """
    settings, (image, text) = load_settings(), models
    thresholds = settings.thresholds
    config = ShardsConfig(
        run=run,
        folder=folder,
        tasks=pieces.tasks,
        shard_size=pieces.shard_size,
        image_model=image.name,
        text_model=text.name,
        rule=settings.rule or DEFAULT_RULE.value,
        text_weight=settings.text_weight,
        review_threshold=thresholds.review,
        disagreement_margin=thresholds.disagreement,
        sure_threshold=thresholds.sure,
        cpus=asked.cpus,
        requeues=asked.requeues,
        table=pieces.table,
    )
    gres = f"{site.gres}:{asked.gpus}" if asked.gpus and site.gres else ""
    return ClassifyJob(site, config, models, asked.partition, asked.memory, asked.time, pieces.at_once, gres)


def write_classify_bundle(
    job: ClassifyJob,
    target: Path,
    tell: Tell = lambda _done, _total: None,
    stop: threading.Event | None = None,
) -> Path:
    """As `bundle.write_bundle`. Raises BundleError."""
    return write_entries(job.config.run, job.name, list(_entries(job)), target, tell, stop)


def classify_texts(job: ClassifyJob) -> dict[str, str]:
    """Every script and the README, by file name."""
    words = _words(job)
    own = {name: filled(f"classify/{name}", words) for name in _OWN}
    return {**own, **{name: filled(name, words) for name in _SHARED}}


def _entries(job: ClassifyJob) -> Iterator[Entry]:
    for name, text in classify_texts(job).items():
        yield Entry(name, text.encode(), run_bit=name in SCRIPTS)
    yield Entry(CONFIG_FILE, shards_text(job.config).encode())
    lock = slurm_path("requirements-classify.lock").read_bytes().replace(b"\r\n", b"\n")
    if job.config.table == "parquet":
        lock += f"{_PARQUET}\n".encode()
    yield Entry(f"src/{LOCK_FILE}", lock)
    for name, data in source_files().items():
        yield Entry(f"src/{_CODE}/{name}", data)
    for file in sorted(resource_path("graphs").iterdir()):
        yield Entry(f"src/{_CODE}/gcdesk/_resources/graphs/{file.name}", file)
    for model in job.models:
        yield from model_entries(MODELS_FOLDER, model)


def _words(job: ClassifyJob) -> dict[str, str]:
    config, site = job.config, job.site
    lines = {
        "account": site.account,
        "partition": job.partition,
        "gres": job.gres,
        "cpus-per-task": str(config.cpus),
        "mem": f"{memory_mb(job.memory)}M",
        "time": job.time,
        "nodes": "1",
        "ntasks": "1",
    }
    directives = [f"#SBATCH --{name}={check_word(name, value)}" for name, value in lines.items() if value]
    return {
        "RUN": config.run,
        "SITE": site.name,
        "LOGIN": site.login,
        "BUNDLE": job.name,
        "FOLDER": config.folder,
        "TASKS": str(config.tasks),
        "AT_ONCE": str(job.at_once),
        "REQUEUES": str(config.requeues),
        "RETRIES": str(config.retries),
        "DIRECTIVES": "\n".join(directives),
        "SBATCH": "classify.sbatch",
        "CHECK": "trainer.shards check",
        "WHEEL": _CODE,
        "ENVIRONMENT_KIND": site.environment.kind,
        "ENVIRONMENT": shell_path(site.environment.path),
        "MODULES": " ".join(site.modules),
    }

"""One job as the wizard or the command line describes it, before anything is written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gcdesk.cluster.errors import BundleError
from gcdesk.cluster.image_folder import Packed
from gcdesk.cluster.sites import Site, memory_mb, seconds
from trainer.image.settings import ImageSettings
from trainer.job.config import IMAGENET, Folders, JobConfig
from trainer.job.sweep import Axis, combinations, task_config

INIT_FOLDER = "init"
DATA_FOLDER = "data"


@dataclass(frozen=True)
class Resources:
    """What the job asks of the cluster; `of_site` gives the profile's."""

    partition: str
    gpus: int
    cpus: int
    memory: str
    time: str
    requeues: int
    allow_cpu: bool = False

    @classmethod
    def of_site(cls, site: Site) -> Resources:
        """What a site offers by default."""
        return cls(site.partition, site.gpus, site.cpus, site.memory, site.time, site.requeues)


@dataclass(frozen=True)
class Job:
    """A training to be sent away.

    folders: on the cluster, or None when `packed` photos travel in the bundle. base: a .gcmodel folder or a
    .safetensors backbone of this computer to start from; None = ImageNet's weights, fetched on the cluster.
    sweep: settings of which every combination is trained, `at_once` at the same time.
    """

    run: str
    model: str
    site: Site
    resources: Resources
    training: ImageSettings
    folders: Folders | None = None
    packed: Packed | None = None
    base: Path | None = None
    save_minutes: float = 10.0
    sweep: tuple[Axis, ...] = ()
    at_once: int = 4

    def __post_init__(self) -> None:
        if (self.folders is None) == (self.packed is None):
            raise BundleError("A job needs either folders on the cluster or photos to pack.")
        seconds(self.resources.time)
        if self.base is not None and not self.base.exists():
            raise BundleError(f"{self.base} is not there: choose other weights to start from.")
        if self.sweep:
            for task in range(len(combinations(self.sweep))):
                task_config(self.config, task)

    @property
    def config(self) -> JobConfig:
        """What goes into config.toml. Raises JobError for what cannot be."""
        packed = self.packed
        inside = Folders(**{split: f"{DATA_FOLDER}/{split}" for split in packed.splits}) if packed else None
        return JobConfig(
            run=self.run,
            model=self.model,
            folders=self.folders or inside or Folders("", ""),
            base=f"{INIT_FOLDER}/{self.base.name}" if self.base is not None else IMAGENET,
            gpus=self.resources.gpus,
            cpus=self.resources.cpus,
            memory_mb=memory_mb(self.resources.memory),
            allow_cpu=self.resources.allow_cpu,
            save_minutes=self.save_minutes,
            requeues=self.resources.requeues,
            training=self.training,
            sweep=self.sweep,
            at_once=self.at_once,
        )

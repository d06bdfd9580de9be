"""The scripts of a bundle: templates of slurm/templates with this job's own words in their `@NAMES@`."""

from __future__ import annotations

import re
import shlex

from gcdesk.cluster.errors import BundleError
from gcdesk.cluster.job import Job
from gcdesk.cluster.sites import check_word, memory_mb
from gcdesk.cluster.wheel import wheel_name
from gcdesk.config.resources import slurm_path
from trainer.job.sweep import combinations

SCRIPTS = ("submit.sh", "preflight.sh", "setup_env.sh", "collect.sh")
TEXTS = (*SCRIPTS, "env.sh", "train.sbatch", "README.md")
RANK = "rank.sbatch"
_NAME = re.compile(r"@([A-Z_]+)@")
_LAUNCH = '"$python" -m trainer.job'
_LAUNCH_MANY = '"$python" -m torch.distributed.run --standalone --nproc-per-node={} -m trainer.job'


def bundle_name(job: Job) -> str:
    """The bundle's folder and archive are called after its run."""
    return f"gcdesk-{job.run}"


def script_texts(job: Job) -> dict[str, str]:
    """Every script and the README, by file name, with LF endings; a sweep has rank.sbatch too."""
    words = _words(job)
    return {name: filled(name, words) for name in (*TEXTS, *((RANK,) if job.sweep else ()))}


def sbatch_text(job: Job) -> str:
    """The finished train.sbatch, as the wizard shows it."""
    return filled("train.sbatch", _words(job))


def filled(name: str, words: dict[str, str]) -> str:
    """A template with its words put in. Raises BundleError for a word that nobody gave."""
    text = slurm_path("templates", name).read_text(encoding="utf-8").replace("\r\n", "\n")

    def word(found: re.Match[str]) -> str:
        if found[1] not in words:
            raise BundleError(f"The template {name} asks for {found[1]}, which no job has.")
        return words[found[1]]

    return _NAME.sub(word, text)


def _words(job: Job) -> dict[str, str]:
    config, site, resources = job.config, job.site, job.resources
    photos = job.packed
    tasks = len(combinations(job.sweep)) if job.sweep else 0
    return {
        "RUN": config.run,
        "SBATCH": "train.sbatch",
        "CHECK": "trainer.job preflight",
        "MODEL": config.model,
        "BUNDLE": bundle_name(job),
        "SITE": site.name,
        "LOGIN": site.login,
        "DIRECTIVES": "\n".join(_directives(job)),
        "RANK_DIRECTIVES": "\n".join(_rank_directives(job)),
        # An array's tasks share one name: they must not wait for one another.
        "ALONE": f"array=0-{tasks - 1}%{config.at_once}" if tasks else "dependency=singleton",
        "JOB": "%A_%a" if tasks else "%j",
        "TASK": "$SLURM_ARRAY_TASK_ID" if tasks else "''",
        "SWEEP": f"This is a sweep: {tasks} trainings, ranked at the end. " if tasks else "",
        "REQUEUES": str(resources.requeues),
        "CPUS": str(resources.cpus),
        "THREADS": str(max(1, resources.cpus // resources.gpus)),
        "LAUNCH": _LAUNCH if resources.gpus == 1 else _LAUNCH_MANY.format(resources.gpus),
        "ENVIRONMENT_KIND": site.environment.kind,
        "ENVIRONMENT": shell_path(site.environment.path),
        "MODULES": " ".join(shlex.quote(name) for name in site.modules),
        "WHEEL": wheel_name(),
        "EPOCHS": str(config.training.epochs),
        "TIME": resources.time,
        "PHOTOS": f"{len(photos.photos)} photos that travel in this bundle"
        if photos
        else f"the photos in {config.folders.train}",
    }


def _directives(job: Job) -> list[str]:
    site, resources = job.site, job.resources
    lines = {
        "job-name": f"gcdesk-{job.run}",
        "account": site.account,
        "partition": resources.partition,
        "gres": f"{site.gres}:{resources.gpus}" if site.gres else "",
        "cpus-per-task": str(resources.cpus),
        "mem": f"{memory_mb(resources.memory)}M",
        "time": resources.time,
    }
    return [f"#SBATCH --{name}={check_word(name, value)}" for name, value in lines.items() if value]


def _rank_directives(job: Job) -> list[str]:
    """Ranking needs no GPU and little time; the name is another, so that it waits for nothing but the tasks."""
    left_out = ("--job-name=", "--gres=", "--time=")
    kept = [line for line in _directives(job) if not line.startswith(left_out, len("#SBATCH "))]
    return [f"#SBATCH --job-name=rank-{job.run}", *kept, "#SBATCH --time=0-01:00:00"]


def shell_path(path: str) -> str:
    """A path as a shell word; a leading ~ stays the home of whoever runs it."""
    return '"$HOME"/' + shlex.quote(path[2:]) if path.startswith("~/") else shlex.quote(path)

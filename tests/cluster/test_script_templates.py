"""The finished scripts: sbatch texts as recorded in golden/, and nothing for shellcheck to say.

After a wanted change: `GCDESK_GOLDEN=write python -m pytest tests/cluster/test_script_templates.py`,
then read the difference.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from gcdesk.cluster.job import Job, Resources
from gcdesk.cluster.script_templates import SCRIPTS, sbatch_text, script_texts
from gcdesk.cluster.sites import Environment, load_site
from trainer.image.settings import ImageSettings
from trainer.job.config import Folders

GOLDEN = Path(__file__).parent / "golden"


def course_job() -> Job:
    site = load_site("talc")
    course = site.courses["enel645_2024f"]
    folders = Folders(course.train, course.val, course.test)
    return Job("line2-1", "line2", site, Resources.of_site(site), ImageSettings(), folders)


def two_gpus() -> Job:
    site = replace(
        load_site("generic"),
        modules=("python/3.12", "cuda/12.1"),
        account="def-prof",
        environment=Environment("venv", "~/my envs/gcdesk"),
    )
    resources = replace(Resources.of_site(site), gpus=2, time="2-00:00:00", memory="32000MB", requeues=0)
    return Job("two.gpus_3", "two", site, resources, ImageSettings(), Folders("/data/a b/train", "/data/val"))


def cpu_only() -> Job:
    site = replace(
        load_site("generic"),
        partition="cpu",
        gres="",
        environment=Environment("python", "/opt/python/bin/python3"),
    )
    return Job(
        "cpu",
        "cpu",
        site,
        replace(Resources.of_site(site), allow_cpu=True),
        ImageSettings(),
        Folders("/t", "/v"),
    )


def sweep() -> Job:
    axes = (("rate", ("1e-4", "5e-4")), ("seed", ("0", "1", "2")))
    return replace(course_job(), run="try", sweep=axes, at_once=3)


JOBS = {"sweep": sweep, "course": course_job, "two-gpus": two_gpus, "cpu": cpu_only}


@pytest.mark.parametrize("name", JOBS)
@pytest.mark.parametrize("file", ["train.sbatch", "env.sh", "README.md"])
def test_texts_are_as_recorded(name: str, file: str) -> None:
    compare(name, file)


def test_the_job_that_ranks_a_sweep_is_as_recorded() -> None:
    compare("sweep", "rank.sbatch")
    assert "rank.sbatch" not in script_texts(course_job())


def compare(name: str, file: str) -> None:
    # The version is the package's, and no part of what is recorded.
    from gcdesk.cluster.wheel import wheel_name

    text = script_texts(JOBS[name]())[file].replace(wheel_name(), "gcdesk-VERSION.whl")
    golden = GOLDEN / f"{name}.{file}"
    if os.environ.get("GCDESK_GOLDEN") == "write":
        golden.write_text(text, encoding="utf-8", newline="\n")
    assert text == golden.read_text(encoding="utf-8")


def test_the_directives_that_saving_depends_on() -> None:
    text = sbatch_text(course_job())
    for line in ("--requeue", "--open-mode=append", "--signal=B:USR2@120", "--dependency=singleton"):
        assert f"#SBATCH {line}\n" in text
    assert "#SBATCH --output=runs/line2-1/slurm-%j.out\n" in text
    assert "set -euo pipefail" in text
    assert "export SRUN_CPUS_PER_TASK=" in text


@pytest.mark.parametrize("name", JOBS)
def test_shellcheck_has_nothing_to_say(name: str, tmp_path: Path) -> None:
    if shutil.which("shellcheck") is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("shellcheck is not installed")
    for file, text in script_texts(JOBS[name]()).items():
        (tmp_path / file).write_text(text, newline="\n")
    said = subprocess.run(
        ["shellcheck", "--external-sources", *SCRIPTS, "env.sh", *(p.name for p in tmp_path.glob("*.sbatch"))],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert said.returncode == 0, said.stdout


def test_no_script_deletes_what_is_not_its_own() -> None:
    for file, text in script_texts(course_job()).items():
        assert "rm -r" not in text, file
        assert "$HOME/software" not in text.replace('"$HOME/software/miniforge3"', ""), file

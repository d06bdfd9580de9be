"""A folder classified by an array on a real Slurm: a task killed, a photo poisoned, the local result in the end."""

from __future__ import annotations

import csv
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from talc_kit import call, local_site, wait_for, wait_gone

from gcdesk.cli.main import main
from gcdesk.cluster.classify_bundle import ClassifyJob, classify_texts, write_classify_bundle
from gcdesk.cluster.errors import ResultError
from gcdesk.cluster.job_registry import job_records, queue_states
from gcdesk.cluster.results.rows import holds_rows, take_rows
from gcdesk.config.settings import load_settings
from gcdesk.engine.labels import BINS
from gcdesk.engine.selection.rules import DEFAULT_RULE
from gcdesk.store import Store, store_path
from trainer.job.config import JobError
from trainer.shards.config import ShardsConfig, read_shards
from trainer.shards.files import list_photos, part_of, read_lines, result_of, shards_of, unfinished
from trainer.shards.merge import checked_rows, merge

PHOTOS, SHARD = 200, 50


def make_photos(samples: Path, folder: Path, count: int) -> Path:
    """Hard links of the sample photos, one of them poisoned."""
    photos = sorted(samples.glob("*.jpg"))
    for number in range(count - 1):
        source = photos[number % len(photos)]
        target = folder / f"line {number % 3}" / f"{source.stem}_{number:05d}.jpg"
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            target.hardlink_to(source)
        except OSError:  # another file system
            target.write_bytes(source.read_bytes())
    (folder / "line 1" / "poisoned_00000.jpg").write_bytes(b"\xff\xd8\xff\xe0 no photo at all")
    return folder


def job_for(
    folder: Path, image: Path, text: Path, run: str = "many", tasks: int = 4, shard: int = SHARD
) -> ClassifyJob:
    settings = load_settings()
    config = ShardsConfig(
        run=run, folder=str(folder), tasks=tasks, shard_size=shard, image_model=image.name, text_model=text.name,
        rule=settings.rule or DEFAULT_RULE.value, text_weight=settings.text_weight,
        review_threshold=settings.review_threshold, disagreement_margin=settings.disagreement_margin,
        sure_threshold=settings.sure_threshold, cpus=1,
    )  # fmt: skip
    return ClassifyJob(local_site(), config, (image, text), "cpu", "2GB", "0-00:20:00", at_once=2)


def table(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.mark.slow
def test_a_killed_task_and_a_poisoned_photo_merge_to_the_local_result(
    slurm: None, samples: Path, starter_image: Path, starter_text: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    folder = make_photos(samples, tmp_path / "a folder of photos", PHOTOS)
    job = job_for(folder, starter_image, starter_text)
    write_classify_bundle(job, tmp_path / "many.tar.gz")
    subprocess.run(["tar", "xzf", "many.tar.gz"], cwd=tmp_path, check=True)
    bundle = tmp_path / "gcdesk-many"
    place = bundle / "runs" / "many"
    said = call(bundle, "submit.sh")
    assert said.returncode == 0, said.stdout + said.stderr
    array = (place / "jobs.txt").read_text().strip()
    first = part_of(place, Path("000001.jsonl"))
    wait_for(lambda: first.is_file() and first.stat().st_size > 0)
    assert re.fullmatch(r".*\d running.* \(jobs .*\b" + array + r"\b.*\)", queue_states(["many"])["many"])
    subprocess.run(["scancel", f"{array}_1"], check=True)
    status = call(bundle, "collect.sh", "--status")
    assert "photos: " in status.stdout, status.stderr
    assert f" of {PHOTOS} done, 0 unreadable" in status.stdout
    wait_gone(array)
    wait_for(lambda: not subprocess.run(["squeue", "-h", "-n", "merge-many"], capture_output=True).stdout)
    config = read_shards(bundle)
    assert unfinished(config, place) == [1]
    assert not (place / "summary.json").exists()
    logs = "".join(file.read_text() for file in place.glob("slurm-*.out"))
    assert "1 tasks are not finished (task 1: stopped): ./submit.sh --again hands in those alone." in logs
    kept = len(list(read_lines(first)))
    again = call(bundle, "submit.sh", "--again")
    assert "tasks 1, 2 at the same time" in again.stdout, again.stderr
    wait_for((place / "summary.json").is_file)
    assert kept > 0
    collected = call(bundle, "collect.sh")
    assert collected.returncode == 0, collected.stderr

    local = tmp_path / "local.csv"
    assert main(["classify", str(folder), "--out", str(local), "--device", "cpu", "--quiet"]) == 1
    assert (place / "rows.csv").read_bytes() == local.read_bytes()
    poisoned = [row for row in table(place / "rows.csv") if "poisoned" in row["path"]]
    assert len(poisoned) == 1
    assert poisoned[0]["error"]
    result = bundle / "result-many.tar.gz"
    assert holds_rows(result)
    capsys.readouterr()
    assert main(["talc", "import", str(result)]) == 0
    assert f"{PHOTOS} photos are in the session “many”; 1 could not be read." in capsys.readouterr().out
    (remembered,) = job_records()
    assert (remembered.run, remembered.state) == ("many", "done")
    assert remembered.message == f"{PHOTOS} photos are in the session “many”; 1 could not be read."
    with Store(store_path()) as store:
        (session,) = store.sessions()
        rows = store.load_rows(session.id)
    assert session.items == PHOTOS
    labels = [BINS[label] if label >= 0 else "" for label in rows.label]
    assert labels == [row["label"] for row in table(local)]


@pytest.mark.slow
def test_a_failed_task_is_handed_in_again_alone_and_by_itself(
    slurm: None, samples: Path, starter_image: Path, starter_text: Path, tmp_path: Path
) -> None:
    folder = make_photos(samples, tmp_path / "photos", 8)
    bundle = write_classify_bundle(
        job_for(folder, starter_image, starter_text, "again", tasks=2, shard=4), tmp_path / "b"
    )
    place = bundle / "runs" / "again"
    in_the_way = result_of(place, Path("000001.jsonl"))
    in_the_way.mkdir(parents=True)
    said = call(bundle, "submit.sh")
    assert said.returncode == 0, said.stdout + said.stderr
    wait_for((place / "tasks" / "1.retries").is_file, 240)
    status = call(bundle, "collect.sh", "--status").stdout
    assert "  task 1: failed (handed in again 1 of 2 times): [Errno 21] Is a directory" in status
    in_the_way.rmdir()
    wait_for((place / "summary.json").is_file, 240)
    status = call(bundle, "collect.sh", "--status").stdout
    assert "tasks: 2 done, 0 running, 0 failed\n  task 1: done (handed in again 1 of 2 times)\n" in status
    assert "photos: 8 of 8 done, 1 unreadable" in status
    assert not (place / "tasks" / "0.retries").exists()
    logs = {file.name.rpartition("_")[2]: file.read_text() for file in place.glob("slurm-*_*.out")}
    assert logs["0.out"].count("Classifying with starter-image on cpu") == 1
    assert logs["1.out"].count("Classifying with starter-image on cpu") == 2
    assert len(table(place / "rows.csv")) == 8


def test_shards_are_listed_once_and_every_photo_has_one_row(
    samples: Path, starter_image: Path, starter_text: Path, tmp_path: Path
) -> None:
    folder = make_photos(samples, tmp_path / "photos", 12)
    config = job_for(folder, starter_image, starter_text, tasks=2, shard=5).config
    place = tmp_path / "run"
    assert list_photos(config, place) == 12
    (folder / "line 0" / "late.jpg").write_bytes(b"x")
    assert list_photos(config, place) == 12
    shards = shards_of(place)
    assert [len(list(read_lines(shard))) for shard in shards] == [5, 5, 2]
    assert unfinished(config, place) == [0, 1]
    with pytest.raises(JobError, match=r"2 tasks are not finished \(task 0: did not start"):
        merge(config, place)
    for shard in shards:
        result_of(place, shard).parent.mkdir(exist_ok=True)
        result_of(place, shard).write_text("")
    with pytest.raises(JobError, match=r"has no row of its own in 000000\.jsonl"):
        list(checked_rows(place))
    with pytest.raises(JobError, match="there are no photos in this folder"):
        list_photos(replace(config, folder=str(tmp_path / "run" / "results")), tmp_path / "other")


def test_a_row_that_was_cut_off_within_a_letter_is_the_end(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_bytes('{"caption": "tüte"}\n{"caption": "tü'.encode()[:-1])
    assert list(read_lines(file)) == [{"caption": "tüte"}]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"folder": "photos"}, "begins with /"),
        ({"tasks": 0}, "tasks must be"),
        ({"image_model": "", "text_model": ""}, "needs an image model"),
        ({"rule": "coin"}, "is no rule"),
        ({"run": "a b"}, "cannot name a run"),
    ],
)
def test_what_cannot_be_classified_is_said(changes: dict[str, object], message: str) -> None:
    usual: dict[str, object] = {"run": "x", "folder": "/photos", "image_model": "m.gcmodel"}
    with pytest.raises(JobError, match=message):
        ShardsConfig(**{**usual, **changes})  # type: ignore[arg-type]


def test_a_damaged_table_leaves_no_session(tmp_path: Path) -> None:
    (tmp_path / "x.tar.gz").write_bytes(b"no")
    assert not holds_rows(tmp_path / "x.tar.gz")
    with pytest.raises(ResultError, match="damaged"):
        take_rows(tmp_path / "x.tar.gz")


def test_shellcheck_has_nothing_to_say(starter_image: Path, starter_text: Path, tmp_path: Path) -> None:
    job = job_for(tmp_path, starter_image, starter_text)
    texts = classify_texts(job)
    for name, text in texts.items():
        (tmp_path / name).write_text(text, newline="\n")
    names = [name for name in texts if name.endswith((".sh", ".sbatch"))]
    said = subprocess.run(
        ["shellcheck", "--external-sources", *names],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 0, said.stdout
    assert "#SBATCH --signal=B:USR2@120" in texts["classify.sbatch"]
    assert sys.executable in texts["env.sh"]

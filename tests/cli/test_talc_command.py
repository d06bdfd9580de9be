"""`gcdesk talc` from the command line: what is exported, what is refused. Imports are in tests/talc."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest
from tiny_photos import tiny_folder

from gcdesk.cli.main import main
from gcdesk.cluster.job_registry import job_record
from trainer.job.config import parse_config


def test_a_courses_job_is_written_and_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["talc", "export", "--course", "enel645_2024f", "--model", "line2", "--run", "first"]
    assert main([*words, "--set", "epochs=20", "--time", "0-02:00:00", "--start-from", "in-use"]) == 0
    assert "Written: gcdesk-first.tar.gz" in capsys.readouterr().out
    with tarfile.open("gcdesk-first.tar.gz") as archive:
        file = archive.extractfile("gcdesk-first/config.toml")
        assert file is not None
        config = parse_config(file.read().decode())
    assert config.folders.train == "/work/TALC/enel645_2024f/garbage_data/CVPR_2024_dataset_Train"
    assert (config.training.epochs, config.base) == (20, "init/starter-image.gcmodel")
    job = job_record("first")
    assert job is not None
    assert (job.state, job.bundle) == ("exported", str(tmp_path / "gcdesk-first.tar.gz"))
    assert main(["talc", "jobs"]) == 0
    assert "first" in capsys.readouterr().out


def test_a_folder_is_packed_and_its_odd_files_are_told(
    samples: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photos = tiny_folder(samples, tmp_path / "my photos")
    (photos / "train" / "readme.txt").write_text("x")
    out = tmp_path / "folder"
    assert main(["talc", "export", "--pack", str(photos), "--run", "x", "--out", str(out)]) == 0
    assert "1 files that are no photos in train, left out." in capsys.readouterr().err
    assert (out / "data" / "train" / "TTR" / "old black sock_000.jpg").is_file()


def test_the_sbatch_text_can_be_looked_at_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [
        "talc",
        "export",
        "--train",
        "/d/t",
        "--val",
        "/d/v",
        "--show",
        "--gpus",
        "2",
        "--partition",
        "big",
    ]
    assert main(words) == 0
    text = capsys.readouterr().out
    assert "#SBATCH --partition=big\n" in text
    assert "#SBATCH --gres=gpu:2\n" in text
    assert "--nproc-per-node=2" in text


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "Say where the photos are"),
        (["--course", "art101"], "has no course 'art101'; there are: enel645_2024f"),
        (["--course", "enel645_2024f", "--site", "moon"], "There is no site 'moon': use talc, generic"),
        (["--course", "enel645_2024f", "--run", "a b"], "cannot name a run"),
        (["--course", "enel645_2024f", "--set", "epoch=3"], "unknown setting 'epoch'"),
        (["--course", "enel645_2024f", "--time", "soon"], "time is 'soon'"),
        (["--course", "enel645_2024f", "--partition", "gpu;id"], "only letters, digits"),
        (["--course", "enel645_2024f", "--start-from", "nobody"], "There is no model called 'nobody'"),
    ],
)  # fmt: skip
def test_what_cannot_be_exported_is_said(
    words: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["talc", "export", *words]) == 2
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_sites_are_listed_with_their_courses(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["talc", "sites"]) == 0
    told = capsys.readouterr().out
    assert "talc: TALC (University of Calgary), talc.ucalgary.ca" in told
    assert "--course enel645_2025w" in told

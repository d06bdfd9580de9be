"""What is remembered of cluster jobs, by run and by kind."""

from __future__ import annotations

from pathlib import Path

from gcdesk.cluster.job_registry import (
    DONE,
    EXPORTED,
    JobRecord,
    delete_record,
    job_record,
    job_records,
    record_export,
    record_rows,
    save_record,
)


def test_a_training_and_a_folder_of_one_name_are_two_jobs(tmp_path: Path) -> None:
    save_record(JobRecord("line1", "sorter", state=DONE, imported=1.0, installed="sorter"))
    log = JobRecord("line1", "sorter").folder / "slurm-12.out"
    log.write_text("epoch 1", encoding="utf-8")
    record_export("line1", "", "TALC", tmp_path / "line1.tar.gz")
    record_rows("line1", "9 photos are in the session.")
    training, rows = job_record("line1"), job_record("line1", rows=True)
    assert training is not None
    assert rows is not None
    assert (training.installed, training.state, log.read_text(encoding="utf-8")) == (
        "sorter",
        DONE,
        "epoch 1",
    )
    assert (rows.model, rows.site, rows.state, rows.message) == (
        "",
        "TALC",
        DONE,
        "9 photos are in the session.",
    )
    assert len(job_records()) == 2

    delete_record("line1", rows=True)
    assert job_records() == [training]


def test_a_job_that_is_exported_again_has_no_news_of_the_time_before(tmp_path: Path) -> None:
    save_record(JobRecord("line1", "sorter", state="failed", message="The disk is full."))
    again = record_export("line1", "sorter", "TALC", tmp_path / "line1.tar.gz")
    assert (again.state, again.message) == (EXPORTED, "")
    assert job_records() == [again]

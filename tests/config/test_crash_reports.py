from __future__ import annotations

from pathlib import Path

from gcdesk.config.crash_reports import reports, write_report


def test_a_report_says_which_gcdesk_and_what_happened(gcdesk_home: Path) -> None:
    report = write_report("worker", "Fatal Python error: Segmentation fault\n")
    assert report is not None
    assert report.parent == gcdesk_home / "log"
    text = report.read_text()
    assert text.startswith("gcdesk ")
    assert ", worker\n" in text
    assert text.endswith("Segmentation fault\n")


def test_the_newest_twenty_are_kept(gcdesk_home: Path) -> None:
    written = [write_report("window", str(number)) for number in range(23)]
    assert len(set(written)) == 23
    assert len(reports()) == 20


def test_a_folder_that_cannot_be_made_is_no_second_trouble(gcdesk_home: Path) -> None:
    (gcdesk_home / "log").write_text("a file where the folder should be")
    assert write_report("window", "what happened") is None

"""The report is one file: it opens in a real browser without an error, and nothing in a caption is a tag."""

from __future__ import annotations

import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest
from scored_kit import scored_set

from gcdesk.engine.evaluation.analysis import analyse
from gcdesk.engine.evaluation.html_report import report_html, write_report

CHROMIUM = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--enable-logging=stderr", "--virtual-time-budget=3000",
)  # fmt: skip


@pytest.fixture
def report(samples: Path, tmp_path: Path) -> Path:
    captions = ["<script>alert(1)</script>", 'old "tin" & lid', "خزف", "plain cup"]
    scored = scored_set(60, paths=sorted(samples.glob("*.jpg"))[:5], captions=captions)
    return write_report(analyse(scored), tmp_path / "report.html")


class Tags(HTMLParser):
    """Every tag with its attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_it_reaches_for_nothing_and_escapes_captions(report: Path) -> None:
    page = report.read_text(encoding="utf-8")
    tags = Tags()
    tags.feed(page)
    names = {tag for tag, _ in tags.found}
    assert "script" not in names
    assert "iframe" not in names
    pictures = [attributes["src"] for tag, attributes in tags.found if tag == "img"]
    assert len(pictures) > 5
    assert all(source is not None and source.startswith("data:image/jpeg;base64,") for source in pictures)
    assert not re.search(r"(?:src|href)=[\"'](?!data:)", page)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert report.stat().st_size < 1_500_000


def test_it_opens_in_chromium_without_errors(report: Path, tmp_path: Path) -> None:
    browser = shutil.which("chromium")
    if browser is None:
        pytest.skip("chromium is not installed (packaging/debian-packages.txt)")
    done = subprocess.run(
        [browser, *CHROMIUM, f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", report.as_uri()],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    assert "CONSOLE" not in done.stderr, done.stderr
    assert done.stdout.count("<svg") == 9
    assert "Most confident mistakes" in done.stdout


def test_a_photo_that_is_gone_is_a_grey_square(samples: Path) -> None:
    page = report_html(analyse(scored_set(40, paths=[samples / "gone.jpg"])))
    assert 'class="none"' in page
    assert "<img" not in page

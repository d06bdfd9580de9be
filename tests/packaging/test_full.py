"""The full package of dist/: it does what the station one does, and trains. Skipped where it was not built."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from frozen_kit import DIST, Frozen

pytestmark = pytest.mark.package
# With these captions and this batch an epoch has 60 steps.
CAPTIONS, BATCH = 1200, 20


def _row(number: int) -> str:
    """A caption of its own, with its bin; digits would be taken out."""
    thing, bin_name = (("cup", "Black"), ("peel", "Green"), ("bottle", "Blue"), ("battery", "TTR"))[
        number % 4
    ]
    letters = [chr(ord("a") + digit) for digit in (number // 4 // 26, number // 4 % 26)]
    return f"{thing} {' '.join(letters)},{bin_name}"


@pytest.fixture
def full(tmp_path: Path) -> Frozen:
    found = sorted(DIST.parent.glob("full-*/gcdesk"))
    if not found:
        pytest.skip("there is no full package: run `make package FLAVOUR=full`")
    home = tmp_path / "a home"
    home.mkdir()
    return Frozen(found[-1], home)


@pytest.mark.timeout(900)
def test_it_classifies_and_trains_sixty_steps(full: Frozen, tmp_path: Path) -> None:
    # The package lies in this checkout, so only the rest of it is hidden: a bind keeps the folder itself.
    keep = f'mkdir -p /tmp/gcdesk-full; mount --bind "{full.program}" /tmp/gcdesk-full; '
    there = Frozen(Path("/tmp/gcdesk-full"), full.home)  # noqa: S108 - a mount of this test's own namespace
    code, report = there.smoke(
        tmp_path / "report.json", variables={"QT_QPA_PLATFORM": "offscreen"}, before=keep, timeout=300
    )
    assert (code, report["problem"], report["flavour"]) == (0, "", "full")

    captions = tmp_path / "captions.csv"
    captions.write_text("text,bin\n" + "\n".join(map(_row, range(CAPTIONS))) + "\n")
    validation = tmp_path / "validation.csv"
    validation.write_text("text,bin\nold cup,Black\nwet peel,Green\nclear bottle,Blue\nflat battery,TTR\n")
    model = tmp_path / "sixty.gcmodel"
    done = there.run(
        "train", "text", "--train", str(captions), "--val", str(validation), "--out", str(model),
        "--set", "epochs=1", "--set", f"batch={BATCH}", "--json-events", "--device", "cpu", "--threads", "1",
        before=keep, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    steps = [told for line in done.stdout.splitlines() if (told := json.loads(line)).get("type") == "step"]
    assert steps[-1]["step"] == steps[-1]["steps"] == 60
    assert json.loads((model / "model.json").read_text())["kind"] == "text"
    imported = there.run("models", "import", str(model), "--use", before=keep)
    assert imported.returncode == 0, imported.stderr

"""Tables that are some megabytes on the disk and gigabytes in memory are refused before they are taken apart."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from gcdesk.engine.captions.caption_table import read_caption_csv
from gcdesk.engine.errors import CaptionFileError

HEAD = "file,caption\n"


@pytest.mark.parametrize(
    "text",
    [
        HEAD + "a,b\n" * 5_000_000,
        HEAD + "\n" * 30_000_000,
        HEAD + "," * 30_000_000,
        "\r" * 30_000_000,
        ";" * 30_000_000,
    ],
    ids=["rows", "blank rows", "cells", "carriage returns", "columns"],
)
def test_millions_of_cells_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "captions.csv").write_text(text, encoding="utf-8", newline="")
    began = time.process_time()
    with pytest.raises(CaptionFileError, match="4,000,000 cells"):
        read_caption_csv(tmp_path / "captions.csv")
    assert time.process_time() - began < 2


def test_a_table_of_a_hundred_thousand_photos_is_read(tmp_path: Path) -> None:
    rows = "".join(f"{number}.jpg,cup {number}\n" for number in range(100_000))
    (tmp_path / "captions.csv").write_text(HEAD + rows, encoding="utf-8")
    assert len(read_caption_csv(tmp_path / "captions.csv")) == 100_000

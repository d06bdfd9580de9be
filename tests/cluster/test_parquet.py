"""The merged table as Parquet: the same rows and cells as the CSV, and the CSV alone where pyarrow is missing."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import pytest
from pyarrow import parquet
from talc_kit import local_site

from gcdesk.cluster.classify_bundle import ClassifyJob, write_classify_bundle
from gcdesk.config.settings import load_settings
from gcdesk.engine.classification.result_row import FIELDS
from trainer.shards.config import ShardsConfig, read_shards
from trainer.shards.files import list_photos
from trainer.shards.merge import merge
from trainer.shards.work import work_on_task


@pytest.fixture
def bundle(
    samples: Path, starter_image: Path, starter_text: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Three photos, one of them none, classified."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for photo in sorted(samples.glob("*.jpg"))[:2]:
        (folder / photo.name).write_bytes(photo.read_bytes())
    (folder / "IMG_1.jpg").write_bytes(b"no photo")
    config = ShardsConfig(
        run="many", folder=str(folder), tasks=1, image_model=starter_image.name, text_model=starter_text.name,
        cpus=1, table="parquet", review_threshold=load_settings().review_threshold,
    )  # fmt: skip
    job = ClassifyJob(local_site(), config, (starter_image, starter_text), "cpu", "2GB", "0-00:20:00")
    made = write_classify_bundle(job, tmp_path / "bundle")
    list_photos(config, config.place(made))
    monkeypatch.setattr("signal.signal", lambda *_: None)  # this test's process keeps its own
    assert work_on_task(made, config, 0) == 0
    return made


def test_the_parquet_table_has_the_cells_of_the_csv(bundle: Path) -> None:
    config = read_shards(bundle)
    place = config.place(bundle)
    assert merge(config, place)["photos"] == 3
    table = parquet.read_table(place / "rows.parquet")
    assert table.column_names == list(FIELDS)
    with (place / "rows.csv").open(encoding="utf-8-sig", newline="") as stream:
        expected = list(csv.DictReader(stream))
    for found, row in zip(table.to_pylist(), expected, strict=True):
        for name, word in row.items():
            value = found[name]
            if isinstance(value, bool):
                assert word == str(value).lower()
            elif isinstance(value, float):
                assert float(word) == value
            else:
                assert (value or "") == word
    first = table.to_pylist()[0]
    assert (first["error"] is None, first["label"], first["image_Black"]) == (False, None, None)


def test_without_pyarrow_there_is_the_csv_alone_and_the_check_says_so(bundle: Path) -> None:
    place = read_shards(bundle).place(bundle)
    said = {}
    for verb in ("check", "merge"):
        code = (
            "import sys; sys.modules['pyarrow'] = None\n"
            f"from trainer.shards.__main__ import main; sys.exit(main(['{verb}']))"
        )
        said[verb] = subprocess.run(
            [sys.executable, "-c", code], cwd=bundle, capture_output=True, text=True, check=False
        )
    assert "The environment lacks pyarrow: run ./setup_env.sh" in said["check"].stdout
    assert said["merge"].returncode == 0
    assert "Without pyarrow there is only the CSV." in said["merge"].stderr
    assert (place / "rows.csv").is_file()
    assert not (place / "rows.parquet").exists()

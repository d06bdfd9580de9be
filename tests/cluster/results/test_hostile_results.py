"""Result archives that somebody made to cost memory, time or an unforeseen error: each a sentence, nothing left."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import sqlite3
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from results_kit import pack, signed

from gcdesk.cli.main import main
from gcdesk.cluster.errors import ResultError
from gcdesk.cluster.ranking import read_ranking
from gcdesk.cluster.results import rows as rows_result
from gcdesk.cluster.results.archive import read_result
from gcdesk.cluster.results.metrics import drawable_metrics
from gcdesk.cluster.results.rows import holds_rows, take_rows
from gcdesk.cluster.results.tar_reader import HEADER_BYTES
from gcdesk.engine.classification.result_row import FIELDS
from gcdesk.engine.labels import BINS
from gcdesk.store import Store, StoreError, store_path
from trainer.shards.config import ShardsConfig, shards_text

GOOD = {
    "path": "/data/a.jpg", "caption": "cup", "label": "Blue", "confidence": "0.9", "winner": "text",
    "margin": "0.1", "review": "false", **{f"text_{name}": "0.25" for name in BINS},
}  # fmt: skip
SETTINGS = shards_text(ShardsConfig("back", "/data", image_model="a"))


def rows_archive(target: Path, rows: list[list[str]], settings: str = SETTINGS) -> Path:
    """A result of classified rows as ./collect.sh writes it, whatever the rows are."""
    text = io.StringIO()
    csv.writer(text).writerows([FIELDS, *rows])
    files = {
        "manifest.json": json.dumps({"v": 1, "kind": "gcdesk-rows", "run": "back", "files": {}}).encode(),
        "classify.toml": settings.encode(),
        "rows.csv": text.getvalue().encode(),
        "summary.json": b"{}",
    }
    return pack(signed(files), target)


def cells(**changes: str) -> list[str]:
    return [({**GOOD, **changes}).get(name, "") for name in FIELDS]


def raw_tar(target: Path, write: Callable[[gzip.GzipFile], object]) -> Path:
    with gzip.open(target, "wb", compresslevel=1) as file:
        write(file)
        file.write(bytes(1024))
    return target


def long_name(megabytes: int, kind: bytes) -> Callable[[gzip.GzipFile], object]:
    item = tarfile.TarInfo("././@LongLink")
    item.type, item.size = kind, megabytes << 20

    def write(file: gzip.GzipFile) -> None:
        file.write(item.tobuf(tarfile.GNU_FORMAT))
        for _ in range(megabytes):
            file.write(b"a" * (1 << 20))

    return write


def sparse_map(file: gzip.GzipFile) -> None:
    """GNU's sparse format 1.0: a list of places, as long as it says, in front of the content."""
    item = tarfile.TarInfo("result-back/rows.csv")
    item.size = 1 << 30
    item.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "9"}
    file.write(item.tobuf(tarfile.PAX_FORMAT) + b"99999999\n")
    for _ in range(64):
        file.write(b"1\n" * (1 << 19))


@pytest.mark.parametrize(
    "kind", [tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.XGLTYPE]
)
def test_a_name_of_megabytes_is_refused_unread(tmp_path: Path, kind: bytes) -> None:
    archive = raw_tar(tmp_path / "x.tar.gz", long_name(64, kind))
    began = time.process_time()
    assert not holds_rows(archive)
    with pytest.raises(ResultError, match="longer than any can be"):
        read_result(archive, tmp_path / "into")
    assert time.process_time() - began < 1


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (tarfile.TarInfo("result-back/logs"), "more entries than any can"),
        (tarfile.TarInfo("././@PaxHeader"), "more entries than any can|damaged"),
    ],
)
def test_entries_without_end_are_refused(tmp_path: Path, one: tarfile.TarInfo, words: str) -> None:
    """Folders, and headers that only announce the next header."""
    one.type = tarfile.DIRTYPE if "logs" in one.name else tarfile.XHDTYPE
    entry = one.tobuf()
    archive = raw_tar(
        tmp_path / "x.tar.gz", lambda file: file.write(entry * (2 * HEADER_BYTES // len(entry)))
    )
    with pytest.raises(ResultError, match=words):
        read_result(archive, tmp_path / "into")


def test_a_sparse_map_without_end_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ResultError, match=r"not taken|damaged"):
        read_result(raw_tar(tmp_path / "x.tar.gz", sparse_map), tmp_path / "into")


def test_small_archives_that_unpack_to_large_files_are_refused(tmp_path: Path) -> None:
    """Each file of a result has a size that it cannot pass, far below that of all together."""
    for name in ("manifest.json", "status.json", "logs/slurm-1.out", "metrics.jsonl"):
        item = tarfile.TarInfo(f"result-back/{name}")
        item.size = 200 << 20
        archive = raw_tar(tmp_path / "x.tar.gz", lambda file, item=item: file.write(item.tobuf()))
        with pytest.raises(ResultError, match="larger than any can be"):
            read_result(archive, tmp_path / "into")


@pytest.mark.posix("no pipes in folders there")
def test_a_pipe_is_refused_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.mkfifo(tmp_path / "result.tar.gz")
    began = time.monotonic()
    assert main(["talc", "import", str(tmp_path / "result.tar.gz")]) == 2
    assert "no ordinary file" in capsys.readouterr().err
    assert time.monotonic() - began < 60


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([cells(), ["/data/b.jpg"]], "line 3"),
        ([cells(), ["/data/b.jpg", "cup"]], "line 3"),
        ([[*cells(), "more"]], "line 2"),
        ([cells(confidence="nan")], "no number from 0 to 1"),
        ([cells(margin="1e300")], "no number from 0 to 1"),
        ([cells(text_Blue="-1")], "no number from 0 to 1"),
        ([cells(text_Blue="much")], "could not convert"),
        ([cells(label="Purple")], "damaged in line 2"),
        ([cells(caption="x" * 200_000)], "field larger"),
    ],
)
def test_a_bad_row_is_named_and_nothing_half_taken_stays(
    tmp_path: Path, rows: list[list[str]], words: str
) -> None:
    with pytest.raises(ResultError, match=words):
        take_rows(rows_archive(tmp_path / "x.tar.gz", rows))
    assert not store_path().exists()


@pytest.mark.parametrize(
    "line",
    [
        "text_weight = nan",
        "text_weight = 7",
        'text_weight = "much"',
        "cpus = -1",
        "odd = 1",
        f"tasks = {'9' * 5000}",
    ],
)
def test_a_bad_setting_is_a_sentence(tmp_path: Path, line: str) -> None:
    name = line.partition(" ")[0]
    kept = [one for one in SETTINGS.splitlines() if not one.startswith(name)]
    archive = rows_archive(tmp_path / "x.tar.gz", [cells()], "\n".join([*kept, line]) + "\n")
    with pytest.raises(ResultError, match="settings cannot be read"):
        take_rows(archive)
    assert not store_path().exists()


def test_an_error_in_the_store_leaves_no_half_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second part of the rows cannot be written: the first is taken back with the session."""
    monkeypatch.setattr(rows_result, "_CHUNK", 1)
    Store(store_path()).close()
    connection = sqlite3.connect(store_path())
    connection.execute("CREATE UNIQUE INDEX one_row ON items (session)")  # the second row is refused
    connection.close()
    with pytest.raises(StoreError, match="cannot be used"):
        take_rows(rows_archive(tmp_path / "x.tar.gz", [cells(), cells(path="/data/b.jpg")]))
    with Store(store_path()) as store:
        assert store.sessions() == []


def test_an_import_that_is_killed_leaves_no_half_session(tmp_path: Path) -> None:
    archive = rows_archive(tmp_path / "x.tar.gz", [cells(path=f"/data/{n}.jpg") for n in range(60_000)])
    child = subprocess.Popen(
        [sys.executable, "-c", f"from pathlib import Path; from gcdesk.cluster.results.rows import take_rows;"
         f" take_rows(Path({str(archive)!r}))"]
    )  # fmt: skip
    while not store_path().exists() and child.poll() is None:
        time.sleep(0.01)
    time.sleep(0.3)
    child.kill()
    child.wait()
    with Store(store_path()) as store:
        assert [session.items for session in store.sessions()] in ([], [60_000])


def test_good_rows_are_taken_by_a_confined_process(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = rows_archive(tmp_path / "x.tar.gz", [cells(), cells(path="/data/b.jpg", error="cut off")])
    assert main(["talc", "import", str(archive)]) == 0
    assert "2 photos are in the session “back”; 1 could not be read." in capsys.readouterr().out


def test_captions_that_a_spreadsheet_would_run_come_back_as_they_were(tmp_path: Path) -> None:
    arrival = take_rows(rows_archive(tmp_path / "x.tar.gz", [cells(path="'=sum.jpg", caption="'-glass jar")]))
    with Store(store_path()) as store:
        found = store.load_rows(arrival.session)
    assert (found.path, found.caption) == (["=sum.jpg"], ["-glass jar"])


def test_figures_that_no_axis_holds_are_left_out(tmp_path: Path) -> None:
    lines = [
        '{"type": "epoch", "val": 0.5}',
        '{"type": "epoch", "val": NaN}',
        '{"type": "step", "loss": 1e999}',
    ]
    lines += [f'{{"type": "epoch", "val": {"9" * 400}}}', "[1]", '{"type": "epoch", "val": "0.5"}']
    (tmp_path / "metrics.jsonl").write_text("\n".join(lines))
    assert [line["val"] for line in drawable_metrics(tmp_path / "metrics.jsonl")] == [0.5]


@pytest.mark.parametrize(
    "content",
    [
        {"tasks": [], "groups": [{"tasks": [0], "mean": 0.5, "half": None, "words": []}]},
        {"tasks": [{"task": 0, "val": "x"}], "groups": []},
        {
            "tasks": [{"task": 0, "val": 1}],
            "groups": [{"tasks": [0, 0], "mean": 0.5, "half": None, "words": []}],
        },
        {
            "tasks": [{"task": 0, "val": 1}],
            "groups": [{"tasks": [0], "mean": 10**400, "half": None, "words": []}],
        },
        [1],
    ],
)
def test_a_damaged_ranking_is_a_sentence(tmp_path: Path, content: object) -> None:
    (tmp_path / "sweep.json").write_text(json.dumps(content))
    with pytest.raises(ResultError, match=r"sweep\.json is damaged"):
        read_ranking(tmp_path)

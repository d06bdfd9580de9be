"""What an output may replace, and how it is put in its place."""

from __future__ import annotations

import os
import shutil
import stat
import threading
from pathlib import Path

import pytest

from gcdesk.engine.classification.result_row import FIELDS
from gcdesk.engine.errors import GcdeskError
from gcdesk.engine.tables.targets import refuse_base, refuse_target
from gcdesk.engine.tables.writer import CsvTable, JsonTable, replaced_file


def refused(target: Path, *inputs: Path, force: bool = False) -> bool:
    before = target.read_bytes() if target.is_file() else None
    try:
        refuse_target(target, inputs, force)
    except GcdeskError as error:
        return str(target) in str(error)
    finally:
        assert before is None or target.read_bytes() == before
    return False


@pytest.mark.parametrize("name", ["photo.jpg", "photo without its ending", "rows.csv"])
def test_a_photo_is_never_replaced_whatever_its_name(samples: Path, tmp_path: Path, name: str) -> None:
    target = tmp_path / name
    shutil.copy(samples / "orange peel.jpg", target)
    assert refused(target)
    assert refused(target, force=True)
    with pytest.raises(GcdeskError, match="photo"), replaced_file(target) as stream:
        stream.write("gone")
    assert target.read_bytes()[:2] == b"\xff\xd8"


@pytest.mark.parametrize(
    "name", ["weights.pth", "last.ckpt", "m.safetensors", "m.gcmodel/model.json", "empty.jpeg"]
)
def test_models_and_photos_that_cannot_be_read_are_known_by_their_names(tmp_path: Path, name: str) -> None:
    target = tmp_path / name
    target.parent.mkdir(exist_ok=True)
    target.write_bytes(b"\x00\x01")
    assert refused(target, force=True)


@pytest.mark.posix("links want a right on Windows that users do not have")
def test_an_input_is_never_replaced_by_any_of_its_names(tmp_path: Path) -> None:
    table, link = tmp_path / "captions.csv", tmp_path / "link.csv"
    table.write_text("file,text\na.jpg,glass jar\n")
    link.symlink_to(table)
    hard = tmp_path / "hard.csv"
    os.link(table, hard)
    for target in (table, link, hard, tmp_path / "." / "captions.csv"):
        assert refused(target, table, force=True)


def test_other_files_are_replaced_only_when_asked_and_earlier_tables_at_once(tmp_path: Path) -> None:
    notes, older, array = tmp_path / "notes.txt", tmp_path / "rows.csv", tmp_path / "rows.json"
    notes.write_text("my notes")
    with older.open("w", newline="", encoding="utf-8-sig") as stream:
        CsvTable(stream, FIELDS)
    with array.open("w") as stream:
        table = JsonTable(stream)
        table.write({"path": "a.jpg"})
        table.finish()
    (tmp_path / "empty").touch()
    assert refused(notes)
    assert not refused(notes, force=True)
    assert not refused(older)
    assert not refused(array)
    assert not refused(tmp_path / "empty")
    assert not refused(tmp_path / "new.csv")
    assert refused(tmp_path, force=True)


@pytest.mark.posix("links want a right on Windows that users do not have")
def test_a_link_is_written_through_and_its_file_keeps_its_mode(tmp_path: Path) -> None:
    real, link = tmp_path / "shared" / "rows.csv", tmp_path / "rows.csv"
    real.parent.mkdir()
    real.write_text("old")
    real.chmod(0o640)
    link.symlink_to(real)
    with replaced_file(link) as stream:
        stream.write("new")
    assert link.is_symlink()
    assert real.read_text() == "new"
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert sorted(path.name for path in real.parent.iterdir()) == ["rows.csv"]


@pytest.mark.posix("no pipes nor devices in folders there")
def test_a_pipe_gets_the_text_and_stays_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    refuse_target(pipe, [], force=False)
    with replaced_file(pipe) as stream:
        stream.write("rows")
    reader.join(10)
    assert read == ["rows"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.posix("no pipes nor devices in folders there")
def test_a_device_is_written_to() -> None:
    with replaced_file(Path("/dev/null")) as stream:
        stream.write("rows")
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


def test_a_training_is_not_written_over_what_it_starts_from(tmp_path: Path) -> None:
    model = tmp_path / "line 2.gcmodel"
    model.mkdir()
    with pytest.raises(GcdeskError, match="starts from"):
        refuse_base(model, tmp_path / "." / "line 2.gcmodel")
    refuse_base(tmp_path / "new.gcmodel", model)
    refuse_base(model, "starter")

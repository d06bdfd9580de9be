"""A file or a folder is replaced whole, on the disk as well, or stays what it was."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from gcdesk.config.files import replace_atomically, replace_folder, write_atomically


class Flushes:
    """Counts what is flushed, without keeping it from the disk: sizes of files, and how many folders."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.files: list[int] = []
        self.folders = 0
        self._fsync = os.fsync
        monkeypatch.setattr(os, "fsync", self._count)

    def _count(self, handle: int) -> None:
        status = os.fstat(handle)
        if stat.S_ISDIR(status.st_mode):
            self.folders += 1
        else:
            self.files.append(status.st_size)
        self._fsync(handle)


def write_half(path: Path) -> None:
    with replace_atomically(path) as stream:
        stream.write(b"half")
        raise RuntimeError("something else failed")


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_text("old")
    with pytest.raises(RuntimeError):
        write_half(path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failure_leaves_no_file_where_there_was_none(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError):
        write_half(tmp_path / "out.csv")
    assert not list(tmp_path.iterdir())


def test_a_reader_meanwhile_sees_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_text("old")
    with replace_atomically(path) as stream:
        stream.write(b"new and longer")
        stream.flush()
        assert path.read_text() == "old"
    assert path.read_text() == "new and longer"


def test_a_process_that_is_killed_while_it_writes_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_text("old")
    code = (
        "import os, sys; from pathlib import Path; from gcdesk.config.files import replace_atomically\n"
        "with replace_atomically(Path(sys.argv[1])) as stream:\n"
        "    stream.write(b'half'); stream.flush(); os._exit(9)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(path)]).returncode == 9
    assert path.read_text() == "old"


def test_the_content_is_on_the_disk_before_the_name_and_the_folder_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushes = Flushes(monkeypatch)
    write_atomically(tmp_path / "a.json", "é" * 500)
    assert (flushes.files, flushes.folders) == ([1000], 1 if os.name != "nt" else 0)


def test_a_cache_waits_for_no_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flushes = Flushes(monkeypatch)
    with replace_atomically(tmp_path / "a.jpg", durable=False) as stream:
        stream.write(b"picture")
    assert (flushes.files, flushes.folders) == ([], 0)
    assert (tmp_path / "a.jpg").read_bytes() == b"picture"


def test_a_full_disk_is_said_of_the_file_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.json"
    path.write_text("old")

    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space") as caught:
        write_atomically(path, "new")
    assert caught.value.filename == str(path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_not_there_is_said_with_the_files_name(tmp_path: Path) -> None:
    path = tmp_path / "no" / "a.json"
    with pytest.raises(FileNotFoundError) as caught:
        write_atomically(path, "new")
    assert caught.value.filename == str(path)


@pytest.mark.posix("permissions of another kind")
def test_permissions_stay_and_new_files_have_the_usual_ones(tmp_path: Path) -> None:
    (tmp_path / "usual").touch()
    write_atomically(tmp_path / "new", "x")
    assert (tmp_path / "new").stat().st_mode == (tmp_path / "usual").stat().st_mode
    private = tmp_path / "private"
    private.touch(0o600)
    write_atomically(private, "x")
    assert stat.S_IMODE(private.stat().st_mode) == 0o600


@pytest.mark.posix("links want a right on Windows that users do not have")
def test_a_link_stays_a_link(tmp_path: Path) -> None:
    real = tmp_path / "elsewhere" / "settings.json"
    real.parent.mkdir()
    real.write_text("old")
    link = tmp_path / "settings.json"
    link.symlink_to(real)
    write_atomically(link, "new")
    assert link.is_symlink()
    assert real.read_text() == "new"


def test_a_device_stays_a_device() -> None:
    write_atomically(Path(os.devnull), "nowhere")
    assert not Path(os.devnull).is_file()


def test_a_name_as_long_as_the_disk_takes(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 251 + ".csv")
    write_atomically(path, "new")
    assert path.read_text() == "new"


def test_a_file_that_a_scanner_holds_for_a_moment_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Windows refuses to replace a file that another program has open."""
    path = tmp_path / "a.json"
    path.write_text("old")
    replace, refusals = os.replace, [32, 5]

    def held(source: Path, target: Path) -> None:
        if refusals:
            error = PermissionError(errno.EACCES, "in use", str(source))
            error.winerror = refusals.pop()
            raise error
        replace(source, target)

    monkeypatch.setattr(os, "replace", held)
    write_atomically(path, "new")
    assert path.read_text() == "new"


def test_a_refusal_that_lasts_is_raised_and_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.json"
    path.write_text("old")

    def held(source: Path, _target: Path) -> None:
        raise PermissionError(errno.EACCES, "in use", str(source))

    monkeypatch.setattr(os, "replace", held)
    with pytest.raises(PermissionError) as caught:
        write_atomically(path, "new")
    assert caught.value.filename == str(path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def make_folder(folder: Path, content: str) -> Path:
    folder.mkdir()
    (folder / "model.json").write_text(content)
    return folder


def test_a_folder_is_replaced_and_every_file_of_it_is_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_folder(tmp_path / "a.gcmodel", "old")
    work = make_folder(tmp_path / "work", "newer")
    flushes = Flushes(monkeypatch)
    replace_folder(work, folder)
    assert (folder / "model.json").read_text() == "newer"
    assert [path.name for path in tmp_path.iterdir()] == ["a.gcmodel"]
    assert flushes.files == [5]
    assert flushes.folders == (2 if os.name != "nt" else 0)  # itself, and the one it lies in


def test_a_folder_that_cannot_be_renamed_leaves_the_older_one(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "a.gcmodel", "old")
    with pytest.raises(FileNotFoundError):
        replace_folder(tmp_path / "never made", folder)
    assert (folder / "model.json").read_text() == "old"


def test_the_older_folder_comes_back_where_the_second_rename_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_folder(tmp_path / "a.gcmodel", "old")
    work = make_folder(tmp_path / "work", "new")
    replace = os.replace

    def failing(source: Path, target: Path) -> None:
        if source == work:
            raise OSError(errno.EIO, "Input/output error", str(source))
        replace(source, target)

    monkeypatch.setattr(os, "replace", failing)
    with pytest.raises(OSError, match="Input/output"):
        replace_folder(work, folder)
    assert (folder / "model.json").read_text() == "old"

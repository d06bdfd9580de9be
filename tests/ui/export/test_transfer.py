"""Photos carried into folders and back: killed, onto other drives, into names that others take."""

from __future__ import annotations

import errno
import os
import random
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from processes import kill

from gcdesk.config import placing
from gcdesk.store import NewPhoto, Store, store_path
from gcdesk.ui.export.transfer import Step, Transfer, carry_out, earlier, take_back
from gcdesk.ui.session.own_files import OwnFiles

PHOTOS = 120


@pytest.fixture
def card(tmp_path: Path) -> Path:
    folder = tmp_path / "card"
    folder.mkdir()
    for number in range(PHOTOS):
        (folder / f"{number:03}.jpg").write_bytes(bytes([number]) * 5000)
    return folder


def steps_of(card: Path, bins: Path, items: list[int] | None = None) -> list[Step]:
    found = sorted(card.glob("*.jpg"))
    return [
        Step(items[n] if items else n, str(path), bins / ("Blue" if n % 2 else "TTR") / path.name)
        for n, path in enumerate(found)
    ]


def listed(card: Path) -> tuple[int, list[int]]:
    """A session with a row a photo: its id, and those of the rows."""
    with Store(store_path()) as store:
        session = store.create_session("x")
        photos = [
            NewPhoto(str(path), "cup", path.stat().st_size, path.stat().st_mtime_ns)
            for path in sorted(card.glob("*.jpg"))
        ]
        return session, [one.item_id for one in store.add_items(session, photos)]


def contents(*folders: Path) -> list[bytes]:
    return sorted(path.read_bytes() for folder in folders for path in folder.rglob("*") if path.is_file())


def hidden(*folders: Path) -> list[Path]:
    return [path for folder in folders for path in folder.rglob(".*")]


def other_drive(monkeypatch: pytest.MonkeyPatch, bins: Path) -> None:
    """No file can be renamed into or out of `bins`, as between two drives."""
    real = os.rename

    def rename(one: str, two: str) -> None:
        if Path(one).is_relative_to(bins) != Path(two).is_relative_to(bins):
            raise OSError(errno.EXDEV, "another drive", str(one))
        real(one, two)

    monkeypatch.setattr(os, "rename", rename)


@pytest.fixture
def journal() -> Iterator[Store]:
    """Where transfers are written down; nothing of it is looked at."""
    with Store(in_memory=True) as store:
        yield store


# --- copies


@pytest.mark.posix("links want a right on Windows that users do not have")
def test_a_copy_is_deleted_only_while_its_original_holds_the_same(
    card: Path, tmp_path: Path, journal: Store
) -> None:
    done = carry_out(steps_of(card, tmp_path / "bins")[:5], False, journal)
    (card / "000.jpg").unlink()
    (card / "001.jpg").write_bytes(b"another photo now")
    (card / "002.jpg").unlink()
    (card / "002.jpg").symlink_to(done.placed[2].target)
    back = take_back(done, journal)
    assert [Path(one.target).name for one in back.placed] == ["004.jpg", "003.jpg"]
    assert len(back.problems) == 3
    assert all("stays" in one for one in back.problems)
    assert (card / "002.jpg").read_bytes() == bytes([2]) * 5000


def test_a_moved_photo_that_was_changed_since_stays(card: Path, tmp_path: Path, journal: Store) -> None:
    done = carry_out(steps_of(card, tmp_path / "bins")[:2], True, journal)
    Path(done.placed[0].target).write_bytes(b"edited")
    back = take_back(done, journal)
    assert len(back.placed) == 1
    assert Path(done.placed[0].target).read_bytes() == b"edited"
    assert not (card / "000.jpg").exists()
    assert "changed since" in back.problems[0]


def test_a_photo_whose_old_name_is_taken_stays(card: Path, tmp_path: Path, journal: Store) -> None:
    done = carry_out(steps_of(card, tmp_path / "bins")[:1], True, journal)
    (card / "000.jpg").write_bytes(b"new")
    assert not take_back(done, journal).placed
    assert (card / "000.jpg").read_bytes() == b"new"
    assert Path(done.placed[0].target).is_file()


# --- other drives


def test_another_drive_gets_copies_that_are_compared(
    card: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, journal: Store
) -> None:
    before = contents(card)
    other_drive(monkeypatch, tmp_path / "bins")
    done = carry_out(steps_of(card, tmp_path / "bins"), True, journal)
    assert len(done.placed) == PHOTOS, done.problems[:1]
    assert not list(card.iterdir())
    assert contents(tmp_path / "bins") == before
    assert len(take_back(done, journal).placed) == PHOTOS
    assert contents(card) == before


def test_a_copy_that_is_not_like_its_photo_costs_no_photo(
    card: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, journal: Store
) -> None:
    """A drive that loses a part of what was written to it, without an error."""
    before = contents(card)
    other_drive(monkeypatch, tmp_path / "bins")
    real = shutil.copyfile

    def losing(source: str, target: Path) -> None:
        real(source, target)
        os.truncate(target, 1000)

    monkeypatch.setattr(shutil, "copyfile", losing)
    done = carry_out(steps_of(card, tmp_path / "bins")[:3], True, journal)
    assert not done.placed
    assert "not like the photo" in done.problems[0]
    assert contents(card) == before
    assert contents(tmp_path / "bins") == []


def test_an_error_that_is_no_other_drive_is_said(
    card: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, journal: Store
) -> None:
    def refused(one: str, _two: str) -> None:
        raise OSError(errno.EACCES, "no", one)

    monkeypatch.setattr(os, "rename", refused)
    done = carry_out(steps_of(card, tmp_path / "bins")[:1], True, journal)
    assert not done.placed
    assert len(done.problems) == 1


def test_a_drive_that_knows_no_second_names_is_moved_to_as_well(
    card: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, journal: Store
) -> None:
    def no_links(*_args: object, **_more: object) -> None:
        raise OSError(errno.EPERM, "FAT")

    monkeypatch.setattr(os, "link", no_links)
    before = contents(card)
    done = carry_out(steps_of(card, tmp_path / "bins"), True, journal)
    assert len(done.placed) == PHOTOS
    assert contents(tmp_path / "bins") == before
    (tmp_path / "work").write_bytes(b"whole")
    with pytest.raises(FileExistsError):
        placing.put_under(tmp_path / "work", Path(done.placed[0].target))


def test_a_name_that_is_taken_in_the_last_moment_is_not_overwritten(
    card: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, journal: Store
) -> None:
    real = placing.bring

    def slow(source: str, work: Path, move: bool) -> bool:
        renamed = real(source, work, move)
        (work.parent / Path(source).name).write_bytes(b"somebody else's")
        return renamed

    monkeypatch.setattr("gcdesk.ui.export.transfer.bring", slow)
    done = carry_out(steps_of(card, tmp_path / "bins")[:1], True, journal)
    assert Path(done.placed[0].target).name == "000 (2).jpg"
    assert (tmp_path / "bins" / "TTR" / "000.jpg").read_bytes() == b"somebody else's"


# --- killed


CARRY = """
import os, sys
from pathlib import Path
from gcdesk.store import Store, store_path
from gcdesk.ui.export.transfer import Step, carry_out, earlier, take_back
verb, bins, drive = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
if drive == "other":
    real = os.rename
    def rename(one, two):
        if Path(one).is_relative_to(bins) != Path(two).is_relative_to(bins):
            raise OSError(18, "another drive", str(one))
        real(one, two)
    os.rename = rename
with Store(store_path()) as store:
    session = store.last_session().id
    rows = store.load_rows(session)
    print("ready", flush=True)
    if verb == "back":
        take_back(earlier(*store.last_moves()), store)
    else:
        found = enumerate(zip(rows.item_id, rows.path))
        steps = [Step(int(i), p, bins / ("Blue" if n % 2 else "TTR") / Path(p).name) for n, (i, p) in found]
        carry_out(steps, verb == "move", store)
print("done", flush=True)
"""


def killed(verb: str, bins: Path, drive: str, seconds: float) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", CARRY, verb, str(bins), drive], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    time.sleep(seconds)
    kill(child.pid)
    child.wait()
    child.stdout.close()


@pytest.mark.parametrize("drive", ["same", "other"])
@pytest.mark.parametrize("verb", ["move", "copy", "back"])
def test_a_kill_loses_nothing_and_the_next_start_knows_where_all_is(
    card: Path, tmp_path: Path, verb: str, drive: str
) -> None:
    """Killed at some moment, again and again, until all is done: no photo lost, none twice, no half one under a photo's
    name at any time, and every row leads to its photo after each start.
    """
    bins, before = tmp_path / "bins", contents(card)
    session, items = listed(card)
    if verb == "back":
        with Store(store_path()) as store:
            carry_out(steps_of(card, bins, items), True, store)
    chance = random.Random(f"{verb} {drive}")
    for _ in range(6):
        killed(verb, bins, drive, chance.uniform(0.0, 0.08))
        visible = [path for folder in (card, bins) for path in folder.rglob("[!.]*.jpg")]
        assert {path.stat().st_size for path in visible} == {5000}
        with Store(store_path()) as store:
            store.settle_moves()
            paths = store.load_rows(session).path
        assert hidden(card, bins) == []
        assert [path for path in paths if not os.path.isfile(path)] == []
        assert len(set(paths)) == PHOTOS
        if verb == "copy":
            assert contents(card) == before
        else:
            assert contents(card, bins) == before


def test_what_a_kill_left_is_said_in_a_sentence(card: Path, tmp_path: Path) -> None:
    """A photo renamed away and not yet to its place, a half copy, an empty claim, and one that was not touched."""
    session, items = listed(card)
    steps = steps_of(card, tmp_path / "bins", items)[:4]
    with Store(store_path()) as store:
        batch = store.begin_moves(True)
        planned = []
        for step in steps:
            step.target.parent.mkdir(parents=True, exist_ok=True)
            planned.append(store_planned(step))
        store.plan_moves(batch, planned)
    os.rename(steps[0].source, planned[0].work)
    Path(planned[1].work).write_bytes(b"\x01" * 100)
    steps[2].target.touch()
    with Store(store_path()) as store:
        settled = store.settle_moves()
        assert "1 on their way are at their new place, 3 at their old one" in settled.sentence
        assert store.settle_moves().sentence == ""
        assert store.load_rows(session).path[0] == str(steps[0].target)
        assert [one.item_id for one in store.last_moves()[0]] == [items[0]]
    assert hidden(tmp_path) == []
    assert not steps[2].target.exists()


def store_planned(step: Step):
    from gcdesk.store import PlannedMove

    status = os.stat(step.source)
    work = str(step.target.with_name(f".gcdesk-{step.item_id}.tmp"))
    return PlannedMove(step.item_id, step.source, work, str(step.target), status.st_size, status.st_mtime_ns)


def test_photos_of_a_drive_that_is_away_are_looked_for_again(card: Path, tmp_path: Path) -> None:
    session, items = listed(card)
    step = steps_of(card, tmp_path / "bins", items)[0]
    with Store(store_path()) as store:
        store.plan_moves(store.begin_moves(True), [store_planned(step)])
        card.rename(tmp_path / "unplugged")
        assert store.settle_moves().unknown == 1
        (tmp_path / "unplugged").rename(card)
        assert store.settle_moves().at_source == 1
        assert store.load_rows(session).path[0] == step.source


def test_a_journal_that_cannot_be_written_moves_nothing(card: Path, tmp_path: Path) -> None:
    """The disk of the store is full: the photos stay where they are, with a sentence."""
    from gcdesk.store import StoreError

    _, items = listed(card)
    before = contents(card)
    with Store(store_path()) as store:
        with store.transaction() as connection:
            connection.execute(
                "CREATE TRIGGER full BEFORE INSERT ON moves BEGIN SELECT RAISE(ABORT, 'full'); END"
            )
        with pytest.raises(StoreError):
            carry_out(steps_of(card, tmp_path / "bins", items), True, store)
    assert contents(card) == before


def test_stopping_ends_between_two_photos(card: Path, tmp_path: Path) -> None:
    session, items = listed(card)
    stop = threading.Event()
    with Store(store_path()) as store:
        done = carry_out(
            steps_of(card, tmp_path / "bins", items),
            True,
            store,
            stop,
            lambda n, _all: stop.set() if n == 60 else None,
        )
        assert done.stopped
        assert 60 <= len(done.placed) <= 61
        assert all(os.path.isfile(path) for path in store.load_rows(session).path)
        assert store.settle_moves().sentence == ""
        back: Transfer = take_back(earlier(*store.last_moves()), store)
        assert len(back.placed) == len(done.placed)
        assert store.load_rows(session).path == [
            step.source for step in steps_of(card, tmp_path / "bins", items)
        ]


def test_the_names_that_appear_are_known_before_they_do(card: Path, tmp_path: Path, journal: Store) -> None:
    own = OwnFiles()
    done = carry_out(steps_of(card, tmp_path / "bins")[:2], True, journal, own=own)
    assert [own.take(one.target) for one in done.placed] == [True, True]
    assert not own.take(done.placed[0].target)
    take_back(done, journal, own)
    assert own.take(str(card / "000.jpg"))

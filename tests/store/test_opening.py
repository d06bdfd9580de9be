"""Old, new, foreign and damaged files; disks that are full and folders that may not be written."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from processes import kill
from store_kit import photos, result, session_of

from gcdesk.store import Store, StoreError
from gcdesk.store.schema import VERSION

OLD = Path(__file__).resolve().parent.parent / "data" / "store-v1.sqlite"


def test_a_file_of_the_first_format_is_migrated_with_its_rows(path: Path) -> None:
    path.parent.mkdir()
    shutil.copy(OLD, path)
    with Store(path) as store:
        assert store.notice == ""
        (session,) = store.sessions()
        rows = store.load_rows(session.id)
        assert (session.name, session.source, session.items, session.corrected) == (
            "Line 2",
            "/srv/camera",
            5,
            1,
        )
        assert rows.caption == ["banana peel"] * 5
        assert rows.operator.tolist() == [-1, -1, 0, -1, -1]
        assert rows.spot.tolist() == [0] * 5
        assert rows.duplicate_of.tolist() == [0] * 5
        assert rows.text[0].tolist() == pytest.approx([0.01, 0.02, 0.95, 0.02])
        assert [change.caption for change in store.caption_history(2)] == ["banana"]
        store.set_spots([1], [1])
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA user_version").fetchone()[0] == VERSION
    connection.close()


def test_a_migrated_file_has_the_tables_of_a_new_one(path: Path, tmp_path: Path) -> None:
    path.parent.mkdir()
    shutil.copy(OLD, path)
    shapes = []
    for file in (path, tmp_path / "new.sqlite"):
        Store(file).close()
        connection = sqlite3.connect(file)
        shapes.append(
            [
                (name, connection.execute(f"PRAGMA table_info({name})").fetchall())
                for (name,) in connection.execute("SELECT name FROM sqlite_schema ORDER BY name").fetchall()
            ]
        )
        connection.close()
    assert shapes[0] == shapes[1]


def test_a_newer_file_is_refused_and_left_alone(path: Path) -> None:
    Store(path).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match=r"newer gcdesk \(format 99, this one reads up to 4\)"):
        Store(path)
    assert path.read_bytes() == before


def test_another_programs_file_is_refused(path: Path) -> None:
    path.parent.mkdir()
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE theirs (x)")
    connection.close()
    with pytest.raises(StoreError, match="belongs to another program"):
        Store(path)


def garbage(path: Path) -> None:
    path.write_bytes(b"not a database at all " * 500)


def broken_page(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(4096 * 2)
        file.write(b"\xff" * 4096 * 3)


def cut_off(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)


@pytest.mark.parametrize("damage", [garbage, broken_page, cut_off])
def test_a_damaged_file_is_set_aside_and_not_overwritten(path: Path, damage: Callable[[Path], None]) -> None:
    with Store(path) as store:
        session_of(store, 200)
    damage(path)
    damaged = path.read_bytes()
    for _ in range(2):
        with Store(path) as store:
            session_of(store, 3)
            assert store.sessions()[0].items == 3
    with Store(path) as store:
        assert len(store.sessions()) == 2
        assert store.notice == ""
    aside = [file for file in path.parent.iterdir() if ".corrupt-" in file.name]
    assert [file.read_bytes() for file in aside] == [damaged]


def test_what_was_set_aside_is_told(path: Path) -> None:
    path.parent.mkdir()
    garbage(path)
    with Store(path) as store:
        assert "set aside as" in store.notice
        assert ".corrupt-" in store.notice
    garbage(path)
    Store(path).close()  # within the same second
    assert len([file for file in path.parent.iterdir() if ".corrupt-" in file.name]) == 2


def test_a_large_file_is_checked_after_it_failed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gcdesk.store.opening._CHECKED_BYTES", 0)
    with Store(path) as store:
        session, _ = session_of(store, 500)
    broken_page(path)
    with Store(path) as store, pytest.raises(StoreError, match="is damaged: start gcdesk again"):
        store.load_rows(session)
    with Store(path) as store:
        assert "set aside" in store.notice
    with Store(path) as store:
        assert store.notice == ""


def test_a_full_disk_is_a_sentence_and_loses_nothing(store: Store) -> None:
    session, ids = session_of(store, 10)
    pages = store._connection.execute("PRAGMA page_count").fetchone()[0]  # type: ignore[union-attr]
    store._connection.execute(f"PRAGMA max_page_count = {pages}")  # type: ignore[union-attr]
    with pytest.raises(StoreError, match=r"disk is full.*free some space"):
        store.add_items(session, photos(5000, "/more"))
    store.record_results([result(ids[0])])
    assert len(store.load_rows(session)) == 10
    store._connection.execute("PRAGMA max_page_count = 1000000")  # type: ignore[union-attr]
    store.add_items(session, photos(5000, "/more"))
    assert len(store.load_rows(session)) == 5010


def test_a_file_that_may_not_be_written_is_a_sentence(
    another_user: Callable[[], AbstractContextManager[None]], open_folder: Path
) -> None:
    path = open_folder / "sessions.sqlite"
    Store(path).close()
    with another_user(), pytest.raises(StoreError, match=r"may not be written|cannot be opened"):
        Store(path)
    with another_user(), pytest.raises(StoreError, match="cannot be made"):
        Store(open_folder / "new" / "sessions.sqlite")


def test_a_folder_in_its_place_is_a_sentence(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(StoreError, match="cannot be opened"):
        Store(path)


def test_a_closed_store_says_so(store: Store) -> None:
    store.close()
    store.close()
    with pytest.raises(StoreError, match="is closed"):
        store.sessions()


WRITE_WITHOUT_END = """
import sys
sys.path.insert(0, {kit!r})
from pathlib import Path
from store_kit import photos, result
from gcdesk.store import Store
store = Store(Path({path!r}))
session = store.create_session("crash")
print(session, flush=True)
for n in range(10**6):
    added = store.add_items(session, photos(10, f"/{{n}}"))
    store.record_results([result(one.item_id) for one in added])
    print(n, flush=True)
"""


def test_a_killed_process_leaves_the_session_whole(path: Path) -> None:
    code = WRITE_WITHOUT_END.format(kit=str(Path(__file__).parent), path=str(path))
    writer = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    session = int(writer.stdout.readline())
    with Store(path) as store:  # a second process, meanwhile
        while int(writer.stdout.readline()) < 20:
            pass
        other, _ = session_of(store, 5)
        kill(writer.pid)
        last = max([20, *(int(line) for line in writer.stdout if line.endswith("\n"))])
        writer.wait()
        writer.stdout.close()
        assert len(store.load_rows(other)) == 5
    with Store(path) as store:
        assert store.notice == ""
        done = int((store.load_rows(session).status == 2).sum())
        assert done >= 10 * (last + 1)


def test_two_processes_write_at_once(path: Path) -> None:
    code = WRITE_WITHOUT_END.replace("10**6", "40").format(kit=str(Path(__file__).parent), path=str(path))
    writers = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.DEVNULL) for _ in range(2)]
    assert [writer.wait(200) for writer in writers] == [0, 0]
    with Store(path) as store:
        assert [one.items for one in store.sessions()] == [400, 400]


def test_processes_that_make_the_file_at_once_wait_for_each_other(tmp_path: Path) -> None:
    code = """
import sys, time
from pathlib import Path
from gcdesk.store import Store
for number in range(30):
    time.sleep(max(0, float(sys.argv[2]) + 0.05 * number - time.time()))
    Store(Path(sys.argv[1]) / f"{number}.sqlite").close()
"""
    start = str(time.time() + 1)
    makers = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path), start]) for _ in range(3)]
    assert [maker.wait(200) for maker in makers] == [0, 0, 0]


def test_a_busy_file_is_a_sentence(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gcdesk.store.opening.BUSY_SECONDS", 0.1)
    with Store(path) as store, Store(path) as other:
        with other.transaction(), pytest.raises(StoreError, match=r"keeps .* busy"):
            store.create_session()
        store.create_session()


def test_a_bad_cell_costs_that_cell(path: Path) -> None:
    """A session whose rows hold texts for numbers, the 999th bin and bytes that are no text still opens."""
    path.parent.mkdir()
    shutil.copy(OLD.parent / "findings" / "database cells of every wrong kind", path)
    with Store(path) as store:
        (session,) = store.sessions()
        assert (session.created, session.name) == (0.0, "\ufffd")
        rows = store.load_rows(session.id)
    assert rows.label.tolist() == [3, -1, 3, -1, -1, -1]
    assert rows.operator.tolist() == [1, -1, -1, -1, -1, -1]
    assert rows.caption == ["sock", "\ufffd\ufffd", "can", "\ufffd\ufffd", "can", "\ufffd\ufffd"]

"""Cells, orders and headers that a disk fault or another program put into the file: said or left out, no label lost."""

from __future__ import annotations

import logging
import sqlite3
from pathlib import Path

import pytest
from store_kit import photos, result, session_of

from gcdesk.store import Store, StoreError
from gcdesk.store.schema import APPLICATION_ID, VERSION


def change(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


@pytest.fixture
def labelled(path: Path) -> tuple[Path, int]:
    """20 of 60 rows with a bin by hand: the file and its session."""
    with Store(path) as store:
        session, ids = session_of(store, 60)
        store.record_results([result(item) for item in ids])
        store.set_operator_labels(ids[:20], [1] * 20)
        store.set_photo_hashes({ids[0]: 0xABC})
    return path, session


def test_odd_cells_cost_their_own_value_alone(labelled: tuple[Path, int]) -> None:
    path, session = labelled
    change(
        path,
        "UPDATE items SET path = zeroblob(5), image = x'00', label = 'x', duplicate_of = -9, photo_hash = 'zz'"
        " WHERE id % 3 = 0",
        "UPDATE items SET photo_hash = 17 WHERE id = 2",
        "UPDATE items SET operator = 1.5 WHERE id = 4",
        "INSERT INTO station_keys (key, held, since) VALUES ('p:zz', 1, 0), ('p:00000000000000ff', 'x', 'y')",
    )
    with Store(path) as store:
        said = store.judged()
        assert len(said) == 19
        assert said[0].photo == 0xABC
        assert {one.models for one in said} == {-1, said[0].models}
        assert store.station_photos() == {0xFF: True}
        assert store.set_aside([("cup", "/x.jpg")]) == [False]
        assert len(store.load_rows(session)) == 60


def test_orders_of_another_program_are_not_carried_out(
    labelled: tuple[Path, int], caplog: pytest.LogCaptureFixture
) -> None:
    path, session = labelled
    change(
        path,
        'CREATE TRIGGER "t ""1""" AFTER INSERT ON items BEGIN DELETE FROM items WHERE operator >= 0; END',
        "CREATE TRIGGER u AFTER UPDATE ON sessions BEGIN DELETE FROM items; END",
        "CREATE VIEW v AS SELECT * FROM items",
    )
    with caplog.at_level(logging.WARNING), Store(path) as store:
        store.add_items(session, photos(3, "/new"))
        store.open_session(session)
        assert int((store.load_rows(session).operator >= 0).sum()) == 20
    assert "3 triggers and views" in caplog.text


@pytest.mark.parametrize("said", [0, 1, VERSION - 1])
def test_a_header_that_lost_the_version_costs_nothing(labelled: tuple[Path, int], said: int) -> None:
    path, session = labelled
    change(path, f"PRAGMA user_version = {said}")
    with Store(path) as store:
        assert store.notice == ""
        assert int((store.load_rows(session).operator >= 0).sum()) == 20
    change(path, "PRAGMA user_version = 0", "PRAGMA application_id = 0")
    with Store(path) as store:
        assert len(store.load_rows(session)) == 60
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA user_version").fetchone()[0] == VERSION
    assert connection.execute("PRAGMA application_id").fetchone()[0] == APPLICATION_ID
    connection.close()


def test_a_file_whose_tables_are_missing_is_set_aside(labelled: tuple[Path, int]) -> None:
    path, _ = labelled
    change(path, "DROP TABLE sessions")
    with Store(path) as store:
        assert "set aside" in store.notice
    (aside,) = (file for file in path.parent.iterdir() if ".corrupt-" in file.name)
    connection = sqlite3.connect(aside)
    assert connection.execute("SELECT count(*) FROM items").fetchone()[0] == 60
    connection.close()


def test_a_table_that_is_missing_at_the_end_is_made_again(labelled: tuple[Path, int]) -> None:
    path, session = labelled
    change(path, "DROP TABLE move_folders", "DROP TABLE moves", "DROP TABLE move_batches")
    with Store(path) as store:
        assert store.notice == ""
        store.begin_moves(True)
        assert len(store.load_rows(session)) == 60


def test_an_empty_file_is_said_and_its_log_is_kept(path: Path) -> None:
    """SQLite would delete the log beside an empty file, and with it what was not yet in the file."""
    path.parent.mkdir()
    path.touch()
    log = path.with_name(path.name + "-wal")
    log.write_bytes(b"the last changes")
    with Store(path) as store:
        assert "empty" in store.notice
    kept = [
        file.read_bytes()
        for file in path.parent.iterdir()
        if file.name.endswith("-wal") and "corrupt" in file.name
    ]
    assert kept == [b"the last changes"]
    with Store(path) as store:
        assert store.notice == ""


def test_a_new_file_is_whole_before_it_has_its_name(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(connection: sqlite3.Connection) -> None:
        connection.execute("CREATE TABLE half (x)")
        raise sqlite3.OperationalError("a disk that is full")

    monkeypatch.setattr("gcdesk.store.opening._migrate", full)
    with pytest.raises(StoreError):
        Store(path)
    assert list(path.parent.iterdir()) == []


def test_a_commit_is_on_the_disk_when_it_returns(path: Path) -> None:
    """SQLite's own word for it: 2 is FULL. A power cut cannot be made for a test."""
    with Store(path) as store, store.transaction() as connection:
        assert connection.execute("PRAGMA synchronous").fetchone()[0] == 2


def test_what_was_set_aside_in_the_same_second_is_not_overwritten(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gcdesk.store.opening.time.strftime", lambda _form: "20260101-120000")
    path.parent.mkdir()
    for number in range(3):
        path.write_bytes(b"damaged %d " % number * 500)
        Store(path).close()
        path.unlink()
    assert sorted(file.read_bytes()[:9] for file in path.parent.glob("*.corrupt-*")) == [
        b"damaged 0", b"damaged 1", b"damaged 2",
    ]  # fmt: skip

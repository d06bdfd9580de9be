"""Writing behind: in order, soon, in few transactions, and not lost when the disk is full."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from store_kit import photos, result, session_of

from gcdesk.store import Store, StoreError, StoreWriter


def refuse(error: StoreError) -> None:
    raise AssertionError(error)


def test_results_are_taken_while_the_disk_is_busy_and_committed_by_themselves(
    store: Store, path: Path
) -> None:
    session, ids = session_of(store, 20)
    writer, disk, writing = StoreWriter(store, refuse), threading.Event(), threading.Event()
    try:
        writer.call(lambda _store: (writing.set(), disk.wait()))
        writing.wait()
        for item in ids:
            writer.record_results([result(item)])
        disk.set()
        with Store(path) as other:  # sees only what was committed
            while (other.load_rows(session).status != 2).any():
                time.sleep(0.02)
    finally:
        disk.set()
        assert writer.close()


def test_neighbours_share_a_transaction_and_keep_their_order(store: Store) -> None:
    session, ids = session_of(store, 3)
    commits: list[str] = []
    store._connection.set_trace_callback(lambda sql: commits.append(sql) if sql == "COMMIT" else None)  # type: ignore[union-attr]
    writer = StoreWriter(store, refuse)
    for label in (0, 1, 2, 3):
        writer.set_operator_labels(ids, [label] * 3)
        writer.set_captions(ids[:1], [f"caption {label}"])
    writer.set_spots(ids, [1, 1, 1])
    writer.hide_items(ids[2:])
    assert writer.flush()
    assert commits == ["COMMIT"]
    rows = store.load_rows(session)
    assert rows.operator.tolist() == [3, 3]
    assert rows.caption[0] == "caption 3"
    assert writer.close()
    with pytest.raises(StoreError, match="is closed"):
        writer.set_captions(ids, ["too late"] * 3)


def test_closing_writes_what_waits(store: Store) -> None:
    session, ids = session_of(store, 5)
    writer = StoreWriter(store, refuse, commit_seconds=86_400)  # closing does not wait for that
    writer.record_results([result(one) for one in ids])
    assert writer.close()
    assert (store.load_rows(session).status == 2).all()


def test_a_full_disk_is_told_once_and_then_made_good(store: Store) -> None:
    session, _ = session_of(store, 1)
    pages = store._connection.execute("PRAGMA page_count").fetchone()[0]  # type: ignore[union-attr]
    store._connection.execute(f"PRAGMA max_page_count = {pages}")  # type: ignore[union-attr]
    told: list[str] = []
    first = threading.Event()

    def tell(error: StoreError) -> None:
        told.append(str(error))
        first.set()

    writer = StoreWriter(store, tell, commit_seconds=0.01, retry_seconds=0.05)
    writer.call(lambda store: store.add_items(session, photos(3000, "/more")))
    assert first.wait(60)
    time.sleep(0.3)
    assert not writer.flush(0.2)
    assert len(told) == 1
    assert "disk is full" in told[0]
    with store.transaction() as connection:
        connection.execute("PRAGMA max_page_count = 1000000")
    assert writer.flush(60)
    assert len(store.load_rows(session)) == 3001
    assert writer.close()


def test_closing_on_a_full_disk_ends_and_says_so(store: Store) -> None:
    session, _ = session_of(store, 1)
    pages = store._connection.execute("PRAGMA page_count").fetchone()[0]  # type: ignore[union-attr]
    store._connection.execute(f"PRAGMA max_page_count = {pages}")  # type: ignore[union-attr]
    writer = StoreWriter(store, lambda _error: None)
    writer.call(lambda store: store.add_items(session, photos(3000, "/more")))
    assert writer.close() is False


def test_a_change_at_fault_is_told_and_its_neighbours_are_written(store: Store) -> None:
    session, ids = session_of(store, 2)
    told: list[str] = []
    writer = StoreWriter(store, lambda error: told.append(str(error)))
    writer.record_results([result(ids[0])])
    writer.record_results([result(ids[1], image=(0.5, 0.5))])  # two probabilities
    writer.set_captions(ids, ["a cup", "a can"])
    assert writer.close()
    rows = store.load_rows(session)
    assert rows.status.tolist() == [2, 0]
    assert rows.caption == ["a cup", "a can"]
    assert len(told) == 1
    assert "there must be 4" in told[0]

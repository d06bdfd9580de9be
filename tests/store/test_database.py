"""Sessions and photos: what is written comes back as it was."""

from __future__ import annotations

import datetime
import time
from pathlib import Path

import numpy as np
import pytest
from store_kit import photos, result, session_of

from gcdesk.config.folders import user_folders
from gcdesk.store import (
    Added,
    FieldAccuracy,
    NewPhoto,
    Run,
    SpotCheck,
    Status,
    Store,
    StoreError,
    identity,
    store_path,
)


def test_the_store_lies_in_the_users_data_folder() -> None:
    assert store_path() == user_folders().data / "sessions.sqlite"


def test_a_session_comes_back_as_it_was(store: Store, path: Path) -> None:
    session, ids = session_of(store, 4)
    store.record_results(
        [
            result(ids[0], thumbnail="/cache/a.jpg", width=400, height=300, seconds=0.25),
            result(ids[1], text=None, label=0, winner=1, confidence=0.6, review=True),
            result(
                ids[2], image=None, text=None, label=-1, winner=0, review=True, error="The photo is cut off."
            ),
        ]
    )
    store.set_operator_labels(ids[:2], [3, 4])
    store.close()
    with Store(path) as again:
        rows = again.load_rows(session)
    assert rows.path == [photo.path for photo in photos(4)]
    assert rows.caption == ["cup 0", "cup 1", "cup 2", "cup 3"]
    assert rows.item_id.tolist() == ids
    assert rows.status.tolist() == [Status.DONE, Status.DONE, Status.FAILED, Status.QUEUED]
    np.testing.assert_allclose(rows.image[0], [0.1, 0.2, 0.6, 0.1], rtol=1e-6)
    assert np.isnan(rows.image[2:]).all()
    assert np.isnan(rows.text[1:]).all()
    assert rows.label.tolist() == [2, 0, -1, -1]
    assert rows.operator.tolist() == [3, 4, -1, -1]
    assert rows.review.tolist() == [False, True, True, False]
    assert rows.error == ["", "", "The photo is cut off.", ""]
    assert (rows.thumbnail[0], rows.width[0], rows.height[0], rows.seconds[0]) == (
        "/cache/a.jpg",
        400,
        300,
        0.25,
    )
    assert np.isnan(rows.confidence[3])


def test_columns_have_the_types_of_the_windows_rows(store: Store) -> None:
    session, _ = session_of(store, 2)
    empty = store.load_rows(store.create_session())
    for rows in (store.load_rows(session), empty):
        kinds = {
            name: getattr(rows, name).dtype.str.lstrip("<|")
            for name in ("item_id", "status", "image", "label")
        }
        assert kinds == {"item_id": "i8", "status": "u1", "image": "f4", "label": "i1"}
        assert rows.image.shape == rows.text.shape == (len(rows), 4)
        assert rows.review.dtype == bool


def test_the_same_path_size_and_time_is_the_same_row(store: Store) -> None:
    session = store.create_session()
    first = NewPhoto("/cam/latest.jpg", "", 10, 1)
    overwritten = NewPhoto("/cam/latest.jpg", "", 10, 2)
    added = store.add_items(session, [first, first, overwritten])
    assert added == [Added(1, True), Added(1, False), Added(2, True)]
    assert store.add_items(session, [overwritten]) == [Added(2, False)]
    unknown = NewPhoto("/cam/gone.jpg")
    assert [one.is_new for one in store.add_items(session, [unknown, unknown])] == [True, True]
    other = store.create_session()
    assert store.add_items(other, [first])[0].is_new


def test_a_photo_that_was_cleared_from_the_list_can_come_back(store: Store) -> None:
    session, ids = session_of(store, 3)
    store.record_results([result(one) for one in ids])
    store.hide_items(ids[:2])
    assert store.load_rows(session).item_id.tolist() == ids[2:]
    assert store.session(session).items == 1
    assert [one.is_new for one in store.add_items(session, photos(3))] == [True, True, False]


def test_ids_are_never_used_again(store: Store) -> None:
    session, ids = session_of(store, 3)
    store.delete_session(session)
    _, later = session_of(store, 3)
    assert not set(ids) & set(later)


def test_a_path_that_failed_from_the_start_keeps_its_reason(store: Store) -> None:
    session = store.create_session()
    store.add_items(session, [NewPhoto("/gone", error="there is no such file or folder")])
    rows = store.load_rows(session)
    assert rows.error == ["there is no such file or folder"]
    assert rows.status.tolist() == [Status.FAILED]


def test_names_that_are_no_utf8_survive(store: Store) -> None:
    session = store.create_session()
    odd = "/cam/caf\udce9.jpg"  # what Python makes of a byte that is no UTF-8
    photo = NewPhoto(odd, "emoji \U0001f34c and \u0627\u0644\u0642\u0647\u0648\u0629", 1, 1)
    store.add_items(session, [photo])
    assert store.add_items(session, [photo])[0].is_new is False
    rows = store.load_rows(session)
    assert rows.path == [odd]
    assert rows.caption == [photo.caption]


def test_rescoring_keeps_what_it_does_not_say(store: Store) -> None:
    session, ids = session_of(store, 1)
    run = store.begin_run(Run("starter-image", "starter-text", "calibrated"))
    store.record_results([result(ids[0], thumbnail="/t.jpg", width=40, height=30, run_id=run)])
    store.set_operator_labels(ids, [1])
    store.record_results([result(ids[0], label=0, confidence=0.7)])
    rows = store.load_rows(session)
    assert (rows.thumbnail[0], rows.width[0], rows.height[0]) == ("/t.jpg", 40, 30)
    assert (rows.label[0], rows.operator[0]) == (0, 1)


def test_the_same_models_and_rule_are_one_run(store: Store) -> None:
    run = Run("a", "b", "calibrated", "0" * 64, "1" * 64, 0.5, 0.8, 0.2, "CPU")
    first = store.begin_run(run)
    assert store.begin_run(run) == first
    assert store.begin_run(Run("a", None, "mean")) != first


def test_old_captions_are_kept(store: Store) -> None:
    _, ids = session_of(store, 2)
    store.set_captions(ids, ["coffee cup", "cup 1"])
    store.set_captions(ids[:1], ["paper cup"])
    assert [change.caption for change in store.caption_history(ids[0])] == ["cup 0", "coffee cup"]
    assert store.caption_history(ids[1]) == []  # it was that already
    time.sleep(0.01)
    store.set_captions(ids[1:], ["banana peel"])
    assert store.past_captions() == ["banana peel", "paper cup"]


def test_accuracy_in_the_field_counts_random_confirmations_only(store: Store) -> None:
    session, ids = session_of(store, 5)
    store.record_results([result(one) for one in ids])
    store.set_spots(ids[:3], [SpotCheck.OFFERED] * 3)
    store.set_operator_labels(ids[:2], [2, 0], [SpotCheck.ANSWERED] * 2)
    store.set_operator_labels(ids[4:], [0])  # a correction that was not asked for at random
    assert store.field_accuracy() == store.field_accuracy(session) == FieldAccuracy(answered=2, agreed=1)
    assert store.load_rows(session).spot.tolist() == [2, 2, 1, 0, 0]
    assert store.field_accuracy(store.create_session()) == FieldAccuracy(0, 0)


def test_labels_leave_the_spot_as_it_is(store: Store) -> None:
    session, ids = session_of(store, 2)
    store.set_spots(ids[:1], [SpotCheck.ANSWERED])
    store.set_operator_labels(ids, [1, 1])
    assert store.load_rows(session).spot.tolist() == [SpotCheck.ANSWERED, SpotCheck.NO]


def test_sessions_can_be_listed_renamed_and_deleted(store: Store) -> None:
    assert store.last_session() is None
    first, ids = session_of(store, 3)
    second = store.create_session("Today")
    store.open_session(first)
    assert [one.id for one in store.sessions()] == [first, second]
    store.record_results([result(ids[0])])
    store.set_operator_labels(ids[:1], [0])
    info = store.last_session()
    assert info is not None
    assert (info.id, info.name, info.items, info.unfinished, info.corrected) == (first, "Line 2", 3, 2, 1)
    store.rename_session(first, " Line 3 ")
    assert store.session(first).name == "Line 3"
    with pytest.raises(StoreError, match="must have a name"):
        store.rename_session(first, " ")
    store.delete_session(first)
    assert [one.id for one in store.sessions()] == [second]
    assert len(store.load_rows(first)) == 0
    for call in (store.session, store.open_session):
        with pytest.raises(StoreError, match="was deleted"):
            call(first)
    with pytest.raises(StoreError, match="was deleted"):
        store.add_items(first, photos(1))
    store.record_results([result(ids[0])])  # comes late, and is passed over


def test_a_session_without_a_name_is_called_by_its_day(store: Store) -> None:
    assert store.session(store.create_session()).name.startswith(str(datetime.date.today().year))


def test_a_watched_folder_has_a_session_a_day(store: Store) -> None:
    today = store.session_for_day("/srv/camera")
    assert store.session_for_day("/srv/camera") == today
    assert store.session_for_day("/srv/other") != today
    tomorrow = datetime.date.today() + datetime.timedelta(days=1)
    assert store.session_for_day("/srv/camera", day=tomorrow) != today
    assert store.session(today).name == datetime.date.today().isoformat()


def test_equal_content_is_flagged(store: Store, tmp_path: Path) -> None:
    contents = {
        "a.jpg": b"one",
        "b.jpg": b"two",
        "c.jpg": b"one",
        "d.jpg": b"three",
        "empty.jpg": b"",
        "e.jpg": b"",
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    session = store.create_session()
    paths = [str(tmp_path / name) for name in contents]
    size_and_time = [identity(path) for path in paths]
    new = [NewPhoto(path, "", *one) for path, one in zip(paths, size_and_time, strict=True)]
    first = [added.item_id for added in store.add_items(session, new[:2])]
    assert store.flag_duplicates(session, first) == {}
    rest = [added.item_id for added in store.add_items(session, new[2:])]
    assert store.flag_duplicates(session, rest) == {rest[0]: first[0]}
    assert store.load_rows(session).duplicate_of.tolist() == [0, 0, first[0], 0, 0, 0]


def test_identity_of_what_is_gone(tmp_path: Path) -> None:
    assert identity(tmp_path / "gone.jpg") == (None, None)
    assert identity("a\0b") == (None, None)


def test_a_hundred_thousand_rows_load_in_a_second(store: Store) -> None:
    session = store.create_session()
    for start in range(0, 100_000, 10_000):
        new = photos(10_000, f"/srv/camera/{start}")
        ids = [one.item_id for one in store.add_items(session, new)]
        store.record_results([result(one, thumbnail=f"/cache/{one}.jpg") for one in ids])
    started = time.process_time()  # other programs' work is not ours
    rows = store.load_rows(session)
    assert time.process_time() - started < 1.0
    assert len(rows) == 100_000
    started = time.process_time()
    assert store.sessions()[0].items == 100_000
    assert time.process_time() - started < 0.3


@pytest.mark.parametrize("count", [2, 7])
def test_sessions_whose_rows_lie_among_each_other_load_their_own(store: Store, count: int) -> None:
    """As when windows work on several sessions at once: between a session's rows lie a few of others, or many."""
    sessions = [store.create_session(f"Line {number}") for number in range(count)]
    ids: dict[int, list[int]] = {session: [] for session in sessions}
    for turn in range(90):
        for session in sessions:
            new = [NewPhoto(f"/srv/{session}/{turn} {place}.jpg", f"cup {turn}") for place in range(25)]
            ids[session] += [added.item_id for added in store.add_items(session, new)]
    store.hide_items([ids[sessions[1]].pop(400)])
    for session in sessions:
        rows = store.load_rows(session)
        assert rows.item_id.tolist() == ids[session]
        assert all(path.startswith(f"/srv/{session}/") for path in rows.path)

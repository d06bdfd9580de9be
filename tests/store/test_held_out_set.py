"""What people said, and the test set that is set aside for ever: kept through migration, restart and deletion."""

from __future__ import annotations

import shutil
from pathlib import Path

from PIL import Image, ImageDraw
from store_kit import photos, result

from gcdesk.store import SpotCheck, Store
from gcdesk.worker.tasks.corrections import SplitAssignment, read_corrections

OLD = Path(__file__).resolve().parent.parent / "data" / "store-v2.sqlite"


def test_a_file_of_the_second_format_is_migrated_with_what_people_said(path: Path) -> None:
    path.parent.mkdir()
    shutil.copy(OLD, path)
    with Store(path) as store:
        assert store.notice == ""
        found = store.judged()
        assert [(one.bin, one.models, one.random, one.photo) for one in found] == [
            (2, 2, True, None),
            (0, 2, False, None),
            (2, 2, False, None),
        ]
        assert [one.corrected for one in found] == [False, True, False]
        store.set_photo_hashes({found[0].item_id: 2**64 - 1})
        assert store.judged()[0].photo == 2**64 - 1
        assert store.station_fates(["c:x"]) == {}
        store.decide_station({"c:x": True, "p:00000000000000ff": False})
        store.decide_station({"c:x": False})
    with Store(path) as store:
        assert store.station_fates(["c:x", "c:y"]) == {"c:x": True}
        assert store.station_photos() == {255: False}


def draw(path: Path, shape: int) -> Path:
    """A photo whose look depends on `shape`."""
    image = Image.new("RGB", (90, 80), "white")
    pen = ImageDraw.Draw(image)
    for bit in range(12):
        if shape >> bit & 1:
            x, y = 22 * (bit % 4), 26 * (bit // 4)
            pen.rectangle((x, y, x + 20, y + 24), fill="black")
    image.save(path)
    return path


def filled(store: Store, folder: Path, count: int) -> int:
    """A session of `count` different things, every one corrected."""
    session = store.create_session("Line")
    made = [str(draw(folder / f"{number}.jpg", 37 * number + 11)) for number in range(count)]
    added = store.add_items(
        session,
        [
            type(photos(1)[0])(
                path, f"thing {'abcdefghijklmnopqrstuvwxyz'[place % 26] * (1 + place // 26)}", 1, place
            )
            for place, path in enumerate(made)
        ],
    )
    ids = [one.item_id for one in added]
    store.record_results([result(item) for item in ids])
    store.set_operator_labels(ids, [0] * count)
    return session


def test_some_groups_are_held_for_ever_and_their_likes_with_them(store: Store, tmp_path: Path) -> None:
    session = filled(store, tmp_path, 60)
    first = {one.judged.path: one.assignment for one in read_corrections(store)}
    held = [path for path, fate in first.items() if fate is SplitAssignment.HELD_OUT]
    assert 3 <= len(held) <= 30
    assert {one.judged.path: one.assignment for one in read_corrections(store)} == first
    things = [(one.judged.caption, one.judged.path) for one in read_corrections(store)]
    assert [path for (_, path), aside in zip(things, store.set_aside(things), strict=True) if aside] == held
    # The same caption, and the same look under another caption, a session later, the first session gone.
    store.delete_session(session)
    other = store.create_session("Later")
    kind = type(photos(1)[0])
    again = shutil.copy(held[0], tmp_path / "again.jpg")
    fresh = draw(tmp_path / "fresh.jpg", 0b101010010101)
    caption = "thing " + "abcdefghijklmnopqrstuvwxyz"[int(Path(held[1]).stem) % 26] * (
        1 + int(Path(held[1]).stem) // 26
    )
    added = store.add_items(other, [kind(str(again), "another name", 1, 1), kind(str(fresh), caption, 1, 2)])
    ids = [one.item_id for one in added]
    store.record_results([result(item) for item in ids])
    store.set_operator_labels(ids, [1, 1], [int(SpotCheck.ANSWERED), int(SpotCheck.NO)])
    later = read_corrections(store, [other])
    assert later[0].assignment is SplitAssignment.HELD_OUT
    assert later[1].assignment in (
        SplitAssignment.HELD_OUT,
        SplitAssignment.NEITHER,
    )  # neither where its look is that of a thing that was learned
    assert [one.source for one in later] == ["random", "corrected"]


def test_a_thing_that_joins_both_kinds_is_neither_learned_nor_measured(store: Store, tmp_path: Path) -> None:
    session = store.create_session("Line")
    path = draw(tmp_path / "one.jpg", 5)
    added = store.add_items(session, [type(photos(1)[0])(str(path), "odd thing", 1, 1)])
    store.record_results([result(added[0].item_id)])
    store.set_operator_labels([added[0].item_id], [3])
    (one,) = read_corrections(store)
    assert one.assignment in (SplitAssignment.HELD_OUT, SplitAssignment.LEARN)
    store.decide_station({"c:odd thing too": one.assignment is not SplitAssignment.HELD_OUT})
    more = store.add_items(session, [type(photos(1)[0])(str(path), "odd thing too", 1, 2)])
    store.record_results([result(more[0].item_id)])
    store.set_operator_labels([more[0].item_id], [3])
    assert {found.assignment for found in read_corrections(store)} == {SplitAssignment.NEITHER}

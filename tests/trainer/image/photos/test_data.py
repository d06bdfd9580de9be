"""Folders of photos become splits: what counts as a bin or a photo, and the order an epoch takes."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from image_folders import BIN_OF, make_folder

from trainer.image.photos.data import (
    DataError,
    Sample,
    batches,
    copies_note,
    epoch_order,
    fingerprint,
    hold_out,
    list_split,
    load_photos,
    sampling_weights,
)


def test_stray_files_and_folders_never_become_a_class(samples: Path, tmp_path: Path) -> None:
    folder = make_folder(samples, tmp_path / "train")
    (folder / ".DS_Store").write_bytes(b"\0")
    (folder / "Blue" / ".DS_Store").write_bytes(b"\0")
    (folder / "Blue" / "Thumbs.db").write_bytes(b"\0")
    (folder / "__MACOSX").mkdir()
    (folder / "kittens").mkdir()
    split = list_split(folder)
    assert len(split.samples) == len(BIN_OF)
    assert {sample.label for sample in split.samples} == {0, 1, 2, 3}
    assert split.notes == (
        "The folder kittens is no bin and is left out.",
        "1 files that are no photos in train, left out.",
    )


def test_other_is_ttr_and_the_look_is_the_name_without_its_number(samples: Path, tmp_path: Path) -> None:
    folder = make_folder(samples, tmp_path / "train")
    (folder / "TTR").rename(folder / "Other")
    last = list_split(folder).samples[-1]
    assert (last.label, last.look) == (3, "old black sock")


@pytest.mark.parametrize(
    "name", ["peel (1).jpg", "peel - Copy.jpg", "peel - Copy (2).jpg", "Copy of peel.jpg"]
)
def test_a_copy_stays_on_the_side_of_its_photo(samples: Path, tmp_path: Path, name: str) -> None:
    folder = make_folder(samples, tmp_path / "train", copies=3)
    first = folder / "Green" / "peel.jpg"
    shutil.copy(samples / "orange peel.jpg", first)
    (folder / "Green" / "orange peel_000.jpg").unlink()
    shutil.copy(first, first.with_name(name))
    shutil.copy(first, first.with_name("zest 9.jpg"))  # the same bytes under another name
    for share in (0.1, 0.3, 0.5, 0.7):
        rest, held = hold_out(list_split(folder), share)
        sides = [
            {s.path.name for s in side.samples} & {"peel.jpg", name, "zest 9.jpg"} for side in (rest, held)
        ]
        assert sorted(map(len, sides)) == [0, 3]


def test_photos_on_both_sides_are_said_with_a_name(samples: Path, tmp_path: Path) -> None:
    train = list_split(make_folder(samples, tmp_path / "train"))
    test = list_split(make_folder(samples, tmp_path / "test", copies=2))
    note = copies_note(train, test)
    assert note.startswith(f"{len(BIN_OF)} photos of train are in test as well (Black/")
    (tmp_path / "other").mkdir()
    assert copies_note(replace(train, samples=()), test) == ""


def test_unreadable_photos_are_named_and_left_out(samples: Path, tmp_path: Path) -> None:
    folder = make_folder(samples, tmp_path / "train")
    whole = (folder / "Blue" / "green glass bottle_000.jpg").read_bytes()
    (folder / "Blue" / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    (folder / "Green" / "words.jpg").write_text("no photo")
    photos = load_photos(list_split(folder), size=64, workers=2)
    assert len(photos) == len(BIN_OF)
    assert len(photos.unreadable) == 2
    assert "cut.jpg" in photos.unreadable[0]


def test_a_folder_of_one_bin_is_refused(samples: Path, tmp_path: Path) -> None:
    folder = make_folder(samples, tmp_path / "train")
    with pytest.raises(DataError, match="no folder named after a bin"):
        list_split(folder / "Blue")
    for name in ("Black", "Green", "TTR"):
        shutil.rmtree(folder / name)
    with pytest.raises(DataError, match="fewer than two bins"):
        list_split(folder)
    with pytest.raises(DataError, match="no folder"):
        list_split(tmp_path / "nowhere")


def test_fingerprint_tells_data_apart_but_not_where_they_lie(samples: Path, tmp_path: Path) -> None:
    here = list_split(make_folder(samples, tmp_path / "here")).samples
    there = list_split(make_folder(samples, tmp_path / "there")).samples
    more = list_split(make_folder(samples, tmp_path / "more", copies=2)).samples
    assert fingerprint(here) == fingerprint(there) != fingerprint(more)


def test_order_comes_from_seed_and_epoch_alone() -> None:
    first = epoch_order(100, seed=1, epoch=3)
    assert np.array_equal(first, epoch_order(100, seed=1, epoch=3))
    assert not np.array_equal(first, epoch_order(100, seed=1, epoch=4))
    assert sorted(first) == list(range(100))


def test_balance_gives_each_bin_the_same_share() -> None:
    rows = [(0, "mask")] * 5 + [(1, "can")] * 60 + [(1, "jar")] * 15 + [(2, "peel")] * 20
    samples = [Sample(Path(f"{i}.jpg"), label, look) for i, (label, look) in enumerate(rows)]
    labels = np.array([label for label, _ in rows])
    for balance in ("bin", "look"):
        order = epoch_order(len(rows), seed=0, epoch=1, weights=sampling_weights(samples, balance))
        counts = np.bincount(labels[order])
        assert counts.min() >= 32
        assert counts.max() <= 35
    by_look = sampling_weights(samples, "look")
    assert by_look[70] == pytest.approx(2 * by_look[10])  # a fourth of the photos, twice the weight


def test_a_last_batch_of_one_is_dropped() -> None:
    assert [len(batch) for batch in batches(np.arange(9), 4)] == [4, 4]


def test_a_part_is_held_out_in_runs_of_neighbours(samples: Path, tmp_path: Path) -> None:
    """Twenty photos of one thing give their last three; small looks go whole; each bin keeps some on both sides."""
    folder = make_folder(samples, tmp_path / "photos", copies=2)
    for number in range(20):
        made = folder / "Blue" / f"tin_{number}.jpg"  # not padded: tin_9 comes after tin_10 by name
        made.write_bytes((folder / "Blue" / "grocery store flyer_000.jpg").read_bytes() + bytes([number + 1]))
    split = list_split(folder)
    rest, held = hold_out(split, 0.15)
    assert {s.path for s in rest.samples} | {s.path for s in held.samples} == {s.path for s in split.samples}
    assert not {s.path for s in rest.samples} & {s.path for s in held.samples}
    assert {s.label for s in rest.samples} == {s.label for s in held.samples} == {0, 1, 2, 3}
    assert sorted(s.path.stem for s in held.samples if s.look == "tin") == ["tin_17", "tin_18", "tin_19"]
    shared = {(s.label, s.look) for s in rest.samples} & {(s.label, s.look) for s in held.samples}
    assert shared == {(1, "tin"), (3, "old black sock")}  # the only look of TTR has to be shared out
    assert hold_out(split, 0.15) == (rest, held)


def test_a_bin_of_one_photo_cannot_be_held_out(samples: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="TTR has a single photo"):
        hold_out(list_split(make_folder(samples, tmp_path / "photos")), 0.15)

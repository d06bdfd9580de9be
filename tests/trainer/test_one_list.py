"""Evaluation, both trainers, the scan and the cluster's checks read the same photos of a folder."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from image_folders import BIN_OF, make_folder

from gcdesk.cluster.errors import BundleError
from gcdesk.cluster.image_folder import list_photos
from gcdesk.engine.captions.rules import CaptionRule
from gcdesk.engine.errors import EvaluationError, LabelError
from gcdesk.engine.evaluation.labelled_set import read_labelled
from gcdesk.engine.photos.bin_folders import list_bins, parse_names, splits_in
from gcdesk.engine.photos.discovery import find_photos
from trainer.image.local import local_sources
from trainer.image.photos.data import DataError, list_split
from trainer.job.config import Folders, JobConfig
from trainer.job.preflight import _layout
from trainer.text.data import read_captions


def odd_folder(samples: Path, root: Path) -> Path:
    """Endings that few programs write, copies of a network drive, hidden ones, a link to a bin and a bin's link."""
    folder = make_folder(samples, root)
    photo = samples / "orange peel.jpg"
    for name in (
        *("Green/deep/er/a peel.jfif", "Blue/b box.JPE", "Black/c sock.hif", "TTR/d battery.heif"),
        *(
            "Green/@eaDir/a peel.jpg/SYNOPHOTO_THUMB_XL.jpg",
            "Green/.thumbnails/x.jpg",
            "#recycle/Green/old.jpg",
        ),
        *("Blue/$RECYCLE.BIN/S-1/$R1.jpg", "Blue/.ipynb_checkpoints/b-checkpoint.jpg", "Blue/._b box.jpg"),
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(photo, folder / name)
    (folder / "Black" / "again").symlink_to("../Green", target_is_directory=True)
    (root.parent / "elsewhere").mkdir()
    shutil.copy(photo, root.parent / "elsewhere" / "far peel.jpg")
    (folder / "Green" / "far").symlink_to(root.parent / "elsewhere", target_is_directory=True)
    return folder


def test_all_readers_take_the_same_photos(samples: Path, tmp_path: Path) -> None:
    folder = odd_folder(samples, tmp_path / "data" / "train")
    wanted = {(item.path, item.label) for item in read_labelled(folder).items}
    assert len(wanted) == len(BIN_OF) + 5
    assert {(sample.path, sample.label) for sample in list_split(folder).samples} == wanted
    assert len(read_captions(folder, {}, CaptionRule.COURSE_V1).rows) == len(wanted)
    shutil.copytree(folder, folder.parent / "val", symlinks=True)
    packed = list_photos(folder.parent)
    assert len(packed.photos) == 2 * len(wanted)
    config = JobConfig("run", "model", Folders(str(folder), str(folder.parent / "val")))
    assert all(found.fine and f"{len(wanted)} photos" in found.text for found in _layout(tmp_path, config))
    found = {one.path for one in find_photos([folder])}
    assert found == {path for path, _ in wanted}


@pytest.mark.parametrize("name", ["valid", "Validation", "val", "VAL"])
def test_validation_photos_are_found_whatever_their_folder_is_called(
    samples: Path, tmp_path: Path, name: str
) -> None:
    for split in ("train", name, "test"):
        make_folder(samples, tmp_path / split)
    sources = local_sources(tmp_path, None)
    assert sources.val == tmp_path / name
    assert list_photos(tmp_path).splits == ("train", "val", "test")
    assert {photo.place.partition("/")[0] for photo in list_photos(tmp_path).photos} == {
        "train",
        "val",
        "test",
    }
    with pytest.raises(EvaluationError, match=f"holds the splits .*{name}.* such as .*test"):
        read_labelled(tmp_path)


def test_the_exact_name_counts_where_there_are_two(tmp_path: Path) -> None:
    for name in ("train", "valid", "val"):
        (tmp_path / name).mkdir()
    assert splits_in(tmp_path)["val"] == tmp_path / "val"


def renamed(samples: Path, folder: Path) -> Path:
    make_folder(samples, folder)
    for old, new in {"Black": "Landfill", "Green": "compost", "TTR": "Other", "Blue": "Recycling"}.items():
        (folder / old).rename(folder / new)
    return folder


def test_well_known_names_are_suggested_and_taken_only_when_said(samples: Path, tmp_path: Path) -> None:
    folder = renamed(samples, tmp_path / "train")
    with pytest.raises(DataError, match=r"Landfill.*--map-folders usual counts it as Black"):
        list_split(folder)
    plain = read_labelled(folder)
    assert {item.label for item in plain.items} == {3}
    assert any("compost" in note and "Green" in note for note in plain.notes)
    usual = parse_names("usual")
    assert {item.label for item in read_labelled(folder, usual).items} == {0, 1, 2, 3}
    assert len(list_split(folder, usual).samples) == len(BIN_OF)
    assert len(read_captions(folder, {}, CaptionRule.COURSE_V1, usual).rows) == len(BIN_OF)
    assert list_bins(folder, usual).notes == ()
    mine = parse_names("usual, compost=TTR")
    assert {item.label for item in read_labelled(folder, mine).items} == {0, 1, 3}


@pytest.mark.parametrize("words", ["Compost", "Compost=Pink", "usual Rest"])
def test_a_mapping_that_says_nothing_is_refused(words: str) -> None:
    with pytest.raises(LabelError):
        parse_names(words)


def test_a_bin_without_photos_is_said_and_refused_where_the_cluster_refuses_it(
    samples: Path, tmp_path: Path
) -> None:
    for split in ("train", "val"):
        shutil.rmtree(make_folder(samples, tmp_path / split) / "Green")
        (tmp_path / split / "Green").mkdir()
    assert "There are no photos of Green in train." in read_labelled(tmp_path / "train").notes
    assert "There are no photos of Green in train." in list_split(tmp_path / "train").notes
    with pytest.raises(BundleError, match="no photos of Green"):
        list_photos(tmp_path)
    found = list(_layout(tmp_path, JobConfig("run", "model", Folders("train", "val"))))
    assert [one.fine for one in found] == [False, False]
    assert all("no photos of Green" in one.text for one in found)


def test_two_folders_of_one_bin_lose_no_photo_on_the_way(samples: Path, tmp_path: Path) -> None:
    for split in ("train", "val"):
        folder = make_folder(samples, tmp_path / split)
        shutil.copytree(folder / "TTR", folder / "Other")
    places = [photo.place for photo in list_photos(tmp_path).photos]
    assert len(set(places)) == len(places) == 2 * (len(BIN_OF) + 1)

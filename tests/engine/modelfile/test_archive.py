"""Models as one file: there and back, and no archive writes where it should not."""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path

import numpy as np
import pytest
from model_making import SMALL_TEXT, make_info, small_text_weights

from gcdesk.engine.errors import ModelFileError
from gcdesk.engine.modelfile.archive import unzip_model, zip_model
from gcdesk.engine.modelfile.checkpoint import load_model, save_model


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return save_model(tmp_path / "from" / "some.gcmodel", make_info(SMALL_TEXT), small_text_weights())


def packed(folder: Path, archive: Path, extra: list[tuple[zipfile.ZipInfo | str, bytes]]) -> Path:
    """A valid archive of the model with further members."""
    zip_model(folder, archive)
    with zipfile.ZipFile(archive, "a") as target:
        for member, content in extra:
            target.writestr(member, content)
    return archive


def test_a_model_goes_into_one_file_and_back(folder: Path, tmp_path: Path) -> None:
    (folder / "README.md").write_text("# A card\n")
    archive = zip_model(folder, tmp_path / "some.gcmodel.zip")
    back = unzip_model(archive, tmp_path / "to" / "renamed.gcmodel")
    assert load_model(back).info == load_model(folder).info
    for file in folder.iterdir():
        assert (back / file.name).read_bytes() == file.read_bytes()
    assert [path.name for path in back.parent.iterdir()] == ["renamed.gcmodel"]


def test_equal_models_give_equal_archives(folder: Path, tmp_path: Path) -> None:
    one, two = zip_model(folder, tmp_path / "one.zip"), zip_model(folder, tmp_path / "two.zip")
    assert one.read_bytes() == two.read_bytes()


def test_an_archive_that_a_user_made_by_hand_works_too(folder: Path, tmp_path: Path) -> None:
    archive = tmp_path / "by-hand.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as target:
        for file in folder.iterdir():
            target.write(file, file.name)
    assert load_model(unzip_model(archive, tmp_path / "x.gcmodel")).info.name == "random text"


def link(name: str) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name)
    member.create_system = 3
    member.external_attr = (stat.S_IFLNK | 0o777) << 16
    return member


@pytest.mark.parametrize(
    ("member", "reason"),
    [
        ("../README.md", "no part of a model"),
        ("/etc/README.md", "no part of a model"),
        ("some.gcmodel/../../README.md", "no part of a model"),
        ("some.gcmodel/run.py", "no part of a model"),
        ("some.gcmodel/deep/README.md", "no part of a model"),
        ("..\\README.md", "no part of a model"),
        (link("some.gcmodel/README.md"), "a link or a device"),
        ("other/README.md", "more than one folder"),
        ("some.gcmodel/model.json", "twice"),
    ],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_members_that_do_harm_are_refused(
    folder: Path, tmp_path: Path, member: zipfile.ZipInfo | str, reason: str
) -> None:
    target = tmp_path / "deep" / "to"
    archive = packed(folder, tmp_path / "bad.zip", [(member, b"harm")])
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(ModelFileError, match=rf"bad\.zip holds .*{reason}"):
        unzip_model(archive, target / "x.gcmodel")
    assert sorted(set(tmp_path.rglob("*")) - {target, target.parent}) == before


def test_a_bomb_is_refused_before_it_is_unpacked(folder: Path, tmp_path: Path) -> None:
    archive = tmp_path / "bomb.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr("model.json", bytes(50 * 1000**2))
        target.writestr("weights.safetensors", b"x")
    assert archive.stat().st_size < 100_000
    with pytest.raises(ModelFileError, match="50 MB, more than a model has"):
        unzip_model(archive, tmp_path / "x.gcmodel")


def test_a_damaged_archive_leaves_the_older_model(folder: Path, tmp_path: Path) -> None:
    archive = zip_model(folder, tmp_path / "some.zip")
    older = save_model(tmp_path / "to" / "x.gcmodel", make_info(SMALL_TEXT), small_text_weights(seed=1))
    content = bytearray(archive.read_bytes())
    content[len(content) // 2] ^= 0xFF
    archive.write_bytes(content)
    with pytest.raises(ModelFileError, match=r"some\.zip is damaged"):
        unzip_model(archive, older)
    archive.write_bytes(content[: len(content) // 3])
    with pytest.raises(ModelFileError, match=r"some\.zip is damaged"):
        unzip_model(archive, older)
    np.testing.assert_array_equal(
        load_model(older).weights["classifier.weight"], small_text_weights(seed=1)["classifier.weight"]
    )
    assert [path.name for path in older.parent.iterdir()] == ["x.gcmodel"]


def test_an_archive_of_something_else_says_so(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="does not exist"):
        unzip_model(tmp_path / "no.zip", tmp_path / "x.gcmodel")
    (tmp_path / "text.zip").write_text("not a zip")
    with pytest.raises(ModelFileError, match="damaged or no zip"):
        unzip_model(tmp_path / "text.zip", tmp_path / "x.gcmodel")
    with zipfile.ZipFile(tmp_path / "empty.zip", "w"):
        pass
    with pytest.raises(ModelFileError, match="is no model"):
        unzip_model(tmp_path / "empty.zip", tmp_path / "x.gcmodel")


def test_an_invalid_model_inside_is_named_by_its_archive(folder: Path, tmp_path: Path) -> None:
    archive = tmp_path / "odd.zip"
    with zipfile.ZipFile(archive, "w") as target:
        for file in folder.iterdir():
            content = file.read_bytes()
            target.writestr(file.name, content[:-1] if file.suffix == ".safetensors" else content)
    with pytest.raises(ModelFileError, match=r"^odd\.zip: weights\.safetensors is cut off"):
        unzip_model(archive, tmp_path / "x.gcmodel")
    assert not (tmp_path / "x.gcmodel").exists()

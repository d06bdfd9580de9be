"""Model files that are small on the disk and would cost memory, time or a traceback: each refused with its reason."""

from __future__ import annotations

import json
import shutil
import struct
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gcdesk.engine.course.pth_file import open_pth
from gcdesk.engine.course.restricted_pickle import read_pickle
from gcdesk.engine.errors import LegacyError, ModelFileError
from gcdesk.engine.library.import_sources import inspect_model_file
from gcdesk.engine.library.library import Library
from gcdesk.engine.modelfile.archive import unzip_model, zip_model

# --- the pickle of a .pth


def integers(keys: int, apart: int) -> bytes:
    """A dictionary of so many whole numbers, each `apart` from the next."""
    parts = [b"\x80\x02}("]
    for number in range(1, keys + 1):
        raw = (number * apart).to_bytes(((number * apart).bit_length() + 8) // 8, "little", signed=True)
        parts.append(b"\x8a" + bytes([len(raw)]) + raw + b"N")
    return b"".join([*parts, b"u."])


def floats(keys: int) -> bytes:
    items = b"".join(
        b"G" + struct.pack(">d", float(2**61 - 1) * number) + b"N" for number in range(1, keys + 1)
    )
    return b"\x80\x02}(" + items + b"u."


def repeated_calls(arguments: int, calls: int) -> bytes:
    """One long tuple, handed to a call again and again."""
    long = b"(" + b"K\x01" * arguments + b"tq\x00"
    return b"\x80\x02](" + long + b"ctorch\ndevice\nh\x00R" * calls + b"e."


HOSTILE = {
    "whole numbers that hash alike": integers(200_000, 2**61 - 1),
    "negative ones": integers(200_000, 1 - 2**61),
    "fractions that hash alike": floats(200_000),
    "calls with a long tuple": repeated_calls(200_000, 20_000),
}


@pytest.mark.parametrize("name", list(HOSTILE))
def test_no_pickle_takes_time_with_the_square_of_its_size(name: str) -> None:
    began = time.process_time()
    with pytest.raises(LegacyError, match="damaged or hostile"):
        read_pickle(HOSTILE[name])
    assert time.process_time() - began < 3


def test_the_numbers_of_adams_states_are_read() -> None:
    assert len(read_pickle(integers(20_000, 1))) == 20_000  # type: ignore[arg-type]
    assert len(read_pickle(floats(10))) == 10  # type: ignore[arg-type]


def test_a_pth_whose_list_of_members_is_long_is_refused_unread(tmp_path: Path) -> None:
    """70 members whose names fill more than 4 MB, and beside them what torch writes."""
    with zipfile.ZipFile(tmp_path / "w.pth", "w") as file:
        file.writestr("a/data.pkl", b"\x80\x02}.")
        file.writestr("a/version", b"3")
        for number in range(70):
            file.writestr(f"a/data/{number:02}{'x' * 65_000}", b"")
    with pytest.raises(LegacyError, match="the list at its end is missing"), open_pth(tmp_path / "w.pth"):
        pass


# --- the zip of a model


def zip_of(target: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in members.items():
            file.writestr(name, data)
    return target


def test_a_zip_whose_list_of_members_is_long_is_refused(tmp_path: Path) -> None:
    archive = zip_of(tmp_path / "m.gcmodel.zip", {f"m/{number}": b"" for number in range(100_000)})
    with pytest.raises(ModelFileError, match="list of members is longer"):
        unzip_model(archive, tmp_path / "m.gcmodel")
    assert "list of members is longer" in inspect_model_file(archive).problem
    assert list(tmp_path.iterdir()) == [archive]


@pytest.fixture
def members(tmp_path: Path) -> dict[str, bytes]:
    packed = zip_model(Library().resolve("text", "starter-text"), tmp_path / "starter.gcmodel.zip")
    with zipfile.ZipFile(packed) as file:
        return {Path(name).name: file.read(name) for name in file.namelist()}


def test_a_member_whose_size_is_a_lie_is_refused(tmp_path: Path, members: dict[str, bytes]) -> None:
    archive = zip_of(tmp_path / "m.gcmodel.zip", members)
    data = bytearray(archive.read_bytes())
    true, lie = (struct.pack("<I", size) for size in (len(members["tokenizer.json"]), 1000))
    assert data.count(true) == 2  # in the member's own head and in the list
    archive.write_bytes(bytes(data.replace(true, lie)))
    with pytest.raises(ModelFileError, match="damaged"):
        unzip_model(archive, tmp_path / "m.gcmodel")
    assert not (tmp_path / "m.gcmodel").exists()


def test_members_of_the_root_folder_are_refused(tmp_path: Path, members: dict[str, bytes]) -> None:
    archive = zip_of(tmp_path / "m.gcmodel.zip", {f"/{name}": data for name, data in members.items()})
    with pytest.raises(ModelFileError, match="no part of a model"):
        unzip_model(archive, tmp_path / "m.gcmodel")


def test_a_card_that_is_a_link_brings_no_file_of_this_computer_along(tmp_path: Path) -> None:
    model = shutil.copytree(Library().resolve("text", "starter-text"), tmp_path / "linked.gcmodel")
    (tmp_path / "secret").write_text("a private key")
    (model / "README.md").unlink(missing_ok=True)
    (model / "README.md").symlink_to(tmp_path / "secret")
    made = Library().import_model(model, "linked").folder
    assert not (made / "README.md").exists()


# --- its tokenizer


Change = Callable[[dict[str, Any]], object]


def far_word(words: dict[str, Any]) -> None:
    words["model"]["vocab"]["banana"] = 999_999_999


def far_frame(words: dict[str, Any]) -> None:
    words["post_processor"] = {
        "type": "TemplateProcessing",
        "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                   {"SpecialToken": {"id": "[SEP]", "type_id": 0}}],
        "pair": [],
        "special_tokens": {
            "[CLS]": {"id": "[CLS]", "ids": [999_999], "tokens": ["[CLS]"]},
            "[SEP]": {"id": "[SEP]", "ids": [102], "tokens": ["[SEP]"]},
        },
    }  # fmt: skip


def many_parts(words: dict[str, Any]) -> None:
    words["normalizer"] = {"type": "Sequence", "normalizers": [{"type": "Lowercase"}] * 1_000_000}


def many_pretokenizers(words: dict[str, Any]) -> None:
    words["pre_tokenizer"] = {"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"}] * 100_000}


def long_prefix(words: dict[str, Any]) -> None:
    words["model"]["continuing_subword_prefix"] = "#" * 1_000_000


def many_added(words: dict[str, Any]) -> None:
    one = words["added_tokens"][0]
    words["added_tokens"] = [{**one, "id": 30_000 + n, "content": f"w{n}"} for n in range(200_000)]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (far_word, "gives ids up to 999,999,999"),
        (far_frame, "gives ids up to 999,999"),
        (many_parts, "more than 16 parts"),
        (many_pretokenizers, "more than 16 parts"),
        (long_prefix, "no short text"),
        (many_added, "added tokens"),
    ],
)
def test_a_tokenizer_that_no_model_has_is_refused_at_the_import(
    tmp_path: Path, change: Change, why: str
) -> None:
    model = shutil.copytree(Library().resolve("text", "starter-text"), tmp_path / "far.gcmodel")
    words = json.loads((model / "tokenizer.json").read_text(encoding="utf-8"))
    change(words)
    (model / "tokenizer.json").write_text(json.dumps(words), encoding="utf-8")
    began = time.process_time()
    with pytest.raises(ModelFileError, match=why):
        Library().import_model(model, "far")
    assert time.process_time() - began < 10
    assert "far" not in [one.name for one in Library().models()]

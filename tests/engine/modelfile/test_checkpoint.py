"""Model folders: what is saved comes back, and everything that is wrong with one is said."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
from model_making import SMALL_TEXT, make_info, small_text_weights

from gcdesk.engine.errors import ModelFileError
from gcdesk.engine.modelfile.checkpoint import (
    INFO_FILE,
    TOKENIZER_FILE,
    WEIGHTS_FILE,
    load_info,
    load_model,
    save_model,
)
from gcdesk.engine.modelfile.info import ModelInfo, Provenance
from gcdesk.engine.modelfile.specs import ImageArchitecture

INFO = replace(
    make_info(SMALL_TEXT),
    temperature=1.25,
    metrics={"test": {"accuracy": 0.85, "items": 100}},
    provenance=Provenance("A test.", "2025-01-31", "abc", 7, "0123abc", {"torch": "2.4"}, {"epochs": 3}),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return save_model(tmp_path / "some.gcmodel", INFO, small_text_weights())


def edit_info(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    data = json.loads((folder / INFO_FILE).read_text(encoding="utf-8"))
    change(data)
    (folder / INFO_FILE).write_text(json.dumps(data), encoding="utf-8")


def put_weights_file(folder: Path, content: bytes) -> None:
    """Replace the weights and record their sha256, as someone who means harm would."""
    (folder / WEIGHTS_FILE).write_bytes(content)
    edit_info(folder, lambda data: data.update(weights_sha256=hashlib.sha256(content).hexdigest()))


def with_header(header: object, data: bytes = b"") -> bytes:
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(raw)) + raw + data


def entry(dtype: str, shape: list[int], begin: int, end: int) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def test_a_model_comes_back_as_it_was_saved(folder: Path) -> None:
    loaded = load_model(folder)
    digest = hashlib.sha256((folder / WEIGHTS_FILE).read_bytes()).hexdigest()
    assert loaded.info == replace(INFO, weights_sha256=digest)
    assert loaded.info == load_info(folder)
    weights = small_text_weights()
    assert set(loaded.weights) == set(weights)
    for name, array in weights.items():
        np.testing.assert_array_equal(loaded.weights[name], array)
    assert sorted(path.name for path in folder.iterdir()) == [INFO_FILE, TOKENIZER_FILE, WEIGHTS_FILE]


def test_half_stores_matrices_as_fp16_and_leaves_biases_alone(tmp_path: Path) -> None:
    weights = small_text_weights() | {"norm.num_batches_tracked": np.array(12)}
    folder = save_model(tmp_path / "half.gcmodel", INFO, weights, half=True)
    loaded = load_model(folder).weights
    assert loaded["classifier.weight"].dtype == np.float16
    assert loaded["classifier.bias"].dtype == np.float32
    assert loaded["norm.num_batches_tracked"] == 12
    np.testing.assert_allclose(
        loaded["classifier.weight"], weights["classifier.weight"], rtol=1e-3, atol=1e-6
    )


def test_the_same_weights_give_the_same_bytes(tmp_path: Path) -> None:
    weights = small_text_weights()
    one = save_model(tmp_path / "one.gcmodel", INFO, weights, half=True)
    turned = dict(reversed(weights.items()))
    other = save_model(tmp_path / "other.gcmodel", INFO, turned, half=True)
    for name in (WEIGHTS_FILE, INFO_FILE):
        assert (one / name).read_bytes() == (other / name).read_bytes()


def test_saving_again_replaces_and_leaves_nothing_else(folder: Path) -> None:
    changed = small_text_weights(seed=1)
    save_model(folder, replace(INFO, temperature=2.0), changed)
    loaded = load_model(folder)
    assert loaded.info.temperature == 2.0
    np.testing.assert_array_equal(loaded.weights["classifier.weight"], changed["classifier.weight"])
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


@pytest.mark.parametrize(
    ("change", "weight", "reason"),
    [
        ({"metrics": {"test": {"accuracy": float("nan")}}}, 0.0, "metrics or provenance"),
        ({"temperature": 0.0}, 0.0, "temperature is 0.0"),
        ({"labels": ("Blue", "Black", "Green", "TTR")}, 0.0, "labels are in another order"),
        ({}, float("nan"), "not finite: classifier.weight"),
    ],
)
def test_a_failed_save_leaves_the_older_model(
    folder: Path, change: dict[str, Any], weight: float, reason: str
) -> None:
    before = load_model(folder)
    weights = small_text_weights(seed=1)
    weights["classifier.weight"][0, 0] += weight
    with pytest.raises(ModelFileError, match=reason):
        save_model(folder, replace(INFO, **change), weights)
    after = load_model(folder)
    assert after.info == before.info
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_a_disk_that_does_not_take_the_files_leaves_the_older_model(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The files are flushed before the new folder takes the old one's name."""

    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ModelFileError, match="the disk is full"):
        save_model(folder, replace(INFO, temperature=2.0), small_text_weights(seed=1))
    assert load_model(folder).info.temperature == INFO.temperature
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_what_fp16_cannot_hold_is_not_saved_as_fp16(tmp_path: Path) -> None:
    weights = small_text_weights()
    weights["classifier.weight"][0, 0] = 1e6
    with pytest.raises(ModelFileError, match="not finite"):
        save_model(tmp_path / "x.gcmodel", INFO, weights, half=True)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_no_model_is_not_replaced(tmp_path: Path) -> None:
    photos = tmp_path / "holiday.gcmodel"
    photos.mkdir()
    (photos / "beach.jpg").write_bytes(b"dear to somebody")
    with pytest.raises(ModelFileError, match="left alone"):
        save_model(photos, INFO, small_text_weights())
    assert (photos / "beach.jpg").exists()


@pytest.mark.parametrize(
    "name", ["", "../up", "a/b", "a\\b", "NUL", "com1.old", ".hidden", "ends.", "ends ", "x" * 65, "a\nb", 5]
)
def test_names_that_a_file_system_would_choke_on_are_refused(tmp_path: Path, name: Any) -> None:
    with pytest.raises(ModelFileError, match="cannot be a model's name"):
        save_model(tmp_path / "x.gcmodel", replace(INFO, name=name), small_text_weights())


@pytest.mark.parametrize("name", ["starter-text", "Line 2, old".replace(",", ""), "نموذج", "v1.2+b"])
def test_ordinary_names_are_fine(tmp_path: Path, name: str) -> None:
    folder = save_model(tmp_path / f"{name}.gcmodel", replace(INFO, name=name), small_text_weights())
    assert load_info(folder).name == name


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda d: d.update(format_version=2), "format version 2.*newer gcdesk"),
        (lambda d: d.update(kind="sound"), "kind is 'sound'"),
        (lambda d: d.update(kind="image"), "missing or unknown fields"),
        (lambda d: d.update(labels=["TTR", "Green", "Blue", "Black"]), "in another order"),
        (lambda d: d.update(labels=["Black", "Blue", "Green"]), "labels are not ours"),
        (lambda d: d.update(labels="Black"), "labels must be a list"),
        (lambda d: d.update(temperature="hot"), "temperature is 'hot'"),
        (lambda d: d.update(max_tokens=513), "max_tokens is 513"),
        (lambda d: d.update(max_tokens=None), "max_tokens is None"),
        (lambda d: d.update(caption_rule="shout"), "rule is 'shout': this gcdesk knows course-v1"),
        (lambda d: d.update(caption_rule=None), "caption_rule"),
        (lambda d: d.update(weights_sha256="../../etc"), "not a sha256"),
        (lambda d: d.update(surprise=1), "unknown fields: surprise"),
        (lambda d: d.pop("metrics"), "missing or unknown fields: metrics"),
        (lambda d: d.update(metrics={"test": 5}), "metrics must map"),
        (lambda d: d.update(provenance={}), "provenance"),
        (lambda d: d["architecture"].update(dim=48), "sizes make it distilbert-2x48"),
        (lambda d: d["architecture"].update(n_layers="six"), "n_layers is 'six'"),
        (lambda d: d.update(architecture=None), "architecture is not an object"),
        (lambda d: d.update(name="../x"), "cannot be a model's name"),
    ],
)
def test_each_wrong_field_is_named(
    folder: Path, change: Callable[[dict[str, Any]], object], reason: str
) -> None:
    edit_info(folder, change)
    with pytest.raises(ModelFileError, match=rf"^some\.gcmodel: .*{reason}"):
        load_model(folder)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "cannot be read"),
        (b"\xff\xfe", "cannot be read"),
        (b"[" * 100_000, "cannot be read"),
        (b"[]", "does not hold an object"),
        (b'{"temperature": NaN}', "NaN, which is no number"),
        (b" " * (1024**2 + 1), "larger than 1 MB"),
    ],
)
def test_a_description_that_is_no_json_says_so(folder: Path, content: bytes, reason: str) -> None:
    (folder / INFO_FILE).write_bytes(content)
    with pytest.raises(ModelFileError, match=reason):
        load_info(folder)


@pytest.mark.parametrize("name", [INFO_FILE, WEIGHTS_FILE, TOKENIZER_FILE])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(ModelFileError, match=f"{name} is missing"):
        load_model(folder)


def test_what_is_no_folder_says_so(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="not a model folder"):
        load_model(tmp_path / "nowhere.gcmodel")


def test_changed_weights_are_noticed(folder: Path) -> None:
    path = folder / WEIGHTS_FILE
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match="sha256 differs"):
        load_model(folder)


def test_a_truncated_file_says_so(folder: Path) -> None:
    content = (folder / WEIGHTS_FILE).read_bytes()
    put_weights_file(folder, content[: len(content) * 9 // 10])
    with pytest.raises(ModelFileError, match="cut off"):
        load_model(folder)


def test_a_header_of_200_mb_is_refused_before_it_is_read(folder: Path) -> None:
    path = folder / WEIGHTS_FILE
    with path.open("wb") as file:
        file.write(struct.pack("<Q", 200 * 1000**2))
        file.truncate(201 * 1000**2)  # sparse: takes no room
    with pytest.raises(ModelFileError, match=r"header claims 200\.0 MB"):
        load_model(folder)


FOUR_ZEROS = bytes(4)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\x01", "cut off: it has 1 bytes"),
        (struct.pack("<Q", 500) + b"{}", "cut off within its header"),
        (with_header(b"{not json"), "header that cannot be read"),
        (with_header([]), "header that is no object"),
        (with_header({}), "holds 0 tensors"),
        (with_header({"a": entry("F32", [1], 0, 4)}, FOUR_ZEROS + b"!"), "belong to no tensor"),
        (with_header({"a": entry("F32", [2], 0, 4)}, FOUR_ZEROS), "its shape"),
        (with_header({"a": entry("F32", [-1], 0, 4)}, FOUR_ZEROS), "the shape"),
        (with_header({"a": entry("F32", [1], 4, 0)}, FOUR_ZEROS), "bytes, its shape"),
        (with_header({"a": entry("I64", [1], 0, 8)}, bytes(8)), "weights are F32 or F16"),
        (with_header({"a": entry("F64", [1], 0, 8)}, bytes(8)), "weights are F32 or F16"),
        (with_header({"a": {"dtype": "F32"}}), "describes the tensor 'a' wrongly"),
        (
            with_header({"a": entry("F32", [1], 0, 4), "b": entry("F32", [1], 0, 4)}, FOUR_ZEROS),
            "overlap or leave gaps",
        ),
        (with_header(b'{"a":1,"a":2}'), "a name appears twice"),
        (safetensors.numpy.save({"a": np.array([1, np.inf], np.float32)}), "not finite: a holds"),
    ],
)
def test_each_wrong_weights_file_says_why(folder: Path, content: bytes, reason: str) -> None:
    put_weights_file(folder, content)
    with pytest.raises(ModelFileError, match=reason):
        load_model(folder)


def test_kind_and_fields_must_fit_together(tmp_path: Path) -> None:
    image = make_info(ImageArchitecture("resnet18", "linear"))
    wrong: list[tuple[ModelInfo, str]] = [
        (replace(INFO, kind="image"), "architecture of a text model"),
        (replace(image, kind="text"), "architecture of an image model"),
        (replace(image, preprocessing=None), "preprocessing"),
        (replace(image, max_tokens=24), "only text models have"),
        (replace(INFO, preprocessing=image.preprocessing), "only image models have"),
    ]
    for info, reason in wrong:
        with pytest.raises(ModelFileError, match=reason):
            save_model(tmp_path / "x.gcmodel", info, small_text_weights())

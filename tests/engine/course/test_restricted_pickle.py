"""The reader of `.pth` files: equal to torch.load(weights_only=True), and deaf to everything else."""

from __future__ import annotations

import io
import os
import pickle
import random
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from gcdesk.engine.course import pth_file as legacy_file
from gcdesk.engine.course import restricted_pickle as legacy_pickle
from gcdesk.engine.course.pth_file import open_pth
from gcdesk.engine.course.restricted_pickle import DROPPED, StoredTensor
from gcdesk.engine.errors import LegacyError


def read(path: Path) -> Any:
    """What a file holds, its tensors as arrays."""

    def arrays(value: Any) -> Any:
        if isinstance(value, StoredTensor):
            return file.array(value)
        if isinstance(value, dict):
            return {key: arrays(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return type(value)(arrays(item) for item in value)
        return value

    with open_pth(path) as file:
        return arrays(file.content)


def assert_same(ours: Any, theirs: Any) -> None:
    if isinstance(theirs, torch.Tensor):
        expected = theirs.detach()
        expected = expected.float() if expected.dtype == torch.bfloat16 else expected
        assert ours.dtype == expected.numpy().dtype
        assert ours.shape == tuple(expected.shape)
        np.testing.assert_array_equal(ours, expected.numpy())
    elif isinstance(theirs, dict):
        assert list(ours) == list(theirs)
        for key in theirs:
            assert_same(ours[key], theirs[key])
    elif isinstance(theirs, list | tuple):
        assert len(ours) == len(theirs)
        for one, other in zip(ours, theirs, strict=True):
            assert_same(one, other)
    elif isinstance(theirs, torch.device | torch.dtype | np.generic):
        assert ours is DROPPED
    else:
        assert ours == theirs


def views() -> dict[str, torch.Tensor]:
    base = torch.arange(60, dtype=torch.float32).reshape(3, 4, 5)
    return {
        "whole": base,
        "transposed": base.transpose(0, 2),
        "sliced": base[1:, ::2, 3],
        "shared": base[2],
        "scalar": base[1, 1, 1],
        "empty": torch.zeros(0, 7),
        "one": torch.ones(1, 1, 1),
    }


def all_types() -> dict[str, torch.Tensor]:
    words = ["float32", "float16", "bfloat16", "float64", "int64", "int32", "int16", "int8", "uint8", "bool"]
    return {word: (torch.arange(-6, 6) * 1.7).to(getattr(torch, word)) for word in words}


def wrapped() -> dict[str, Any]:
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Linear(4, 2))
    optimizer = torch.optim.AdamW(model.parameters())
    model(torch.randn(2, 3, 6, 6)).sum().backward()
    optimizer.step()
    return {
        "epoch": 7,
        "best": -0.25,
        "name": "café",
        "large": 2**40,
        "nothing": None,
        "flags": (True, False),
        "history": [{"loss": 0.5}, [], {}],
        "model_state_dict": model.state_dict(),
        "optimizer_state_dict": optimizer.state_dict(),
        "parameter": nn.Parameter(torch.ones(3)),
        "size": torch.Size([2, 3]),
        "device": torch.device("cpu"),
        "dtype": torch.float32,
    }


@pytest.mark.parametrize("make", [views, all_types, wrapped])
@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_reads_what_torch_reads(make: Callable[[], Any], protocol: int, tmp_path: Path) -> None:
    path = tmp_path / "x.pth"
    torch.save(make(), path, pickle_protocol=protocol)

    # torch's own restricted reader knows protocol 2 only.
    assert_same(read(path), torch.load(path, weights_only=protocol == 2))


@pytest.mark.parametrize("protocol", [2, 4])
def test_numpy_scalars_are_let_go(protocol: int, tmp_path: Path) -> None:
    path = tmp_path / "x.pth"
    content = {"accuracy": np.float64(0.5), "epoch": np.int64(3), "weights": torch.ones(2)}
    torch.save(content, path, pickle_protocol=protocol)

    found = read(path)

    assert found["accuracy"] is DROPPED
    assert found["epoch"] is DROPPED
    np.testing.assert_array_equal(found["weights"], [1, 1])


def test_arrays_are_owned_and_writable(tmp_path: Path) -> None:
    torch.save({"a": torch.ones(4, 4).t()}, tmp_path / "x.pth")

    array = read(tmp_path / "x.pth")["a"]

    assert array.flags.c_contiguous
    assert array.flags.writeable
    assert array.flags.owndata


def archive_of(path: Path, table: bytes, storages: dict[str, bytes] | None = None, **options: Any) -> Path:
    with zipfile.ZipFile(path, "w", **options) as archive:
        archive.writestr("archive/data.pkl", table)
        for key, data in (storages or {}).items():
            archive.writestr(f"archive/data/{key}", data)
    return path


class Calls:
    """Pickles as a call of `function`."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> tuple[Any, ...]:
        return self.call


@pytest.mark.parametrize(
    ("function", "arguments", "name"),
    [
        (os.system, ("touch {trace}",), "system"),
        (eval, ("open('{trace}', 'w')",), "eval"),
        (getattr, ("text", "format"), "getattr"),
        (torch.load, ("{trace}",), "torch.serialization.load"),
        (np.load, ("{trace}",), "numpy.load"),
        (torch._utils._rebuild_sparse_tensor, (None, ()), "torch._utils._rebuild_sparse_tensor"),
        (OrderedDict.fromkeys, ("ab",), "getattr"),
    ],
)
@pytest.mark.parametrize("protocol", [2, 4])
def test_every_other_name_is_refused_and_nothing_runs(
    function: Callable[..., Any], arguments: tuple[Any, ...], name: str, protocol: int, tmp_path: Path
) -> None:
    trace = tmp_path / "trace"
    arguments = tuple(a.replace("{trace}", str(trace)) if isinstance(a, str) else a for a in arguments)
    table = pickle.dumps({"weights": Calls(function, *arguments)}, protocol)
    path = archive_of(tmp_path / "evil.pth", table)

    with pytest.raises(
        LegacyError, match=rf"evil.pth: it asks to run '.*{name}'.*torch.save\(model.state_dict"
    ):
        read(path)
    assert not trace.exists()


@pytest.mark.parametrize(
    "table",
    [
        b"\x80\x02ctorch\nSize\ncos\nsystem\nR.",
        b"\x80\x02ctorch\nFloatStorage\n)R.",
        b"\x80\x02ctorch\nfloat32\n)R.",
        b"\x80\x02X\x01\x00\x00\x00a)R.",
        b"\x80\x02ctorch\nSize\n)\x81.",  # NEWOBJ
        b"\x80\x02\x82\x01.",  # EXT1
        b"\x80\x02(ios\nsystem\n.",  # INST
        b"\x80\x02Parchive/data/0\n.",  # PERSID
        b"\x80\x02X\x04\x00\x00\x00evilQ.",
        b"\x80\x02]}b.",  # BUILD of a list
        b"\x80\x02ctorch\nSize\n}X\x01\x00\x00\x00aK\x01sb.",  # BUILD of a name
        b"\x80\x02}])s.",  # a list as a key
        b"\x80\x02}K\x01K\x02\x86Ns.",  # a tuple as a key
        b"\x80\x02}(K\x01u.",  # a key without a value
        b"\x80\x02)K\x01a.",  # APPEND to a tuple
        b"\x80\x02h\x05.",  # GET of what was never PUT
        b"\x80\x02(.",
        b"\x80\x02.",
        b"\x80\x02NN.",
        b"\x80\x02R.",
        b"\x80\x02N",
        b"\x80\x02X\xff\xff\xff\x7fa.",
        b"",
        b"\xff\xff",
        b"\x80\x02ctorch\nSize\n((\x8a\xff" + b"\x7f" * 255 + b"ttR.",  # a number of 2,040 bits
        b"\x80\x02c_codecs\nencode\n(X\x01\x00\x00\x00aX\x03\x00\x00\x00hextR.",
    ],
)
def test_steps_that_no_state_dict_needs_are_refused(table: bytes, tmp_path: Path) -> None:
    with pytest.raises(LegacyError, match=r"x\.pth: "):
        read(archive_of(tmp_path / "x.pth", table))


def test_a_pickle_that_goes_deep_or_round_is_read_without_recursion() -> None:
    deep = legacy_pickle.read_pickle(b"\x80\x02" + b"]" * 100_000 + b"a" * 99_999 + b".")
    assert isinstance(deep, list)
    nested_tuples = legacy_pickle.read_pickle(b"\x80\x02N" + b"\x85" * 100_000 + b".")
    assert isinstance(nested_tuples, tuple)
    round_about = legacy_pickle.read_pickle(b"\x80\x02]q\x00h\x00a.")
    assert isinstance(round_about, list)
    assert round_about[0] is round_about


def test_a_pickle_with_too_many_steps_is_refused() -> None:
    with pytest.raises(LegacyError, match="more than 1,000,000 steps"):
        legacy_pickle.read_pickle(b"\x80\x02" + b"N" * 1_000_001 + b".")


class Stored:
    """Stands for a tensor storage when a pickle is forged."""

    def __init__(self, key: Any = "0", kind: Any = torch.FloatStorage, count: Any = 6) -> None:
        self.identity = ("storage", kind, key, "cpu", count)


class _Forger(pickle.Pickler):
    def persistent_id(self, thing: Any) -> Any:
        return thing.identity if isinstance(thing, Stored) else None


def forged(
    path: Path,
    storage: Any,
    offset: Any = 0,
    shape: Any = (2, 3),
    strides: Any = (3, 1),
    data: bytes = bytes(24),
) -> Path:
    """A file of one tensor whose description may be anything, and a storage of six fp32 zeros."""
    table = io.BytesIO()
    call = Calls(torch._utils._rebuild_tensor_v2, storage, offset, shape, strides, False, OrderedDict())
    _Forger(table, 2).dump({"weights": call})
    return archive_of(path, table.getvalue(), {"0": data})


def test_the_forgery_is_read_when_it_is_honest(tmp_path: Path) -> None:
    assert read(forged(tmp_path / "x.pth", Stored()))["weights"].shape == (2, 3)


@pytest.mark.parametrize(
    "claims",
    [
        {"shape": (3, 3)},
        {"shape": (2, 3), "strides": (4, 1)},
        {"offset": 1},
        {"offset": -1},
        {"offset": 2**70},
        {"strides": (-3, 1)},
        {"shape": (1000, 1000), "strides": (0, 0)},
        {"shape": (2**39, 2**39), "strides": (0, 0)},
        {"shape": (0, 2**39, 2**39), "strides": (1, 1, 1)},
        {"shape": (-1, 3)},
        {"shape": (2.0, 3)},
        {"shape": (True, 3)},
        {"shape": [2, 3]},
        {"shape": (1,) * 40, "strides": (1,) * 40},
        {"shape": (2, 3), "strides": (1,)},
        {"storage": Stored(count=7)},
        {"storage": Stored(count=5), "shape": (5,), "strides": (1,)},
        {"storage": Stored(count=-6)},
        {"storage": Stored(count=2**62)},
        {"storage": Stored(key="1")},
        {"storage": Stored(key="../data.pkl")},
        {"storage": Stored(key="٣")},
        {"storage": Stored(key=0)},
        {"storage": Stored(kind=torch.DoubleStorage)},
        {"storage": Stored(kind=torch.float32)},
        {"storage": Stored(kind="FloatStorage")},
        {"storage": "0"},
    ],
    ids=str,
)
def test_a_tensor_that_reaches_outside_its_storage_is_refused(claims: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(LegacyError):
        read(forged(tmp_path / "x.pth", **({"storage": Stored()} | claims)))


def test_many_tensors_over_one_storage_stay_within_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = torch.ones(1000)
    torch.save({str(number): base for number in range(100)}, tmp_path / "x.pth")
    monkeypatch.setattr(legacy_file, "MAX_WEIGHT_BYTES", 100_000)

    with pytest.raises(LegacyError, match="its weights take more than"):
        read(tmp_path / "x.pth")


def test_compressed_members_are_refused(tmp_path: Path) -> None:
    path = archive_of(
        tmp_path / "bomb.pth", pickle.dumps({}, 2), {"0": bytes(10**7)}, compression=zipfile.ZIP_DEFLATED
    )
    with pytest.raises(LegacyError, match="compressed"):
        read(path)


def test_twice_the_same_name_is_refused(tmp_path: Path) -> None:
    path = archive_of(tmp_path / "x.pth", pickle.dumps({}, 2))
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("archive/data.pkl", pickle.dumps({"other": 1}, 2))
    with pytest.raises(LegacyError, match="two parts of the same name"):
        read(path)


def test_nested_folders_are_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.pth", "w") as archive:
        archive.writestr("../up/data.pkl", pickle.dumps({}, 2))
    with pytest.raises(LegacyError, match="nested folders"):
        read(tmp_path / "x.pth")


def test_a_large_table_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = archive_of(tmp_path / "x.pth", b"\x80\x02" + b"N" * (legacy_pickle.MAX_PICKLE_BYTES + 1))
    with pytest.raises(LegacyError, match="table of contents has 17 MB"):
        read(path)


def test_a_list_of_members_without_end_is_refused(tmp_path: Path) -> None:
    path = archive_of(tmp_path / "x.pth", pickle.dumps({}, 2))
    data = bytearray(path.read_bytes())
    data[-10:-6] = (2**31).to_bytes(4, "little")
    path.write_bytes(data)
    with pytest.raises(LegacyError, match="cut off or damaged"):
        read(path)


def test_a_flipped_bit_in_the_weights_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "x.pth"
    torch.save({"weights": torch.full((1000,), 3.25)}, path)
    data = bytearray(path.read_bytes())
    data[data.index(np.float32(3.25).tobytes() * 9) + 4] ^= 1
    path.write_bytes(data)
    with pytest.raises(LegacyError, match="is damaged: copy the file again"):
        read(path)


def test_no_damage_does_more_than_be_refused(tmp_path: Path) -> None:
    """500 files with a few random bytes changed, in the pickle (with a right checksum) or anywhere."""
    chance = random.Random(11)
    path = tmp_path / "x.pth"
    torch.save(wrapped(), path)
    whole = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    table = next(name for name in members if name.endswith("data.pkl"))
    refused = 0
    for number in range(500):
        inside = number % 2
        data = bytearray(members[table] if inside else whole)
        for _ in range(chance.randint(1, 4)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        if inside:
            with zipfile.ZipFile(path, "w") as archive:
                for name, content in members.items():
                    archive.writestr(name, bytes(data) if name == table else content)
        else:
            path.write_bytes(data)
        try:
            read(path)
        except LegacyError:
            refused += 1
    assert refused > 100

"""A run's state in a file that cannot run code: everything comes back as it was, and a damaged one is said."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
import torch

from trainer.checkpoint_file import DAMAGE, pack, unpack


def test_the_state_of_a_learner_comes_back(tmp_path: Path) -> None:
    layer = torch.nn.Linear(3, 2)
    optimizer = torch.optim.AdamW(layer.parameters(), lr=0.1)
    layer(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    shared = torch.arange(4)
    content = {
        "network": layer.state_dict(),
        "optimizer": optimizer.state_dict(),
        "two names": [shared, shared],
        "view": torch.arange(12).reshape(3, 4).T,
        "empty": torch.empty(0),
        "random": torch.get_rng_state(),
        "progress": {
            "epoch": 3,
            "best": 0.5,
            "nan": float("nan"),
            "none": None,
            "done": False,
            "pair": (1, "x"),
        },
    }
    file = tmp_path / "state.safetensors"
    file.write_bytes(pack(content))
    back = unpack(file, "cpu")
    assert back["progress"]["pair"] == (1, "x")
    assert back["progress"]["done"] is False
    assert back["optimizer"]["param_groups"] == optimizer.state_dict()["param_groups"]
    assert torch.equal(
        back["optimizer"]["state"][0]["exp_avg"], optimizer.state_dict()["state"][0]["exp_avg"]
    )
    assert torch.equal(back["view"], content["view"])
    assert torch.equal(back["two names"][1], shared)
    assert torch.equal(back["random"], torch.get_rng_state())
    assert back["empty"].shape == (0,)


class Runs:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return exec, ("open('ran', 'w')",)


def test_a_pickle_in_its_place_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for data in (pickle.dumps(Runs()), pack({"a": torch.ones(9)})[:-7], b"", b"\xff" * 99):
        (tmp_path / "state").write_bytes(data)
        with pytest.raises(DAMAGE):
            unpack(tmp_path / "state", "cpu")
    assert not (tmp_path / "ran").exists()


def test_what_no_file_can_hold_is_said() -> None:
    with pytest.raises(TypeError, match="cannot hold a Runs"):
        pack({"a": Runs()})

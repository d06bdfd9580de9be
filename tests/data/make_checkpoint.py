"""Made `small.pth`, as torch writes a checkpoint: `python tests/data/make_checkpoint.py`. Needs torch."""

from __future__ import annotations

from pathlib import Path

import torch

STATE = {
    "model_state_dict": {"out.weight": torch.arange(32.0).reshape(4, 8), "out.bias": torch.zeros(4).half()},
    "classes": ["Black", "Blue", "Green", "TTR"],
    "epoch": 3,
}

if __name__ == "__main__":
    torch.save(STATE, Path(__file__).with_name("small.pth"))

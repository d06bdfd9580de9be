"""Where a training computes, checked with one real step before hours depend on it."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from gcdesk.engine.errors import DeviceError


def choose_device(name: str) -> torch.device:
    """`auto` is CUDA where it works, else the CPU. Raises DeviceError when CUDA was asked for and fails."""
    if name == "cpu" or (name == "auto" and not torch.cuda.is_available()):
        return torch.device("cpu")
    device = torch.device("cuda")
    try:
        _first_step(device)
    except (RuntimeError, AssertionError) as error:
        if name == "cuda":
            raise DeviceError(f"CUDA was asked for and does not work: {error}") from error
        return torch.device("cpu")
    return device


def _first_step(device: torch.device) -> None:
    """A convolution forwards and backwards: a driver or build that does not fit fails here, not later."""
    if not torch.cuda.is_available():
        raise RuntimeError("torch sees no CUDA device (is it a CPU build, or the driver too old?)")
    layer = nn.Conv2d(3, 8, 3).to(device).to(memory_format=torch.channels_last)
    pixels = torch.randn(2, 3, 32, 32, device=device).to(memory_format=torch.channels_last)
    with torch.autocast("cuda", dtype=torch.float16):
        loss = layer(pixels).float().square().mean()
    loss.backward()
    torch.cuda.synchronize()
    if not bool(torch.isfinite(loss)):
        raise RuntimeError("the first step on the GPU gave no finite number")


def low_precision_of(choice: str, device: torch.device) -> bool:
    """Whether to compute in 16 bits: `auto` does on CUDA, and on a CPU that multiplies bf16 in hardware."""
    if choice != "auto":
        return choice == "low"
    return device.type == "cuda" or _cpu_has_bf16()


def _cpu_has_bf16() -> bool:
    try:
        words = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").split()
    except OSError:
        return False
    return "avx512_bf16" in words or "amx_bf16" in words

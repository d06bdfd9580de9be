"""Asks the NVIDIA driver what there is, through its own library: milliseconds, and torch need not even be
installed.
"""

from __future__ import annotations

import ctypes
import os
from dataclasses import dataclass
from functools import lru_cache

_LIBRARY = "nvcuda.dll" if os.name == "nt" else "libcuda.so.1"
_SUCCESS = 0
_NAME_BYTES = 256


@dataclass(frozen=True)
class CudaDriver:
    """The GPUs that the driver offers to this process, and why there are none.

    version: the highest CUDA version that the driver runs, such as "12.4".
    """

    devices: tuple[str, ...] = ()
    version: str = ""
    problem: str = ""

    @property
    def available(self) -> bool:
        return bool(self.devices)


@lru_cache(maxsize=1)
def cuda_driver() -> CudaDriver:
    """What the driver says, asked once a process. `CUDA_VISIBLE_DEVICES` counts, as it does for torch."""
    try:
        library = ctypes.CDLL(_LIBRARY)
    except OSError:
        return CudaDriver(problem="there is no NVIDIA driver")
    try:
        return _ask(library)
    except AttributeError as error:
        return CudaDriver(problem=f"the NVIDIA driver lacks a function: {error}")


def _ask(library: ctypes.CDLL) -> CudaDriver:
    status = library.cuInit(0)
    if status != _SUCCESS:
        return CudaDriver(problem=f"the NVIDIA driver finds no GPU (error {status})")
    number = ctypes.c_int(0)
    library.cuDriverGetVersion(ctypes.byref(number))
    version = f"{number.value // 1000}.{number.value % 1000 // 10}"
    status = library.cuDeviceGetCount(ctypes.byref(number))
    if status != _SUCCESS or number.value < 1:
        return CudaDriver(version=version, problem="the NVIDIA driver finds no GPU")
    return CudaDriver(tuple(_name(library, index) for index in range(number.value)), version)


def _name(library: ctypes.CDLL, place: int) -> str:
    device = ctypes.c_int(0)
    name = ctypes.create_string_buffer(_NAME_BYTES)
    if library.cuDeviceGet(ctypes.byref(device), place) != _SUCCESS:
        return f"GPU {place}"
    if library.cuDeviceGetName(name, _NAME_BYTES, device) != _SUCCESS:
        return f"GPU {place}"
    return name.value.decode("utf-8", "replace")

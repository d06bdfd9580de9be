"""What cannot run on this system is skipped, with the reason that the test itself gives. On Linux nothing is.

`@pytest.mark.posix("why")`: Windows has no such thing. `@pytest.mark.not_under_wine("why")`: Windows has it, Wine does
not. `@pytest.mark.torch`, and any module that imports torch: there is none in the bench for Windows.
"""

from __future__ import annotations

import ctypes
import importlib.util
import re
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

ON_WINDOWS = sys.platform == "win32"
UNDER_WINE = sys.platform == "win32" and hasattr(ctypes.WinDLL("ntdll"), "wine_get_version")
# What only training and reading a course's own files with its own library need.
TRAINING_PACKAGES = ("torch", "torchvision", "transformers", "sklearn", "onnx", "onnxscript", "pyarrow")
_MISSING = re.compile(rf"No module named '({'|'.join(TRAINING_PACKAGES)})\b")


def _missing(package: str) -> bool:
    return importlib.util.find_spec(package) is None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for name, holds in (("posix", ON_WINDOWS), ("not_under_wine", UNDER_WINE)):
            mark = item.get_closest_marker(name)
            if mark is not None and holds:
                item.add_marker(pytest.mark.skip(reason=str(mark.args[0])))
        if ON_WINDOWS and item.get_closest_marker("torch") is not None and _missing("torch"):
            item.add_marker(pytest.mark.skip(reason="torch is not installed here"))


class _MayWantTorch(pytest.Module):
    """A module that cannot be imported for want of one of the packages is one skip, with the reason."""

    def collect(self) -> Iterable[pytest.Item | pytest.Collector]:
        try:
            return super().collect()
        except self.CollectError as error:
            missing = _MISSING.search(str(error))
            if missing is None:
                raise
        pytest.skip(f"{missing[1]} is not installed here", allow_module_level=True)


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Module | None:
    """Only on Windows, so that a package that is missing anywhere else is an error."""
    return _MayWantTorch.from_parent(parent, path=module_path) if ON_WINDOWS else None

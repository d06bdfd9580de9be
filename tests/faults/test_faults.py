"""The short form of every fault; `make faults` has the long one and prints the table."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from faults import FAULTS
from kit import Fault, Skipped
from PySide6.QtWidgets import QApplication

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="signals, limits and mounts as on Linux"),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_fault(fault: Fault, tmp_path: Path, qapp: QApplication) -> None:
    try:
        assert fault.make(tmp_path, True)
    except Skipped as why:
        pytest.skip(str(why))

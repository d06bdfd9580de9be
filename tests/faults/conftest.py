"""The faults use what the tests of the jobs and of the window have."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parent / "jobs"), str(HERE.parent / "ui")]

"""What pip-audit's answers mean. The answers are in the form that pip-audit 2.10 writes with `--format json`."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))

from advisories import CONCERNED, FINE, UNKNOWN, pinned, verdict

CLEAN = {"name": "pillow", "version": "13.0.0", "vulns": []}
SKIPPED = {
    "name": "torch",
    "skip_reason": "Dependency not found on PyPI and could not be audited: torch (2.14.1)",
}
FLAWED = {
    "name": "numpy",
    "version": "1.0",
    "vulns": [{"id": "PYSEC-2021-857", "fix_versions": ["1.22.0"], "aliases": [], "description": "x"}],
}


def test_every_requirement_of_the_project_is_pinned_and_found() -> None:
    names = {line.partition("==")[0] for line in pinned([])}
    assert {"pillow", "onnxruntime", "tokenizers", "torch", "PySide6"} <= names
    assert pinned(["Pillow"])[0].startswith("pillow==")
    with pytest.raises(SystemExit, match="not in"):
        pinned(["nothing-of-ours"])


def test_an_answer_is_taken_for_what_it_says_and_no_more() -> None:
    assert verdict([CLEAN])[0] == FINE
    code, words = verdict([CLEAN, FLAWED, SKIPPED])
    assert code == CONCERNED
    assert "numpy 1.0: PYSEC-2021-857, fixed in 1.22.0" in words
    assert "2 of 3 were checked" in words


@pytest.mark.parametrize("found", [[SKIPPED], [SKIPPED, CLEAN]])
def test_what_the_index_does_not_know_counts_as_unchecked(found: list[dict[str, object]]) -> None:
    """pip-audit itself says "No known vulnerabilities" then, and ends with 0."""
    code, words = verdict(found)
    assert code == UNKNOWN
    assert "torch" in words

"""What pip-audit's answers mean. The answers are in the form that pip-audit 2.10 writes with `--format json`."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))

from advisories import CONCERNED, FINE, LISTS, UNKNOWN, pinned, verdict

CONSTRAINTS = LISTS[0]

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
    names = {line.partition("==")[0] for line in pinned([])[0]}
    assert {"pillow", "onnxruntime", "tokenizers", "torch", "PySide6"} <= names
    assert pinned(["Pillow"])[0][0].startswith("pillow==")
    with pytest.raises(SystemExit, match="not in"):
        pinned(["nothing-of-ours"])


def test_every_lock_of_the_clusters_is_asked_about() -> None:
    """Each version that is installed anywhere is in one of the questions, and no question has a name twice."""
    asked = [line for lines in pinned([]) for line in lines]
    for path in (*LISTS[1:], CONSTRAINTS):
        for line in path.read_text(encoding="utf-8").splitlines():
            if "==" in line and not line.startswith("#"):
                assert line.strip().lower().replace("_", "-") in [
                    one.lower().replace("_", "-") for one in asked
                ]
    assert any(line.startswith("pyarrow==26") for line in asked)
    assert len({line for line in asked if line.startswith("torch==")}) == 2
    for lines in pinned([]):
        names = [line.partition("==")[0].lower().replace("_", "-") for line in lines]
        assert len(names) == len(set(names))


def test_the_clusters_decode_photos_with_the_versions_of_the_desk() -> None:
    """What opens strangers' photos and models has the same fixes there; torch follows the clusters' drivers."""
    here = dict(line.split("==") for line in CONSTRAINTS.read_text(encoding="utf-8").split() if "==" in line)
    here = {name.lower().replace("_", "-"): version for name, version in here.items()}
    for path in LISTS[1:]:
        there = dict(line.split("==") for line in path.read_text(encoding="utf-8").split() if "==" in line)
        for name in {"pillow", "pillow-heif", "safetensors", "numpy", "onnxruntime", "tokenizers"} & set(
            there
        ):
            assert there[name] == here[name], (path.name, name)
    (torch,) = (line for line in LISTS[2].read_text().splitlines() if line.startswith("torch=="))
    assert tuple(map(int, torch.partition("==")[2].split("."))) >= (2, 10, 0)


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

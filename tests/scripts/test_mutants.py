"""The table of protections fits the code, and the script knows a protection that no test notices."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))

import mutants
from mutants import Mutant, read_table, stale, try_out


def test_every_protection_of_the_table_is_in_the_code() -> None:
    table = read_table()
    assert len(table) >= 60
    assert {one.name: why for one in table if (why := stale(one))} == {}
    assert all(one.old != one.new for one in table)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "code.py").write_text(
        "def cap(size):\n    if size > 9:\n        raise ValueError\n    return size\n"
    )
    (tmp_path / "test_good.py").write_text(
        "import pytest\nfrom code_ import cap\ndef test_it():\n    with pytest.raises(ValueError):\n        cap(10)\n"
    )
    (tmp_path / "test_blind.py").write_text("from code_ import cap\ndef test_it():\n    assert cap(1) == 1\n")
    (tmp_path / "code.py").rename(tmp_path / "code_.py")
    return tmp_path


@pytest.mark.parametrize(("test", "noticed"), [("test_good.py", True), ("test_blind.py", False)])
def test_a_survivor_is_told_from_what_was_noticed(project: Path, test: str, noticed: bool) -> None:
    mutant = Mutant("cap off", "code_.py", "if size > 9:", "if False:", (test,))
    assert stale(mutant, project) == ""
    before = (project / "code_.py").read_text()
    assert try_out(mutant, project) is noticed
    assert (project / "code_.py").read_text() == before


def test_a_text_that_is_gone_is_stale(project: Path) -> None:
    assert "0 times" in stale(Mutant("x", "code_.py", "if size > 8:", "", ("test_good.py",)), project)
    assert "is gone" in stale(Mutant("x", "code_.py", "if size > 9:", "", ("test_no.py",)), project)


def test_the_copy_that_is_changed_is_no_link(tmp_path: Path) -> None:
    copy = mutants.copied(tmp_path)
    assert not (copy / "gcdesk").is_symlink()
    assert (copy / "resources").is_symlink()
    assert (copy / "pyproject.toml").is_file()

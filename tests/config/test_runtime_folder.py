"""The folder of sockets is this user's alone, or it is not used."""

from __future__ import annotations

import stat
import sys
import tempfile
from pathlib import Path

import pytest

from gcdesk.config.folders import user_folders
from gcdesk.config.runtime_folder import runtime_folder

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has pipes with names instead")


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> Path:
    """A short path: pytest's own are too long for a socket's."""
    with tempfile.TemporaryDirectory(prefix="gc") as name:
        monkeypatch.setattr(tempfile, "tempdir", name)
        monkeypatch.setenv("GCDESK_HOME", f"{name}/home")
        monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
        yield Path(name)


@pytest.mark.posix("permissions of another kind")
def test_it_is_made_for_this_user_alone(short: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = runtime_folder(20)
    assert folder is not None
    assert folder.parent == short
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(short))
    assert runtime_folder(20) == short / "gcdesk"


@pytest.mark.posix("links want a right on Windows that users do not have")
def test_one_that_others_may_enter_is_not_used(short: Path) -> None:
    first = runtime_folder(20)
    assert first is not None
    first.chmod(0o777)
    assert runtime_folder(20) == user_folders().cache / "run"
    first.rmdir()
    (short / "elsewhere").mkdir(mode=0o700)
    first.symlink_to(short / "elsewhere")
    assert runtime_folder(20) == user_folders().cache / "run"


@pytest.mark.posix("Windows' pipes have names, and no folder")
def test_one_of_another_user_is_not_used(short: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    own = os.getuid()
    first = runtime_folder(20)
    monkeypatch.setattr(os, "getuid", lambda: own + 1)
    assert first is not None
    first.rename(short / f"gcdesk-{own + 1}")
    assert runtime_folder(20) is None


@pytest.mark.posix("Windows' pipes have names, and no folder")
def test_a_path_that_is_too_long_for_a_socket_is_not_used(short: Path) -> None:
    assert runtime_folder(200) is None

"""The station package of dist/, unpacked and installed as a user does it, into a home with an awkward name."""

from __future__ import annotations

import subprocess
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from frozen_kit import DIST, Frozen, install


@pytest.fixture(scope="session")
def archive() -> Path:
    found = sorted(DIST.glob("gcdesk-*-linux-*.tar.gz"))
    assert found, f"there is no package in {DIST}: run `make package`"
    return found[-1]


@pytest.fixture(scope="session")
def unpacked(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unpacked")
    folder.chmod(0o755)
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="tar")
    return next(folder.iterdir())


@pytest.fixture(scope="session")
def installed(unpacked: Path, tmp_path_factory: pytest.TempPathFactory) -> Frozen:
    base = tmp_path_factory.mktemp("homes")
    for folder in (base, base.parent, base.parent.parent):
        folder.chmod(0o755)
    home = base / "Zoë Müller’s home, 家"  # noqa: RUF001 - the letters are the point
    done = install(unpacked, home)
    assert done.returncode == 0, done.stderr
    return Frozen(home / ".local" / "opt" / "gcdesk", home)


@pytest.fixture
def elsewhere(installed: Frozen, tmp_path: Path) -> Frozen:
    """The same program with a fresh home."""
    home = tmp_path / "another home"
    home.mkdir()
    for folder in (home, tmp_path, tmp_path.parent, tmp_path.parent.parent):
        folder.chmod(0o755)
    return Frozen(installed.program, home)


@pytest.fixture(scope="session")
def display() -> Iterator[str]:
    """An X server without a screen; its DISPLAY."""
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", "1", "-screen", "0", "1600x1000x24", "-nolisten", "tcp"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert server.stdout is not None
    number = server.stdout.readline().strip()
    yield f":{number}"
    server.terminate()
    server.wait(timeout=10)
    server.stdout.close()


@pytest.fixture
def wayland(tmp_path: Path) -> Iterator[dict[str, str]]:
    """A Wayland compositor without a screen; the variables that lead to it."""
    tmp_path.chmod(0o700)
    server = subprocess.Popen(
        ["weston", "--backend=headless-backend.so", "--socket=gcdesk-test", "--idle-time=0", "--no-config"],
        env={"XDG_RUNTIME_DIR": str(tmp_path), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    end = time.monotonic() + 20
    while not (tmp_path / "gcdesk-test").exists():
        assert time.monotonic() < end, "weston did not come up"
        assert server.poll() is None, "weston ended"
        time.sleep(0.05)
    yield {"XDG_RUNTIME_DIR": str(tmp_path), "WAYLAND_DISPLAY": "gcdesk-test"}
    server.terminate()
    server.wait(timeout=10)

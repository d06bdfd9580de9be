"""install.sh, uninstall.sh and the .deb, as a user and dpkg run them."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest
from frozen_kit import DIST, Frozen, install

pytestmark = pytest.mark.package


def test_desktop_entry_icon_type_and_commands(installed: Frozen) -> None:
    share = installed.home / ".local/share"
    entry = (share / "applications/gcdesk.desktop").read_text()
    assert f'Exec="{installed.program}/gcdesk" %F' in entry
    assert "application/x-gcdesk-model" in entry
    assert (share / "mime/packages/gcdesk.xml").is_file()
    assert (share / "icons/hicolor/scalable/apps/gcdesk.svg").is_file()
    done = subprocess.run(
        [installed.home / ".local/bin/gcdesk-console", "--version"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("gcdesk ")
    checked = subprocess.run(
        ["desktop-file-validate", share / "applications/gcdesk.desktop"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (checked.returncode, checked.stdout) == (0, "")


def test_a_folder_with_every_awkward_letter(unpacked: Path, tmp_path: Path) -> None:
    folder = tmp_path / 'a "b" $c `d` 100% e\\f'
    done = install(unpacked, tmp_path / "home", str(folder))
    assert done.returncode == 0, done.stderr
    entry = (tmp_path / "home/.local/share/applications/gcdesk.desktop").read_text()
    line = next(line for line in entry.splitlines() if line.startswith("Exec="))
    # As the desktop entry specification reads it: first the file's \\, then the quotes, then %%.
    argument = line.removeprefix('Exec="').removesuffix('" %F').replace("\\\\", "\\")
    plain, at = "", 0
    while at < len(argument):
        at += argument[at] == "\\"
        plain += argument[at]
        at += 1
    assert plain.replace("%%", "%") == f"{folder}/gcdesk"


def test_install_over_an_older_one_and_uninstall(unpacked: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert install(unpacked, home).returncode == 0
    program = home / ".local/opt/gcdesk"
    (program / "left from before").touch()
    kept = home / ".local/share/gcdesk/sessions.sqlite"
    kept.parent.mkdir(parents=True)
    kept.touch()
    assert install(unpacked, home).returncode == 0
    assert not (program / "left from before").exists()
    uninstall(program, home)
    assert kept.exists()
    left = {str(path.relative_to(home)) for path in home.rglob("*") if path.is_file() or path.is_symlink()}
    # What is left of others: the desktop's own caches of types, which it makes for every program.
    assert {name for name in left if "mime" not in name} == {".local/share/gcdesk/sessions.sqlite"}

    assert install(unpacked, home).returncode == 0
    uninstall(program, home, "--data")
    assert not kept.parent.exists()


def test_it_does_not_replace_a_running_app_nor_a_foreign_folder(unpacked: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / ".local/opt/gcdesk").mkdir(parents=True)
    (home / ".local/opt/gcdesk/thesis.txt").touch()
    assert "something else" in install(unpacked, home).stderr
    assert (home / ".local/opt/gcdesk/thesis.txt").exists()

    other = tmp_path / "other"
    assert install(unpacked, other).returncode == 0
    running = subprocess.Popen(
        [other / ".local/opt/gcdesk/gcdesk-console", "worker", "serve"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    assert running.stdin is not None
    assert running.stdout is not None
    try:
        running.stdout.readline()
        done = install(unpacked, other)
        assert done.returncode == 1
        assert "running" in done.stderr
    finally:
        running.stdin.close()
        running.wait(timeout=10)
        running.stdout.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root installs a .deb")
def test_deb_installs_runs_and_is_removed(tmp_path: Path) -> None:
    package = sorted(DIST.glob("gcdesk-station_*.deb"))[-1]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    assert not Path("/opt/gcdesk").exists()
    done = subprocess.run(
        ["dpkg", "-i", package], env=environment, capture_output=True, text=True, check=False
    )
    try:
        assert done.returncode == 0, done.stderr
        began = time.monotonic()
        version = subprocess.run(
            ["/usr/bin/gcdesk-console", "--version"], capture_output=True, text=True, check=True
        )
        assert "station" in version.stdout
        assert time.monotonic() - began < 30
        depends = subprocess.run(
            ["dpkg-query", "-W", "-f", "${Depends}", "gcdesk-station"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        assert "libc6 (>= 2." in depends
        assert "libxcb-cursor0" in depends
        assert "libegl1" in depends
        report = tmp_path / "report.json"
        subprocess.run(
            ["/usr/bin/gcdesk", "--smoke", str(report)], check=True, timeout=150,
            env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "QT_QPA_PLATFORM": "offscreen"},
        )  # fmt: skip
    finally:
        removed = subprocess.run(
            ["dpkg", "-P", "gcdesk-station"], env=environment, capture_output=True, text=True, check=False
        )
    assert removed.returncode == 0, removed.stderr
    for path in ("/opt/gcdesk", "/usr/bin/gcdesk", "/usr/share/applications/gcdesk.desktop"):
        assert not Path(path).exists()


def uninstall(program: Path, home: Path, *words: str) -> None:
    subprocess.run(
        [str(program / "share" / "uninstall.sh"), *words],
        env={"HOME": str(home), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        check=True,
    )

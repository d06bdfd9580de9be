from __future__ import annotations

import subprocess
import sys

import pytest

from gcdesk.config.process import restore_environment


def test_programs_that_we_start_get_the_users_own_library_path() -> None:
    variables = {"LD_LIBRARY_PATH": "/opt/gcdesk/_internal", "LD_LIBRARY_PATH_ORIG": "/home/me/lib"}
    restore_environment(variables)
    assert variables["LD_LIBRARY_PATH"] == "/home/me/lib"
    assert "LD_LIBRARY_PATH_ORIG" not in variables


def test_or_none_where_there_was_none() -> None:
    variables = {"LD_LIBRARY_PATH": "/opt/gcdesk/_internal", "PATH": "/bin"}
    restore_environment(variables)
    assert "LD_LIBRARY_PATH" not in variables
    assert variables["PATH"] == "/bin"


@pytest.mark.skipif(sys.platform == "win32", reason="a POSIX shell closes the streams")
@pytest.mark.parametrize(("words", "code"), [("--version", 0), ("models list", 0), ("no-such-verb", 2)])
def test_streams_that_are_closed_are_no_trouble(words: str, code: int) -> None:
    line = f'exec "$0" -P -m gcdesk {words} <&- >&- 2>&-'
    assert subprocess.run(["sh", "-c", line, sys.executable], check=False).returncode == code

"""What the system says of a file, in words."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from gcdesk.engine.errors import GcdeskError, ModelFileError
from gcdesk.engine.os_errors import in_a_sentence, os_reason, writing


def test_a_full_disk_says_what_to_do() -> None:
    error = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/photos/a.csv")
    assert in_a_sentence(error) == "/photos/a.csv: the disk is full, free some space."


def test_words_of_its_own_stay() -> None:
    assert os_reason(OSError(errno.EPERM, "A newer gcdesk wrote it")) == "a newer gcdesk wrote it"
    assert os_reason(OSError("odd")) == "odd"


def test_what_cannot_be_written_is_named(tmp_path: Path) -> None:
    said = r"m\.zip cannot be written: no such file or directory\."
    with pytest.raises(ModelFileError, match=said), writing(Path("m.zip"), ModelFileError):
        (tmp_path / "missing" / "m.zip").write_bytes(b"")
    with (
        pytest.raises(GcdeskError, match=r"cannot be written: (is a directory|you have no permission)"),
        writing(tmp_path),
    ):
        tmp_path.write_bytes(b"")


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (32, "another program has it open"),
        (112, "the disk is full"),
        (5, "no permission"),
        (64, "network drive is gone"),
    ],
)
def test_what_windows_says_in_its_own_language_is_said_in_ours(number: int, words: str) -> None:
    error = OSError(errno.EACCES, "Der Prozess kann nicht auf die Datei zugreifen", "C:\\photos\\a.jpg")
    error.winerror = number  # only Windows' own errors have one
    assert words in in_a_sentence(error)

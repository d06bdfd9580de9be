"""What a log may hold of an error: its kind and its place in the program, nothing that an operator typed or owns."""

from __future__ import annotations

from pathlib import Path

import pytest

from gcdesk.config.redaction import private_trace, without_private


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("/home/ann/line 2/glass jar.jpg cannot be read", "… cannot be read"),
        ("could not convert string to float: 'banana of Ann'", "could not convert string to float: '…'"),
        (
            "[Errno 2] No such file or directory: '/home/ann/x.jpg'",
            "[Errno 2] No such file or directory: '…'",
        ),
        (r"C:\Users\Ann\Bilder\old sock.jpg: access denied", "…: access denied"),
        (r"\\server\share\Ann's photos\a.jpg is gone", "…"),
        ("the session “Line 2 of Ann” is open", "the session “…” is open"),
        ("it isn't there, and won't be", "it isn't there, and won't be"),
        ("12 changes could not be written yet", "12 changes could not be written yet"),
        ("3/4 of the photos", "3/4 of the photos"),
        ("~/photos/can.jpg failed", "… failed"),
        (
            '12:00 WARNING x:   File "/home/ann/a/b/c/d.py", line 7, in f',
            '12:00 WARNING x:   File "…/b/c/d.py", line 7, in f',
        ),
    ],
)
def test_paths_and_quoted_words_are_left_out(said: str, kept: str) -> None:
    assert without_private(said).startswith(kept)
    assert "ann" not in without_private(said).lower().replace("cannot", "")


def test_what_was_worked_on_is_left_out_also_where_it_is_not_quoted() -> None:
    said = "bad word: Banana of Somebody Private in glass jar.jpg, GLASS JAR"
    assert without_private(said, ["banana of somebody private", "/x/glass jar.jpg"]) == "bad word: … in …, …"


def test_a_trace_keeps_its_places() -> None:
    def fails(caption: str) -> None:
        raise ValueError(f"{caption!r} is none, {caption}")

    with pytest.raises(ValueError, match="none") as caught:
        fails("old sock of Ann")
    trace = private_trace(caught.value, ["old sock of Ann"])
    assert "Ann" not in trace
    assert "tests/config/test_redaction.py" in trace
    assert "in fails" in trace
    assert trace.endswith("ValueError: '…' is none, …")
    assert str(Path(__file__).parent) not in trace

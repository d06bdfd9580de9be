"""Foreign text where people read: in a message, a log line, a terminal. Standard library only."""

from __future__ import annotations

import unicodedata

# Control characters, halves of surrogates, letters that do not exist, breaks of lines and paragraphs.
_UNSHOWN = ("Cc", "Cs", "Cn", "Zl", "Zp")
# What turns the direction of the text behind it: with it `gpj.exe` reads as `exe.jpg`.
_TURNS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_ELLIPSIS = "…"


def printable(text: str) -> str:
    """`text` on one line: what would upset a terminal, a log or a reader becomes a replacement character."""
    if text.isascii() and text.isprintable():
        return text
    return "".join("\N{REPLACEMENT CHARACTER}" if _is_unshown(c) else c for c in text)


def _is_unshown(character: str) -> bool:
    return character in _TURNS or unicodedata.category(character) in _UNSHOWN


def one_line(text: str, most: int) -> str:
    """`text` on one line of at most `most` characters, its middle left out where it is longer."""
    text = printable(" ".join(text.splitlines()) if "\n" in text else text)
    if len(text) <= most:
        return text
    end = most // 3
    return text[: most - end - 1] + _ELLIPSIS + text[-end:]

"""What may stand in a log: where in the program something failed and of which kind it was, but no caption, no name of a
photo and no folder of the user. Standard library only.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterable
from pathlib import PurePath

_HIDDEN = "…"
# What an error quotes: 'a', "a" or “a”, and not the apostrophe of don't.
_QUOTED = re.compile(r"""(?<![\w'"])(b?)('(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|“[^”\n]*”)(?!\w)""")
# A path from the root, C: or \\server: folders may hold blanks, a name may where an ending follows.
_PATH = re.compile(
    r"""(?<![\w.…~])(?:[A-Za-z]:[\\/]|\\\\|/|~/)(?:[^/\\\n'":*?<>|]{1,255}[\\/])*"""
    r"""(?:[^/\\\n'":*?<>|]{0,200}?\.\w{1,8}\b|[^\s/\\'":,;)\]]*)"""
)
# The lines of a trace that name a place in the program.
_PLACE = re.compile(r'File "([^"\n]+\.py)"(, line \d+)')
_SHORTEST = 3  # letters of a secret: shorter ones are in every other word


def without_private(text: str, secrets: Iterable[str] = ()) -> str:
    """`text`, which may be a trace of several lines, without what is quoted, without paths, and without `secrets`: the
    captions and paths that were worked on.
    """
    for secret in sorted({part for whole in secrets for part in _parts(whole)}, key=len, reverse=True):
        text = re.sub(re.escape(secret), _HIDDEN, text, flags=re.IGNORECASE)
    return "\n".join(map(_line, text.split("\n")))


def private_trace(error: BaseException, secrets: Iterable[str] = ()) -> str:
    """The trace of an error for a log."""
    return without_private("".join(traceback.format_exception(error)).rstrip(), secrets)


def _parts(secret: str) -> list[str]:
    """A caption or a path, and the name in it with and without its ending."""
    path = PurePath(secret)
    return [part for part in (secret, path.name, path.stem) if len(part) >= _SHORTEST]


def _line(line: str) -> str:
    place = _PLACE.search(line)
    if place is None:
        return _PATH.sub(
            _HIDDEN, _QUOTED.sub(lambda found: f"{found[1]}{found[2][0]}{_HIDDEN}{found[2][-1]}", line)
        )
    file = "/".join(place[1].replace("\\", "/").split("/")[-3:])
    return f'{_line(line[: place.start()])}File "{_HIDDEN}/{file}"{place[2]}{_line(line[place.end() :])}'

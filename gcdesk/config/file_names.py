"""Names of files and folders that every system takes, Windows above all.

Windows' rules are those of Microsoft's "Naming Files, Paths, and Namespaces": no `< > : " / \\ | ? *` nor control
signs, no blank or full stop at the end, no name of a device (`aux.jpg` is one), and 259 signs for a whole path unless
the computer was told to take longer ones.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path, PurePath

LONGEST_NAME = 255  # bytes as UTF-8 on Linux, UTF-16 units on Windows and macOS
LONGEST_WINDOWS_PATH = 259
_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f]')
_DEVICE = re.compile(r"(?:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])", re.IGNORECASE)


def is_device(name: str) -> bool:
    """Whether Windows takes the name for a device's, whatever follows the first full stop."""
    return _DEVICE.fullmatch(name.partition(".")[0].rstrip(" ")) is not None


def is_portable(name: str) -> bool:
    """Whether every system takes this one name (not a path) as it is."""
    return (
        name not in ("", ".", "..")
        and _FORBIDDEN.search(name) is None
        and not name.endswith((" ", "."))
        and not is_device(name)
        and len(name.encode("utf-8", "surrogatepass")) <= LONGEST_NAME
    )


def portable_name(name: str, instead: str = "-") -> str:
    """The nearest name that every system takes: `aux.jpg` becomes `aux-.jpg`, `a:b.` becomes `a-b`.

    A name that is too long loses the end of its stem, never its ending.
    """
    if is_portable(name):
        return name
    name = _FORBIDDEN.sub(instead, name).rstrip(" .") or instead
    if is_device(name):
        stem, dot, rest = name.partition(".")
        name = f"{stem.rstrip(' ')}{instead}{dot}{rest}"
    ending = PurePath(name).suffix
    if len(ending) > 16:
        ending = ""
    stem = name.removesuffix(ending)
    while len(f"{stem}{ending}".encode("utf-8", "surrogatepass")) > LONGEST_NAME:
        stem = stem[:-1]
    return f"{stem.rstrip(' .') or instead}{ending}"


def own_system_place(place: PurePath) -> Path:
    """A relative path to be made on this computer: on Windows each of its names made safe, elsewhere as it is.

    Without this, Windows writes `nul.jpg` to nowhere and drops the full stop of `photo.` without a word.
    """
    if sys.platform != "win32":
        return Path(place)
    return Path(*map(portable_name, place.parts))


def is_too_long(path: str) -> bool:
    """Whether Windows refuses the path for its length, where nobody has switched long paths on."""
    bare = path.removeprefix("\\\\?\\")
    return sys.platform == "win32" and bare == path and len(path) > LONGEST_WINDOWS_PATH

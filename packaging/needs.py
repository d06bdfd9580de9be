"""Which shared libraries of a package something in it really links to. The rest stays out (Linux only)."""

from __future__ import annotations

import struct
import sys
from collections.abc import Iterable
from pathlib import Path

from trimming import Entry

# These look for their libraries by name while they run (CUDA's parts, ONNX Runtime's bridge): nothing links to them.
_LOADED_BY_NAME = ("torch", "nvidia", "triton", "onnxruntime/capi/libonnxruntime_providers")
_NEEDED, _STRTAB, _SONAME = 1, 5, 14


def reached(entries: Iterable[Entry]) -> list[Entry]:
    """The entries without libraries that nothing links to any more once others were left out.

    A Python module, a plugin, or whatever lies beside them is a start; `lib*.so*` only counts where a start
    links to it, directly or through others. Elsewhere than on Linux everything stays.
    """
    table = list(entries)
    if sys.platform != "linux":
        return table
    by_name: dict[str, list[Entry]] = {}
    for entry in table:
        by_name.setdefault(Path(entry[0]).name, []).append(entry)
    waiting = [entry for entry in table if _is_start(entry)]
    seen = {entry[0] for entry in waiting}
    while waiting:
        _target, source, kind = waiting.pop()
        wanted = [Path(source).name] if kind == "SYMLINK" else needed(Path(source))
        for name in wanted:
            for entry in by_name.get(name, ()):
                if entry[0] not in seen:
                    seen.add(entry[0])
                    waiting.append(entry)
    return [entry for entry in table if entry[0] in seen]


def _is_start(entry: Entry) -> bool:
    target = Path(entry[0])
    is_library = target.name.startswith("lib") and not target.name.startswith("libpython")
    named = entry[0].replace("\\", "/").startswith(_LOADED_BY_NAME) and entry[2] != "SYMLINK"
    return named or not is_library or "plugins" in target.parts or entry[2] == "EXTENSION"


def needed(file: Path) -> list[str]:
    """The names of the libraries that an ELF file links to; [] for any other file."""
    return [name for tag, name in _dynamic(file) if tag == _NEEDED]


def _dynamic(file: Path) -> list[tuple[int, str]]:
    """The textual entries of the dynamic section of a 64-bit little-endian ELF file (System V ABI)."""
    data = file.read_bytes() if file.is_file() else b""
    if data[:6] != b"\x7fELF\x02\x01":
        return []
    offset, size, count = _header(data)
    segments = [struct.unpack_from("<IIQQQQQQ", data, offset + number * size) for number in range(count)]
    dynamic = next((segment for segment in segments if segment[0] == 2), None)
    if dynamic is None:
        return []
    rows = [struct.unpack_from("<qQ", data, dynamic[2] + place) for place in range(0, dynamic[5], 16)]
    table = next((value for tag, value in rows if tag == _STRTAB), None)
    if table is None:
        return []
    start = next((table - s[3] + s[2] for s in segments if s[0] == 1 and s[3] <= table < s[3] + s[5]), table)
    return [
        (tag, data[start + value : data.index(b"\0", start + value)].decode())
        for tag, value in rows
        if tag in (_NEEDED, _SONAME)
    ]


def _header(data: bytes) -> tuple[int, int, int]:
    """Place, size and number of the program headers."""
    place = struct.unpack_from("<Q", data, 32)[0]
    size, count = struct.unpack_from("<HH", data, 54)
    return place, size, count

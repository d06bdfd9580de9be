"""The HEIF decoder without its encoder: x265 is under the GPL, 23 MB large, and never called by gcdesk.

pillow-heif's libheif links to x265, so something of its name must be there. An empty library of ours is: it answers
that it has no encoder, which libheif takes (for a build of x265 without the asked bit depth) and reports as an error
to whoever wants to save a HEIC. libheif itself is left as it came. Linux only: docs/packaging.md says what it means
for the other platforms.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from trimming import Entry

_X265 = re.compile(r"libx265[^/]*\.so\.(\d+)$")


def without_encoder(entries: Iterable[Entry], folder: Path) -> list[Entry]:
    """The entries with an empty library, made in `folder`, where x265 was. Raises SystemExit without a C compiler,
    or when libheif asks x265 for more than is known here.
    """
    table = list(entries)
    if sys.platform != "linux":
        return table
    asked = {name for entry in table if "libheif" in Path(entry[0]).name for name in wanted(Path(entry[1]))}
    for place, (target, source, kind) in enumerate(table):
        found = _X265.search(source)
        if found and kind != "SYMLINK":
            table[place] = (target, str(stand_in(Path(source).name, found[1], asked, folder)), kind)
    return table


def stand_in(name: str, number: str, asked: set[str], folder: Path) -> Path:
    """A library called `name`, of x265's interface `number`, that has nothing behind what libheif asks for."""
    known = {f"x265_api_get_{number}", "x265_cleanup"}
    if asked - known:
        raise SystemExit(f"libheif uses {sorted(asked - known)} of x265: see packaging/no_encoder.py.")
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise SystemExit("A C compiler is needed to leave x265 out: install the Debian package gcc.")
    source = folder / "no_x265.c"
    source.write_text(
        f"const void *x265_api_get_{number}(int bits) {{ (void)bits; return 0; }}\n"
        "void x265_cleanup(void) {}\n"
    )
    target = folder / name
    subprocess.run(
        [compiler, "-Os", "-s", "-shared", "-fPIC", "-nostdlib", f"-Wl,-soname,{name}", "-Wl,--build-id=none",
         "-o", target.name, source.name],
        cwd=folder, check=True,
    )  # fmt: skip
    return target


def wanted(library: Path) -> set[str]:
    """What an ELF library asks x265 for, by name."""
    if not library.is_file():
        return set()
    told = subprocess.run(
        ["nm", "-D", "--undefined-only", library], capture_output=True, text=True, check=True
    ).stdout
    return {word.partition("@")[0] for word in told.split() if word.startswith("x265_")}

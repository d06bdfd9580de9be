"""The Windows package: a zip that is unpacked and run, and Inno Setup's installer where its compiler is at hand."""

from __future__ import annotations

import shutil
import subprocess
import time
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def make_zip(folder: Path, stamp: dict[str, str], name: str, target: Path, epoch: int) -> Path:
    """Pack the frozen folder as a zip that holds the folder `gcdesk`. The same files give the same bytes.

    epoch: the time of every file in it, in seconds since 1970 (a zip knows none before 1980).
    """
    file = target / f"gcdesk-{stamp['version']}-{name}-windows-x64.zip"
    when = max(time.gmtime(epoch)[:6], (1980, 1, 1, 0, 0, 0))
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(folder.parent).as_posix(), when)
            entry.compress_type = zipfile.ZIP_DEFLATED
            with path.open("rb") as source, archive.open(entry, "w") as packed:
                shutil.copyfileobj(source, packed, 1 << 20)
    return file


def make_installer(stamp: dict[str, str], name: str, target: Path) -> Path:
    """Compile packaging/windows/gcdesk.iss; `iscc` must be on the PATH."""
    script = ROOT / "packaging" / "windows" / "gcdesk.iss"
    subprocess.run(
        ["iscc", f"/DVersion={stamp['version']}", f"/DFlavour={name}", f"/DSource={target / 'gcdesk'}",
         f"/O{target}", str(script)],
        check=True,
    )  # fmt: skip
    return next(target.glob("*.exe"))

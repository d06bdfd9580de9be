"""The code that trains, as a wheel: written by ourselves, so that an app without pip can make one too.

A wheel is a zip that Python imports from as it stands. The job puts it on PYTHONPATH instead of installing it:
nothing has to be built or fetched on a cluster without internet, and two bundles of different versions never
touch each other's environment. It can be installed with pip all the same.
"""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import gcdesk
import trainer
from gcdesk.cluster.errors import BundleError

# What a training imports; no Qt, no store, no window.
_PARTS = ("gcdesk/__init__.py", "gcdesk/config", "gcdesk/engine", "trainer")
_NEEDS = ("numpy", "pillow", "pillow-heif", "platformdirs", "safetensors", "torch", "torchvision")
_STAMP = (2020, 1, 1, 0, 0, 0)  # the same code gives the same file


def own_version() -> str:
    """The version of this gcdesk."""
    try:
        return version("gcdesk")
    except PackageNotFoundError:
        return "0.0.0"


def wheel_name() -> str:
    """The file name of its wheel."""
    return f"gcdesk-{own_version()}-py3-none-any.whl"


def make_wheel() -> bytes:
    """The wheel's bytes. Raises BundleError where this gcdesk was installed without its source files."""
    files = source_files()
    info = f"gcdesk-{own_version()}.dist-info"
    needs = "".join(f"Requires-Dist: {name}\n" for name in _NEEDS)
    files[f"{info}/METADATA"] = (
        f"Metadata-Version: 2.1\nName: gcdesk\nVersion: {own_version()}\n"
        f"Summary: the trainer and the engine of gcdesk, as a cluster job needs them\n{needs}"
    ).encode()
    files[f"{info}/WHEEL"] = (
        b"Wheel-Version: 1.0\nGenerator: gcdesk\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    )
    record = "".join(f"{name},sha256={_digest(data)},{len(data)}\n" for name, data in files.items())
    files[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name, _STAMP)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(entry, data)
    return packed.getvalue()


def source_files() -> dict[str, bytes]:
    """The modules by their paths. Raises BundleError where this gcdesk was installed without them."""
    files = dict(_sources())
    if not {"trainer/job/run.py", "gcdesk/engine/labels.py"} <= set(files):
        raise BundleError("This gcdesk was installed without its source files, which a job needs.")
    return files


def _sources() -> Iterator[tuple[str, bytes]]:
    packages = {"gcdesk": Path(gcdesk.__file__).parent, "trainer": Path(trainer.__file__).parent}
    for part in _PARTS:
        top, _, rest = part.partition("/")
        root = packages[top] / rest if rest else packages[top]
        for file in sorted(root.rglob("*.py")) if root.is_dir() else [root]:
            if file.is_file():
                name = file.relative_to(packages[top].parent).as_posix()
                yield name, file.read_bytes().replace(b"\r\n", b"\n")


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()

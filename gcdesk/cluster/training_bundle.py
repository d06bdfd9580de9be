"""Writes a job bundle: a folder, or a .tar.gz that keeps run bits and LF endings when it is made on Windows."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from gcdesk.cluster.errors import BundleError
from gcdesk.cluster.job import DATA_FOLDER, INIT_FOLDER, Job
from gcdesk.cluster.script_templates import SCRIPTS, bundle_name, script_texts
from gcdesk.cluster.wheel import make_wheel, own_version, wheel_name
from gcdesk.config.files import beside, replace_atomically, replace_folder
from gcdesk.config.resources import slurm_path
from gcdesk.engine.labels import BINS
from trainer.job.collect import MANIFEST_FILE
from trainer.job.config import CONFIG_FILE, config_text

BUNDLE_VERSION = 1
BUNDLE_KIND = "gcdesk-job"
ARCHIVE_SUFFIX = ".tar.gz"
LOCK_FILE = "requirements.lock"
Tell = Callable[[int, int], None]


@dataclass(frozen=True)
class Entry:
    """A file of the bundle: its place (forward slashes) and its content, or the file that has it."""

    place: str
    content: bytes | Path
    run_bit: bool = False

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.content) if isinstance(self.content, bytes) else os.stat(self.content).st_size

    def digest(self) -> str:
        """SHA-256 of the content, hexadecimal."""
        if isinstance(self.content, bytes):
            return hashlib.sha256(self.content).hexdigest()
        with self.content.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()


class ExportStopped(BundleError):
    """The export was stopped; nothing is left of it."""


def write_bundle(
    job: Job,
    target: Path,
    tell: Tell = lambda _done, _total: None,
    stop: threading.Event | None = None,
) -> Path:
    """Write the bundle to `target` (`.tar.gz` an archive, else a new folder), whole or not at all.

    tell: files done, of all. Raises BundleError, also when something is at `target`.
    """
    return write_entries(job.run, bundle_name(job), list(_entries(job)), target, tell, stop)


def write_entries(
    run: str, name: str, entries: list[Entry], target: Path, tell: Tell, stop: threading.Event | None
) -> Path:
    """The same for any bundle: its files and a manifest, below a folder called `name` in an archive."""
    target = Path(target)
    if target.exists():
        raise BundleError(f"{target} exists and is left alone: choose another name.")
    if not target.parent.is_dir():
        raise BundleError(f"{target.parent} is not a folder.")
    entries = [*entries, Entry(MANIFEST_FILE, _manifest(run, entries))]
    work = beside(target)
    try:
        if target.name.endswith(ARCHIVE_SUFFIX):
            with replace_atomically(target) as stream:
                _write_archive(name, entries, stream, tell, stop)
        else:
            _write_folder(entries, work, tell, stop)
            replace_folder(work, target)
    except OSError as error:
        raise BundleError(f"The bundle cannot be written: {error.strerror} ({error.filename}).") from error
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return target


def _entries(job: Job) -> Iterator[Entry]:
    for name, text in script_texts(job).items():
        yield Entry(name, text.encode(), run_bit=name in SCRIPTS)
    yield Entry(CONFIG_FILE, config_text(job.config).encode())
    yield Entry("labels.json", (json.dumps(list(BINS)) + "\n").encode())
    yield Entry(f"src/{wheel_name()}", make_wheel())
    lock = slurm_path(LOCK_FILE).read_bytes().replace(b"\r\n", b"\n")
    yield Entry(f"src/{LOCK_FILE}", lock)
    if job.base is not None:
        yield from model_entries(INIT_FOLDER, job.base)
    for photo in job.packed.photos if job.packed is not None else ():
        yield Entry(f"{DATA_FOLDER}/{photo.place}", photo.path)


def model_entries(folder: str, model: Path) -> Iterator[Entry]:
    """A model's folder, or a file of weights, below `folder`."""
    inside = f"{folder}/{model.name}"
    if not model.is_dir():
        yield Entry(inside, model)
        return
    for file in sorted(p for p in model.iterdir() if p.is_file()):
        yield Entry(f"{inside}/{file.name}", file)


def _manifest(run: str, entries: list[Entry]) -> bytes:
    """One file a line: preflight.sh reads it without Python."""
    lines = [
        f"  {json.dumps(entry.place, ensure_ascii=False)}: "
        f'{{"sha256": "{entry.digest()}", "bytes": {entry.size}}}'
        for entry in entries
    ]
    head = {
        "v": BUNDLE_VERSION,
        "kind": BUNDLE_KIND,
        "run": run,
        "made": time.strftime("%Y-%m-%d", time.gmtime()),
        "versions": _versions(),
    }
    parts = [f" {json.dumps(name)}: {json.dumps(value)}" for name, value in head.items()]
    parts.append(' "files": {\n' + ",\n".join(lines) + "\n }")
    return ("{\n" + ",\n".join(parts) + "\n}\n").encode()


def _versions() -> dict[str, str]:
    from trainer.image.process.provenance import git_commit

    commit = git_commit()
    return {"gcdesk": own_version(), **({"commit": commit} if commit else {})}


def _check_stop(stop: threading.Event | None) -> None:
    if stop is not None and stop.is_set():
        raise ExportStopped("Stopped: no bundle was written.")


def _write_folder(entries: list[Entry], work: Path, tell: Tell, stop: threading.Event | None) -> None:
    for number, entry in enumerate(entries, 1):
        _check_stop(stop)
        file = work / entry.place
        file.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(entry.content, bytes):
            file.write_bytes(entry.content)
        else:
            shutil.copyfile(entry.content, file)
        file.chmod(0o755 if entry.run_bit else 0o644)
        tell(number, len(entries))


def _write_archive(
    name: str, entries: list[Entry], stream: BinaryIO, tell: Tell, stop: threading.Event | None
) -> None:
    # Photos are compressed already: a low level only costs less time.
    with tarfile.open(fileobj=stream, mode="w:gz", compresslevel=1, format=tarfile.PAX_FORMAT) as archive:
        for number, entry in enumerate(entries, 1):
            _check_stop(stop)
            item = tarfile.TarInfo(f"{name}/{entry.place}")
            item.size, item.mtime = entry.size, int(time.time())
            item.mode = 0o755 if entry.run_bit else 0o644
            if isinstance(entry.content, bytes):
                archive.addfile(item, io.BytesIO(entry.content))
            else:
                with entry.content.open("rb") as file:
                    archive.addfile(item, file)
            tell(number, len(entries))

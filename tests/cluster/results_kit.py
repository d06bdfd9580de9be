"""Results as ./collect.sh writes them, made here without a cluster; and archives that no one should open."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from talc_kit import small_job
from tiny_photos import tiny_folder

from gcdesk.cluster.training_bundle import write_bundle
from trainer.job.collect import collect
from trainer.job.parity import PARITY_FILE
from trainer.job.record import METRICS_FILE, Status, write_status

EPOCHS = [
    {"type": "epoch", "epoch": 1, "loss": 1.2, "val": 0.5, "best": True},
    {"type": "epoch", "epoch": 2, "loss": 0.8, "val": 0.75, "best": True},
]


def finished_bundle(folder: Path, samples: Path, model: Path, parity: Path) -> Path:
    """A bundle whose run is done: `model` as what it trained."""
    job = small_job("back", tiny_folder(samples, folder / "photos"), model)
    bundle = write_bundle(job, folder / "gcdesk-back")
    run = bundle / "runs" / "back"
    run.mkdir(parents=True)
    shutil.copytree(model, run / "line2.gcmodel")
    shutil.copyfile(parity, run / PARITY_FILE)
    (run / METRICS_FILE).write_text("".join(json.dumps(line) + "\n" for line in EPOCHS))
    (run / "slurm-7.out").write_text("Job 7, start 1\nDone. Type ./collect.sh in this folder.\n")
    write_status(run, Status("back", state="done", epoch=2, epochs=2, job="7"))
    return bundle


def collected(bundle: Path) -> Path:
    return collect(bundle)


def unpack(archive: Path) -> dict[str, bytes]:
    """The files of a result, by their names below its top folder."""
    with tarfile.open(archive) as opened:
        return {
            item.name.partition("/")[2]: data.read()
            for item in opened
            if (data := opened.extractfile(item)) is not None
        }


def pack(files: Mapping[str, bytes], target: Path, top: str = "result-back/") -> Path:
    """An archive of these files."""
    with tarfile.open(target, "w:gz", compresslevel=1) as archive:
        for name, data in files.items():
            item = tarfile.TarInfo(top + name)
            item.size = len(data)
            archive.addfile(item, io.BytesIO(data))
    return target


def signed(
    files: Mapping[str, bytes], change: Callable[[dict[str, Any]], object] | None = None
) -> dict[str, bytes]:
    """The same files with a manifest that names their checksums: as an attacker or another version would."""
    manifest = json.loads(files["manifest.json"])
    manifest["files"] = {
        name: {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
        for name, data in files.items()
        if name != "manifest.json"
    }
    if change is not None:
        change(manifest)
    return {**files, "manifest.json": json.dumps(manifest).encode()}

"""Sound files that the damage starts from, each as small as its format allows. All of them are made here."""

from __future__ import annotations

import hashlib
import io
import json
import sqlite3
import tarfile
import tempfile
import zipfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np
import pillow_heif
from PIL import Image

from gcdesk.config.settings import Settings, save_settings
from gcdesk.engine.captions.rules import CaptionRule
from gcdesk.engine.modelfile.archive import zip_model
from gcdesk.engine.modelfile.checkpoint import save_model
from gcdesk.engine.modelfile.info import ModelInfo
from gcdesk.engine.modelfile.specs import TextArchitecture
from gcdesk.engine.modelfile.tokenizer import shared_tokenizer
from gcdesk.store import NewPhoto, Run, Store, StoredResult
from gcdesk.worker.protocol import messages as protocol
from gcdesk.worker.protocol import task_messages as task_lines
from gcdesk.worker.protocol.codec import to_line
from trainer.job.collect import RESULT_KIND, RESULT_VERSION
from trainer.job.config import Folders, JobConfig, config_text
from trainer.job.record import Status, write_status

DATA = Path(__file__).resolve().parents[1] / "data"
PHOTOS = Path(__file__).resolve().parents[2] / "resources" / "samples"


def _photo(width: int = 64, height: int = 48) -> Image.Image:
    with Image.open(sorted(PHOTOS.glob("*.jpg"))[0]) as opened:
        return opened.convert("RGB").resize((width, height))


def _saved(image: Image.Image, form: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, form, **options)
    return stream.getvalue()


@cache
def images(form: str) -> tuple[bytes, ...]:
    """A real photo, made small, in the ways that a format has."""
    pillow_heif.register_heif_opener()
    photo = _photo()
    grey = photo.convert("L")
    exif = Image.Exif()
    exif[0x0112] = 6
    frames = [photo.rotate(turn) for turn in (90, 180)]
    made = {
        "jpeg": lambda: (
            _saved(photo, "JPEG", exif=exif),
            _saved(photo, "JPEG", progressive=True, quality=60),
            _saved(photo.convert("CMYK"), "JPEG"),
            _saved(grey, "JPEG", restart_marker_blocks=2),
            _saved(photo, "MPO", save_all=True, append_images=frames),
        ),
        "png": lambda: (
            _saved(photo, "PNG", exif=exif),
            _saved(photo.quantize(16), "PNG", transparency=0),
            _saved(Image.fromarray(np.asarray(grey, dtype=np.uint16) * 257), "PNG"),
            _saved(photo.convert("RGBA"), "PNG", save_all=True, append_images=frames),
            _saved(grey.convert("1"), "PNG"),
        ),
        "webp": lambda: (
            _saved(photo, "WEBP", exif=exif),
            _saved(photo.convert("RGBA"), "WEBP", lossless=True),
            _saved(photo, "WEBP", save_all=True, append_images=frames),
        ),
        "heic": lambda: (_saved(photo, "HEIF", exif=exif), _saved(photo.convert("RGBA"), "HEIF")),
        "avif": lambda: (_saved(photo, "AVIF", exif=exif),),
        "tiff": lambda: (
            _saved(photo, "TIFF", compression="tiff_lzw"),
            _saved(photo, "TIFF", compression="jpeg"),
            _saved(grey.convert("1"), "TIFF", compression="group4"),
            _saved(photo.convert("CMYK"), "TIFF", compression="tiff_adobe_deflate"),
            _saved(grey.convert("F"), "TIFF"),
        ),
        "gif": lambda: (_saved(photo, "GIF", save_all=True, append_images=frames, duration=5),),
        "bmp": lambda: (
            _saved(photo, "BMP"),
            _saved(photo.quantize(16), "BMP"),
            _saved(grey.convert("1"), "BMP"),
        ),
    }
    return made[form]()


def caption_tables() -> tuple[bytes, ...]:
    return (
        b'file,caption\na.jpg,old sock\nb/c.jpg,"can, empty"\n',
        "\ufeffpath;text\r\nC:\\photos\\a.jpg;Bügel\r\n../x.jpg;box\r\n".encode(),
        b"filename\tcaption\tbin\n./a.jpg\tbanana\tGreen\n/p/a.jpg\tbanana\tGreen\n",
    )


def text_tables() -> tuple[bytes, ...]:
    return (b"text,bin\nold sock,TTR\nbanana,Green\n", b"caption;label\r\ncan;Blue\r\n")


@cache
def tiny_model() -> dict[str, bytes]:
    """The files of a text model with weights of a few bytes (no graph takes them; every check before that does)."""
    with tempfile.TemporaryDirectory() as name:
        info = ModelInfo(
            "tiny", "text", TextArchitecture(), caption_rule=CaptionRule.COURSE_V1, max_tokens=24
        )
        weights = {
            "a.weight": np.ones((2, 3), np.float32),
            "a.bias": np.zeros(2, np.float32),
            "s": np.float16([1]),
        }
        folder = save_model(Path(name) / "tiny.gcmodel", info, weights, _small_tokenizer(Path(name)))
        files = {file.name: file.read_bytes() for file in folder.iterdir()}
        files["zip"] = zip_model(folder, Path(name) / "tiny.gcmodel.zip").read_bytes()
    return files


def _small_tokenizer(folder: Path) -> Path:
    """The shared tokenizer with the first 1,100 pieces of its vocabulary only."""
    content = json.loads(shared_tokenizer().read_text(encoding="utf-8"))
    vocabulary = content["model"]["vocab"]
    content["model"]["vocab"] = {word: number for word, number in vocabulary.items() if number < 1100}
    path = folder / "tokenizer.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


@cache
def checkpoint_members() -> dict[str, bytes]:
    """The members of a small `.pth` that torch itself has written (tests/data/make_checkpoint.py)."""
    with zipfile.ZipFile(DATA / "small.pth") as archive:
        return {info.filename: archive.read(info) for info in archive.infolist()}


def checkpoint(pickle: bytes | None = None) -> bytes:
    """A `.pth` as torch lays it out, with another pickle if one is given."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in checkpoint_members().items():
            archive.writestr(name, pickle if pickle is not None and name.endswith("/data.pkl") else content)
    return stream.getvalue()


def pickles() -> tuple[bytes, ...]:
    import pickle

    (table,) = (content for name, content in checkpoint_members().items() if name.endswith("/data.pkl"))
    return (table, pickle.dumps({"a": [1, 2.5, None, ("x", True)], 3: {"b": b"c"}}, protocol=2))


def settings() -> tuple[bytes, ...]:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "settings.json"
        save_settings(Settings(threads=2, watch_folder="/photos", rule="mean"), path)
        return (path.read_bytes(),)


def messages() -> tuple[bytes, ...]:
    """A line of each kind, to the worker and from it."""
    vote = protocol.Vote((0.1, 0.2, 0.3, 0.4), "TTR", 0.4, (1.0, 2.0, 3.0, 4.0))
    item = protocol.Item(1, 7, "/photos/a.jpg", None, protocol.Priority.REST)
    said = (
        protocol.Configure(None, None, None, "cpu", None, 0.8, 0.2, 0.9, "/tmp/pictures"),  # noqa: S108 - never made
        protocol.Classify((item, item)),
        protocol.Rescore(1, 8, "old sock", (0.1, 0.2, 0.3, 0.4), None, None),
        protocol.Prioritise((1, 2), protocol.Priority.VISIBLE),
        protocol.Cancel(None),
        protocol.Pause(),
        protocol.HeatMap(1, 9, "/photos/a.jpg", "Blue"),
        protocol.Preview(1, 9, "/photos/a.jpg", 800),
        protocol.Ready("CPU", "a", None, "0" * 64, None, "mean", {"python": "3"}, None),
        protocol.Heartbeat((1, 2)),
        protocol.Started((1,), (7,)),
        protocol.Result(1, 7, vote, None, "TTR", "image", 0.4, 0.1, True, "why", None, "/t.jpg", 4, 3, 0.1),
        protocol.PreviewReady(1, 9, "/p.jpg"),
        protocol.Failed(1, 9, "why"),
        protocol.Notice("a sentence"),
        protocol.Fatal("a sentence"),
    )
    return tuple(to_line(message) for message in said)


def task_messages() -> tuple[bytes, ...]:
    """The same between the app and a task."""
    said = (
        task_lines.Task("import-model", ("/a.pth", "--name", "a")),
        task_lines.Stop(),
        task_lines.Progress(1, 4, "Training", 2.5),
        task_lines.Figures(0.5, {"loss": 0.4}),
        task_lines.Log("a sentence"),
        task_lines.Done("/a.gcmodel", "It is installed.", False),
    )
    return tuple(to_line(message) for message in said)


@cache
def result_files() -> dict[str, bytes]:
    """The files of a cluster's result that made no model, its manifest aside."""
    with tempfile.TemporaryDirectory() as name:
        write_status(Path(name), Status("back", state="done", epoch=2, epochs=2, job="7"))
        status = (Path(name) / "status.json").read_bytes()
    return {
        "config.toml": config_text(
            JobConfig("back", "line2", Folders("/photos/train", "/photos/val"))
        ).encode(),
        "status.json": status,
        "metrics.jsonl": b'{"type": "epoch", "epoch": 1, "loss": 1.2, "val": 0.5, "best": true}\n',
        "logs/slurm-7.out": b"Job 7, start 1\n",
    }


def manifest_of(files: Mapping[str, bytes]) -> bytes:
    """A manifest whose checksums are right."""
    listed = {
        name: {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)} for name, data in files.items()
    }
    return json.dumps(
        {
            "kind": RESULT_KIND,
            "v": RESULT_VERSION,
            "run": "back",
            "made_by": {"torch": "2.4"},
            "files": listed,
        }
    ).encode()


def result_archive(manifest: bytes | None = None, **changed: bytes) -> bytes:
    """A result as ./collect.sh packs it; `config`, `status` and `metrics` may be other files, signed anew."""
    files = {name: changed.get(name.partition(".")[0], data) for name, data in result_files().items()}
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz", compresslevel=1) as archive:
        for name, data in {"manifest.json": manifest or manifest_of(files), **files}.items():
            item = tarfile.TarInfo("result-back/" + name)
            item.size = len(data)
            archive.addfile(item, io.BytesIO(data))
    return stream.getvalue()


@cache
def database() -> bytes:
    """A store with a session of a few rows in every state."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "sessions.sqlite"
        with Store(path) as store:
            session = store.create_session("Today", "/photos")
            added = store.add_items(
                session, [NewPhoto(f"/photos/{n}.jpg", "can", 10 + n, n) for n in range(6)]
            )
            ids = [one.item_id for one in added]
            run = store.begin_run(Run("a", "0" * 64, "b", "1" * 64, "mean", 0.5, 0.8, 0.2, "CPU"))
            store.record_results(
                [
                    StoredResult(
                        item_id=number, image=(0.1, 0.2, 0.3, 0.4), text=None, label=3, winner=1, confidence=0.4,
                        margin=0.1, review=True, reason="why", error="", thumbnail="/t.jpg", width=4, height=3,
                        seconds=0.1, run_id=run,
                    )
                    for number in ids[:4]
                ]
            )  # fmt: skip
            store.set_captions(ids[:2], ["sock", "cup"])
            store.set_operator_labels(ids[:2], [1, 4], [0, 2])
        connection = sqlite3.connect(path)
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("VACUUM")
        connection.close()
        return path.read_bytes()

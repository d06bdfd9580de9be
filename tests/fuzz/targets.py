"""What is fuzzed: for each reader of foreign input, sound seeds, the damage, and what it may say.

A new reader is one more entry in `targets`.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import random
import sqlite3
import struct
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np
import seeds
from mutate import mutated, mutated_json

from gcdesk.cluster.errors import TalcError
from gcdesk.cluster.results.archive import read_result
from gcdesk.config.settings import read_settings, save_settings
from gcdesk.engine.captions.caption_table import read_caption_csv
from gcdesk.engine.captions.rules import CaptionRule, caption_from_path
from gcdesk.engine.course.checkpoint import recognise
from gcdesk.engine.course.pth_file import open_pth
from gcdesk.engine.course.restricted_pickle import StoredTensor
from gcdesk.engine.course.state_dict import find_state_dict
from gcdesk.engine.errors import (
    CaptionFileError,
    EvaluationError,
    GcdeskError,
    LegacyError,
    ModelFileError,
    PhotoError,
)
from gcdesk.engine.evaluation.labelled_set import read_text_table
from gcdesk.engine.modelfile.archive import unzip_model
from gcdesk.engine.modelfile.checkpoint import load_info, load_model
from gcdesk.engine.modelfile.tokenizer import load_tokenizer
from gcdesk.engine.modelfile.training_captions import (
    SEEN_FILE,
    load_training_captions,
    save_training_captions,
)
from gcdesk.engine.photos.decoding import decode_photo
from gcdesk.store import Store, StoreError
from gcdesk.worker.protocol.codec import ProtocolError, parse_event, parse_request, to_line
from gcdesk.worker.protocol.task_messages import parse_task_event, parse_task_request

_Damage = Callable[[bytes, Sequence[bytes], random.Random], bytes]


@dataclass(frozen=True)
class Target:
    """`run(data, folder)` hands the input to the reader, in an empty folder of its own.

    It raises nothing but `refusals`, whose message must be one line that a person can read.
    """

    seeds: Callable[[], Sequence[bytes]]
    run: Callable[[bytes, Path], object]
    refusals: tuple[type[Exception], ...] = (GcdeskError,)
    damage: _Damage = mutated


def _photo(data: bytes, folder: Path) -> None:
    path = folder / "photo"
    path.write_bytes(data)
    image = decode_photo(path, 32)
    assert image.mode == "RGB"
    assert min(image.size) > 0
    image.getpixel((image.width - 1, image.height - 1))


def _captions(data: bytes, folder: Path) -> None:
    path = folder / "captions.csv"
    path.write_bytes(data)
    table = read_caption_csv(path)
    for entry in [*table.by_entry][:20]:
        if "\0" not in entry:
            table.get(folder / entry)
    for caption in [*table.by_entry.values()][:20]:
        for rule in CaptionRule:
            caption_from_path(f"{caption}.jpg", rule)


def _labelled(data: bytes, folder: Path) -> None:
    path = folder / "text.csv"
    path.write_bytes(data)
    read_text_table(path)


def _model_folder(folder: Path, **changed: bytes) -> Path:
    made = folder / "tiny.gcmodel"
    made.mkdir()
    for name, content in seeds.tiny_model().items():
        if name != "zip":
            (made / name).write_bytes(changed.get(name.partition(".")[0], content))
    return made


def _model_info(data: bytes, folder: Path) -> None:
    load_info(_model_folder(folder, model=data))


def _weights(data: bytes, folder: Path) -> None:
    """Damaged weights whose hash is right all the same: as a person with a bad mind would do it."""
    info = json.loads(seeds.tiny_model()["model.json"])
    info["weights_sha256"] = hashlib.sha256(data).hexdigest()
    load_model(_model_folder(folder, weights=data, model=json.dumps(info).encode()))


def _damaged_weights(data: bytes, others: Sequence[bytes], rng: random.Random) -> bytes:
    """Half of the time the header is changed in its meaning and its length made right."""
    if rng.random() < 0.5 or len(data) < 8:
        return mutated(data, others, rng)
    length = struct.unpack_from("<Q", data)[0]
    header = mutated_json(data[8 : 8 + length], rng)
    return struct.pack("<Q", len(header)) + header + data[8 + length :]


def _tokenizer(data: bytes, folder: Path) -> None:
    tokenizer = load_tokenizer(_model_folder(folder, tokenizer=data))
    tokenizer.pad(tokenizer.encode(["old sock", "", "a" * 300], 24))


def _model_archive(data: bytes, folder: Path) -> None:
    archive = folder / "tiny.gcmodel.zip"
    archive.write_bytes(data)
    try:
        unzip_model(archive, folder / "out" / "tiny.gcmodel")
    except ModelFileError:
        assert not [*(folder / "out").iterdir()], "a refused archive left something behind"
        raise


def _checkpoint(data: bytes, folder: Path) -> None:
    path = folder / "best.pth"
    path.write_bytes(data)
    with suppress(LegacyError):  # no layout that is known is as small as a seed must be
        recognise(path)
    with open_pth(path) as file:
        for tensor in find_state_dict(file.content).tensors.values():
            assert isinstance(tensor, StoredTensor)
            assert isinstance(file.array(tensor), np.ndarray)


def _checkpoint_pickle(data: bytes, folder: Path) -> None:
    _checkpoint(seeds.checkpoint(data), folder)


def _settings(data: bytes, folder: Path) -> None:
    path = folder / "settings.json"
    path.write_bytes(data)
    try:
        save_settings(read_settings(path).settings, path)
    except PermissionError:  # of a newer gcdesk: it is left as it is
        assert path.read_bytes() == data
        return
    assert not read_settings(path).warnings


def _message(data: bytes, _folder: Path) -> None:
    for parse in (parse_request, parse_event):
        try:
            message = parse(data)
        except ProtocolError:
            continue
        assert parse(to_line(message)) == message


def _task_message(data: bytes, _folder: Path) -> None:
    for parse in (parse_task_request, parse_task_event):
        try:
            message = parse(data)
        except ProtocolError:
            continue
        assert parse(to_line(message)) == message


def _seen(data: bytes, folder: Path) -> None:
    made = _model_folder(folder)
    (made / SEEN_FILE).write_bytes(data)
    load_training_captions(made, load_info(made))


def _seen_seed() -> bytes:
    digest = json.loads(seeds.tiny_model()["model.json"])["weights_sha256"]
    with tempfile.TemporaryDirectory() as name:
        return save_training_captions(["old sock", "can"], Path(name), digest).read_bytes()


def _result(data: bytes, folder: Path) -> None:
    archive = folder / "result.tar.gz"
    archive.write_bytes(data)
    into = folder / "into"
    into.mkdir()
    read_result(archive, into)
    assert not [one for one in folder.rglob("*") if one.is_symlink()]


def _damaged_tar(data: bytes, _others: Sequence[bytes], rng: random.Random) -> bytes:
    """The archive damaged within its compression, or a manifest or document of it, signed anew."""
    match rng.randrange(6):
        case 0:
            return mutated(data, (), rng)
        case 1 | 2:
            words = (b"../", b"/etc/x", b"2" * 8, b"\xff" * 8, b"7777777")
            return gzip.compress(mutated(gzip.decompress(data), (), rng, words), 1)
        case 3:
            return seeds.result_archive(manifest=mutated_json(seeds.manifest_of(seeds.result_files()), rng))
        case 4:
            status = mutated_json(seeds.result_files()["status.json"], rng)
            return seeds.result_archive(status=status, metrics=mutated_json(_METRICS, rng))
        case _:
            return seeds.result_archive(
                config=mutated(seeds.result_files()["config.toml"], (), rng, (b"nan", b"inf"))
            )


_METRICS = b'{"type": "epoch", "epoch": 1, "loss": 1.2}'


def _database(data: bytes, folder: Path) -> None:
    path = folder / "sessions.sqlite"
    path.write_bytes(data)
    with Store(path) as store:
        _use(store)


def _use(store: Store) -> None:
    for session in [*store.sessions(), store.last_session()]:
        if session is not None:
            time.localtime(session.created), time.localtime(session.opened)
            assert isinstance(session.name + session.source, str)
            store.open_session(session.id)
            rows = store.load_rows(session.id)
            assert rows.image.shape == (len(rows), 4)
            for text in (*rows.path, *rows.caption, *rows.reason, *rows.error, *rows.thumbnail):
                assert isinstance(text, str)
    store.past_captions()
    store.caption_history(1)
    store.field_accuracy()
    store.set_captions([1], ["new"])
    store.set_operator_labels([1, 2], [0, 4])


def _damaged_cells(data: bytes, _others: Sequence[bytes], rng: random.Random) -> bytes:
    """A sound database whose cells hold what never should be in them."""
    connection = sqlite3.connect(":memory:")
    connection.deserialize(data)
    connection.execute("PRAGMA ignore_check_constraints = ON")
    for _ in range(rng.choice((1, 1, 2, 5))):
        table = rng.choice(("items", "items", "sessions", "runs", "caption_history"))
        column = rng.choice([row[1] for row in connection.execute(f"PRAGMA table_info({table})")])
        value = rng.choice(
            (None, "", "text", b"", b"\xff\xfe", 2**40, -(2**63), 1e300, float("inf"), -1, 999, "1")
        )
        try:
            cell = "CAST(? AS TEXT)" if value == b"\xff\xfe" and rng.random() < 0.5 else "?"
            connection.execute(f"UPDATE {table} SET {column} = {cell} WHERE id % 2 = 0", (value,))  # noqa: S608
        except sqlite3.Error:
            continue
    connection.commit()
    made = connection.serialize()
    connection.close()
    return made


@cache
def targets() -> dict[str, Target]:
    """By name; each seed is made when its target is run."""
    images = {
        f"photo {form}": Target(partial(seeds.images, form), _photo, (PhotoError,))
        for form in ("jpeg", "png", "webp", "heic", "avif", "tiff", "gif", "bmp")
    }
    json_damage: _Damage = lambda data, _others, rng: mutated_json(data, rng)  # noqa: E731
    words = (b"torch\n_utils\n", b"cposix\nsystem\n", b"R", b"Q", b"(", b"\x85", b"\x94", b"h\x00", b"0" * 64)
    return {
        **images,
        "caption table": Target(seeds.caption_tables, _captions, (CaptionFileError,)),
        "labelled table": Target(seeds.text_tables, _labelled, (EvaluationError,)),
        "model.json": Target(
            lambda: [seeds.tiny_model()["model.json"]], _model_info, (ModelFileError,), json_damage
        ),
        "weights": Target(
            lambda: [seeds.tiny_model()["weights.safetensors"]], _weights, (ModelFileError,), _damaged_weights
        ),
        "tokenizer": Target(
            lambda: [seeds.tiny_model()["tokenizer.json"]], _tokenizer, (ModelFileError,), json_damage
        ),
        "model archive": Target(lambda: [seeds.tiny_model()["zip"]], _model_archive, (ModelFileError,)),
        "course .pth": Target(lambda: [seeds.checkpoint()], _checkpoint, (LegacyError,)),
        "its pickle": Target(
            seeds.pickles,
            _checkpoint_pickle,
            (LegacyError,),
            lambda data, others, rng: mutated(data, others, rng, words),
        ),
        "settings": Target(seeds.settings, _settings, (), json_damage),
        "worker's lines": Target(seeds.messages, _message, (), json_damage),
        "task's lines": Target(seeds.task_messages, _task_message, (), json_damage),
        "captions seen": Target(lambda: [_seen_seed()], _seen, (ModelFileError,)),
        "result archive": Target(lambda: [seeds.result_archive()], _result, (TalcError,), _damaged_tar),
        "database file": Target(lambda: [seeds.database()], _database, (StoreError,)),
        "database cells": Target(lambda: [seeds.database()], _database, (StoreError,), _damaged_cells),
    }

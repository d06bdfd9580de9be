"""The native model format: `<name>.gcmodel/` with model.json, weights and tokenizer.

A model file is input from strangers. Nothing is believed: sizes are capped before anything is read, every
field of `model.json` is checked, the weights must have the recorded sha256 and be finite. What is wrong is
said in one sentence (ModelFileError). The tensors' names and shapes are compared when a graph takes them
(`inference.graph_templates`).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np

from gcdesk.config.files import beside, replace_folder
from gcdesk.config.thresholds import MODEL_INFO_MAX_BYTES, MODEL_TOKENIZER_MAX_BYTES
from gcdesk.engine.errors import ModelFileError
from gcdesk.engine.modelfile.info import (
    MODEL_SUFFIX,
    LoadedModel,
    ModelInfo,
    check_info,
    check_name,
    finite_json,
    info_from_json,
    info_to_json,
)
from gcdesk.engine.modelfile.tokenizer import shared_tokenizer
from gcdesk.engine.modelfile.weights import read_tensors, write_tensors
from gcdesk.engine.os_errors import os_reason

INFO_FILE = "model.json"
WEIGHTS_FILE = "weights.safetensors"
TOKENIZER_FILE = "tokenizer.json"


def save_model(
    folder: Path,
    info: ModelInfo,
    weights: Mapping[str, np.ndarray],
    tokenizer: Path | None = None,
    *,
    half: bool = False,
) -> Path:
    """Write a model folder, whole or not at all, and return it. An older one stays until the new one stands.

    `info.weights_sha256` is filled in. A text model gets `tokenizer`, or the shared vocabulary where it is
    None. `half` stores matrices as fp16. Raises ModelFileError when the model would not pass its own checks.
    """
    folder = Path(folder)
    check_folder_name(folder)
    check_replaceable(folder)
    check_info(info)
    folder.parent.mkdir(parents=True, exist_ok=True)
    work = beside(folder)
    work.mkdir()
    try:
        digest = write_tensors(work / WEIGHTS_FILE, weights, half)
        content = info_to_json(replace(info, weights_sha256=digest))
        try:
            text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        except (TypeError, ValueError) as error:
            raise ModelFileError(
                f"the model's metrics or provenance cannot be written as JSON: {error}"
            ) from error
        (work / INFO_FILE).write_text(text, encoding="utf-8")
        if info.kind == "text":
            shutil.copyfile(tokenizer or shared_tokenizer(), work / TOKENIZER_FILE)
        load_info(work)
        replace_folder(work, folder)
    except BaseException as error:
        shutil.rmtree(work, ignore_errors=True)
        if isinstance(error, OSError):
            raise ModelFileError(f"{folder} cannot be written: {os_reason(error)}.") from error
        raise
    return folder


def load_info(folder: Path) -> ModelInfo:
    """Return what `model.json` says, checked; the weights are not read. Raises ModelFileError."""
    folder = Path(folder)
    if not folder.is_dir():
        raise ModelFileError(f"{folder} is not a model folder.")
    raw = _read_capped(folder / INFO_FILE, MODEL_INFO_MAX_BYTES)
    try:
        data = json.loads(raw, parse_constant=finite_json)
    except (ValueError, RecursionError) as error:
        raise ModelFileError(f"{folder.name}: {INFO_FILE} cannot be read: {error}") from error
    with _named(folder):
        return info_from_json(data)


def load_model(folder: Path) -> LoadedModel:
    """Read a model folder with every check but those of names and shapes. Raises ModelFileError."""
    folder = Path(folder)
    info = load_info(folder)
    weights_file = folder / WEIGHTS_FILE
    if not weights_file.is_file():
        raise ModelFileError(f"{folder.name}: {WEIGHTS_FILE} is missing.")
    if info.kind == "text":
        _read_capped(folder / TOKENIZER_FILE, MODEL_TOKENIZER_MAX_BYTES)
    with _named(folder):
        weights = read_tensors(weights_file, info.weights_sha256)
    return LoadedModel(info, folder, weights)


def check_folder_name(folder: Path) -> None:
    """Raise ModelFileError unless a model folder may have this name."""
    if folder.suffix != MODEL_SUFFIX:
        raise ModelFileError(f"{folder.name} is no name for a model folder: it must end in {MODEL_SUFFIX}.")
    check_name(folder.stem)


def check_replaceable(folder: Path) -> None:
    """Raise ModelFileError when something stands at `folder` that is no model: it is not ours to replace."""
    if folder.exists() and not (folder / INFO_FILE).is_file():
        raise ModelFileError(f"{folder} exists and is no model: it is left alone, choose another name.")


def _read_capped(path: Path, limit: int) -> bytes:
    try:
        if path.exists() and not path.is_file():  # a pipe would be waited for
            raise ModelFileError(f"{path.parent.name}: {path.name} is no ordinary file.")
        with path.open("rb") as file:
            raw = file.read(limit + 1)
    except FileNotFoundError:
        raise ModelFileError(f"{path.parent.name}: {path.name} is missing.") from None
    except OSError as error:
        raise ModelFileError(f"{path.parent.name}: {path.name} cannot be read: {error.strerror}.") from error
    if len(raw) > limit:
        raise ModelFileError(f"{path.parent.name}: {path.name} is larger than {limit // 1024**2} MB.")
    return raw


@contextmanager
def _named(folder: Path) -> Iterator[None]:
    """Put the folder's name before whatever is said about its content."""
    try:
        yield
    except ModelFileError as error:
        raise ModelFileError(f"{folder.name}: {error}") from error

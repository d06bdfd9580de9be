"""What a file or folder that is offered as a model holds, said before anything is installed. No torch, no runtime."""

from __future__ import annotations

import json
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from gcdesk.config.thresholds import MODEL_INFO_MAX_BYTES
from gcdesk.engine.course.checkpoint import recognise
from gcdesk.engine.errors import GcdeskError, ModelFileError
from gcdesk.engine.library.descriptions import origin
from gcdesk.engine.library.library import is_course_file, refuse_other_formats
from gcdesk.engine.modelfile.checkpoint import INFO_FILE, load_info
from gcdesk.engine.modelfile.info import MODEL_SUFFIX, ModelInfo, finite_json, info_from_json
from gcdesk.engine.modelfile.zip_reader import opened_zip


@dataclass(frozen=True)
class ModelSource:
    """What was recognised, in a sentence, and what to ask. problem: why it cannot be imported, "" where it can.

    class_order: the order of its outputs to confirm, None for a file that says it. pooling: the question's usual
    answer where the file cannot tell. class_names: its own words for its classes, where they are not the bins;
    suggested: the bins that these suggest.
    """

    path: Path
    kind: Literal["image", "text", ""]
    name: str
    sentence: str
    asks_class_order: bool = False
    pooling: str | None = None
    problem: str = ""
    class_names: tuple[str, ...] | None = None
    suggested: tuple[str, ...] | None = None


def inspect_model_file(path: Path) -> ModelSource:
    """Say what `path` is: a `.gcmodel` folder, its zip, or a course `.pth`. Raises nothing for what it may hold."""
    name = path.name.partition(MODEL_SUFFIX)[0].removesuffix(path.suffix)
    try:
        if is_course_file(path):
            result = recognise(path)
            pooling = getattr(result.architecture, "pooling", None) if result.pooling_question else None
            return ModelSource(
                path,
                result.kind,
                name,
                result.sentence,
                result.asks_class_order,
                pooling,
                class_names=result.class_names,
                suggested=result.suggested,
            )
        if path.is_file():
            refuse_other_formats(path)
        info = load_info(path) if path.is_dir() else _info_in_zip(path)
    except GcdeskError as error:
        words = str(error)
        named = words if words.startswith(path.name) else f"{path.name}: {words}"
        return ModelSource(path, "", name, "", problem=named)
    except OSError as error:
        return ModelSource(path, "", name, "", problem=f"{path.name} cannot be read: {error.strerror}.")
    return ModelSource(
        path, info.kind, name, f"{path.name} is {_article(info.kind)} model of gcdesk. {origin(info)}"
    )


def _article(kind: str) -> str:
    return "an image" if kind == "image" else "a text"


def _info_in_zip(path: Path) -> ModelInfo:
    """`model.json` of an archive; the rest of it is checked when it is imported. Raises ModelFileError."""
    try:
        with opened_zip(path) as archive:
            names = [name for name in archive.namelist() if Path(name).name == INFO_FILE]
            if len(names) != 1:
                raise ModelFileError("it is a zip file without a model in it.")
            with archive.open(names[0]) as file:
                raw = file.read(MODEL_INFO_MAX_BYTES + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise ModelFileError(f"it is damaged, or no model: {error}") from error
    if len(raw) > MODEL_INFO_MAX_BYTES:
        raise ModelFileError(f"its {INFO_FILE} is too large.")
    try:
        return info_from_json(json.loads(raw, parse_constant=finite_json))
    except (ValueError, RecursionError) as error:
        raise ModelFileError(f"its {INFO_FILE} cannot be read: {error}") from error

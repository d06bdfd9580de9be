"""Items whose bin is known with what both models said of them: the one thing that an evaluation keeps.

Every figure follows from these arrays in a blink, so a kept evaluation can be looked at under another rule or
threshold without a model. Logits are kept, not probabilities: a temperature can still be changed.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gcdesk.config.files import write_atomically
from gcdesk.engine.errors import EvaluationError
from gcdesk.engine.labels import BINS

FORMAT = 1
SCORED_FILE = "scored.json"
_LARGEST = 256 * 1024 * 1024
_DIGITS = 5

# Where an item's bin is known from.
FOLDER, CORRECTED, CONFIRMED, RANDOM = "folder", "corrected", "confirmed", "random"
SOURCES = (FOLDER, CORRECTED, CONFIRMED, RANDOM)


@dataclass(frozen=True)
class ScoredItem:
    """path: "" for a text alone. source: one of SOURCES. seen: the text model learned this caption.

    held: belongs to the station test set. doubt: how far the photo is from those that the image model learned
    (1: as far as the farthest hundredth of them), NaN where it is not known. known_words: the share of the caption's
    words that the text model knows. error: why there is no photo.
    """

    path: str
    caption: str
    label: int
    source: str = FOLDER
    seen: bool = False
    held: bool = False
    doubt: float = math.nan
    known_words: float = 1.0
    error: str = ""


@dataclass(frozen=True)
class ScoredModel:
    """Which model it was, and the temperature that it came with."""

    name: str
    sha256: str
    temperature: float


@dataclass(frozen=True)
class ScoredSet:
    """n items; logits (n, 4) and presence (n,) of each model. A model that was not run is None and nowhere present.

    name: what the user called it. data: what it was measured on, in words. created: seconds since 1970.
    """

    name: str
    data: str
    created: float
    items: tuple[ScoredItem, ...]
    image: ScoredModel | None
    text: ScoredModel | None
    image_logits: NDArray[np.float64]
    text_logits: NDArray[np.float64]
    image_there: NDArray[np.bool_]
    text_there: NDArray[np.bool_]
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.items)

    @property
    def labels(self) -> NDArray[np.int64]:
        """The true bins (n,), as indices into BINS."""
        return np.array([item.label for item in self.items], dtype=np.int64)

    @property
    def both_there(self) -> NDArray[np.bool_]:
        """Where a selection has something to select between."""
        return np.asarray(self.image_there & self.text_there)

    def side(self, kind: str) -> tuple[ScoredModel | None, NDArray[np.float64], NDArray[np.bool_]]:
        """The image or the text model (None where it was not run), its logits (n, 4) and where it answered (n,)."""
        if kind == "image":
            return self.image, self.image_logits, self.image_there
        return self.text, self.text_logits, self.text_there

    def part(self, chosen: NDArray[np.bool_], data: str) -> ScoredSet:
        """Some of the items (n,)."""
        return ScoredSet(
            self.name,
            data,
            self.created,
            tuple(item for item, keep in zip(self.items, chosen.tolist(), strict=True) if keep),
            self.image,
            self.text,
            self.image_logits[chosen],
            self.text_logits[chosen],
            self.image_there[chosen],
            self.text_there[chosen],
            self.notes,
        )

    def to_json(self) -> dict[str, Any]:
        """What `scored_set_from_json` reads."""
        return {
            "format": FORMAT,
            "name": self.name,
            "data": self.data,
            "created": self.created,
            "image": asdict(self.image) if self.image else None,
            "text": asdict(self.text) if self.text else None,
            "notes": list(self.notes),
            "items": [
                {
                    **asdict(item),
                    "doubt": None if math.isnan(item.doubt) else round(item.doubt, _DIGITS),
                    "image": _row(self.image_logits[index], bool(self.image_there[index])),
                    "text": _row(self.text_logits[index], bool(self.text_there[index])),
                }
                for index, item in enumerate(self.items)
            ],
        }


def scored_set_from_json(data: object) -> ScoredSet:
    """The inverse of `ScoredSet.to_json`. Raises EvaluationError for anything else."""
    try:
        return _read(data)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise EvaluationError(f"This is no evaluation that gcdesk kept: {error!r}.") from error


def write_scored(scored: ScoredSet, file: Path) -> None:
    """Write it as JSON. Raises OSError."""
    file.parent.mkdir(parents=True, exist_ok=True)
    # ASCII: a path may hold surrogates, which UTF-8 has no bytes for.
    write_atomically(file, json.dumps(scored.to_json(), allow_nan=False, ensure_ascii=True))


def read_scored(file: Path) -> ScoredSet:
    """Read what `write_scored` wrote. Raises EvaluationError."""
    try:
        if file.stat().st_size > _LARGEST:
            raise EvaluationError(f"{file.name} is too large for an evaluation.")
        data = json.loads(file.read_bytes())
    except OSError as error:
        raise EvaluationError(f"{file} cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise EvaluationError(f"{file} is damaged: {error}") from error
    return scored_set_from_json(data)


def _read(data: Any) -> ScoredSet:
    if data["format"] != FORMAT:
        raise ValueError(f"format {data['format']!r}")
    rows: Sequence[Mapping[str, Any]] = data["items"]
    items = tuple(_item(row) for row in rows)
    models = [ScoredModel(**data[kind]) if data[kind] else None for kind in ("image", "text")]
    logits, there = [], []
    for kind in ("image", "text"):
        present = np.array([row[kind] is not None for row in rows], dtype=bool)
        values = np.array(
            [row[kind] if row[kind] is not None else [0.0] * len(BINS) for row in rows], dtype=np.float64
        )
        values = values.reshape(len(rows), len(BINS))
        if not np.isfinite(values).all():
            raise ValueError("scores that are no numbers")
        logits.append(values)
        there.append(present)
    return ScoredSet(
        str(data["name"]), str(data["data"]), float(data["created"]), items, models[0], models[1],
        logits[0], logits[1], there[0], there[1], tuple(map(str, data["notes"])),
    )  # fmt: skip


def _item(row: Mapping[str, Any]) -> ScoredItem:
    label = int(row["label"])
    if not 0 <= label < len(BINS) or row["source"] not in SOURCES:
        raise ValueError(f"an item of the bin {label} from {row['source']!r}")
    return ScoredItem(
        str(row["path"]), str(row["caption"]), label, str(row["source"]), bool(row["seen"]), bool(row["held"]),
        math.nan if row["doubt"] is None else float(row["doubt"]), _known_words(row), str(row["error"]),
    )  # fmt: skip


def _known_words(row: Mapping[str, Any]) -> float:
    """Evaluations of before say only whether there was any known word."""
    return float(row["known_words"]) if "known_words" in row else float(bool(row["knows_words"]))


def _row(logits: NDArray[np.float64], there: bool) -> list[float] | None:
    return [round(float(value), _DIGITS) for value in logits] if there else None

"""Kinds of items: what the names in the data's file names are in plain words, merged where they are one thing."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trainer.image.photos.data import DataError

KINDS_FILE = Path(__file__).resolve().parents[2] / "kinds.csv"
NO_KIND = -1


class KindTable:
    """Names of kinds in a fixed order, and the kind of each item name."""

    def __init__(self, kind_of: dict[str, str]) -> None:
        self._kind_of = kind_of

    def kind(self, item: str) -> str | None:
        """The kind's name of an item name, None where the table gives none (the item is no one thing)."""
        return self._kind_of.get(item.strip().lower()) or None

    def numbers(self, items: Sequence[str]) -> tuple[tuple[str, ...], NDArray[np.int64]]:
        """The kinds that occur, sorted by name, and the number (n,) of each item's, NO_KIND for none."""
        kinds = [self.kind(item) for item in items]
        names = tuple(sorted({kind for kind in kinds if kind is not None}))
        place = {name: number for number, name in enumerate(names)}
        return names, np.array([NO_KIND if kind is None else place[kind] for kind in kinds], np.int64)


def read_kinds(file: Path = KINDS_FILE) -> KindTable:
    """Read a table `item,kind`. Raises DataError."""
    try:
        with file.open(newline="", encoding="utf-8") as stream:
            return KindTable({row["item"]: row["kind"] for row in csv.DictReader(stream)})
    except (OSError, KeyError, UnicodeDecodeError) as error:
        raise DataError(f"{file} is no table of kinds (columns item and kind): {error}") from error

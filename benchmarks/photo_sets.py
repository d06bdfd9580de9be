"""The photos and captions that the benchmarks run on. No torch: the part that measures our way imports it too."""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from gcdesk.engine.captions.rules import DEFAULT_CAPTION_RULE, CaptionRule, apply_rule
from gcdesk.engine.errors import EvaluationError
from gcdesk.engine.photos.discovery import find_photos

ROOT = Path(__file__).resolve().parent.parent
# 0.2 MP from the web, and phone photos of 3 to 12 MP.
FOLDERS = {"small": Path("images", "test"), "photos": Path("photos")}


def shared_data() -> Path:
    """The shared data: $GCDESK_SHARED, default ../shared."""
    return Path(os.environ.get("GCDESK_SHARED", ROOT.parent / "shared")) / "data"


def spread_evenly(paths: Sequence[Path], count: int) -> list[Path]:
    """`count` of the paths at even distances over the whole list."""
    edges = np.linspace(0, len(paths), min(count, len(paths)) + 1).astype(int)
    return [paths[start] for start, _ in pairwise(edges)]


def photos_under(folder: Path) -> list[Path]:
    """Every photo in a folder. Raises EvaluationError where it cannot be read."""
    found = list(find_photos([folder]))
    if problem := next((f for f in found if f.error), None):
        raise EvaluationError(f"{problem.path}: {problem.error}. Set GCDESK_SHARED to the shared folder.")
    return [f.path for f in found]


def photo_set(name: str, count: int) -> list[Path]:
    """`count` photos of one of FOLDERS."""
    return spread_evenly(photos_under(shared_data() / FOLDERS[name]), count)


def distinct_captions(path: Path, rule: CaptionRule | None, count: int) -> list[str]:
    """Captions that all differ, because ours would score a repeated one only once."""
    with path.open(encoding="utf-8", newline="") as file:
        texts = [apply_rule(row["text"], rule or DEFAULT_CAPTION_RULE) for row in csv.DictReader(file)]
    return [caption for caption in dict.fromkeys(texts) if caption][:count]


def caption_set(rule: CaptionRule | None, count: int) -> list[str]:
    """Captions of the course's own test split."""
    return distinct_captions(shared_data() / "captions" / "course_dev.csv", rule, count)

"""Rows that a cluster classified, into a session of their own."""

from __future__ import annotations

import csv
import json
import logging
import re
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from gcdesk.cluster.errors import ResultError
from gcdesk.cluster.job_registry import record_rows
from gcdesk.cluster.results.archive import check_files, unpack
from gcdesk.cluster.results.tar_reader import opened_result
from gcdesk.engine.classification.result_row import FIELDS
from gcdesk.engine.labels import BINS
from gcdesk.engine.selection.rules import Winner
from gcdesk.engine.tables.writer import without_quote
from gcdesk.store import NewPhoto, Run, Store, StoredResult, store_path
from trainer.job.collect import MANIFEST_FILE
from trainer.job.config import JobError
from trainer.shards.config import CONFIG_FILE, ShardsConfig, read_shards
from trainer.shards.merge import ROWS_FILE, ROWS_KIND, ROWS_VERSION, SUMMARY_FILE

_LOG = logging.getLogger(__name__)
_MOST_BYTES = 8_000_000_000  # about 25 million rows
_CHUNK = 5_000
_MANIFEST_BYTES = 1_000_000
_EXPECTED = {
    re.compile(r"manifest\.json|classify\.toml|summary\.json"): _MANIFEST_BYTES,
    re.compile(r"rows\.csv"): _MOST_BYTES,
}


@dataclass(frozen=True)
class RowsArrival:
    """A session that was made of a result."""

    run: str
    session: int
    rows: int
    unreadable: int

    @property
    def words(self) -> str:
        """What came of it, in a sentence."""
        return f"{self.rows:,} photos are in the session “{self.run}”; {self.unreadable:,} could not be read."


def holds_rows(archive: Path) -> bool:
    """Whether a result archive holds classified rows; False for whatever cannot be read, to be told elsewhere."""
    try:
        with opened_result(archive, _MOST_BYTES) as opened:
            first = next(opened.entries(), None)
            if first is None or not first.name.endswith(f"/{MANIFEST_FILE}") or not first.isreg():
                return False
            if first.size > _MANIFEST_BYTES:
                return False
            manifest = json.loads(b"".join(opened.content(first)))
    except (ResultError, ValueError, RecursionError):
        return False
    return isinstance(manifest, dict) and manifest.get("kind") == ROWS_KIND


def take_rows(archive: Path, store: Path | None = None) -> RowsArrival:
    """Import classified rows as a session, and put it on the list of cluster jobs.

    Raises ResultError; then nothing is left of it.
    """
    with tempfile.TemporaryDirectory(prefix="gcdesk-rows-") as name:
        folder = Path(name)
        names = unpack(archive, folder, _EXPECTED, _MOST_BYTES)
        try:
            manifest = json.loads((folder / MANIFEST_FILE).read_bytes())
            config = read_shards(folder)
        except (ValueError, RecursionError, OSError) as error:
            raise ResultError(f"{archive.name} is damaged: copy it again ({error}).") from error
        except JobError as error:
            raise ResultError(f"The result's settings cannot be read: {error}") from error
        if not isinstance(manifest, dict) or manifest.get("v") != ROWS_VERSION:
            version = manifest.get("v") if isinstance(manifest, dict) else None
            raise ResultError(f"The result has version {version!r}; this gcdesk reads {ROWS_VERSION}.")
        check_files(manifest, names, folder)
        if not {CONFIG_FILE, ROWS_FILE, SUMMARY_FILE} <= names:
            raise ResultError("The result is not complete: collect it again with ./collect.sh.")
        arrival = _into_session(folder / ROWS_FILE, config, store)
    try:
        record_rows(arrival.run, arrival.words)
    except OSError as error:  # the rows are safe in their session, and that counts
        _LOG.warning("The cluster job %s could not be put on the list: %s", arrival.run, error)
    return arrival


def _into_session(rows: Path, config: ShardsConfig, path: Path | None) -> RowsArrival:
    """All rows or none: they are read once before the store is touched, and written in one transaction, so that
    nothing is left where the process is killed in the middle of it.
    """
    for _ in _read(rows):
        pass
    with Store(path or store_path()) as store, store.transaction():
        session = store.create_session(config.run)
        run = store.begin_run(
            Run(
                config.image_model or None,
                config.text_model or None,
                config.rule,
                weight=config.text_weight,
                review_threshold=config.review_threshold,
                disagreement_margin=config.disagreement_margin,
            )
        )
        count = failed = 0
        read = _read(rows)
        while chunk := list(islice(read, _CHUNK)):
            added = store.add_items(session, [photo for photo, _ in chunk])
            store.record_results(
                StoredResult(item_id=new.item_id, run_id=run, **result)  # type: ignore[arg-type]
                for new, (_, result) in zip(added, chunk, strict=True)
            )
            count += len(chunk)
            failed += sum(bool(result["error"]) for _, result in chunk)
    return RowsArrival(config.run, session, count, failed)


def _read(rows: Path) -> Iterator[tuple[NewPhoto, dict[str, object]]]:
    """Each row of the table. Raises ResultError, which names the line, for what no row holds."""
    with rows.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.reader(stream)
        try:
            if tuple(next(reader, ())) != FIELDS:
                raise ResultError(f"The result's {ROWS_FILE} has other columns than a table of gcdesk.")
            for cells in reader:
                row = dict(zip(FIELDS, map(without_quote, cells), strict=True))
                yield NewPhoto(row["path"], row["caption"]), _result_of(row)
        except (csv.Error, ValueError) as error:  # UnicodeDecodeError is one
            raise ResultError(
                f"The result's {ROWS_FILE} is damaged in line {reader.line_num} ({error}): collect it again with"
                " ./collect.sh. Nothing of it was taken."
            ) from error


def _result_of(row: Mapping[str, str]) -> dict[str, object]:
    """A row's answer in the store's codes. Raises ValueError for what no row holds."""
    return {
        "image": _four("image", row),
        "text": _four("text", row),
        "label": BINS.index(row["label"]) if row["label"] else -1,
        "winner": int(Winner[row["winner"].upper()]) if row["winner"] in ("image", "text", "both") else 0,
        "confidence": _share(row["confidence"]),
        "margin": _share(row["margin"]),
        "review": row["review"] == "true",
        "reason": row["reason"],
        "error": row["error"],
    }


def _four(kind: str, row: Mapping[str, str]) -> list[float] | None:
    words = [row[f"{kind}_{name}"] for name in BINS]
    return [_share(word) for word in words] if all(words) else None


def _share(word: str) -> float:
    """A number from 0 to 1, as probabilities and their differences are; 0 for an empty cell."""
    number = float(word or 0.0)
    if not 0.0 <= number <= 1.0:  # NaN is neither
        raise ValueError(f"{word[:40]!r} is no number from 0 to 1")
    return number

"""The merged table as Parquet, for whoever reads millions of rows with other tools. It needs pyarrow."""

from __future__ import annotations

import csv
import importlib.util
from itertools import islice
from pathlib import Path

from gcdesk.config.files import replace_atomically
from gcdesk.engine.labels import BINS
from gcdesk.engine.tables.writer import without_quote

_GROUP = 50_000  # rows in memory at a time
_NUMBERS = ("image_confidence", "text_confidence", "confidence", "margin")


def have_pyarrow() -> bool:
    """Whether Parquet can be written here."""
    return importlib.util.find_spec("pyarrow") is not None


def write_parquet(table: Path, target: Path) -> None:
    """Write the merged CSV `table` to `target` with the same columns; empty cells of numbers and labels are null.

    Raises ImportError without pyarrow.
    """
    import pyarrow
    from pyarrow import parquet

    numbers = {*_NUMBERS, *(f"{kind}_{name}" for kind in ("image", "text") for name in BINS)}
    with replace_atomically(target) as packed, table.open(encoding="utf-8-sig", newline="") as stream:
        rows = csv.DictReader(stream)
        names = list(rows.fieldnames or ())
        kinds = {name: pyarrow.float64() if name in numbers else pyarrow.string() for name in names}
        kinds["review"] = pyarrow.bool_()
        schema = pyarrow.schema(list(kinds.items()))
        with parquet.ParquetWriter(packed, schema) as writer:
            while group := list(islice(rows, _GROUP)):
                columns = {
                    name: [_value(name, row[name], name in numbers) for row in group] for name in names
                }
                writer.write_table(pyarrow.table(columns, schema=schema))


def _value(name: str, word: str, number: bool) -> str | float | bool | None:
    if name == "review":
        return word == "true"
    if word == "" and name not in ("path", "caption", "reason"):
        return None
    return float(word) if number else without_quote(word)

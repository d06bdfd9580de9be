"""The columns and cells of an exported table. No Qt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from gcdesk.engine.classification.result_row import ANSWER_FIELDS, REASON_FIELDS
from gcdesk.engine.labels import BINS, NOT_SET
from gcdesk.engine.selection.rules import Winner
from gcdesk.engine.tables.writer import (
    BYTE_ORDER_MARK,
    CsvTable,
    JsonTable,
    TableFile,
    Value,
    readable,
    replaced_file,
    rounded,
)
from gcdesk.store import LoadedRows
from gcdesk.ui.session.rows import Rows
from gcdesk.ui.session.wording import label_name, status_words

Format = Literal["csv", "json"]

# The names of `gcdesk classify` where it has the same, and what only an operator adds.
FIELDS = (*ANSWER_FIELDS, "operator_label", "final_label", "status", *REASON_FIELDS)
_LISTS = ("path", "caption", "reason", "error", "thumbnail")
_ARRAYS = (
    *("item_id", "status", "image", "text", "label", "winner", "confidence", "margin"),
    *("review", "operator", "spot", "width", "height", "seconds", "duplicate_of"),
)
_SLICE = 2000  # rows whose columns are made at once
_WINNERS: dict[int, str] = {Winner.IMAGE: "image", Winner.TEXT: "text", Winner.BOTH: "both"}


def some_rows(rows: Rows, numbers: Sequence[int] | np.ndarray) -> Rows:
    """A copy of these rows in this order, which a thread may read while the list goes on changing."""
    chosen = np.asarray(numbers, dtype=np.int64)
    columns: dict[str, Any] = {name: getattr(rows, name)[chosen] for name in _ARRAYS}
    for name in _LISTS:
        column = getattr(rows, name)
        columns[name] = [column[row] for row in chosen.tolist()]
    copy = Rows()
    copy.fill(LoadedRows(**columns))
    return copy


def write_table(rows: Rows, path: Path, form: Format) -> int:
    """Write all rows; an older file is replaced in one step. Returns how many. Raises GcdeskError, OSError."""
    with replaced_file(path) as stream:
        if form == "csv":
            stream.write(BYTE_ORDER_MARK)
        table: TableFile = CsvTable(stream, FIELDS) if form == "csv" else JsonTable(stream)
        for values in table_rows(rows):
            table.write(values)
        table.finish()
    return len(rows)


def table_rows(rows: Rows) -> Iterator[dict[str, Value]]:
    """A dict of FIELDS for each row; None where there is no value."""
    to_review, final = rows.to_review(), rows.final_labels()
    for start in range(0, len(rows), _SLICE):
        part = slice(start, start + _SLICE)
        end = min(start + _SLICE, len(rows))
        image, text = _votes(rows.image[part]), _votes(rows.text[part])
        decided = rows.label[part] != NOT_SET
        columns: tuple[Sequence[Value], ...] = (
            [readable(path) for path in rows.path[part]],
            [readable(caption) for caption in rows.caption[part]],
            image.labels,
            image.confidences,
            text.labels,
            text.confidences,
            _label_names(rows.label[part]),
            _numbers(rows.confidence[part], decided),
            [_WINNERS.get(code) for code in rows.winner[part].tolist()],
            _numbers(rows.margin[part], decided),
            to_review[part].tolist(),
            _label_names(rows.operator[part]),
            _label_names(final[part]),
            [word.lower() for word in status_words(rows, start, end)],
            [reason or None for reason in rows.reason[part]],
            [readable(error) or None for error in rows.error[part]],
            *image.probabilities,
            *text.probabilities,
        )
        for values in zip(*columns, strict=True):
            yield dict(zip(FIELDS, values, strict=True))


@dataclass(frozen=True)
class _Votes:
    """A model's columns: bins, their probabilities, and the probabilities of each bin; None where it abstained."""

    labels: list[Value]
    confidences: list[Value]
    probabilities: tuple[list[Value], ...]


def _votes(probabilities: np.ndarray) -> _Votes:
    """Of (n, 4) probabilities, NaN where the model abstained."""
    present = ~np.isnan(probabilities[:, 0])
    best = np.where(present, np.nan_to_num(probabilities).argmax(axis=1), NOT_SET)
    confidence = probabilities[np.arange(len(best)), np.maximum(best, 0)]
    each = tuple(_numbers(probabilities[:, code], present) for code in range(len(BINS)))
    return _Votes(_label_names(best), _numbers(confidence, present), each)


def _label_names(codes: np.ndarray) -> list[Value]:
    names = {code: label_name(code) or None for code in np.unique(codes).tolist()}
    return [names[code] for code in codes.tolist()]


def _numbers(values: np.ndarray, present: np.ndarray) -> list[Value]:
    """Rounded as `rounded` does, None where there is no value."""
    return [
        rounded(value) if known else None
        for value, known in zip(values.tolist(), present.tolist(), strict=True)
    ]
